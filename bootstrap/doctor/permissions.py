"""Whether the caller may do what a launch does: IAM's policy simulator judges every action of the launcher's policy.

Each statement of that policy is simulated: its actions on one example resource, with context entries that fulfil its
conditions. If the caller may not use the simulator (iam:SimulatePrincipalPolicy), or is no user or role of the account, the
finding says that the permissions are not known; so are single actions that the simulator does not accept. The simulator knows
identity policies, permissions boundaries and policies of the organization; it does not know session policies and resource
policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.doctor.findings import Finding, make_bad, make_good, make_warning
from bootstrap.preconditions import launcher_policy

# Actions in one request. The API documents no limit, but long requests are slow; a page has at most a thousand results.
BATCH = 100
OPERATOR = ":user/operator"  # the end of the ARN of the local cloud's operator
_SHOWN = 15
# The codes with which IAM refuses a request that has an action or a resource that it does not know.
_REFUSES_INPUT = frozenset({"InvalidInput", "ValidationError"})
_TYPES = {"Bool": "boolean", "BoolIfExists": "boolean", "ForAnyValue:StringEquals": "stringList"}
_ATTACH = "Attach the policy that 'doctor --policy' prints, or ask the account's administrator."


def examine(context: Context) -> Iterator[Finding]:
    """One finding: everything is allowed, or which actions are denied, or that it is not known."""
    caller = context.world.aws("sts").get_caller_identity()
    if context.settings.cloud == "local" and caller["Arn"].endswith(OPERATOR):
        yield make_good("permissions", "this is the operator of the local cloud, who may do everything")
        return
    if caller["Arn"].endswith(":root"):
        remedy = "Launch with a role or a user of its own: nothing limits the root user's keys."
        yield make_warning("permissions", "this is the account's root user, who may do everything", remedy)
        return
    iam = context.world.aws("iam")
    try:
        simulated = simulate(
            iam, find_principal(iam, caller["Arn"]), caller["Account"], launcher_policy.make_policy(context)
        )
    except Exception as error:
        if not refusals.is_from_aws(error):
            raise
        remedy = f"Allow iam:SimulatePrincipalPolicy to see it. {_ATTACH}"
        yield make_warning("permissions", f"not known: {refusals.format_error(error)}", remedy)
        return
    yield judge(simulated.denied)
    if simulated.unknown:
        listed = ", ".join(f"{action} ({reason})" for action, reason in sorted(simulated.unknown.items()))
        remedy = "Look these actions up in the account, or launch: AWS says then whether they are allowed."
        yield make_warning("permissions", f"not known, because the simulator refuses to judge them: {listed}", remedy)


@dataclass
class Simulated:
    """What the simulator says: the denied actions with their reasons, and those that it does not judge, with its words."""

    denied: list[str]
    unknown: dict[str, str]


def judge(denied_actions: list[str]) -> Finding:
    """The finding for the denied actions, each with its reason."""
    if not denied_actions:
        return make_good("permissions", "no action of a launch is denied")
    more = f" and {len(denied_actions) - _SHOWN} more" if len(denied_actions) > _SHOWN else ""
    return make_bad(
        "permissions", f"{len(denied_actions)} actions are denied: {', '.join(denied_actions[:_SHOWN])}{more}", _ATTACH
    )


def find_principal(iam: Any, arn: str) -> str:
    """The ARN of the user or role whose policies apply; for a session, of its role.

    The ARN of a session lacks the role's path.
    """
    head, _, role_and_session = arn.partition(":assumed-role/")
    if not role_and_session:
        return arn
    role = role_and_session.split("/")[0]
    try:
        return str(iam.get_role(RoleName=role)["Role"]["Arn"])
    except Exception as error:
        if not refusals.is_from_aws(error):
            raise
        return f"{head.replace(':sts:', ':iam:')}:role/{role}"  # most roles have no path


def simulate(iam: Any, source: str, account: str, policy: Mapping[str, Any]) -> Simulated:
    """What the simulator says of the actions of the policy, each once.

    It refuses a whole request for one action that it does not know. Then it is asked for each action by itself.
    """
    reasons: dict[str, str] = {}
    unknown: dict[str, str] = {}
    for statement in policy["Statement"]:
        needed = _list_needed(statement)
        for start in range(0, len(needed), BATCH):
            batch = needed[start : start + BATCH]
            try:
                reasons |= _find_denials(iam, source, account, statement, batch)
            except Exception as error:
                if refusals.read_code(error) not in _REFUSES_INPUT:
                    raise
                for action in batch:
                    try:
                        reasons |= _find_denials(iam, source, account, statement, [action])
                    except Exception as again:
                        if refusals.read_code(again) not in _REFUSES_INPUT:
                            raise
                        unknown[action] = refusals.format_error(again)
    return Simulated([reasons[action] for action in sorted(reasons)], unknown)


def _find_denials(
    iam: Any, source: str, account: str, statement: Mapping[str, Any], actions: list[str]
) -> dict[str, str]:
    """Those of the actions of one statement that are denied, with the reason if the simulator has one."""
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=source,
        ActionNames=actions,
        ResourceArns=[_fill_pattern(statement["Resource"], account)],
        ContextEntries=list(_list_context_entries(statement.get("Condition", {}))),
    )
    return {
        it["EvalActionName"]: _describe_denial(it) for page in pages for it in _list_refused(page["EvaluationResults"])
    }


def _list_needed(statement: Mapping[str, Any]) -> list[str]:
    """The actions to simulate: not the IAM calls of `doctor` itself, no wildcards, and no statement with a policy variable."""
    if "${" in statement["Resource"]:
        return []
    actions = [action for action in statement["Action"] if "*" not in action]
    return [action for action in actions if not (statement["Sid"] == "Look" and action.startswith("iam:"))]


def _list_refused(results: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    return (it for it in results if it["EvalDecision"] != "allowed")


def _describe_denial(result: Mapping[str, Any]) -> str:
    action = str(result["EvalActionName"])
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return f"{action} (by the organization)"
    if not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        return f"{action} (by the permissions boundary)"
    return f"{action} (outright)" if result["EvalDecision"] == "explicitDeny" else action


def _fill_pattern(pattern: str, account: str) -> str:
    """An example resource for the pattern of a statement: the simulator accepts ARNs, or '*' for any resource."""
    if pattern == "*":
        return pattern
    return pattern.replace(":*:", f":{account}:", 1).replace("?", "a").replace("*", "example")


def _list_context_entries(conditions: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The context entries with which the conditions of a statement are true."""
    for operator, keys in conditions.items():
        for key, values in keys.items():
            values = values if isinstance(values, list) else [values]
            yield {
                "ContextKeyName": key,
                "ContextKeyType": _TYPES.get(operator, "string"),
                "ContextKeyValues": list(values),
            }
