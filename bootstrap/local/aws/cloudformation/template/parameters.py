"""Parameters of a template: checks values against declarations, splits lists, and looks up SSM parameters."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import declarations
from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN
from bootstrap.local.aws.cloudformation.template.template import Template

MASK = "****"
_SSM = re.compile(r"AWS::SSM::Parameter::Value<(.+)>")


def settle(
    template: Template, given_values: dict[str, str], current_values: dict[str, str], reuse: set[str]
) -> dict[str, str]:
    """The value of every parameter as text: the given one, the current one (`reuse`), or the default. Raises Refused."""
    declared = template.read_section("Parameters")
    unknown = sorted((set(given_values) | reuse) - set(declared))
    if unknown:
        raise Refused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    settled = {}
    missing = []
    for name, declaration in declared.items():
        if name in reuse and name in current_values:
            settled[name] = current_values[name]
        elif name in given_values:
            settled[name] = given_values[name]
        elif "Default" in declaration:
            settled[name] = _format_value(declaration["Default"])
        else:
            missing.append(name)
    if missing:
        raise Refused(f"Parameters: [{', '.join(sorted(missing))}] must have values")
    for name, value in settled.items():
        if UNKNOWN not in value:
            _check(name, declared[name], value)
    return settled


def resolve(
    template: Template, settled: dict[str, str], lookup: Callable[[str], str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The results of Ref for each parameter, and the looked-up values of those with an SSM type."""
    values: dict[str, Any] = {}
    looked_up = {}
    for name, text in settled.items():
        if UNKNOWN in text:  # in a nested change set: the value exists after the parent's resources
            values[name] = UNKNOWN
            continue
        kind = str(template.read_section("Parameters")[name].get("Type", "String"))
        ssm = _SSM.fullmatch(kind)
        if ssm:
            looked_up[name] = text = _look_up(name, text, lookup)
            kind = ssm.group(1)
        values[name] = _split(text) if kind == "CommaDelimitedList" or kind.startswith("List<") else text
    return values, looked_up


def show_parameters(template: Template, settled: dict[str, str]) -> dict[str, str]:
    """The values of parameters with those of NoEcho parameters masked."""
    declared = template.read_section("Parameters")
    return {name: MASK if is_hidden(declared.get(name, {})) else value for name, value in settled.items()}


def mask_values(template: Template, settled: dict[str, str], value: Any) -> Any:
    """A value in which the values of NoEcho parameters are masked, in all its texts."""
    declared = template.read_section("Parameters")
    return _mask_secrets([text for name, text in settled.items() if text and is_hidden(declared.get(name, {}))], value)


def _mask_secrets(secrets: list[str], value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _mask_secrets(secrets, item) for key, item in value.items()}
    if isinstance(value, list):
        return [_mask_secrets(secrets, item) for item in value]
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
    return value


def is_hidden(declaration: dict[str, Any]) -> bool:
    """Whether a parameter is NoEcho."""
    return str(declaration.get("NoEcho", "")).lower() == "true"


def _look_up(name: str, text: str, lookup: Callable[[str], str]) -> str:
    try:
        return lookup(text)
    except LookupError:
        raise Refused(
            f"Unable to fetch parameters [{text}] from parameter store for this account. (parameter {name})"
        ) from None


def _check(name: str, declaration: dict[str, Any], value: str) -> None:
    kind = str(declaration.get("Type", "String"))
    is_list = kind == "CommaDelimitedList" or kind.startswith("List<")
    for item in _split(value) if is_list else [value]:
        _check_item(name, declaration, kind, item)


def _check_item(name: str, declaration: dict[str, Any], kind: str, item: str) -> None:
    allowed = [_format_value(value) for value in declaration.get("AllowedValues", [])]
    description = declaration.get("ConstraintDescription")
    if allowed and item not in allowed:
        raise Refused(
            (description and f"Parameter '{name}' failed to satisfy constraint: {description}")
            or _explain_allowed(name, allowed)
        )
    pattern = declaration.get("AllowedPattern")
    if pattern and not declarations.compile_pattern(name, str(pattern)).fullmatch(item):
        constraint = description or f"must match pattern {pattern}"
        raise Refused(
            f"Parameter {name} failed to satisfy constraint: {constraint}"
            if description
            else f"Parameter '{name}' {constraint}"
        )
    lowest, highest = (int(declaration.get(key, default)) for key, default in (("MinLength", 0), ("MaxLength", 10**6)))
    if not lowest <= len(item) <= highest:
        bound = f"at least {lowest}" if len(item) < lowest else f"at most {highest}"
        raise Refused(f"Parameter '{name}' must contain {bound} characters")
    if kind in {"Number", "List<Number>"}:
        _check_number(name, declaration, item)


def _check_number(name: str, declaration: dict[str, Any], item: str) -> None:
    try:
        number = float(item)
        if not math.isfinite(number):
            raise ValueError
    except ValueError:
        raise Refused(f"Parameter '{name}' must be a number.") from None
    if "MinValue" in declaration and number < float(declaration["MinValue"]):
        raise Refused(f"Parameter '{name}' must be a number not less than {declaration['MinValue']}")
    if "MaxValue" in declaration and number > float(declaration["MaxValue"]):
        raise Refused(f"Parameter '{name}' must be a number not greater than {declaration['MaxValue']}")


def _explain_allowed(name: str, allowed: list[str]) -> str:
    return f"Parameter '{name}' must be one of AllowedValues: [{', '.join(allowed)}]"


def _split(text: str) -> list[str]:
    return [item.strip() for item in text.split(",")] if text else []


def _format_value(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(_format_value(item) for item in value)
    return str(value).lower() if isinstance(value, bool) else str(value)
