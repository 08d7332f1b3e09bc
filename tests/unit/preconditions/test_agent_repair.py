"""Groups of agents that somebody changed or deleted behind their stacks, and stacks whose groups leave the environment file."""

from __future__ import annotations

from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from bootstrap.acts import stack as act
from bootstrap.errors import AwsRefused
from bootstrap.preconditions import agent_removal, agent_repair, stack_inputs
from bootstrap.values import ChangeKind, Stack

NAME = "jenkins-trial-agents-linux"
GOOD = {"AutoScalingGroupName": NAME, "MinSize": 1, "MaxSize": 3, "NewInstancesProtectedFromScaleIn": True}
GROUP = {**GOOD, "Instances": []}


def make_stack(status: str = "CREATE_COMPLETE", name: str = NAME) -> Stack:
    return Stack(name, status, {"AgentsGroup": NAME}, {"Minimum": "1", "Maximum": "3"})


class Context:
    """An environment with one group, which Auto Scaling knows as `group`; None if it is gone."""

    def __init__(self, group: dict[str, Any] | None, **stacks: Stack) -> None:
        self.group, self.stacks = group, stacks or {"agents-linux": make_stack()}
        self.changed: list[dict[str, Any]] = []
        self.forgotten = 0
        self.world = SimpleNamespace(aws=lambda service: SimpleNamespace(service=service, **self._make_calls()))

    def _make_calls(self) -> dict[str, Any]:
        return {
            "describe_auto_scaling_groups": lambda **_: {"AutoScalingGroups": [self.group] if self.group else []},
            "update_auto_scaling_group": lambda **asked: self.changed.append(asked),
            "exceptions": SimpleNamespace(ClientError=ClientError),
        }

    def forget(self) -> None:
        self.forgotten += 1


class Report:
    """A run that remembers what it was told."""

    def __init__(self) -> None:
        self.changes: list[Any] = []
        self.notices: list[str] = []
        self.acts: list[str] = []

    def change(self, change: Any) -> None:
        self.changes.append(change)

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def progress(self, text: str) -> None:
        self.notices.append(text)

    def act(self, name: str, doing: str) -> Any:
        self.acts.append(f"{name}: {doing}")
        return nullcontext()


@pytest.fixture
def deleted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stacks that were deleted."""
    names: list[str] = []
    monkeypatch.setattr(act, "destroy", lambda client, name, run: names.append(name))
    return names


def plan(context: Any, name: str = "agents-linux") -> Any:
    return agent_repair.plan(context, name)


def test_a_group_as_its_stack_made_it_is_left_alone(deleted: list[str]) -> None:
    context: Any = Context(GROUP)
    run: Any = Report()

    assert () == plan(context)
    agent_repair.remove(context, "agents-linux", context.stacks, run)
    agent_repair.resize(context, "agents-linux", context.stacks["agents-linux"], run)

    assert ([], [], [], []) == (deleted, context.changed, run.changes, run.notices)


def test_the_stack_of_a_group_that_is_gone_is_deleted(deleted: list[str]) -> None:
    context: Any = Context(None)
    run: Any = Report()

    (change,) = plan(context)
    agent_repair.remove(context, "agents-linux", context.stacks, run)

    assert (ChangeKind.REPLACE, f"{NAME}/Group") == (change.kind, change.name)
    assert ([NAME], {}) == (deleted, context.stacks)
    assert "is gone" in run.notices[0]


@pytest.mark.parametrize(
    ("edit", "told"),
    [
        ({"MaxSize": 9}, "MaxSize is 9, wished 3"),
        ({"MinSize": 0, "MaxSize": 0}, "MinSize is 0, wished 1, MaxSize is 0, wished 3"),
        ({"NewInstancesProtectedFromScaleIn": False}, "NewInstancesProtectedFromScaleIn is False, wished True"),
    ],
)
def test_edited_sizes_are_set_again(edit: dict[str, Any], told: str, deleted: list[str]) -> None:
    context: Any = Context(GROUP | edit)
    run: Any = Report()

    (change,) = plan(context)
    agent_repair.resize(context, "agents-linux", context.stacks["agents-linux"], run)

    assert (ChangeKind.ALTER, told) == (change.kind, change.detail)
    assert [change] == run.changes
    assert [GOOD] == context.changed
    assert [] == deleted


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_FAILED", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_is_not_whole_is_not_judged(status: str, deleted: list[str]) -> None:
    """The stack act deals with it: its outputs may not be there."""
    half = Stack(NAME, status)
    context: Any = Context(None, **{"agents-linux": half})
    run: Any = Report()

    assert () == plan(context)
    agent_repair.remove(context, "agents-linux", context.stacks, run)
    assert ([], {"agents-linux": half}) == (deleted, context.stacks)


def test_other_stacks_and_missing_ones_are_not_looked_at(deleted: list[str]) -> None:
    network = Stack("jenkins-trial-network", "CREATE_COMPLETE")
    context: Any = Context(None, network=network)
    context.world.aws = pytest.fail
    run: Any = Report()

    assert () == plan(context, "network") == plan(context, "agents-linux")
    for name in ("network", "agents-linux"):
        agent_repair.remove(context, name, context.stacks, run)
    agent_repair.resize(context, "network", network, run)
    assert [] == deleted


def test_a_refusal_of_aws_names_the_group() -> None:
    def refuse(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeAutoScalingGroups")

    context: Any = Context(None)
    context.world.aws = lambda _: SimpleNamespace(describe_auto_scaling_groups=refuse)

    with pytest.raises(AwsRefused) as caught:
        plan(context)

    assert NAME in caught.value.doing and "doctor --policy" in caught.value.remedy


def test_groups_that_left_the_file_go_with_their_instances(monkeypatch: pytest.MonkeyPatch, deleted: list[str]) -> None:
    """Only the stacks of groups: the others went before Jenkins was configured."""
    member = {"InstanceId": "i-1", "LifecycleState": "InService", "ProtectedFromScaleIn": True}
    context: Any = Context({**GROUP, "Instances": [member]})
    unprotected: list[Any] = []
    calls = context.world.aws("autoscaling")
    calls.set_instance_protection = lambda **asked: unprotected.append(asked["InstanceIds"])
    context.world.aws = lambda _: calls
    monkeypatch.setattr(stack_inputs, "list_unwanted_stacks", lambda _: ("names", "agents-linux"))
    run: Any = Report()

    agent_removal.remove_unwanted(context, run)

    assert [NAME] == deleted
    assert [["i-1"]] == unprotected
    assert [(0, 0, False)] == [tuple(list(asked.values())[1:]) for asked in context.changed]
    assert 1 == context.forgotten
    assert any("scale-in protection of 1 instances is off" in notice for notice in run.notices)


def test_without_such_stacks_nothing_is_deleted(monkeypatch: pytest.MonkeyPatch, deleted: list[str]) -> None:
    context: Any = Context(None)
    context.world.aws = pytest.fail
    monkeypatch.setattr(stack_inputs, "list_unwanted_stacks", lambda _: ("names",))
    run: Any = Report()

    agent_removal.remove_unwanted(context, run)
    agent_removal.prepare(context, "network", run)
    agent_removal.prepare(context, "agents-other", run)

    assert ([], [], 0) == (deleted, run.acts, context.forgotten)
