"""Evaluates the functions of a template: parameters, conditions, and the attributes of existing resources.

A value that exists only after a change is `UNKNOWN`, the text that CloudFormation shows in change sets. Dynamic references
({{resolve:...}}) are not evaluated here: `resolve_dynamic` resolves them for the call that needs them, and their values are
never stored.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
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
    functions: dict[str, Function] = field(default_factory=lambda: FUNCTIONS)

    def condition(self, name: str) -> bool:
        """Whether a named condition is true."""
        if name not in self.decided:
            self.decided[name] = bool(self.evaluate(self.template.section("Conditions")[name]))
        return self.decided[name]

    def present(self) -> frozenset[str]:
        """The logical ids of resources without a condition, or with one that is true."""
        resources = self.template.resources.items()
        return frozenset(
            name for name, body in resources if "Condition" not in body or self.condition(body["Condition"])
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
                return self._ref(argument)
            if name == "Condition" and isinstance(argument, str) and argument in self.template.section("Conditions"):
                return self.condition(argument)
            if name.startswith("Fn::"):
                return self._call(name, argument)
        evaluated = {key: self.evaluate(item) for key, item in value.items()}
        return {key: item for key, item in evaluated.items() if item is not NOTHING}

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NOTHING
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self.reference(name)

    def _call(self, name: str, argument: Any) -> Any:
        if name == "Fn::If":
            return self.evaluate(argument[1] if self.condition(argument[0]) else argument[2])
        if name == "Fn::Sub":
            return self._sub(argument)
        if name == "Fn::GetAtt":
            return self._get_att(argument)
        function = self.functions.get(name)
        if function is None:
            raise Refused(f"Template error: {name} is not a function that is known here")
        return function(self, self.evaluate(argument))

    def _get_att(self, argument: Any) -> Any:
        logical, name = argument if isinstance(argument, list) else argument.split(".", 1)
        return self.attribute(logical, str(self.evaluate(name)))

    def _sub(self, argument: Any) -> str:
        text, variables = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
        values = {key: self.evaluate(item) for key, item in variables.items()}

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            name = name.strip()
            if name in values:
                return text_of(values[name])
            value = self._get_att(name.split(".", 1)) if "." in name else self._ref(name)
            return text_of(value)

        return _SUB.sub(replace, text)


def text_of(value: Any) -> str:
    """A value as text, as CloudFormation writes it: booleans in lower case, lists with commas."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return ",".join(map(text_of, value))
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
    delimiter, items = argument
    if items == UNKNOWN:
        return UNKNOWN
    if not isinstance(items, list):
        raise Refused(
            "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list"
        )
    return str(delimiter).join(map(text_of, items))


def _select(_: Scope, argument: Any) -> Any:
    index, items = argument
    if items == UNKNOWN:
        return UNKNOWN
    if isinstance(items, str):
        items = items.split(",")
    if not 0 <= int(index) < len(items):
        raise Refused(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[int(index)]


def _split(_: Scope, argument: Any) -> Any:
    delimiter, text = argument
    return UNKNOWN if text == UNKNOWN else str(text).split(delimiter)


def _find_in_map(scope: Scope, argument: Any) -> Any:
    table, first, second, *options = argument
    default = options[0].get("DefaultValue", NOTHING) if options else NOTHING
    if UNKNOWN in (table, first, second):
        return UNKNOWN
    value = scope.template.section("Mappings").get(table, {}).get(str(first), {}).get(str(second), default)
    if value is NOTHING:
        raise Refused(f"Template error: Unable to get mapping for {table}::{first}::{second}")
    return value


def _cidr(_: Scope, argument: Any) -> Any:
    block, count, *bits_argument = argument
    if UNKNOWN in (block, count):
        return UNKNOWN
    network = ipaddress.ip_network(str(block))
    bits = int(bits_argument[0]) if bits_argument else 8
    length = network.max_prefixlen - bits
    if length < network.prefixlen or 2 ** (length - network.prefixlen) < int(count):
        raise Refused(f"Template error: Fn::Cidr cannot split {block} into {count} blocks with {bits} bits each")
    subnets = network.subnets(new_prefix=length)
    return [str(next(subnets)) for _ in range(int(count))]


def _equals(_: Scope, argument: Any) -> bool:
    return text_of(argument[0]) == text_of(argument[1])


def _get_azs(scope: Scope, argument: Any) -> Any:
    if argument == UNKNOWN:
        return UNKNOWN
    return scope.zones(str(argument or "") or str(scope.pseudo["AWS::Region"]))


def _import(scope: Scope, argument: Any) -> Any:
    return scope.imports(text_of(argument))


Function = Callable[[Scope, Any], Any]
FUNCTIONS: dict[str, Function] = {
    "Fn::Join": _join,
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::FindInMap": _find_in_map,
    "Fn::Cidr": _cidr,
    "Fn::Equals": _equals,
    "Fn::And": lambda _, argument: all(argument),
    "Fn::Or": lambda _, argument: any(argument),
    "Fn::Not": lambda _, argument: not argument[0],
    "Fn::Base64": lambda _, argument: base64.b64encode(text_of(argument).encode()).decode(),
    "Fn::GetAZs": _get_azs,
    "Fn::ImportValue": _import,
    "Fn::ToJsonString": lambda _, argument: json.dumps(argument, separators=(",", ":")),
    "Fn::Length": lambda _, argument: UNKNOWN if argument == UNKNOWN else len(argument),
}
