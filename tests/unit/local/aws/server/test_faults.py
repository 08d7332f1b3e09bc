"""A fault applies to the matches that it names, and to no other call or step."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.local.aws.server.faults import Faults

SUBNET = "AWS::EC2::Subnet"


def arm(body: dict[str, Any]) -> Faults:
    faults = Faults()
    faults.arm(body)
    return faults


def find_failing(faults: Faults, steps: list[tuple[str, str, str]]) -> list[bool]:
    return [faults.find_resource_message(kind, on, logical) is not None for kind, on, logical in steps]


def request(call: str) -> dict[str, Any]:
    scope = "AWS4-HMAC-SHA256 Credential=a/20260101/eu-central-1/ec2/aws4_request, Signature=b"
    return {"HTTP_AUTHORIZATION": scope, "QUERY_STRING": f"Action={call}", "REQUEST_METHOD": "GET", "PATH_INFO": "/"}


def test_the_short_form_fails_the_nth_creation_or_update_once() -> None:
    steps = [
        (SUBNET, "create", "A"),
        ("AWS::EC2::VPC", "create", "V"),
        (SUBNET, "delete", "A"),
        (SUBNET, "update", "A"),
    ]
    assert [False, False, False, True, False] == find_failing(arm({SUBNET: 2}), [*steps, (SUBNET, "create", "B")])


def test_resource_fault_is_for_its_step_and_its_logical_id() -> None:
    faults = arm({"faults": [{"resource": SUBNET, "on": "delete", "logical_id": "B", "times": 0}]})
    steps = [(SUBNET, "create", "B"), (SUBNET, "delete", "A"), (SUBNET, "delete", "B"), (SUBNET, "delete", "B")]
    assert [False, False, True, True] == find_failing(faults, steps)
    assert 2 == faults.list_armed()[0]["met"]


def test_a_fault_of_a_call_answers_as_often_as_requested() -> None:
    faults = arm({"faults": [{"call": "ec2.CreateVpc", "nth": 2, "times": 2, "code": "Full", "message": "no room"}]})
    answers = [faults.find_answer(request("CreateVpc")) for _ in range(4)]
    assert [None, 400, 400, None] == [answer and answer.status for answer in answers]
    assert b"<Code>Full</Code><Message>no room</Message>" in (answers[1].body if answers[1] else b"")
    assert faults.find_answer(request("CreateSubnet")) is None


@pytest.mark.parametrize(
    ("do", "status", "code"), [("throttle", 400, b"ThrottlingException"), ("error", 500, b"InternalFailure")]
)
def test_kinds_of_failure_have_their_codes(do: str, status: int, code: bytes) -> None:
    answer = arm({"faults": [{"call": "ec2.CreateVpc", "do": do}]}).find_answer(request("CreateVpc"))
    assert answer is not None
    assert (status, True) == (answer.status, code in answer.body)


def test_timed_out_and_lost_calls_end_without_an_answer() -> None:
    with pytest.raises(ConnectionAbortedError):
        arm({"faults": [{"call": "ec2.CreateVpc", "do": "timeout", "seconds": 0}]}).find_answer(request("CreateVpc"))
    environ = request("CreateVpc")
    assert arm({"faults": [{"call": "ec2.CreateVpc", "do": "lost"}]}).find_answer(environ) is None
    assert environ["bootstrap.lost"] is True


def test_an_invalid_fault_changes_nothing() -> None:
    faults = arm({SUBNET: 1})
    with pytest.raises(ValueError, match="either a call or a resource"):
        faults.arm({"faults": [{"do": "fail"}]})
    assert [True] == find_failing(faults, [(SUBNET, "create", "A")])
    faults.arm({})
    assert [] == faults.list_armed()
