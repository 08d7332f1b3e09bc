"""Evaluates the functions of a template: parameters, conditions, and the attributes of existing resources.

A value that exists only after a change is `UNKNOWN`, the text that CloudFormation shows in change sets. Dynamic references
({{resolve:...}}) are not evaluated here: `resolve_dynamic` resolves them for the call that needs them, and their values are
never stored.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import cidr, forms
from bootstrap.local.aws.cloudformation.template.template import Template

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"
NOTHING: Any = object()
_SUB = re.compile(r"\$\{(!?)([^${}]+)\}")
_DYNAMIC = re.compile(r"\{\{resolve:([a-z-]+):([^{}]+)\}\}")


@dataclass
class Scope:
    """The values of the names in a template. `reference` and `attribute` return those of resources, `imports` of exports."""

    template: Template
    parameters: dict[str, Any]
    pseudo: dict[str, Any]
    reference: Callable[[str], Any]
    attribute: Callable[[str, str], Any]
    imports: Callable[[str], Any]
    zones: Callable[[str], list[str]]
    decided: dict[str, bool] = field(default_factory=dict)
    undecided: set[str] = field(default_factory=set)  # the conditions that are being evaluated
    functions: dict[str, Function] = field(default_factory=lambda: FUNCTIONS)

    def evaluate_condition(self, name: str) -> bool:
        """Whether a named condition is true. Raises Refused if it is not defined, or depends on itself."""
        if name not in self.decided:
            conditions = self.template.read_section("Conditions")
            if name not in conditions:
                raise Refused(f"Template error: unresolved condition dependency {name} in Fn::If")
            if name in self.undecided:
                raise Refused(
                    f"Template error: Found circular condition dependency: [{', '.join(sorted(self.undecided))}]"
                )
            self.undecided.add(name)
            self.decided[name] = bool(self.evaluate(conditions[name]))
            self.undecided.discard(name)
        return self.decided[name]

    def find_present(self) -> frozenset[str]:
        """The logical ids of resources without a condition, or with one that is true."""
        resources = self.template.resources.items()
        return frozenset(
            name for name, body in resources if "Condition" not in body or self.evaluate_condition(body["Condition"])
        )

    def evaluate(self, value: Any) -> Any:
        """The value with every function replaced by its result; `NOTHING` for AWS::NoValue."""
        if isinstance(value, list):
            return [item for item in map(self.evaluate, value) if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref":
                return self._resolve_ref(argument)
            if (
                name == "Condition"
                and isinstance(argument, str)
                and argument in self.template.read_section("Conditions")
            ):
                return self.evaluate_condition(argument)
            if name.startswith("Fn::"):
                return self._call(name, argument)
        evaluated = {key: self.evaluate(item) for key, item in value.items()}
        return {key: item for key, item in evaluated.items() if item is not NOTHING}

    def _resolve_ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self.reference(name)

    def _call(self, name: str, argument: Any) -> Any:
        if name == "Fn::If":
            return self.evaluate(argument[1] if self.evaluate_condition(argument[0]) else argument[2])
        if name == "Fn::Sub":
            return self._substitute(argument)
        if name == "Fn::GetAtt":
            return self._get_att(argument)
        function = self.functions.get(name)
        if function is None:
            raise Refused(f"Template error: {name} is not a function that is known here")
        return function(self, self.evaluate(argument))

    def _get_att(self, argument: Any) -> Any:
        logical, name = argument if isinstance(argument, list) else argument.split(".", 1)
        return self.attribute(logical, str(self.evaluate(name)))

    def _substitute(self, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else argument
        values = {key: self.evaluate(item) for key, item in variables.items()}

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            name = name.strip()
            if name in values:
                return format_text(values[name])
            value = self._get_att(name.split(".", 1)) if "." in name else self._resolve_ref(name)
            return format_text(value)

        return _SUB.sub(replace, text)


def format_text(value: Any) -> str:
    """Return a value as text, as CloudFormation writes it: booleans in lower case, lists with commas.

    Raises Refused for a map.
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(format_text, value))
    if isinstance(value, dict) or value is None:
        raise Refused("Template error: a map stands in the template where CloudFormation needs a string")
    return "" if value is NOTHING else str(value)


def resolve_dynamic(value: Any, lookup: Callable[[str, str], str]) -> Any:
    """The value with each {{resolve:service:what}} replaced by `lookup(service, what)`."""
    if isinstance(value, list):
        return [resolve_dynamic(item, lookup) for item in value]
    if isinstance(value, dict):
        return {key: resolve_dynamic(item, lookup) for key, item in value.items()}
    if isinstance(value, str) and "{{resolve:" in value:
        return _DYNAMIC.sub(lambda match: lookup(match.group(1), match.group(2)), value)
    return value


