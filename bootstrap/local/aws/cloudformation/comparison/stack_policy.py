"""Stack policies: which updates of which resources are allowed. A policy denies everything that it does not allow."""

from __future__ import annotations

import fnmatch
import json
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused


class _Invalid(ValueError):
    """A statement of a policy is wrong; the text says what."""


ACTIONS = ("Update:Modify", "Update:Replace", "Update:Delete", "Update:*")


def check(text: str) -> str:
    """Return the policy if it is valid; raises Refused."""
    try:
        document = json.loads(text)
        for statement in _make_list(document["Statement"]):
            _check_statement(statement)
    except _Invalid as invalid:
        raise Refused(f"Error validating stack policy: Invalid stack policy: {invalid}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise Refused("Error validating stack policy: Invalid stack policy") from None
    return text


def explain_denial(text: str, action: str, logical_id: str, kind: str) -> str:
    """The message of CloudFormation if `action` on a resource is denied; '' if it is allowed, or if there is no policy."""
    if not text:
        return ""
    statements = _make_list(json.loads(text)["Statement"])
    matching = [
        (n, candidate) for n, candidate in enumerate(statements, 1) if _matches(candidate, action, logical_id, kind)
    ]
    subject = f"[{action}] for resource [LogicalResourceId/{logical_id}]"
    for number, statement in matching:
        if statement["Effect"] == "Deny":
            return f"Action denied by stack policy: Statement [#{number}] does not allow {subject};"
    return "" if matching else f"Action denied by stack policy: no statement allows {subject};"


def _check_statement(statement: dict[str, Any]) -> None:
    if statement["Effect"] not in {"Allow", "Deny"}:
        raise _Invalid(f"Effect {statement['Effect']}")
    if statement.get("Principal") != "*":
        raise _Invalid("Principal must be *")
    for action in _make_list(statement.get("Action", statement.get("NotAction"))):
        if action not in ACTIONS:
            raise _Invalid(f"Action {action}")
    if "Resource" not in statement and "NotResource" not in statement:
        raise _Invalid("a statement without Resource")


def _matches(statement: dict[str, Any], action: str, logical_id: str, kind: str) -> bool:
    return (
        _matches_key(statement, "Action", action)
        and _matches_key(statement, "Resource", f"LogicalResourceId/{logical_id}")
        and _matches_condition(statement.get("Condition", {}), kind)
    )


def _matches_key(statement: dict[str, Any], key: str, value: str) -> bool:
    if key in statement:
        return any(fnmatch.fnmatchcase(value, pattern) for pattern in _make_list(statement[key]))
    return not any(fnmatch.fnmatchcase(value, pattern) for pattern in _make_list(statement[f"Not{key}"]))


def _matches_condition(condition: dict[str, Any], kind: str) -> bool:
    exact = condition.get("StringEquals", {}).get("ResourceType")
    like = condition.get("StringLike", {}).get("ResourceType")
    return (exact is None or kind in _make_list(exact)) and (
        like is None or any(fnmatch.fnmatchcase(kind, pattern) for pattern in _make_list(like))
    )


def _make_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
