"""Decides whether all policies together allow one action on one resource.

An explicit deny in any policy decides. Otherwise an identity policy must allow the action, or the policy of the resource must
allow it and name the caller. If there is a permissions boundary or a session policy, it must allow the action, too. Policies
of an organization are not modelled, because the accounts of this cloud belong to no organization.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bootstrap.local.aws.access.policies.conditions import RequestContext, Unresolved, fill_variables, is_met
from bootstrap.local.aws.access.policies.documents import Policy, Statement, compile_pattern

IDENTITY = "identity-based policy"
BOUNDARY = "permissions boundary"
SESSION = "session policy"
RESOURCE = "resource-based policy"


@dataclass(frozen=True)
class Question:
    """One action on one resource, with its context, and the names by which policies can name the caller."""

    action: str
    resource: str
    context: RequestContext
    principals: frozenset[str] = frozenset()  # ARNs, '*' is understood; of a service: its name
    account: str = ""


@dataclass(frozen=True)
class Policies:
    """The policies that apply to one caller and one resource; None if there is no policy of that kind."""

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    sessions: tuple[Policy, ...] = ()
    resource: Policy | None = None
    resource_must_allow: bool = False  # for a KMS key: other policies allow nothing unless the key policy permits it


@dataclass(frozen=True)
class Matched:
    """A statement that applies to the question."""

    policy: str
    kind: str
    sid: str
    is_allow: bool


@dataclass(frozen=True)
class Decision:
    """The decision; `kind` is the kind of policy that refused, '' if the action is allowed."""

    is_allowed: bool
    is_explicit: bool = False
    kind: str = ""
    matched: tuple[Matched, ...] = field(default=(), compare=False)

    @property
    def reason(self) -> str:
        """The reason of a refusal, as AWS writes it; `{}` is the place of the action."""
        article = "an" if self.kind[:1] in "aeiou" else "a"
        if self.is_explicit:
            return f"with an explicit deny in {article} {self.kind}"
        return f"because no {self.kind} allows the {{}} action"


def decide(question: Question, policies: Policies) -> Decision:
    """Decide a question by all policies."""
    matched = tuple(_find_matches(question, policies))
    denying = [match for match in matched if not match.is_allow]
    if denying:
        return Decision(False, True, denying[0].kind, matched)
    allowing = {match.kind for match in matched}
    if (
        policies.resource_must_allow
        and RESOURCE not in allowing
        and not does_delegate_to_account(question, policies.resource)
    ):
        return Decision(False, False, RESOURCE, matched)
    if IDENTITY not in allowing and RESOURCE not in allowing:
        return Decision(False, False, IDENTITY, matched)
    if policies.boundary is not None and BOUNDARY not in allowing:
        return Decision(False, False, BOUNDARY, matched)
    for session in policies.sessions:
        if not any(match.is_allow for match in _matches(question, session, SESSION)):
            return Decision(False, False, SESSION, matched)
    return Decision(True, matched=matched)


def evaluate_trust(question: Question, document: Policy) -> Decision:
    """Decide by the trust policy of a role, which alone decides who may assume it and must name the caller."""
    matched = tuple(_matches(question, document, RESOURCE, names_resource=False))
    if any(not one.is_allow for one in matched):
        return Decision(False, True, RESOURCE, matched)
    return Decision(bool(matched), False, "" if matched else RESOURCE, matched)


def _find_matches(question: Question, policies: Policies) -> Iterator[Matched]:
    for policy in policies.identity:
        yield from _matches(question, policy, IDENTITY)
    if policies.boundary is not None:
        yield from _matches(question, policies.boundary, BOUNDARY)
    for policy in policies.sessions:
        yield from _matches(question, policy, SESSION)
    if policies.resource is not None:
        yield from _matches(question, policies.resource, RESOURCE)


def _matches(question: Question, policy: Policy, kind: str, *, names_resource: bool = True) -> Iterator[Matched]:
    for statement in policy.statements:
        if statement.principals is None and kind == RESOURCE:
            continue
        if kind == RESOURCE and not _does_name_caller(statement, question):
            continue
        if _covers(statement, question, names_resource=names_resource):
            yield Matched(policy.name, kind, statement.sid, statement.is_allow)


def _covers(statement: Statement, question: Question, *, names_resource: bool) -> bool:
    """Whether the statement applies to this action and this resource, and its conditions are met."""
    matches_action = any(
        compile_pattern(item, ignores_case=True).fullmatch(question.action) for item in statement.actions
    )
    if matches_action == statement.is_not_action:
        return False
    if names_resource:
        matches_resource = any(_matches_resource(item, statement, question) for item in statement.resources)
        if matches_resource == statement.is_not_resource:
            return False
    return all(is_met(item, statement, question.context) for item in statement.conditions)


def _matches_resource(pattern: str, statement: Statement, question: Question) -> bool:
    try:
        text = fill_variables(pattern, statement, question.context)
    except Unresolved:
        return False
    return compile_pattern(text).fullmatch(question.resource) is not None


def _does_name_caller(statement: Statement, question: Question) -> bool:
    """Whether the principals of a statement of a resource policy include the caller."""
    principals = statement.principals or {}
    is_everybody = "*" in principals.get("*", ()) or "*" in principals.get("AWS", ())
    is_named = is_everybody or bool(question.principals.intersection(_flatten(principals.values())))
    if statement.is_not_principal:
        return not (is_named or _is_account(statement, question))
    # An account as principal delegates to its own policies: an allow is not yet a permission, but a deny is a denial.
    return is_named or (not statement.is_allow and _is_account(statement, question))


def _is_account(statement: Statement, question: Question) -> bool:
    accounts = (statement.principals or {}).get("AWS", ())
    return any(
        account == question.account or account.endswith(f":iam::{question.account}:root") for account in accounts
    )


def does_delegate_to_account(question: Question, policy: Policy | None, *, names_resource: bool = True) -> bool:
    """Whether the resource policy lets the account's own policies decide."""
    return policy is None or any(
        one.is_allow and _is_account(one, question) and _covers(one, question, names_resource=names_resource)
        for one in policy.statements
    )


def _flatten(groups: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for group in groups:
        yield from group
