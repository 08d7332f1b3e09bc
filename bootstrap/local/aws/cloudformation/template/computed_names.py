"""Ref and Fn::GetAtt with a function as their name, which the transform AWS::LanguageExtensions allows.

Such a name must be known when the template is read: it can depend on parameters, mappings and conditions, but not on resources
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-languageextensions.html).
"""

from __future__ import annotations

from typing import Any, NoReturn

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.intrinsics import Scope
from bootstrap.local.aws.cloudformation.template.template import Template

PSEUDO = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}


def resolve(template: Template, given_values: dict[str, str], lists: dict[str, list[str]]) -> dict[str, Any]:
    """Return the document of the template with every such name evaluated; raises Refused.

    The value of a parameter comes from `lists` if it is a list, else from `given_values`, else from its default. A name that
    depends on a parameter without a value stays a function, so that the template can still be described.
    """
    values: dict[str, Any] = {}
    for name, declaration in template.section("Parameters").items():
        if name in lists:
            values[name] = lists[name]
        elif name in given_values or "Default" in declaration:
            values[name] = str(given_values.get(name, declaration.get("Default")))
    without_value = template.section("Parameters").keys() - values.keys()

    def refuse(name: str, *_: Any) -> NoReturn:
        if name in without_value:
            raise _NoValue
        raise Refused(f"Template error: the name of a resource in Ref or Fn::GetAtt cannot depend on {name}")

    scope = Scope(template, values, PSEUDO, refuse, refuse, refuse, refuse)
    document: dict[str, Any] = _resolve_names(template.document, scope)
    return document


def _resolve_names(value: Any, scope: Scope) -> Any:
    if isinstance(value, list):
        return [_resolve_names(item, scope) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return {"Ref": _evaluate_name(value["Ref"], scope)}
    if set(value) == {"Fn::GetAtt"} and isinstance(value["Fn::GetAtt"], list) and value["Fn::GetAtt"]:
        logical, *attribute = value["Fn::GetAtt"]
        return {"Fn::GetAtt": [_evaluate_name(logical, scope), *_resolve_names(attribute, scope)]}
    return {key: _resolve_names(item, scope) for key, item in value.items()}


def _evaluate_name(written: Any, scope: Scope) -> Any:
    if not isinstance(written, dict):
        return written
    try:
        name = scope.evaluate(written)
    except _NoValue:
        return written
    if not isinstance(name, str):
        raise Refused("Template error: the name of a resource in Ref or Fn::GetAtt must be a string")
    return name


class _NoValue(Exception):
    """A name depends on a parameter that has no value yet."""
