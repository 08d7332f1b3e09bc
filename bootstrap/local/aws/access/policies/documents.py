"""Parses policy documents of IAM; each text is parsed once, and the result is cached."""

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
    """One key of a condition: the operator without its prefix and suffix, and the values in the policy."""

    operator: str
    key: str
    values: tuple[str, ...]
    if_exists: bool = False
    over: str = ""  # ForAllValues or ForAnyValue


@dataclass(frozen=True)
class Statement:
    """One statement; the patterns are those of the document, with variables."""

    sid: str
    is_allow: bool
    actions: tuple[str, ...]
    is_not_action: bool
    resources: tuple[str, ...]
    is_not_resource: bool
    principals: Principals | None
    is_not_principal: bool
    conditions: tuple[Condition, ...]
    has_variables: bool  # documents of version 2008-10-17 have no variables


@dataclass(frozen=True)
class Policy:
    """A policy document, with its ARN, or with its name if it is an inline policy."""

    name: str
    statements: tuple[Statement, ...]


def parse_policy(name: str, text: str) -> Policy:
    """Parse the text of a policy."""
    return Policy(name, parse_statements(text))


@functools.lru_cache(maxsize=2048)
def parse_statements(text: str) -> tuple[Statement, ...]:
    """The statements of a document; ValueError if the text is not a policy document."""
    try:
        document = json.loads(text)
        statements = document["Statement"]
        items = statements if isinstance(statements, list) else [statements]
        return tuple(_parse_statement(item, has_variables=document.get("Version") == "2012-10-17") for item in items)
    except (TypeError, KeyError, AttributeError) as fault:
        raise ValueError(f"this is no policy document: {fault!r}") from None


def _parse_statement(item: Mapping[str, Any], *, has_variables: bool) -> Statement:
    principals = item.get("Principal", item.get("NotPrincipal"))
    return Statement(
        sid=str(item.get("Sid", "")),
        is_allow=item["Effect"] == "Allow",
        actions=_list_texts(item.get("Action", item.get("NotAction", ()))),
        is_not_action="NotAction" in item,
        resources=_list_texts(item.get("Resource", item.get("NotResource", ()))),
        is_not_resource="NotResource" in item,
        principals=_parse_principals(principals) if principals is not None else None,
        is_not_principal="NotPrincipal" in item,
        conditions=tuple(_parse_conditions(item.get("Condition") or {})),
        has_variables=has_variables,
    )


def _parse_principals(value: Any) -> Principals:
    if isinstance(value, str):
        return {"*": ("*",)} if value == "*" else {"AWS": (value,)}
    return {kind: _list_texts(who) for kind, who in value.items()}


def _parse_conditions(given: Mapping[str, Mapping[str, Any]]) -> Iterator[Condition]:
    for operator_text, keys in given.items():
        over, _, operator_name = operator_text.rpartition(":")
        operator = operator_name.removesuffix("IfExists")
        for key, values in keys.items():
            yield Condition(
                operator,
                key.lower(),
                _list_texts(values),
                operator_name.endswith("IfExists") and operator_name != "Null",
                over,
            )


def _list_texts(value: Any) -> tuple[str, ...]:
    values: Iterable[Any] = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(text).lower() if isinstance(text, bool) else str(text) for text in values)


@functools.lru_cache(maxsize=8192)
def compile_pattern(text: str, *, ignores_case: bool = False) -> re.Pattern[str]:
    """The regular expression for a text with * and ?; '\\\\0' and '\\\\1' represent the two as plain characters."""
    parts = re.split(r"([*?\0\1])", text)
    special = {"*": ".*", "?": ".", "\0": re.escape("*"), "\1": re.escape("?")}
    expression = "".join(special.get(part, re.escape(part)) for part in parts)
    return re.compile(expression, re.DOTALL | (re.IGNORECASE if ignores_case else 0))
