"""What policies say together, by tables: statements, wildcards, conditions, boundaries, sessions, resources' own policies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap.local.aws.access.policies import evaluation
from bootstrap.local.aws.access.policies.documents import Policy, parse_policy
from bootstrap.local.aws.access.policies.evaluation import Decision, Policies, Question

ROLE = "arn:aws:iam::111122223333:role/machine"
SESSION = "arn:aws:sts::111122223333:assumed-role/machine/i-1"
SUBNET = "arn:aws:ec2:eu-central-1:111122223333:subnet/subnet-1"


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> Policy:
    return parse_policy("p", json.dumps({"Version": version, "Statement": list(statements)}))


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def ask(policies: Policies, action: str = "ec2:CreateRoute", resource: str = SUBNET, **found: Any) -> Decision:
    told = {name.lower(): value if isinstance(value, tuple) else (value,) for name, value in found.items()}
    named = {name.replace("__", ":"): value for name, value in told.items()}
    return evaluation.decide(Question(action, resource, named, frozenset({ROLE, SESSION}), "111122223333"), policies)


def identity(*statements: dict[str, Any]) -> Policies:
    return Policies((document(*statements),))


@pytest.mark.parametrize(
    ("statements", "allowed", "explicit"),
    [
        ([], False, False),
        ([allow()], True, False),
        ([allow("ec2:CreateRoute")], True, False),
        ([allow("ec2:createroute")], True, False),
        ([allow("ec2:Create*")], True, False),
        ([allow("ec2:CreateRout?")], True, False),
        ([allow("ec2:CreateRoutes")], False, False),
        ([allow("EC2:*")], True, False),
        ([allow("s3:*")], False, False),
        ([allow(["s3:*", "ec2:*"], [SUBNET, "arn:aws:s3:::b"])], True, False),
        ([allow(resource="arn:aws:ec2:*:*:subnet/*")], True, False),
        ([allow(resource="arn:aws:ec2:*:*:vpc/*")], False, False),
        ([allow(resource="arn:aws:ec2:eu-central-1:111122223333:subnet/subnet-?")], True, False),
        ([allow(resource="arn:aws:ec2:eu-central-1:111122223333:SUBNET/subnet-1")], False, False),
        ([allow(), deny("ec2:CreateRoute")], False, True),
        ([deny("ec2:CreateRoute"), allow()], False, True),
        ([allow(), deny("ec2:DeleteRoute")], True, False),
        ([allow(), deny("*", "arn:aws:ec2:*:*:vpc/*")], True, False),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True, False),
        ([{"Effect": "Allow", "NotAction": ["ec2:Create*"], "Resource": "*"}], False, False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": SUBNET}], False, False),
        ([{"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::*"}], True, False),
        ([allow(), {"Effect": "Deny", "NotAction": "ec2:*", "Resource": "*"}], True, False),
    ],
)
def test_statements(statements: list[dict[str, Any]], allowed: bool, explicit: bool) -> None:
    decision = ask(identity(*statements))
    assert (allowed, explicit) == (decision.is_allowed, decision.is_explicit)


PROJECT = "aws__resourcetag/project"


@pytest.mark.parametrize(
    ("condition", "found", "holds"),
    [
        ({"StringEquals": {"aws:ResourceTag/Project": "a"}}, {PROJECT: "a"}, True),
        ({"StringEquals": {"aws:ResourceTag/project": ["b", "a"]}}, {PROJECT: "a"}, True),
        ({"StringEquals": {"aws:ResourceTag/Project": "a"}}, {PROJECT: "A"}, False),
        ({"StringEquals": {"aws:ResourceTag/Project": "a"}}, {}, False),
        ({"StringEquals": {"aws:ResourceTag/Project": "a*"}}, {PROJECT: "ab"}, False),
        ({"StringEqualsIgnoreCase": {"aws:ResourceTag/Project": "a"}}, {PROJECT: "A"}, True),
        ({"StringEqualsIfExists": {"aws:ResourceTag/Project": "a"}}, {}, True),
        ({"StringEqualsIfExists": {"aws:ResourceTag/Project": "a"}}, {PROJECT: "b"}, False),
        ({"StringNotEquals": {"aws:ResourceTag/Project": "a"}}, {}, True),
        ({"StringNotEquals": {"aws:ResourceTag/Project": ["a", "b"]}}, {PROJECT: "b"}, False),
        ({"StringNotEquals": {"aws:ResourceTag/Project": ["a", "b"]}}, {PROJECT: "c"}, True),
        ({"StringLike": {"aws:ResourceTag/Project": "a*c"}}, {PROJECT: "abc"}, True),
        ({"StringNotLike": {"aws:ResourceTag/Project": "a*c"}}, {PROJECT: "abc"}, False),
        ({"Bool": {"aws:SecureTransport": "false"}}, {"aws__securetransport": "false"}, True),
        ({"Bool": {"aws:SecureTransport": False}}, {"aws__securetransport": "false"}, True),
        ({"Bool": {"aws:SecureTransport": True}}, {"aws__securetransport": "false"}, False),
        ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, {}, True),
        ({"Null": {"aws:ResourceTag/Project": "true"}}, {}, True),
        ({"Null": {"aws:ResourceTag/Project": True}}, {PROJECT: "a"}, False),
        ({"Null": {"aws:ResourceTag/Project": "false"}}, {PROJECT: "a"}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/m*"}}, {"aws__principalarn": ROLE}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:*:role/m*"}}, {"aws__principalarn": ROLE}, False),
        ({"ArnNotEquals": {"aws:PrincipalArn": ROLE}}, {"aws__principalarn": ROLE}, False),
        ({"IpAddress": {"aws:SourceIp": ["10.0.0.0/8", "192.0.2.1"]}}, {"aws__sourceip": "10.9.9.9"}, True),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws__sourceip": "10.9.9.9"}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"aws__sourceip": "nonsense"}, False),
        ({"NumericLessThan": {"s3:max-keys": "10"}}, {"s3__max-keys": "9"}, True),
        ({"NumericGreaterThanEquals": {"s3:max-keys": "10"}}, {"s3__max-keys": "9.5"}, False),
        ({"NumericNotEquals": {"s3:max-keys": "10"}}, {"s3__max-keys": "10.0"}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}, {"aws__currenttime": "2029-12-31T23:59:59Z"}, True),
        ({"DateGreaterThan": {"aws:EpochTime": "1000"}}, {"aws__epochtime": "999"}, False),
        ({"BinaryEquals": {"x:y": "QUI="}}, {"x__y": "QUI="}, True),
        ({"ForAnyValue:StringEquals": {"aws:CalledVia": ["a", "b"]}}, {"aws__calledvia": ("c", "b")}, True),
        ({"ForAnyValue:StringEquals": {"aws:CalledVia": ["a", "b"]}}, {"aws__calledvia": ("c",)}, False),
        ({"ForAnyValue:StringEquals": {"aws:CalledVia": ["a"]}}, {}, False),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["a"]}}, {}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws__tagkeys": ("a", "b")}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}}, {"aws__tagkeys": ("a", "c")}, False),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["a"]}}, {}, True),
        ({"StringEquals": {"a:b": "1", "a:c": "2"}}, {"a__b": "1", "a__c": "2"}, True),
        ({"StringEquals": {"a:b": "1", "a:c": "2"}}, {"a__b": "1", "a__c": "3"}, False),
        ({"StringEquals": {"a:b": "1"}, "Bool": {"a:c": "true"}}, {"a__b": "1", "a__c": "false"}, False),
        ({"StringLike": {"a:b": "${aws:userid}-*"}}, {"a__b": "me-1", "aws__userid": "me"}, True),
        ({"StringLike": {"a:b": "${aws:userid}"}}, {"a__b": "anybody", "aws__userid": "*"}, False),
        ({"StringEquals": {"a:b": "${aws:userid}"}}, {"a__b": "x"}, False),
        ({"StringEquals": {"a:b": "${aws:userid, 'none'}"}}, {"a__b": "none"}, True),
        ({"StringLike": {"a:b": "${*}x"}}, {"a__b": "*x"}, True),
        ({"StringLike": {"a:b": "${*}x"}}, {"a__b": "yx"}, False),
    ],
)  # fmt: skip
def test_conditions(condition: dict[str, Any], found: dict[str, Any], holds: bool) -> None:
    assert holds == ask(identity(allow(Condition=condition)), **found).is_allowed
    denial = ask(identity(allow(), deny(Condition=condition)), **found)
    assert holds == denial.is_explicit


def test_an_operator_that_does_not_exist_is_said() -> None:
    with pytest.raises(ValueError, match="StringResembles"):
        ask(identity(allow(Condition={"StringResembles": {"a:b": "c"}})), a__b="c")


def test_variables_in_resources_are_texts_and_no_patterns() -> None:
    own = identity(allow("ssm:TerminateSession", "arn:aws:ssm:*:*:session/${aws:userid}-*"))
    session = "arn:aws:ssm:eu-central-1:111122223333:session/{}-0abc"
    assert ask(own, "ssm:TerminateSession", session.format("me"), aws__userid="me").is_allowed
    assert not ask(own, "ssm:TerminateSession", session.format("you"), aws__userid="me").is_allowed
    assert not ask(own, "ssm:TerminateSession", session.format("you"), aws__userid="*").is_allowed
    assert not ask(own, "ssm:TerminateSession", session.format("me")).is_allowed
    old = Policies((document(allow(resource="a${aws:userid}"), version="2008-10-17"),))
    assert not ask(old, resource="ame", aws__userid="me").is_allowed


@pytest.mark.parametrize(
    ("policies", "kind", "explicit"),
    [
        (Policies((document(allow()),), document(allow("s3:*"))), evaluation.BOUNDARY, False),
        (Policies((document(allow()),), document(allow(), deny("ec2:*"))), evaluation.BOUNDARY, True),
        (Policies((), document(allow())), evaluation.IDENTITY, False),
        (Policies((document(allow()),), Policy("gone", ())), evaluation.BOUNDARY, False),
        (Policies((document(allow()),), None, (document(allow("s3:*")),)), evaluation.SESSION, False),
        (Policies((document(allow()),), None, (document(allow()), document(allow("s3:*")))), evaluation.SESSION, False),
        (Policies((document(allow()),), None, (document(allow(), deny()),)), evaluation.SESSION, True),
        (Policies((document(allow()),), document(allow()), (document(allow("ec2:*")),)), "", False),
    ],
)
def test_boundaries_and_sessions_allow_nothing_by_themselves(policies: Policies, kind: str, explicit: bool) -> None:
    decision = ask(policies)
    assert (kind == "", kind, explicit) == (decision.is_allowed, decision.kind, decision.is_explicit)


@pytest.mark.parametrize(
    ("statement", "alone", "beside"),
    [
        (allow(Principal="*"), True, True),
        (allow(Principal={"AWS": "*"}), True, True),
        (allow(Principal={"AWS": [ROLE]}), True, True),
        (allow(Principal={"AWS": SESSION}), True, True),
        (allow(Principal={"AWS": "arn:aws:iam::111122223333:root"}), False, True),
        (allow(Principal={"AWS": "111122223333"}), False, True),
        (allow(Principal={"AWS": "arn:aws:iam::111122223333:role/other"}), False, True),
        (allow(Principal={"Service": "ec2.amazonaws.com"}), False, True),
        (deny(Principal="*"), False, False),
        (deny(Principal={"AWS": "arn:aws:iam::111122223333:root"}), False, False),
        (deny(NotPrincipal={"AWS": [ROLE, "arn:aws:iam::111122223333:root"]}), False, True),
        (deny(NotPrincipal={"AWS": "arn:aws:iam::111122223333:role/other"}), False, False),
        (deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}}), False, True),
    ],
)
def test_the_resources_own_policy(statement: dict[str, Any], alone: bool, beside: bool) -> None:
    found = {"aws__securetransport": "false"}
    assert alone == ask(Policies(resource=document(statement)), **found).is_allowed
    assert beside == ask(Policies((document(allow()),), resource=document(statement)), **found).is_allowed


def test_a_key_of_kms_must_let_the_account_decide() -> None:
    other = document(allow(Principal={"AWS": "arn:aws:iam::111122223333:role/other"}))
    root = document(allow("kms:*", Principal={"AWS": "arn:aws:iam::111122223333:root"}))
    held = (document(allow()),)
    asked = {"action": "kms:Decrypt", "resource": "arn:aws:kms:r:111122223333:key/k"}
    assert ask(Policies(held, resource=root, resource_must_allow=True), **asked).is_allowed
    assert evaluation.RESOURCE == ask(Policies(held, resource=other, resource_must_allow=True), **asked).kind


def trusted(who: str, *statements: dict[str, Any], **found: Any) -> bool:
    told = {name.replace("__", ":"): (value,) for name, value in found.items()}
    question = Question("sts:AssumeRole", ROLE, told, frozenset({who}), "111122223333")
    return evaluation.evaluate_trust(question, document(*statements)).is_allowed


def test_a_trust_policy_names_who_assumes_the_role() -> None:
    ec2 = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    assert trusted("ec2.amazonaws.com", ec2)
    assert not trusted("lambda.amazonaws.com", ec2)
    assert not trusted(ROLE, ec2)
    assert not trusted("ec2.amazonaws.com", ec2, {**ec2, "Effect": "Deny"})
    bound = {**ec2, "Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}
    assert trusted("ec2.amazonaws.com", bound, aws__sourceaccount="111122223333")
    assert not trusted("ec2.amazonaws.com", bound, aws__sourceaccount="444455556666")


def test_a_denial_says_whose_it_is() -> None:
    assert "because no identity-based policy allows the {} action" == ask(Policies()).reason
    assert "with an explicit deny in an identity-based policy" == ask(identity(deny())).reason
    bounded = Policies((document(allow()),), document(deny()))
    assert "with an explicit deny in a permissions boundary" == ask(bounded).reason


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"Statement": [{"Action": "*"}]}', '{"Statement": "x"}'])
def test_what_is_no_policy_is_said(text: str) -> None:
    with pytest.raises(ValueError):
        parse_policy("p", text)