def _join(_: Scope, argument: Any) -> str:
    delimiter, items = _require_members(argument, forms.JOIN, 2)
    if items == UNKNOWN:
        return UNKNOWN
    if not (isinstance(items, list) and isinstance(delimiter, str) and all(map(forms.is_text, items))):
        raise Refused(forms.JOIN)
    return delimiter.join(map(format_text, items))


def _select(_: Scope, argument: Any) -> Any:
    index, items = _require_members(argument, forms.SELECT, 2)
    if UNKNOWN in (index, items):
        return UNKNOWN
    if isinstance(items, str):
        items = items.split(",")
    if not (isinstance(items, list) and (forms.is_whole(index) or re.fullmatch("-[0-9]+", str(index)))):
        raise Refused(forms.SELECT)
    if not 0 <= int(index) < len(items):
        raise Refused(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[int(index)]


def _split(_: Scope, argument: Any) -> Any:
    delimiter, text = _require_members(argument, forms.SPLIT, 2)
    if text == UNKNOWN:
        return UNKNOWN
    if not (isinstance(delimiter, str) and delimiter and forms.is_text(text)):
        raise Refused(forms.SPLIT)
    return format_text(text).split(delimiter)


def _find_in_map(scope: Scope, argument: Any) -> Any:
    table, first, second, *options = _require_members(argument, forms.FIND_IN_MAP, 3, 4)
    if UNKNOWN in (table, first, second):
        return UNKNOWN
    if not all(map(forms.is_text, (table, first, second))):
        raise Refused(forms.FIND_IN_MAP)
    value: Any = scope.template.read_section("Mappings")
    for key in (table, first, second):
        value = value.get(format_text(key), NOTHING) if isinstance(value, dict) else NOTHING
    if value is NOTHING:
        value = options[0].get("DefaultValue", NOTHING) if options and isinstance(options[0], dict) else NOTHING
    if value is NOTHING:
        raise Refused(f"Template error: Unable to get mapping for {table}::{first}::{second}")
    return value


def _split_cidr(_: Scope, argument: Any) -> Any:
    block, *numbers = _require_members(argument, forms.CIDR, 2, 3)
    if UNKNOWN in (block, *numbers):
        return UNKNOWN
    if not (isinstance(block, str) and all(map(forms.is_whole, numbers))):
        raise Refused(forms.CIDR)
    return cidr.split(block, *map(int, numbers))


def _equals(_: Scope, argument: Any) -> bool:
    first, second = _require_members(argument, forms.EQUALS, 2)
    return format_text(first) == format_text(second)


def _evaluate_and(_: Scope, argument: Any) -> bool:
    return all(_require_members(argument, forms.AND_OR.format("Fn::And"), *range(2, 11)))


def _evaluate_or(_: Scope, argument: Any) -> bool:
    return any(_require_members(argument, forms.AND_OR.format("Fn::Or"), *range(2, 11)))


def _evaluate_not(_: Scope, argument: Any) -> bool:
    return not _require_members(argument, forms.NOT, 1)[0]


def _get_azs(scope: Scope, argument: Any) -> Any:
    if argument == UNKNOWN:
        return UNKNOWN
    if not isinstance(argument, str):
        raise Refused(forms.GET_AZS)
    return scope.zones(argument or format_text(scope.evaluate({"Ref": "AWS::Region"})))


def _encode_base64(_: Scope, argument: Any) -> str:
    if not forms.is_text(argument):
        raise Refused(forms.BASE64)
    return base64.b64encode(format_text(argument).encode()).decode()


def _count_length(_: Scope, argument: Any) -> Any:
    if argument == UNKNOWN:
        return UNKNOWN
    if not isinstance(argument, list):
        raise Refused(forms.LENGTH)
    return len(argument)


def _require_members(argument: Any, refusal: str, *lengths: int) -> list[Any]:
    """Return the evaluated arguments of a function; AWS::NoValue among them has left too few. Raises Refused."""
    if not (isinstance(argument, list) and len(argument) in lengths):
        raise Refused(refusal)
    return argument


def _import(scope: Scope, argument: Any) -> Any:
    if not forms.is_text(argument):
        raise Refused(forms.IMPORT)
    return scope.imports(format_text(argument))


Function = Callable[[Scope, Any], Any]
FUNCTIONS: dict[str, Function] = {
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find_in_map,
    "Fn::Cidr": _split_cidr,
    "Fn::Equals": _equals,
    "Fn::And": _evaluate_and,
    "Fn::Or": _evaluate_or,
    "Fn::Not": _evaluate_not,
    "Fn::Base64": _encode_base64,
    "Fn::GetAZs": _get_azs,
    "Fn::ImportValue": _import,
    "Fn::ToJsonString": lambda _, argument: json.dumps(argument, separators=(",", ":")),
    "Fn::Length": _count_length,
}
