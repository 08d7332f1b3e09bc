"""What a run tells of a stack's events."""

from typing import Any

import pytest

from bootstrap.stacks.events import Follower
from tests.recorder import Recorder

STACK = "arn:aws:cloudformation:eu-central-1:1:stack/s/1"


class Client:
    """CloudFormation, whose stack has no past and then these events, the newest first as the API gives them."""

    def __init__(self, *events: dict[str, Any]) -> None:
        self.answers = [[], list(reversed(events))]

    def describe_stack_events(self, **_: Any) -> dict[str, Any]:
        return {"StackEvents": self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]}


def event(number: int, status: str, reason: str = "", physical: str = "x") -> dict[str, Any]:
    return {
        "EventId": str(number),
        "LogicalResourceId": "Thing",
        "ResourceType": "AWS::X::Thing",
        "PhysicalResourceId": physical,
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def failure_of(*events: dict[str, Any]) -> str:
    follower = Follower(Client(*events), STACK, Recorder())
    follower.wait()
    return follower.failure


def test_a_failure_is_that_of_the_first_resource_that_failed_by_itself() -> None:
    end = event(4, "ROLLBACK_COMPLETE", "the stack's own words", physical=STACK)
    cancelled, own = event(1, "CREATE_FAILED", "Resource creation cancelled"), event(2, "CREATE_FAILED", "no room")

    assert "Thing (AWS::X::Thing): no room" == failure_of(cancelled, own, end)
    assert "Thing (AWS::X::Thing): Resource creation cancelled" == failure_of(cancelled, end)


def test_without_a_failed_resource_the_stack_itself_says_why() -> None:
    begin = event(1, "DELETE_IN_PROGRESS", "User Initiated", physical=STACK)
    end = event(2, "CREATE_COMPLETE", "Delete canceled. Cannot delete export e as it is in use by s.", physical=STACK)

    assert "Delete canceled. Cannot delete export e as it is in use by s." == failure_of(begin, end)


@pytest.mark.parametrize(
    ("status", "reason", "expected"),
    [
        ("CREATE_COMPLETE", "STAND-IN: on paper only", ["Thing (AWS::X::Thing): STAND-IN: on paper only"]),
        ("UPDATE_COMPLETE", "NOT MODELLED: Colour", ["Thing (AWS::X::Thing): NOT MODELLED: Colour"]),
        ("CREATE_COMPLETE", "", []),
        ("CREATE_IN_PROGRESS", "Resource creation Initiated", []),
    ],
)
def test_what_is_on_paper_only_is_said_aloud(status: str, reason: str, expected: list[str]) -> None:
    told = Recorder()
    follower = Follower(Client(event(1, status, reason), event(2, "CREATE_COMPLETE", physical=STACK)), STACK, told)

    assert "CREATE_COMPLETE" == follower.wait()

    assert expected == told.notices
