"""Numbers and Booleans in a condition of an IAM policy: quotes are optional, as in IAM's grammar; all else is refused."""

import json
from typing import Any

import pytest

from bootstrap.local.aws.patches import Patches


def judge(operator: str, value: Any) -> str:
    """What IAM of the local cloud says about a policy with this condition; empty if it accepts it."""
    Patches("salt", lambda: pytest.fail("no instance is asked for")).load("moto.iam.policy_validation")
    from moto.iam.exceptions import MalformedPolicyDocument
    from moto.iam.policy_validation import IAMPolicyDocumentValidator

    condition = {operator: {"s3:max-keys": value}} if operator else value
    statement = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": condition}
    try:
        IAMPolicyDocumentValidator(json.dumps({"Version": "2012-10-17", "Statement": [statement]})).validate()
    except MalformedPolicyDocument as error:
        return str(error.message)
    return ""


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("NumericLessThan", 10),
        ("NumericLessThan", "10"),
        ("NumericLessThan", 1.5),
        ("NumericLessThan", [1, "2", 3.5]),
        ("Bool", True),
        ("Bool", [False, "true"]),
        ("DateGreaterThan", 1234567890),
        ("DateGreaterThan", [1234567890, "2020-01-01T00:00:00Z"]),
    ],
)
def test_quotes_are_optional(operator: str, value: Any) -> None:
    assert "" == judge(operator, value)


@pytest.mark.parametrize(
    ("operator", "value"),
    [
        ("NumericLessThan", None),
        ("NumericLessThan", [None]),
        ("NumericLessThan", {"a": 1}),
        ("NumericLessThan", [[1]]),
        ("", []),
        ("", "text"),
        ("", {"NumericLessThan": 5}),
        ("", {"NoSuchTest": {"s3:max-keys": 5}}),
    ],
)
def test_what_is_no_value_is_refused(operator: str, value: Any) -> None:
    assert "Syntax errors in policy." == judge(operator, value)
