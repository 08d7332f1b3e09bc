"""The state of an environment that is not whole."""

from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.values import Stack
from bootstrap.views import status


@pytest.mark.parametrize("state", ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE", "CREATE_FAILED"])
def test_an_environment_without_a_machine_has_a_state(state: str) -> None:
    stacks = {
        "network": Stack("jenkins-trial-network", "CREATE_COMPLETE", {}),
        "controller": Stack("jenkins-trial-controller", state, {}),
    }
    settings = SimpleNamespace(agents={}, name_stack=lambda name: f"jenkins-trial-{name}")
    world = SimpleNamespace(aws=None)
    context: Any = SimpleNamespace(
        world=world,
        wanted=("network", "data", "controller"),
        stacks=stacks,
        settings=settings,
        tool="./bootstrap.py -e trial",
    )
    found = status.read_status(context)
    assert not found.is_up
    assert found.rows == (
        ("stack", "jenkins-trial-network", "CREATE_COMPLETE"),
        ("stack", "jenkins-trial-data", "absent"),
        ("stack", "jenkins-trial-controller", state),
        ("machine", "none", "not made: run './bootstrap.py -e trial launch' again"),
    )
