"""AssumeRole: the role's trust policy decides who becomes it, and the caller's policies whether that one may."""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any

from bootstrap.local.aws.access import identities
from bootstrap.local.aws.access.authorization import judge
from bootstrap.local.aws.access.identities import ROLE, Principal
from bootstrap.local.aws.access.policies import attached, request_context
from bootstrap.local.aws.access.policies.documents import policy
from bootstrap.local.aws.access.policies.evaluation import Question, delegates, trusts
from bootstrap.local.aws.access.policies.parameters import Call
from bootstrap.local.aws.access.refusals import Kind, Refused

_CHAINED = 3600
_SHORTEST = 900


def check(principal: Principal, call: Call) -> None:
    """Refuse a session of a role to whoever may not have it."""
    arn = call.text("RoleArn")
    role = identities.find_role(arn)
    wanted = ["sts:AssumeRole", *(["sts:TagSession"] if call.texts("Tags.Key") else [])]
    for action in wanted:
        if role is None or not _is_allowed(principal, role, call, action):
            text = f"User: {principal.arn} is not authorized to perform: {action} on resource: {arn}"
            raise Refused(Kind.DENIED, text)
    if call.texts("PolicyArns.arn"):
        raise Refused(Kind.INVALID, "The local cloud has no PolicyArns of AssumeRole: give the policy as text")
    _check_duration(principal, role, call.text("DurationSeconds"))


def _is_allowed(principal: Principal, role: Any, call: Call, action: str) -> bool:
    found = {
        **request_context.of_caller(principal, "", ""),
        **request_context.of_call(call, role.arn, {tag["Key"]: tag["Value"] for tag in role.tags or ()}),
        **{key: call.texts(name) for key, name in _KEYS.items() if call.texts(name)},
    }
    question = Question(action, role.arn, found, frozenset({principal.arn, principal.source_arn}), principal.account)
    document = _document(role)
    said = trusts(question, document)
    if said.is_explicit:
        return False
    if not said.is_allowed and not delegates(question, document, names_resource=False):
        return False
    if principal.is_operator:
        return True
    held = attached.of(principal)
    decision = judge(principal, held, action, role.arn, found)
    return decision.is_allowed or (said.is_allowed and not decision.is_explicit and held.boundary is None)


_KEYS = {
    "sts:externalid": "ExternalId",
    "sts:rolesessionname": "RoleSessionName",
    "sts:sourceidentity": "SourceIdentity",
}


def lets_service(role: Any, service: str, account: str) -> bool:
    """Whether a role's trust policy lets a service of AWS have a session of it."""
    question = Question("sts:AssumeRole", role.arn, {"aws:sourceaccount": (account,)}, frozenset({service}), account)
    return trusts(question, _document(role)).is_allowed


def _document(role: Any) -> Any:
    text = role.assume_role_policy_document
    return policy(role.arn, urllib.parse.unquote(text) if text.lstrip()[:1] == "%" else text)


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


def session_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """What bounds a session that AssumeRole gives, and its tags, from the request's parameters as moto has them."""
    tags = {one["Key"]: one["Value"] for one in given.get("Tags") or ()}
    return {"tags": tags, "policies": [given["Policy"]] if given.get("Policy") else []}
