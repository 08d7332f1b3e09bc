"""Judges policies of KMS keys: whether one lets a service or a role use the key.

Only what can be told from the text: a condition on another key than those that are given is taken as fulfilled, so that a key
is never refused for a condition that is not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_COMPARES = re.compile(r"(ForAnyValue:)?(String|Arn)(Equals|Like|EqualsIgnoreCase)(IfExists)?")


@dataclass(frozen=True)
class Use:
    """One use of a key: the names that the caller has as a principal, its actions, and what a condition can test."""

    principals: frozenset[str]
    actions: tuple[str, ...]
    found: Mapping[str, str] = field(default_factory=dict)  # condition key in lower case -> value


def find_missing(policy: Mapping[str, Any], use: Use) -> list[str]:
    """The actions of the use that the policy does not allow, or that it denies."""
    statements = _several(policy.get("Statement", []))
    return [action for action in use.actions if not _is_allowed(statements, use, action)]


def _is_allowed(statements: list[Any], use: Use, action: str) -> bool:
    matching = [it for it in statements if isinstance(it, Mapping) and _matches(it, use, action)]
    # A denial with a condition can be for others.
    denied = any(it.get("Effect") == "Deny" and not it.get("Condition") for it in matching)
    return not denied and any(it.get("Effect") == "Allow" and _is_fulfilled(it, use) for it in matching)


def _matches(statement: Mapping[str, Any], use: Use, action: str) -> bool:
    if "NotAction" in statement:
        is_named = not any(_fits(it, action.lower()) for it in _texts(statement["NotAction"], lower=True))
    else:
        is_named = any(_fits(it, action.lower()) for it in _texts(statement.get("Action", []), lower=True))
    if "NotPrincipal" in statement:
        return is_named and not use.principals.intersection(_principals(statement["NotPrincipal"]))
    principals = set(_principals(statement.get("Principal", {})))
    return is_named and ("*" in principals or bool(principals & use.principals))


def _principals(value: Any) -> Iterator[str]:
    """The principals of a statement by name; '*' for everybody. An account is its root's ARN or its number."""
    if isinstance(value, Mapping):
        for named in value.values():
            yield from _texts(named)
    else:
        yield from _texts(value)


def _is_fulfilled(statement: Mapping[str, Any], use: Use) -> bool:
    condition = statement.get("Condition") or {}
    if not isinstance(condition, Mapping):
        return False
    for operator, keys in condition.items():
        if not _COMPARES.fullmatch(str(operator)) or not isinstance(keys, Mapping):
            continue
        for key, patterns in keys.items():
            value = use.found.get(str(key).lower())
            if value is not None and not any(_fits(pattern, value) for pattern in _texts(patterns)):
                return False
    return True


def _fits(pattern: str, value: str) -> bool:
    """IAM's wildcards: '*' for any text, '?' for one character."""
    parts = (".*" if it == "*" else "." if it == "?" else re.escape(it) for it in pattern)
    return re.fullmatch("".join(parts), value, re.DOTALL) is not None


def _texts(value: Any, *, lower: bool = False) -> list[str]:
    return [str(it).lower() if lower else str(it) for it in _several(value)]


def _several(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
