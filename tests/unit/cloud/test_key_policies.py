"""What a key's policy lets a service or a role do, told from its text."""

from typing import Any

import pytest

from bootstrap.cloud.key_policies import Use, find_missing

LOGS = "logs.eu-central-1.amazonaws.com"
GROUP = "arn:aws:logs:eu-central-1:111122223333:log-group:jenkins-trial-traffic-logs-FlowLogGroup-1"
ACTIONS = ("kms:Encrypt", "kms:Decrypt")
USE = Use(frozenset({LOGS}), ACTIONS, {"kms:encryptioncontext:aws:logs:arn": GROUP})


def allow(**more: Any) -> dict[str, Any]:
    given = {"Effect": "Allow", "Principal": {"Service": LOGS}, "Action": ["kms:Encrypt", "kms:Decrypt"]}
    return {**given, "Resource": "*", **more}


def of_context(operator: str, *patterns: str) -> dict[str, Any]:
    return {operator: {"kms:EncryptionContext:aws:logs:arn": list(patterns)}}


ALLOWED = {
    "the actions by name": [allow()],
    "one action in each statement": [allow(Action="kms:Encrypt"), allow(Action="KMS:decrypt")],
    "wildcards": [allow(Action=["kms:En*", "kms:Decryp?"])],
    "everybody": [allow(Principal="*")],
    "every AWS principal": [allow(Principal={"AWS": "*"})],
    "this group": [allow(Condition=of_context("ArnEquals", GROUP))],
    "groups of the stack": [allow(Condition=of_context("ArnLike", GROUP.replace("FlowLogGroup-1", "*")))],
    "one of several groups": [
        allow(Condition=of_context("StringLike", "arn:aws:logs:x", "arn:aws:logs:*:log-group:*"))
    ],
    "a condition of another kind": [allow(Condition={"StringEquals": {"kms:CallerAccount": "111122223333"}})],
    "all but others": [{"Effect": "Allow", "Principal": {"Service": LOGS}, "NotAction": "kms:CreateKey"}],
    "a denial for others": [allow(), allow(Effect="Deny", Principal={"AWS": "arn:aws:iam::1:role/x"})],
    "a denial under a condition": [allow(), allow(Effect="Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})],
}
MISSING = {
    "nothing": ([], ACTIONS),
    "another service": ([allow(Principal={"Service": "sns.amazonaws.com"})], ACTIONS),
    "logs of another region": ([allow(Principal={"Service": "logs.us-east-1.amazonaws.com"})], ACTIONS),
    "one action of two": ([allow(Action="kms:Encrypt")], ("kms:Decrypt",)),
    "other groups": (
        [allow(Condition=of_context("ArnLike", "arn:aws:logs:eu-central-1:111122223333:log-group:other*"))],
        ACTIONS,
    ),
    "a denial": ([allow(), allow(Effect="Deny", Action="kms:Decrypt")], ("kms:Decrypt",)),
    "all but this": ([allow(NotAction="kms:Enc*", Action="x") | {"NotAction": "kms:Enc*"}], ("kms:Encrypt",)),
    "a denial of everybody else": (
        [allow(), {"Effect": "Deny", "NotPrincipal": {"AWS": "arn:aws:iam::1:root"}, "Action": "kms:*"}],
        ACTIONS,
    ),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_it_is_allowed(name: str) -> None:
    assert [] == find_missing({"Version": "2012-10-17", "Statement": ALLOWED[name]}, USE)


@pytest.mark.parametrize("name", MISSING)
def test_it_is_missing(name: str) -> None:
    statements, missing = MISSING[name]

    assert list(missing) == find_missing({"Version": "2012-10-17", "Statement": statements}, USE)


def test_a_single_statement_needs_no_list() -> None:
    assert [] == find_missing({"Statement": allow()}, USE)
