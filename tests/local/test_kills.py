"""The tool killed at the steps of its own journal, again and again on the way, ends as an undisturbed run does.

First all goes away, with the data, and comes back, killed on both ways. KILLS=all kills at every step that is reached;
otherwise in each act a number of times that keeps the whole to minutes.
"""

import os
from typing import Any

import pytest
from killing import killed_on_the_way
from state import state_of, without_strangers
from trial import NAME, Launched, leftovers

IS_ALL = os.environ.get("KILLS") == "all"
MOST = {"destroy": 10, "cloud": 2, "stack": 12, "host": 22, "casc": 3, "jobs": 5, "verify": 1}
AT_LEAST = 40


def most(act: str) -> int:
    return 1000 if IS_ALL else MOST.get(act, 1)


@pytest.fixture(scope="module")
def undisturbed(launched: Launched) -> dict[str, Any]:
    """The environment as launches without any kill left it."""
    launched.done("launch", "--skip-verify")
    without_strangers(launched)
    return state_of(launched)


def test_a_destruction_killed_at_its_steps_ends_with_nothing_left(
    launched: Launched, undisturbed: dict[str, Any]
) -> None:
    launched.close()
    killed, ended = killed_on_the_way(
        launched, ["destroy", "--delete-data", NAME], lambda _: True, lambda _: most("destroy")
    )

    print(f"destroy: killed at {len(killed)} steps: {killed}")
    assert 0 == ended.code, ended.output
    assert len(killed) >= 4
    assert "left beside its stacks" not in ended.output
    assert [] == leftovers()


def test_a_launch_killed_at_its_steps_ends_as_an_undisturbed_one(
    launched: Launched, undisturbed: dict[str, Any]
) -> None:
    killed, ended = killed_on_the_way(launched, ["launch"], lambda _: True, most)

    by_act = {act: [it for it in killed if it[0] == act] for act in dict.fromkeys(act for act, _, _ in killed)}
    print(f"launch: killed at {len(killed)} steps: { {act: len(found) for act, found in by_act.items()} }")
    assert 0 == ended.code, ended.output
    assert len(killed) >= AT_LEAST, killed
    assert {"cloud", "stack", "host", "casc", "jobs", "verify"} <= set(by_act)
    there = state_of(launched)
    for part, wished in undisturbed.items():
        assert wished == there[part], part


def test_the_launch_after_it_has_nothing_to_change(launched: Launched) -> None:
    shown = launched.done("launch")

    assert "nothing had to change" in shown
