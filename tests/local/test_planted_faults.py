"""Each fault that is planted turns exactly the checks red that it must; mended, all are green again.

A suite that stays green whatever happens proves nothing, and one that turns red all over names no cause.
"""

from __future__ import annotations

import json

import pytest
from planting import FAULTS, TOGETHER
from trial import Launched

# The environment of these tests has no second machine, which test_bastion gives it, and no zone.
LEFT_OUT = {
    "network: Real connections between machines agree with routes, ACLs and security groups",
    "network: The hosted zones resolve to the machine, and the parent zone delegates the public one",
    # The environment has no groups of agents.
    "agents: Jenkins has a cloud for the group, with the sizes and times of the environment file: none",
    "agents: The Auto Scaling group has its sizes, and only Jenkins takes an instance out of it: none",
    "agents: A build runs on an agent of the group: none",
}


def outcomes(launched: Launched) -> dict[str, str]:
    """What `verify` says: 'group: check' to its outcome."""
    found = launched.run("--json", "verify")
    told = [json.loads(line) for line in found.stdout.splitlines() if line.startswith("{")]
    checks = {f"{it['group']}: {it['name']}": str(it["outcome"]) for it in told if it.get("event") == "check"}
    assert checks, found.stdout + found.stderr
    for it in told:  # pytest shows it where the test fails
        if it.get("event") == "check" and it["outcome"] != "passed":
            print(it["outcome"], it["name"], it["detail"][:600], sep=" | ")
    assert (1 if red(checks) else 0) == found.returncode
    return checks


def red(checks: dict[str, str]) -> set[str]:
    return {
        name
        for name, outcome in checks.items()
        if outcome != "passed" and not (outcome == "skipped" and name in LEFT_OUT)
    }


def test_a_launched_environment_is_green(launched: Launched) -> None:
    assert set() == red(outcomes(launched))


def test_every_fault_is_planted() -> None:
    assert sorted(fault.name for fault in FAULTS) == sorted(name for names in TOGETHER for name in names)


@pytest.mark.parametrize("names", TOGETHER, ids=", ".join)
def test_faults_turn_exactly_their_checks_red(launched: Launched, names: tuple[str, ...]) -> None:
    """What an earlier fault left red would be red here too, so the remedy of each is proven by the next verify."""
    faults = [fault for fault in FAULTS if fault.name in names]
    for fault in faults:
        fault.plant(launched)
    try:
        checks = outcomes(launched)
    finally:
        for fault in faults:
            fault.mend(launched)

    groups = tuple(f"{group}: " for fault in faults for group in fault.groups)
    expected = {name for fault in faults for name in fault.red}
    assert expected | {name for name in checks if name.startswith(groups)} == red(checks)


def test_all_is_green_after_the_last_remedy(launched: Launched) -> None:
    assert set() == red(outcomes(launched))
