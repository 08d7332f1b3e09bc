"""Conditions: whether the circumstances of a call are those that a statement asks for."""

from __future__ import annotations

import base64
import contextlib
import datetime
import ipaddress
import re
from collections.abc import Callable, Mapping

from bootstrap.local.aws.access.policies.documents import Condition, Statement, pattern

Circumstances = Mapping[str, tuple[str, ...]]  # key in small letters -> its values
Holds = Callable[[str, str], bool]  # (what there is, what the policy has)

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DEFAULTED = re.compile(r"""([^,]+?)\s*,\s*['"](.*)['"]\s*""")


class Unresolved(ValueError):
    """A variable of the policy has no value in these circumstances."""


def fill(text: str, statement: Statement, found: Circumstances) -> str:
    """A text of the policy with its variables' values, in which * and ? are plain characters; raises Unresolved."""
    if not statement.has_variables or "${" not in text:
        return text
    return _VARIABLE.sub(lambda match: _value(match[1], found), text)


def _value(name: str, found: Circumstances) -> str:
    if name in {"*", "?", "$"}:
        return {"*": "\0", "?": "\1", "$": "$"}[name]
    defaulted = _DEFAULTED.fullmatch(name)
    values = found.get((defaulted[1] if defaulted else name).strip().lower())
    if values is None and defaulted:
        return defaulted[2]
    if values is None or len(values) != 1:
        raise Unresolved(name)
    return values[0].replace("*", "\0").replace("?", "\1")


def holds(condition: Condition, statement: Statement, found: Circumstances) -> bool:
    """Whether one condition holds."""
    values = found.get(condition.key)
    if condition.operator == "Null":
        return all((values is None) == (wanted.lower() == "true") for wanted in condition.values)
    negated, test = _test(condition.operator)
    if values is None or (condition.over and not values):
        return condition.if_exists or condition.over == "ForAllValues" or (negated and not condition.over)
    try:
        wanted = [fill(one, statement, found) for one in condition.values]
    except Unresolved:
        return negated
    matches = [any(test(value, one) for one in wanted) != negated for value in values]
    if condition.over == "ForAnyValue":
        return any(matches)
    return all(matches)


def _test(operator: str) -> tuple[bool, Holds]:
    """The test of an operator, and whether it is the opposite; raises ValueError for an operator that is none."""
    if operator in _TESTS:
        return False, _TESTS[operator]
    plain = operator.replace("Not", "", 1)
    if plain in _TESTS:
        return True, _TESTS[plain]
    raise ValueError(f"a policy has the condition operator {operator}, which IAM does not have")


def _like(value: str, wanted: str) -> bool:
    return pattern(wanted).fullmatch(value) is not None


def _plain(wanted: str) -> str:
    return wanted.replace("\0", "*").replace("\1", "?")


def _arn(value: str, wanted: str) -> bool:
    """Each of the six parts of an ARN is compared by itself: a star reaches no further than its part."""
    parts, patterns = value.split(":", 5), wanted.split(":", 5)
    return len(parts) == len(patterns) and all(map(_like, parts, patterns))


def _number(compare: Callable[[float, float], bool]) -> Holds:
    def test(value: str, wanted: str) -> bool:
        with contextlib.suppress(ValueError):
            return compare(float(value), float(wanted))
        return False

    return test


def _date(compare: Callable[[float, float], bool]) -> Holds:
    def moment(text: str) -> float:
        return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else datetime.datetime.fromisoformat(text).timestamp()

    def test(value: str, wanted: str) -> bool:
        with contextlib.suppress(ValueError):
            return compare(moment(value), moment(wanted))
        return False

    return test


def _address(value: str, wanted: str) -> bool:
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(value) in ipaddress.ip_network(wanted, strict=False)
    return False


def _binary(value: str, wanted: str) -> bool:
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
_TESTS: dict[str, Holds] = {
    "StringEquals": lambda value, wanted: value == _plain(wanted),
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == _plain(wanted).lower(),
    "StringLike": _like,
    "ArnEquals": _arn,
    "ArnLike": _arn,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "IpAddress": _address,
    "BinaryEquals": _binary,
    **{f"Numeric{name}": _number(compare) for name, compare in _COMPARISONS.items()},
    **{f"Date{name}": _date(compare) for name, compare in _COMPARISONS.items()},
}
