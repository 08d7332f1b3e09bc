"""IAM's policy simulator: answers SimulatePrincipalPolicy and SimulateCustomPolicy with the evaluator that the server uses.

As on AWS, the only condition keys are those of the request.
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
from bootstrap.local.aws.access.policies.documents import Policy, parse_policy
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
    parameters = urllib.parse.parse_qs(body.decode(errors="replace"), keep_blank_values=True)
    principals, policies = _read_subject(action, parameters, operator)
    context = dict(_read_context(parameters))
    names = _read_list(parameters, "ActionNames")
    invalid_names = [name for name in names if not re.fullmatch(r"[A-Za-z0-9-]+:[A-Za-z0-9*]+", name)]
    if invalid_names:
        raise Refused(Kind.INVALID, f"Invalid Entity Action: {invalid_names[0]}", "InvalidInput")
    results = "".join(
        _write_result(
            name, resource, decide(Question(name, resource, context, principals, ACCOUNT), policies), policies
        )
        for name in names
        for resource in _read_list(parameters, "ResourceArns") or ["*"]
    )
    inner = f"<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>"
    metadata = f"<ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
    text = (
        f'<{action}Response xmlns="{NAMESPACE}"><{action}Result>{inner}</{action}Result>{metadata}</{action}Response>'
    )
    return Response(200, (("Content-Type", "text/xml"),), text.encode())


def _read_subject(action: str, parameters: dict[str, list[str]], known: Identities) -> tuple[frozenset[str], Policies]:
    """The principals and the policies that the request names."""
    input_policies = tuple(
        parse_policy(f"PolicyInputList.{n}", text)
        for n, text in enumerate(_read_policies(parameters, "PolicyInputList"), 1)
    )
    boundary_texts = _read_policies(parameters, "PermissionsBoundaryPolicyInputList")
    boundary = parse_policy("PermissionsBoundaryPolicyInputList.1", boundary_texts[0]) if boundary_texts else None
    resource_policy = (
        parse_policy("ResourcePolicy", parameters["ResourcePolicy"][0]) if parameters.get("ResourcePolicy") else None
    )
    if action == "SimulateCustomPolicy":
        caller = parameters.get("CallerArn", [""])[0]
        return frozenset({caller} - {""}), Policies(input_policies, boundary, resource=resource_policy)
    arn = parameters.get("PolicySourceArn", [""])[0]
    if arn == known.operator.arn:
        return frozenset({arn}), Policies(
            (parse_policy("AdministratorAccess", _EVERYTHING), *input_policies), boundary, resource=resource_policy
        )
    holder = identities.find_role(arn) or identities.find_user(arn)
    if holder is None:
        raise Refused(Kind.INVALID, f"The principal {arn} cannot be found.", "NoSuchEntity")
    policies = attached.find_policies(Principal("", arn, ACCOUNT, "", holder.name, arn))
    return frozenset({arn}), Policies(
        (*policies.identity, *input_policies), boundary or policies.boundary, resource=resource_policy
    )


def _read_policies(parameters: dict[str, list[str]], name: str) -> list[str]:
    return _read_list(parameters, name)


def _read_list(parameters: dict[str, list[str]], name: str) -> list[str]:
    numbered = (
        (int(key.rpartition(".")[2]), values[0]) for key, values in parameters.items() if _is_in_list(key, name)
    )
    return [value for _, value in sorted(numbered)]


def _is_in_list(key: str, name: str) -> bool:
    return re.fullmatch(rf"{name}\.member\.\d+", key) is not None


def _read_context(parameters: dict[str, list[str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    names: dict[str, str] = {}
    values: dict[str, list[str]] = {}
    for key, texts in parameters.items():
        match = _CONTEXT.fullmatch(key)
        if match and match[2] == "ContextKeyName":
            names[match[1]] = texts[0]
        elif match:
            values.setdefault(match[1], []).append(texts[0])
    for number, name in names.items():
        yield name.lower(), tuple(values.get(number, ()))


def _write_result(action: str, resource: str, decision: Decision, policies: Policies) -> str:
    outcome = "allowed" if decision.is_allowed else "explicitDeny" if decision.is_explicit else "implicitDeny"
    matched = "".join(
        f"<member><SourcePolicyId>{escape(match.policy)}</SourcePolicyId>"
        f"<SourcePolicyType>{_KINDS.get(match.kind, 'IAM Policy')}</SourcePolicyType></member>"
        for match in decision.matched
    )
    boundary_detail = ""
    if policies.boundary is not None:
        allows = any(match.kind == BOUNDARY and match.is_allow for match in decision.matched)
        is_within = str(allows and not _is_denied(policies.boundary, decision)).lower()
        inner = f"<AllowedByPermissionsBoundary>{is_within}</AllowedByPermissionsBoundary>"
        boundary_detail = f"<PermissionsBoundaryDecisionDetail>{inner}</PermissionsBoundaryDecisionDetail>"
    return (
        f"<member><EvalActionName>{escape(action)}</EvalActionName><EvalResourceName>{escape(resource)}</EvalResourceName>"
        f"<EvalDecision>{outcome}</EvalDecision><MatchedStatements>{matched}</MatchedStatements><MissingContextValues/>"
        f"{boundary_detail}</member>"
    )


def _is_denied(boundary: Policy, decision: Decision) -> bool:
    return any(one.policy == boundary.name and not one.is_allow for one in decision.matched)
