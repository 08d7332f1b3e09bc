"""Whether the caller may do what a launch does: IAM's own simulator is asked for every action of the launcher's policy.

Each statement of that policy is simulated as it stands: its actions on one resource of its kind, in the circumstances that its
conditions name. Whoever may not ask the simulator (iam:SimulatePrincipalPolicy), or is no user or role of the account, is told
that this is not known. The simulator knows identity policies, boundaries and the organization's policies; session policies and
the resources' own policies are not its to see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.doctor import launcher
from bootstrap.doctor.findings import Finding, bad, good, warning

# Its model names no bound; answers come a thousand at most a page, and a long request is slow to answer.
BATCH = 100
OPERATOR = ":user/operator"  # of the local cloud
_SHOWN = 15
_TYPES = {"BoolIfExists": "boolean", "ForAnyValue:StringEquals": "stringList"}
_ATTACH = "Attach the policy that 'doctor --policy' prints, or ask the account's administrator."


def examine(context: Context) -> Iterator[Finding]:
    """One line: everything is allowed, or what is not, or that it is not known."""
    told = context.world.aws("sts").get_caller_identity()
    if context.settings.cloud == "local" and told["Arn"].endswith(OPERATOR):
        yield good("permissions", "this is the operator of the local cloud, who may do everything")
        return
    if told["Arn"].endswith(":root"):
        remedy = "Launch with a role or a user of its own: nothing limits the root user's keys."
        yield warning("permissions", "this is the account's root user, who may do everything", remedy)
        return
    iam = context.world.aws("iam")
    try:
        yield judge(list(denied(iam, principal(iam, told["Arn"]), told["Account"], launcher.policy(context))))
    except Exception as error:
        if not refusals.is_awss(error):
            raise
        remedy = f"Allow iam:SimulatePrincipalPolicy to see it. {_ATTACH}"
        yield warning("permissions", f"not known: {refusals.text(error)}", remedy)


def judge(told: list[str]) -> Finding:
    """The line, for the actions that are denied, each with why."""
    if not told:
        return good("permissions", "all actions of a launch are allowed")
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return bad("permissions", f"{len(told)} actions are denied: {', '.join(told[:_SHOWN])}{more}", _ATTACH)


def principal(iam: Any, arn: str) -> str:
    """The user or role whose policies count, as an ARN: of a session its role's, whose path the session does not name."""
    head, _, rest = arn.partition(":assumed-role/")
    if not rest:
        return arn
    role = rest.split("/")[0]
    try:
        return str(iam.get_role(RoleName=role)["Role"]["Arn"])
    except Exception as error:
        if not refusals.is_awss(error):
            raise
        return f"{head.replace(':sts:', ':iam:')}:role/{role}"  # most roles have no path


def denied(iam: Any, source: str, account: str, policy: Mapping[str, Any]) -> Iterator[str]:
    """The actions of the policy that the simulator does not allow, each once, with why where it says more than no."""
    found: dict[str, str] = {}
    for statement in policy["Statement"]:
        needed = _needed(statement)
        for start in range(0, len(needed), BATCH):
            pages = iam.get_paginator("simulate_principal_policy").paginate(
                PolicySourceArn=source,
                ActionNames=needed[start : start + BATCH],
                ResourceArns=[_resource(statement["Resource"], account)],
                ContextEntries=list(_circumstances(statement.get("Condition", {}))),
            )
            for page in pages:
                found |= {it["EvalActionName"]: _why(it) for it in _refused(page["EvaluationResults"])}
    yield from (found[action] for action in sorted(found))


def _needed(statement: Mapping[str, Any]) -> list[str]:
    """What is asked about: not the questions of this very preflight, nor what only a session's own name would answer."""
    if "${" in statement["Resource"]:
        return []
    return [action for action in statement["Action"] if not (statement["Sid"] == "Look" and action.startswith("iam:"))]


def _refused(results: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (it for it in results if it["EvalDecision"] != "allowed")


def _why(result: Mapping[str, Any]) -> str:
    action = str(result["EvalActionName"])
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return f"{action} (by the organization)"
    if not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        return f"{action} (by the permissions boundary)"
    return f"{action} (outright)" if result["EvalDecision"] == "explicitDeny" else action


def _resource(pattern: str, account: str) -> str:
    """One resource that a statement is about: the simulator takes names, or '*' for any."""
    if pattern == "*":
        return pattern
    head, _, name = pattern.replace(":*:", f":{account}:", 1).rpartition("*")
    return f"{head}example{name}" if head else name


def _circumstances(conditions: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The context in which a statement's conditions hold."""
    for operator, keys in conditions.items():
        for key, values in keys.items():
            values = values if isinstance(values, list) else [values]
            yield {
                "ContextKeyName": key,
                "ContextKeyType": _TYPES.get(operator, "string"),
                "ContextKeyValues": list(values),
            }
