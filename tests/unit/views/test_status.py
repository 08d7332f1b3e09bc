"""The state of an environment that is not whole."""

from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.environment.agents import AgentGroup
from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller import waiting
from bootstrap.jenkins.controller.waiting import Load, Waiting
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


@pytest.mark.parametrize(("refusal", "rows"), [
    (None, [("queue", "1 item", "build waits 40 s: no agent"), ("executors", "linux", "1 of 2 busy")]),
    (BootstrapError("asking", "Jenkins answered 503\nmore", "wait"), [("queue", "unknown", "Jenkins answered 503")]),
])  # fmt: skip
def test_what_waits_and_how_busy_agents_are_is_shown(
    monkeypatch: pytest.MonkeyPatch, refusal: BootstrapError | None, rows: list[tuple[str, str, str]]
) -> None:
    def read_queue(_: Any, groups: Any) -> tuple[Waiting, ...]:
        if refusal:
            raise refusal
        assert ["linux"] == list(groups)
        return (Waiting("build", "no agent", 40, is_in_vain=True),)

    monkeypatch.setattr(waiting, "read_queue", read_queue)
    monkeypatch.setattr(waiting, "read_loads", lambda _: (Load("linux", 1, 2, 0),))
    context: Any = SimpleNamespace(jenkins=None, settings=SimpleNamespace(agents={"linux": AgentGroup()}))

    assert rows == status._list_load_rows(context)
