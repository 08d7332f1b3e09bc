"""The rows of `status` about groups of agents."""

from types import SimpleNamespace
from typing import Any

from bootstrap.environment.agents import AgentGroup
from bootstrap.values import Stack
from bootstrap.views import agent_groups

NAME = "jenkins-trial-agents-{}"


def list_rows(
    groups: dict[str, dict[str, Any]], *made: str, activities: tuple[dict[str, str], ...] = ()
) -> list[tuple[str, str, str]]:
    """The rows of the groups `linux`, `large` and `later`; the stacks `made` exist, and Auto Scaling has `groups`."""

    def describe(*, AutoScalingGroupNames: list[str]) -> Any:  # noqa: N803
        known = [{"AutoScalingGroupName": NAME.format(label), **group} for label, group in groups.items()]
        return {"AutoScalingGroups": [it for it in known if it["AutoScalingGroupName"] in AutoScalingGroupNames]}

    stacks = {
        f"agents-{label}": Stack(NAME.format(label), "CREATE_COMPLETE", {"AgentsGroup": NAME.format(label)})
        for label in made
    }
    context: Any = SimpleNamespace(
        settings=SimpleNamespace(agents=dict.fromkeys(("linux", "large", "later"), AgentGroup())),
        stacks=stacks,
        world=SimpleNamespace(
            aws=lambda _: SimpleNamespace(
                describe_auto_scaling_groups=describe,
                describe_scaling_activities=lambda **_: {"Activities": activities},
            )
        ),
    )
    return agent_groups.list_rows(context)


def test_each_group_has_a_row_with_its_instances_by_their_states() -> None:
    states = ("InService", "Pending", "InService")
    sizes = {"MinSize": 0, "DesiredCapacity": 3, "MaxSize": 5}
    busy = {"Instances": [{"LifecycleState": state} for state in states], **sizes}
    idle = {"Instances": [], "MinSize": 0, "DesiredCapacity": 0, "MaxSize": 2}

    assert [
        ("agents", "linux", "2 InService, 1 Pending (minimum 0, desired 3, maximum 5)"),
        ("agents", "large", "no instances (minimum 0, desired 0, maximum 2)"),
    ] == list_rows({"linux": busy, "large": idle}, "linux", "large")


def test_a_group_without_its_instances_says_why() -> None:
    group = {"Instances": [], "MinSize": 1, "DesiredCapacity": 1, "MaxSize": 2}
    failed = {"StatusCode": "Failed", "StatusMessage": "You have requested more vCPU capacity than your limit"}

    ((_, _, state),) = list_rows({"linux": group}, "linux", activities=(failed,))
    assert "; the last launch failed: You have requested more vCPU capacity than your limit" in state
    ((_, _, state),) = list_rows({"linux": group}, "linux", activities=({"StatusCode": "InProgress"},))
    assert "failed" not in state


def test_a_group_that_is_gone_says_so() -> None:
    assert [("agents", "linux", "the Auto Scaling group does not exist")] == list_rows({}, "linux")


def test_a_group_that_was_not_launched_has_no_row() -> None:
    assert [] == list_rows({})
