"""Which updates a stack policy denies, and in which words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap.local.aws.cloudformation.comparison import stack_policy
from bootstrap.local.aws.cloudformation.errors import Refused


def policy(**statement: Any) -> str:
    whole = {"Effect": "Deny", "Action": "Update:*", "Principal": "*", "Resource": "*", **statement}
    kept = {key: value for key, value in whole.items() if value is not None}
    return json.dumps(
        {"Statement": [kept, {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
    )


@pytest.mark.parametrize(
    ("text", "is_denied"),
    [
        ("", False),
        (policy(), True),
        (policy(Action=["Update:Delete", "Update:Replace"]), True),
        (policy(Action="Update:Modify"), False),
        (policy(Action=None, NotAction="Update:Modify"), True),
        (policy(Resource="LogicalResourceId/Data*"), True),
        (policy(Resource="LogicalResourceId/Other"), False),
        (policy(Resource=None, NotResource="LogicalResourceId/Other"), True),
        (policy(Condition={"StringEquals": {"ResourceType": ["AWS::EC2::Volume"]}}), True),
        (policy(Condition={"StringLike": {"ResourceType": "AWS::RDS::*"}}), False),
    ],
)
def test_statement_denies_what_it_matches(text: str, is_denied: bool) -> None:
    said = stack_policy.explain_denial(text, "Update:Replace", "DataVolume", "AWS::EC2::Volume")
    words = "Statement [#1] does not allow [Update:Replace] for resource [LogicalResourceId/DataVolume];"
    assert (f"Action denied by stack policy: {words}" if is_denied else "") == said


def test_what_no_statement_allows_is_denied() -> None:
    text = json.dumps({"Statement": {"Effect": "Allow", "Action": "Update:Modify", "Principal": "*", "Resource": "*"}})
    assert "" == stack_policy.explain_denial(stack_policy.check(text), "Update:Modify", "A", "AWS::EC2::VPC")
    assert "no statement allows [Update:Delete]" in stack_policy.explain_denial(
        text, "Update:Delete", "A", "AWS::EC2::VPC"
    )


@pytest.mark.parametrize(
    "text", ["no", "[]", "{}", policy(Principal=None), policy(Resource=None), policy(Action="Update:Most")]
)
def test_policy_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Refused, match="Error validating stack policy"):
        stack_policy.check(text)
