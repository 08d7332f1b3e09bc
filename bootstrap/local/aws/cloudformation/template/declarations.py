"""Checks the declarations of parameters, whatever their values are."""

from __future__ import annotations

import re
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import forms
from bootstrap.local.aws.cloudformation.template.template import Template

PROPERTIES = frozenset(
    (
        "AllowedPattern",
        "AllowedValues",
        "ConstraintDescription",
        "Default",
        "Description",
        "MaxLength",
        "MaxValue",
        "MinLength",
        "MinValue",
        "NoEcho",
        "Type",
    )
)
BOUNDS = frozenset(("MaxLength", "MaxValue", "MinLength", "MinValue"))
LENGTHS = frozenset(("MaxLength", "MinLength"))
TEXTS = frozenset(("AllowedPattern", "ConstraintDescription", "Description", "NoEcho", "Type"))
_SCALARS = frozenset({"String", "Number", "CommaDelimitedList", "AWS::SSM::Parameter::Name"})
_PREFIXES = ("List<", "AWS::EC2::", "AWS::SSM::Parameter::Value<", "AWS::Route53::")


def check(template: Template) -> None:
    """Raise Refused for a declaration with an unknown property, an unknown type, or a property of a wrong kind."""
    for name, declaration in template.read_section("Parameters").items():
        unknown = sorted(set(declaration) - PROPERTIES)
        if unknown:
            raise Refused(f"Invalid template parameter property '{unknown[0]}'")
        if "Type" not in declaration:
            raise Refused(f"Template format error: Every Parameters object must contain a Type member. ({name})")
        for key in sorted(TEXTS & set(declaration)):
            if not forms.is_text(declaration[key]):
                raise Refused(f"Template format error: Every {key} member must be a string. (parameter {name})")
        kind = str(declaration["Type"])
        if not (kind in _SCALARS or kind.startswith(_PREFIXES)):
            raise Refused(f"Template format error: Unrecognized parameter type: {kind}")
        _check_values(name, declaration)


def compile_pattern(name: str, pattern: str) -> re.Pattern[str]:
    """Return the AllowedPattern of a parameter, in which a hyphen after a class within brackets is a plain hyphen, as in Java.

    Raises Refused for a pattern that cannot be read.
    """
    try:
        return re.compile(re.sub(r"(\\[dswDSW])-", r"\1\\-", pattern))
    except (re.error, OverflowError, RecursionError):
        raise Refused(
            f"Template error: the local cloud cannot read the AllowedPattern of parameter {name} as a regular expression"
        ) from None


def _check_values(name: str, declaration: dict[str, Any]) -> None:
    default = declaration.get("Default", "")
    if not forms.is_text(default):
        raise Refused(f"Template format error: Every Default member must be a string. (parameter {name})")
    allowed = declaration.get("AllowedValues", [])
    if not (isinstance(allowed, list) and all(map(forms.is_text, allowed))):
        raise Refused(
            f"Template format error: Every AllowedValues member must be a list of strings. (parameter {name})"
        )
    for bound in sorted(BOUNDS & set(declaration)):
        pattern = r"[0-9]{1,9}" if bound in LENGTHS else r"-?[0-9]{1,30}(\.[0-9]+)?"
        if isinstance(declaration[bound], bool) or not re.fullmatch(pattern, str(declaration[bound])):
            raise Refused(f"Template format error: {bound} of parameter {name} must be a number.")
    if "AllowedPattern" in declaration:
        compile_pattern(name, str(declaration["AllowedPattern"]))
