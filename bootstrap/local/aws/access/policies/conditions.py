"""Decides whether the conditions of a statement are met by the condition keys of a call."""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import re
from collections.abc import Callable, Mapping

from bootstrap.local.aws.access.policies.documents import Condition, Statement, compile_pattern

RequestContext = Mapping[str, tuple[str, ...]]  # condition key in lower case -> its values
Test = Callable[[str, str], bool]  # (value of the call, value in the policy)

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DEFAULTED = re.compile(r"""([^,]+?)\s*,\s*['"](.*)['"]\s*""")


class Unresolved(ValueError):
    """A variable of the policy has no value in this request context."""


def fill_variables(text: str, statement: Statement, context: RequestContext) -> str:
    """Replace the variables in a text of the policy; * and ? in their values are plain characters. Raises Unresolved."""
    if not statement.has_variables or "${" not in text:
        return text
    return _VARIABLE.sub(lambda match: _find_value(match[1], context), text)


def _find_value(name: str, context: RequestContext) -> str:
    if name in {"*", "?", "$"}:
        return {"*": "\0", "?": "\1", "$": "$"}[name]
    defaulted = _DEFAULTED.fullmatch(name)
    values = context.get((defaulted[1] if defaulted else name).strip().lower())
    if values is None and defaulted:
        return defaulted[2]
    if values is None or len(values) != 1:
        raise Unresolved(name)
    return values[0].replace("*", "\0").replace("?", "\1")


def is_met(condition: Condition, statement: Statement, context: RequestContext) -> bool:
    """Whether one condition is met."""
    values = context.get(condition.key)
    if condition.operator == "Null":
        return all((values is None) == (text.lower() == "true") for text in condition.values)
    negated, test = _find_test(condition.operator)
    if values is None or (condition.over and not values):
        return condition.if_exists or condition.over == "ForAllValues" or (negated and not condition.over)
    try:
        patterns = [fill_variables(pattern, statement, context) for pattern in condition.values]
    except Unresolved:
        return negated
    matches = [any(test(value, pattern) for pattern in patterns) != negated for value in values]
    if condition.over == "ForAnyValue":
        return any(matches)
    return all(matches)


def _find_test(operator: str) -> tuple[bool, Test]:
    """Whether an operator is negated ('Not'), and its test; ValueError if IAM has no such operator."""
    if operator in _TESTS:
        return False, _TESTS[operator]
    plain = operator.replace("Not", "", 1)
    if plain in _TESTS:
        return True, _TESTS[plain]
    raise ValueError(f"a policy has the condition operator {operator}, which IAM does not have")


def _is_like(value: str, wanted: str) -> bool:
    return compile_pattern(wanted).fullmatch(value) is not None


def _convert_to_text(wanted: str) -> str:
    return wanted.replace("\0", "*").replace("\1", "?")


def _is_arn_like(value: str, wanted: str) -> bool:
    """Compare each of the six parts of an ARN by itself: '*' matches within one part only."""
    parts, patterns = value.split(":", 5), wanted.split(":", 5)
    return len(parts) == len(patterns) and all(map(_is_like, parts, patterns))


def _make_number_test(compare: Callable[[float, float], bool]) -> Test:
    def test(value: str, wanted: str) -> bool:
        with contextlib.suppress(ValueError):
            return compare(float(value), float(wanted))
        return False

    return test


def _make_date_test(compare: Callable[[float, float], bool]) -> Test:
    def convert_to_seconds(text: str) -> float:
        return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else datetime.datetime.fromisoformat(text).timestamp()

    def test(value: str, wanted: str) -> bool:
        with contextlib.suppress(ValueError):
            return compare(convert_to_seconds(value), convert_to_seconds(wanted))
        return False

    return test


def _is_in_block(value: str, wanted: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    return False


def _is_same_binary(value: str, wanted: str) -> bool:
    with contextlib.suppress(ValueError):
        return base64.b64decode(value) == base64.b64decode(wanted)
    return False


_COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "Equals": lambda one, other: one == other,
    "LessThan": lambda one, other: one < other,
    "LessThanEquals": lambda one, other: one <= other,
    "GreaterThan": lambda one, other: one > other,
    "GreaterThanEquals": lambda one, other: one >= other,
}
_TESTS: dict[str, Test] = {
    "StringEquals": lambda value, wanted: value == _convert_to_text(wanted),
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == _convert_to_text(wanted).lower(),
    "StringLike": _is_like,
    "ArnEquals": _is_arn_like,
    "ArnLike": _is_arn_like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "IpAddress": _is_in_block,
    "BinaryEquals": _is_same_binary,
    **{f"Numeric{name}": _make_number_test(compare) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": _make_date_test(compare) for name, compare in _COMPARISONS.items()},
}
