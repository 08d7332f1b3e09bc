"""Numbers and Booleans in a condition of an IAM policy: quotes are optional, as in IAM's grammar; all else is refused."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

Judge = Callable[[str, Any], str]
# In a process of its own: the corrections of moto would be in force for all later tests of this one.
PROGRAM = """
import json, sys
from bootstrap.local.aws.patches import Patches
Patches("salt", lambda: sys.exit("no instance is asked for")).load("moto.iam.policy_validation")
from moto.iam.exceptions import MalformedPolicyDocument
from moto.iam.policy_validation import IAMPolicyDocumentValidator
for line in sys.stdin:
    try:
        IAMPolicyDocumentValidator(json.loads(line)).validate()
        print(json.dumps(""), flush=True)
    except MalformedPolicyDocument as error:
        print(json.dumps(str(error.message)), flush=True)
"""


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    """What IAM of the local cloud says about a policy with a condition; empty if it accepts it."""
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None and process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def ask(operator: str, value: Any) -> str:
            condition = {operator: {"s3:max-keys": value}} if operator else value
            statement = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*", "Condition": condition}
            document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            stdin.write(json.dumps(document) + "\n")
            stdin.flush()
            return str(json.loads(stdout.readline()))

        yield ask
        stdin.close()


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
def test_quotes_are_optional(operator: str, value: Any, judge: Judge) -> None:
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
def test_what_is_no_value_is_refused(operator: str, value: Any, judge: Judge) -> None:
    assert "Syntax errors in policy." == judge(operator, value)
