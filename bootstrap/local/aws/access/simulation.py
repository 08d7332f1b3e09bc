"""IAM's simulator: SimulatePrincipalPolicy and SimulateCustomPolicy, answered by the evaluator that the server itself asks.

As on AWS it knows the circumstances that the request gives, and no others.
"""

from __future__ import annotations

import re
import urllib.parse
import uuid
from collections.abc import Iterator
from xml.sax.saxutils import escape

from bootstrap.local.aws.access import identities
from bootstrap.local.aws.access.identities import ACCOUNT, Identities, Principal
from bootstrap.local.aws.access.policies import attached
from bootstrap.local.aws.access.policies.documents import Policy, policy
from bootstrap.local.aws.access.policies.evaluation import BOUNDARY, Decision, Policies, Question, decide
from bootstrap.local.aws.access.refusals import Kind, Refused
from bootstrap.local.aws.server.requests import Response

ACTIONS = frozenset({"SimulatePrincipalPolicy", "SimulateCustomPolicy"})
NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
_EVERYTHING = '{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}'
_CONTEXT = re.compile(r"ContextEntries\.member\.(\d+)\.(ContextKeyName|ContextKeyValues\.member\.\d+)")
_KINDS = {
    "identity-based policy": "IAM Policy",
    BOUNDARY: "PermissionsBoundary",
    "resource-based policy": "Resource Policy",
}


def answer(action: str, body: bytes, operator: Identities) -> Response:
    """The simulator's answer; raises Refused."""
    asked = urllib.parse.parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    who, held = _subject(action, asked, operator)
    found = dict(_circumstances(asked))
    names = _listed(asked, "ActionNames")
    bad = [name for name in names if not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*]+", name)]
    if bad:
        raise Refused(Kind.INVALID, f"Invalid Entity Action: {bad[0]}", "InvalidInput")
    results = "".join(
        _result(name, resource, decide(Question(name, resource, found, who, ACCOUNT), held), held)
        for name in names
        for resource in _listed(asked, "ResourceArns") or ["*"]
    )
    inner = f"<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>"
    metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    text = (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{inner}</{action}Result>{metadata}</{action}Response>'
    )
    return Response(200, (("Content-Type", "text/xml"),), text.encode())


def _subject(action: str, asked: dict[str, list[str]], known: Identities) -> tuple[frozenset[str], Policies]:
    """Whose names and which policies are asked about."""
    given = tuple(policy(f"PolicyInputList.{n}", text) for n, text in enumerate(_policies(asked, "PolicyInputList"), 1))
    bounds = _policies(asked, "PermissionsBoundaryPolicyInputList")
    boundary = policy("PermissionsBoundaryPolicyInputList.1", bounds[0]) if bounds else None
    own = policy("ResourcePolicy", asked["ResourcePolicy"][0]) if asked.get("ResourcePolicy") else None
    if action == "SimulateCustomPolicy":
        caller = asked.get("CallerArn", [""])[0]
        return frozenset({caller} - {""}), Policies(given, boundary, resource=own)
    arn = asked.get("PolicySourceArn", [""])[0]
    if arn == known.operator.arn:
        return frozenset({arn}), Policies((policy("AdministratorAccess", _EVERYTHING), *given), boundary, resource=own)
    holder = identities.find_role(arn) or identities.find_user(arn)
    if holder is None:
        raise Refused(Kind.INVALID, f"The principal {arn} cannot be found.", "NoSuchEntity")
    held = attached.of(Principal("", arn, ACCOUNT, "", holder.name, arn))
    return frozenset({arn}), Policies((*held.identity, *given), boundary or held.boundary, resource=own)


def _policies(asked: dict[str, list[str]], name: str) -> list[str]:
    return _listed(asked, name)


def _listed(asked: dict[str, list[str]], name: str) -> list[str]:
    numbered = ((int(key.rpartition(".")[2]), values[0]) for key, values in asked.items() if _is_of(key, name))
    return [value for _, value in sorted(numbered)]


def _is_of(key: str, name: str) -> bool:
    return re.fullmatch(rf"{name}\.member\.\d+", key) is not None


def _circumstances(asked: dict[str, list[str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for key, given in asked.items():
        match = _CONTEXT.fullmatch(key)
        if match and match[2] == "ContextKeyName":
            names[match[1]] = given[0]
        elif match:
            values.setdefault(match[1], []).append(given[0])
    for number, name in names.items():
        yield name.lower(), tuple(values.get(number, ()))


def _result(action: str, resource: str, decision: Decision, held: Policies) -> str:
    word = "allowed" if decision.is_allowed else "explicitDeny" if decision.is_explicit else "implicitDeny"
    matched = "".join(
        f"<member><SourcePolicyId>{escape(one.policy)}</SourcePolicyId>"
        f"<SourcePolicyType>{_KINDS.get(one.kind, 'IAM Policy')}</SourcePolicyType></member>"
        for one in decision.matched
    )
    bounds = ""
    if held.boundary is not None:
        allows = any(one.kind == BOUNDARY and one.is_allow for one in decision.matched)
        said = str(allows and not _denies(held.boundary, decision)).lower()
        inner = f"<AllowedByPermissionsBoundary>{said}</AllowedByPermissionsBoundary>"
        bounds = f"<PermissionsBoundaryDecisionDetail>{inner}</PermissionsBoundaryDecisionDetail>"
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalDecision>{word}</EvalDecision><MatchedStatements>{matched}</MatchedStatements><MissingContextValues/>"
        f"{bounds}</member>"
    )


def _denies(boundary: Policy, decision: Decision) -> bool:
    return any(one.policy == boundary.name and not one.is_allow for one in decision.matched)
