"""Policy documents as IAM takes them, read once and kept."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Principals = Mapping[str, tuple[str, ...]]  # kind (AWS, Service, Federated, *) -> who


@dataclass(frozen=True)
class Condition:
    """One key of a condition: the operator, without what goes before and behind it, and the values that it takes."""

    operator: str
    key: str
    values: tuple[str, ...]
    if_exists: bool = False
    over: str = ""  # ForAllValues or ForAnyValue


@dataclass(frozen=True)
class Statement:
    """One statement; the patterns are as they were written, with variables."""

    sid: str
    is_allow: bool
    actions: tuple[str, ...]
    is_not_action: bool
    resources: tuple[str, ...]
    is_not_resource: bool
    principals: Principals | None
    is_not_principal: bool
    conditions: tuple[Condition, ...]
    has_variables: bool  # documents of 2008 have none: they take a text as it is


@dataclass(frozen=True)
class Policy:
    """A document and where it is from: its ARN, or the name that it has inline."""

    name: str
    statements: tuple[Statement, ...]


def policy(name: str, text: str) -> Policy:
    """A policy by its text."""
    return Policy(name, parse(text))


@functools.lru_cache(maxsize=2048)
def parse(text: str) -> tuple[Statement, ...]:
    """The statements of a document; raises ValueError for what is none."""
    try:
        document = json.loads(text)
        statements = document["Statement"]
        listed = statements if isinstance(statements, list) else [statements]
        return tuple(_statement(one, has_variables=document.get("Version") == "2012-10-17") for one in listed)
    except (TypeError, KeyError, AttributeError) as fault:
        raise ValueError(f"this is no policy document: {fault!r}") from None


def _statement(given: Mapping[str, Any], *, has_variables: bool) -> Statement:
    principals = given.get("Principal", given.get("NotPrincipal"))
    return Statement(
        sid=str(given.get("Sid", "")),
        is_allow=given["Effect"] == "Allow",
        actions=_texts(given.get("Action", given.get("NotAction", ()))),
        is_not_action="NotAction" in given,
        resources=_texts(given.get("Resource", given.get("NotResource", ()))),
        is_not_resource="NotResource" in given,
        principals=_principals(principals) if principals is not None else None,
        is_not_principal="NotPrincipal" in given,
        conditions=tuple(_conditions(given.get("Condition") or {})),
        has_variables=has_variables,
    )


def _principals(given: Any) -> Principals:
    if isinstance(given, str):
        return {"*": ("*",)} if given == "*" else {"AWS": (given,)}
    return {kind: _texts(who) for kind, who in given.items()}


def _conditions(given: Mapping[str, Mapping[str, Any]]) -> Iterator[Condition]:
    for written, keys in given.items():
        over, _, rest = written.rpartition(":")
        operator = rest.removesuffix("IfExists")
        for key, values in keys.items():
            yield Condition(operator, key.lower(), _texts(values), rest.endswith("IfExists") and rest != "Null", over)


def _texts(given: Any) -> tuple[str, ...]:
    values: Iterable[Any] = given if isinstance(given, list | tuple) else (given,)
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)


@functools.lru_cache(maxsize=8192)
def pattern(text: str, *, ignores_case: bool = False) -> re.Pattern[str]:
    """The expression for a text with * and ?; '\\\\0' and '\\\\1' stand for the two as plain characters."""
    parts = re.split(r"([*?\0\1])", text)
    special = {"*": ".*", "?": ".", "\0": re.escape("*"), "\1": re.escape("?")}
    expression = "".join(special.get(part, re.escape(part)) for part in parts)
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignores_case else 0))
