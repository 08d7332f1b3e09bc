"""Checks AssumeRole: the trust policy of the role must allow it, and so must the policies of the caller."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any

from bootstrap.local.aws.access import identities, second_factor
from bootstrap.local.aws.access.authorization import judge
from bootstrap.local.aws.access.identities import ROLE, Principal
from bootstrap.local.aws.access.policies import attached, request_context
from bootstrap.local.aws.access.policies.documents import parse_policy
from bootstrap.local.aws.access.policies.evaluation import Question, does_delegate_to_account, evaluate_trust
from bootstrap.local.aws.access.policies.parameters import Call
from bootstrap.local.aws.access.refusals import Kind, Refused

_CHAINED = 3600
_SHORTEST = 900


def check(principal: Principal, call: Call) -> None:
    """Raise Refused if the caller may not have a session of the role."""
    arn = call.find_text("RoleArn")
    role = identities.find_role(arn)
    has_second_factor = second_factor.check(principal, call)
    actions = ["sts:AssumeRole", *(["sts:TagSession"] if call.list_texts("Tags.Key") else [])]
    for action in actions:
        if role is None or not _is_allowed(principal, role, call, action, has_second_factor=has_second_factor):
            text = f"User: {principal.arn} is not authorized to perform: {action} on resource: {arn}"
            raise Refused(Kind.DENIED, text)
    if call.list_texts("PolicyArns.arn"):
        raise Refused(Kind.INVALID, "The local cloud has no PolicyArns of AssumeRole: give the policy as text")
    _check_duration(principal, role, call.find_text("DurationSeconds"))


def _is_allowed(principal: Principal, role: Any, call: Call, action: str, *, has_second_factor: bool) -> bool:
    context = {
        **({"aws:multifactorauthpresent": ("true",)} if has_second_factor else {}),
        **request_context.describe_caller(principal, "", ""),
        **request_context.describe_call(call, role.arn, {tag["Key"]: tag["Value"] for tag in role.tags or ()}),
        **{key: call.list_texts(name) for key, name in _KEYS.items() if call.list_texts(name)},
    }
    question = Question(action, role.arn, context, frozenset({principal.arn, principal.source_arn}), principal.account)
    document = _parse_trust_policy(role)
    trust = evaluate_trust(question, document)
    if trust.is_explicit:
        return False
    if not trust.is_allowed and not does_delegate_to_account(question, document, names_resource=False):
        return False
    if principal.is_operator:
        return True
    policies = attached.find_policies(principal)
    decision = judge(principal, policies, action, role.arn, context)
    return decision.is_allowed or (trust.is_allowed and not decision.is_explicit and policies.boundary is None)


_KEYS = {
    "sts:externalid": "ExternalId",
    "sts:rolesessionname": "RoleSessionName",
    "sts:sourceidentity": "SourceIdentity",
}


def trusts_service(role: Any, service: str, account: str) -> bool:
    """Whether the trust policy of a role allows a service of AWS to assume it."""
    question = Question("sts:AssumeRole", role.arn, {"aws:sourceaccount": (account,)}, frozenset({service}), account)
    return evaluate_trust(question, _parse_trust_policy(role)).is_allowed


def _parse_trust_policy(role: Any) -> Any:
    text = role.assume_role_policy_document
    return parse_policy(role.arn, urllib.parse.unquote(text) if text.lstrip()[:1] == "%" else text)


def _check_duration(principal: Principal, role: Any, asked: str) -> None:
    seconds = int(asked) if asked.isdigit() else _CHAINED
    longest = int(role.max_session_duration or _CHAINED)
    if principal.kind == ROLE and seconds > _CHAINED:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        raise Refused(Kind.INVALID, message)
    if seconds > longest:
        raise Refused(Kind.INVALID, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if seconds < _SHORTEST:
        message = (
            f"Value '{seconds}' at 'durationSeconds' failed to satisfy constraint: Member must have value greater "
        )
        raise Refused(Kind.INVALID, f"1 validation error detected: {message}than or equal to {_SHORTEST}")


def read_session_settings(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The tags and the policies of a session that AssumeRole gives, from the parameters of the request."""
    tags = {tag["Key"]: tag["Value"] for tag in parameters.get("Tags") or ()}
    return {"tags": tags, "policies": [parameters["Policy"]] if parameters.get("Policy") else []}
