"""Decides whether the policy of a KMS key allows a service or a role to use the key.

Only the text of the policy is used. A condition on a condition key that is not given counts as met, so that no key is refused
because of a condition that this module does not know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_COMPARES = re.compile(r"(ForAnyValue:)?(String|Arn)(Equals|Like|EqualsIgnoreCase)(IfExists)?")


@dataclass(frozen=True)
class Use:
    """One use of a key: the names of the caller as a principal, its actions, and the values of condition keys."""

    principals: frozenset[str]
    actions: tuple[str, ...]
    context: Mapping[str, str] = field(default_factory=dict)  # condition key in lower case -> value


def find_missing(policy: Mapping[str, Any], use: Use) -> list[str]:
    """The actions of the use that the policy does not allow, or that it denies."""
    statements = _make_list(policy.get("Statement", []))
    return [action for action in use.actions if not _is_allowed(statements, use, action)]


def _is_allowed(statements: list[Any], use: Use, action: str) -> bool:
    matching = [
        statement for statement in statements if isinstance(statement, Mapping) and _matches(statement, use, action)
    ]
    # A deny with a condition can be meant for other callers.
    is_denied = any(statement.get("Effect") == "Deny" and not statement.get("Condition") for statement in matching)
    return not is_denied and any(
        statement.get("Effect") == "Allow" and _is_fulfilled(statement, use) for statement in matching
    )


def _matches(statement: Mapping[str, Any], use: Use, action: str) -> bool:
    if "NotAction" in statement:
        is_named = not any(
            _matches_wildcards(pattern, action.lower()) for pattern in _list_texts(statement["NotAction"], lower=True)
        )
    else:
        is_named = any(
            _matches_wildcards(pattern, action.lower())
            for pattern in _list_texts(statement.get("Action", []), lower=True)
        )
    if "NotPrincipal" in statement:
        return is_named and not use.principals.intersection(_list_principals(statement["NotPrincipal"]))
    principals = set(_list_principals(statement.get("Principal", {})))
    return is_named and ("*" in principals or bool(principals & use.principals))


def _list_principals(value: Any) -> Iterator[str]:
    """The principals of a statement; '*' means everybody. An account is named by the ARN of its root or by its number."""
    if isinstance(value, Mapping):
        for names in value.values():
            yield from _list_texts(names)
    else:
        yield from _list_texts(value)


def _is_fulfilled(statement: Mapping[str, Any], use: Use) -> bool:
    condition = statement.get("Condition") or {}
    if not isinstance(condition, Mapping):
        return False
    for operator, keys in condition.items():
        if not _COMPARES.fullmatch(str(operator)) or not isinstance(keys, Mapping):
            continue
        for key, patterns in keys.items():
            value = use.context.get(str(key).lower())
            if value is not None and not any(_matches_wildcards(pattern, value) for pattern in _list_texts(patterns)):
                return False
    return True


def _matches_wildcards(pattern: str, value: str) -> bool:
    """Whether a value matches a pattern with IAM's wildcards: '*' for any text, '?' for one character."""
    parts = (".*" if character == "*" else "." if character == "?" else re.escape(character) for character in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def _list_texts(value: Any, *, lower: bool = False) -> list[str]:
    return [str(item).lower() if lower else str(item) for item in _make_list(value)]


def _make_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
