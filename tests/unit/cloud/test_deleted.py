"""What EC2 calls gone, by the models of its own API: each kind in its states, and what it no longer describes."""

from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bootstrap.cloud import deleted
from bootstrap.cloud.tags import Tagged

ANSWERS = deleted._KINDS


def arn(kind: str, name: str) -> str:
    return f"arn:aws:ec2:eu-central-1:111122223333:{kind.partition(' ')[2]}/{name}"


def told(kind: str, states: dict[str, str]) -> frozenset[str]:
    """Which of 'a', 'b' and 'c' are gone where EC2 describes those with these states."""
    call, key, identity = ANSWERS[kind]
    ec2 = boto3.client("ec2", region_name="eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    described: list[dict[str, Any]] = [
        {identity: name, **({"Status": {"Code": state}} if "peering" in kind else {"State": state})}
        for name, state in states.items()
    ]
    with Stubber(ec2) as stub:
        stub.add_response(call, {key: described})
        found = deleted.find_deleted(ec2, [Tagged(arn(kind, name), {}) for name in "abc"])
        stub.assert_no_pending_responses()
    return frozenset(it.rpartition("/")[2] for it in found)


@pytest.mark.parametrize("kind", ANSWERS)
def test_what_is_deleted_or_no_longer_described_is_gone_and_nothing_else(kind: str) -> None:
    assert {"b", "c"} == told(kind, {"a": "available", "b": "deleted"})
    assert {"c"} == told(kind, {"a": "pending", "b": "modifying"})


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("ec2 natgateway", {"a", "c"}), ("ec2 vpc-peering-connection", {"a", "c"}), ("ec2 vpc-endpoint", {"c"})],
)
def test_what_failed_is_gone_where_it_goes_by_itself(kind: str, expected: set[str]) -> None:
    assert expected == told(kind, {"a": "failed", "b": "available"})


def test_nobody_is_asked_about_what_is_deleted_at_once() -> None:
    assert frozenset() == deleted.find_deleted(None, [Tagged(arn("ec2 subnet", "subnet-1"), {})])
