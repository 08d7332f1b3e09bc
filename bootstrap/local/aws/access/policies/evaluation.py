"""The decision: what the policies together say to one action on one resource.

An explicit deny of any of them ends it. Otherwise an identity policy, or the resource's own policy by naming the caller, must
allow it; and so must the permissions boundary and each policy of the session, where there are such. The policies of an
organization are not modelled: an account here belongs to none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bootstrap.local.aws.access.policies.conditions import Circumstances, Unresolved, fill, holds
from bootstrap.local.aws.access.policies.documents import Policy, Statement, pattern

IDENTITY = "identity-based policy"
BOUNDARY = "permissions boundary"
SESSION = "session policy"
RESOURCE = "resource-based policy"


@dataclass(frozen=True)
class Question:
    """May `who` (the names that policies may have for the caller) do this to that?"""

    action: str
    resource: str
    circumstances: Circumstances
    who: frozenset[str] = frozenset()  # ARNs, '*' is understood; of a service: its name
    account: str = ""


@dataclass(frozen=True)
class Policies:
    """What is said about one caller and one resource; None where there is no such kind of policy."""

    identity: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    sessions: tuple[Policy, ...] = ()
    resource: Policy | None = None
    resource_must_allow: bool = False  # a key of KMS: its own policy decides who may be allowed by others at all


@dataclass(frozen=True)
class Matched:
    """A statement that had its say."""

    policy: str
    kind: str
    sid: str
    is_allow: bool


@dataclass(frozen=True)
class Decision:
    """The outcome; `kind` names whose refusal it is, '' where it is allowed."""

    is_allowed: bool
    is_explicit: bool = False
    kind: str = ""
    matched: tuple[Matched, ...] = field(default=(), compare=False)

    @property
    def because(self) -> str:
        """Why not, in AWS's words; `{}` is where the action goes."""
        article = "an" if self.kind[:1] in "aeiou" else "a"
        if self.is_explicit:
            return f"with an explicit deny in {article} {self.kind}"
        return f"because no {self.kind} allows the {{}} action"


def decide(question: Question, policies: Policies) -> Decision:
    """What the policies say."""
    found = tuple(_all_matches(question, policies))
    denials = [one for one in found if not one.is_allow]
    if denials:
        return Decision(False, True, denials[0].kind, found)
    allowing = {one.kind for one in found}
    if policies.resource_must_allow and RESOURCE not in allowing and not delegates(question, policies.resource):
        return Decision(False, False, RESOURCE, found)
    if IDENTITY not in allowing and RESOURCE not in allowing:
        return Decision(False, False, IDENTITY, found)
    if policies.boundary is not None and BOUNDARY not in allowing:
        return Decision(False, False, BOUNDARY, found)
    for session in policies.sessions:
        if not any(one.is_allow for one in _matches(question, session, SESSION)):
            return Decision(False, False, SESSION, found)
    return Decision(True, matched=found)


def trusts(question: Question, document: Policy) -> Decision:
    """What a trust policy says: it alone decides who assumes a role, and must name the caller."""
    found = tuple(_matches(question, document, RESOURCE, names_resource=False))
    if any(not one.is_allow for one in found):
        return Decision(False, True, RESOURCE, found)
    return Decision(bool(found), False, "" if found else RESOURCE, found)


def _all_matches(question: Question, policies: Policies) -> Iterator[Matched]:
    for one in policies.identity:
        yield from _matches(question, one, IDENTITY)
    if policies.boundary is not None:
        yield from _matches(question, policies.boundary, BOUNDARY)
    for one in policies.sessions:
        yield from _matches(question, one, SESSION)
    if policies.resource is not None:
        yield from _matches(question, policies.resource, RESOURCE)


def _matches(question: Question, policy: Policy, kind: str, *, names_resource: bool = True) -> Iterator[Matched]:
    for statement in policy.statements:
        if statement.principals is None and kind == RESOURCE:
            continue
        if kind == RESOURCE and not _names(statement, question):
            continue
        if _covers(statement, question, names_resource=names_resource):
            yield Matched(policy.name, kind, statement.sid, statement.is_allow)


def _covers(statement: Statement, question: Question, *, names_resource: bool) -> bool:
    """Whether the statement is about this action and this resource, under these circumstances."""
    named = any(pattern(one, ignores_case=True).fullmatch(question.action) for one in statement.actions)
    if named == statement.is_not_action:
        return False
    if names_resource:
        on_it = any(_is_on(one, statement, question) for one in statement.resources)
        if on_it == statement.is_not_resource:
            return False
    return all(holds(one, statement, question.circumstances) for one in statement.conditions)


def _is_on(written: str, statement: Statement, question: Question) -> bool:
    try:
        text = fill(written, statement, question.circumstances)
    except Unresolved:
        return False
    return pattern(text).fullmatch(question.resource) is not None


def _names(statement: Statement, question: Question) -> bool:
    """Whether a statement of a resource's policy is about the caller."""
    who = statement.principals or {}
    everybody = "*" in who.get("*", ()) or "*" in who.get("AWS", ())
    named = everybody or bool(question.who.intersection(_flat(who.values())))
    if statement.is_not_principal:
        return not (named or _is_account(statement, question))
    # An account that is named lets its own administrators decide: that is no permission by itself, but a denial is one.
    return named or (not statement.is_allow and _is_account(statement, question))


def _is_account(statement: Statement, question: Question) -> bool:
    named = (statement.principals or {}).get("AWS", ())
    return any(one == question.account or one.endswith(f":iam::{question.account}:root") for one in named)


def delegates(question: Question, policy: Policy | None, *, names_resource: bool = True) -> bool:
    """Whether the resource's policy leaves it to the account's own policies."""
    return policy is None or any(
        one.is_allow and _is_account(one, question) and _covers(one, question, names_resource=names_resource)
        for one in policy.statements
    )


def _flat(groups: Iterable[tuple[str, ...]]) -> Iterator[str]:
    for group in groups:
        yield from group
