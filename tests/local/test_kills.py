"""The tool killed at the steps of its own journal, again and again on the way, ends as an undisturbed run does.

First all goes away, with the data, and comes back, killed on both ways. KILLS=all kills at every step that is reached;
otherwise at every n-th step of an act, a few times, and from another one in each run of the tests.
"""

import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from killing import Step, killed_on_the_way
from leftovers import things
from state import state_of, without_strangers
from trial import NAME, Launched

IS_ALL = os.environ.get("KILLS") == "all"
# By act: every n-th step, at most so many times. The acts that are not here are killed once, at their first step.
SPREAD = {"destroy": (3, 3), "stack": (5, 3), "host": (7, 5), "casc": (2, 2), "jobs": (2, 2)}
AT_LEAST = 40 if IS_ALL else 12


def most(act: str) -> int:
    return 1000 if IS_ALL else SPREAD.get(act, (1, 1))[1]


def spread() -> Callable[[Step], bool]:
    """Whether a step is one to be killed at; steps are counted in the order in which they are first reached."""
    seen: dict[Step, int] = {}
    counts: dict[str, int] = {}
    starts = {act: random.randrange(every) for act, (every, _) in SPREAD.items()}
    print(f"the first step by act: {starts}")

    def wanted(reached: Step) -> bool:
        act = reached[0]
        if reached not in seen:
            seen[reached] = counts.get(act, 0)
            counts[act] = seen[reached] + 1
        every, _ = SPREAD.get(act, (1, 1))
        return IS_ALL or seen[reached] % every == starts.get(act, 0)

    return wanted


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
    killed, ended = killed_on_the_way(launched, ["destroy", "--delete-data", NAME], spread(), lambda _: most("destroy"))

    print(f"destroy: killed at {len(killed)} steps: {killed}")
    assert 0 == ended.code, ended.output
    assert len(killed) >= (4 if IS_ALL else 2)
    assert "leftovers outside of the stacks" not in ended.output
    assert [] == list(things(NAME))


def test_a_launch_killed_at_its_steps_ends_as_an_undisturbed_one(
    launched: Launched, undisturbed: dict[str, Any]
) -> None:
    killed, ended = killed_on_the_way(launched, ["launch"], spread(), most)

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
