"""Stack policies: which updates of which resources are allowed. One that is set denies whatever it does not allow."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused

ACTIONS = ("Update:Modify", "Update:Replace", "Update:Delete", "Update:*")


def check(text: str) -> str:
    """The policy as it was given, when it is one; raises Refused."""
    try:
        document = json.loads(text)
        for statement in _listed(document["Statement"]):
            _check_statement(statement)
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise Refused(f"Error validating stack policy: Invalid stack policy: {fault}") from None
    return text


def denial(text: str, action: str, logical_id: str, kind: str) -> str:
    """Why `action` on a resource is denied, in CloudFormation's words; '' when it is allowed or there is no policy."""
    if not text:
        return ""
    statements = _listed(json.loads(text)["Statement"])
    matching = [(n, one) for n, one in enumerate(statements, 1) if _matches(one, action, logical_id, kind)]
    what = f"[{action}] for resource [LogicalResourceId/{logical_id}]"
    for number, statement in matching:
        if statement["Effect"] == "Deny":
            return f"Action denied by stack policy: Statement [#{number}] does not allow {what};"
    return "" if matching else f"Action denied by stack policy: no statement allows {what};"


def _check_statement(statement: dict[str, Any]) -> None:
    if statement["Effect"] not in {"Allow", "Deny"}:
        raise ValueError(f"Effect {statement['Effect']}")
    if statement.get("Principal") != "*":
        raise ValueError("Principal must be *")
    for action in _listed(statement.get("Action", statement.get("NotAction"))):
        if action not in ACTIONS:
            raise ValueError(f"Action {action}")
    if "Resource" not in statement and "NotResource" not in statement:
        raise ValueError("a statement without Resource")


def _matches(statement: dict[str, Any], action: str, logical_id: str, kind: str) -> bool:
    return (
        _named(statement, "Action", action)
        and _named(statement, "Resource", f"LogicalResourceId/{logical_id}")
        and _is_of(statement.get("Condition", {}), kind)
    )


def _named(statement: dict[str, Any], key: str, value: str) -> bool:
    if key in statement:
        return any(fnmatch.fnmatchcase(value, pattern) for pattern in _listed(statement[key]))
    return not any(fnmatch.fnmatchcase(value, pattern) for pattern in _listed(statement[f"Not{key}"]))


def _is_of(condition: dict[str, Any], kind: str) -> bool:
    exact = condition.get("StringEquals", {}).get("ResourceType")
    like = condition.get("StringLike", {}).get("ResourceType")
    return (exact is None or kind in _listed(exact)) and (
        like is None or any(fnmatch.fnmatchcase(kind, pattern) for pattern in _listed(like))
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
