"""Names that are functions: with the transform AWS::LanguageExtensions, Ref and Fn::GetAtt take functions for what they name.

Such a name must be known when the template is read: it comes from parameters, mappings, conditions and text, never from
resources (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-languageextensions.html).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.intrinsics import Scope

if TYPE_CHECKING:
    from bootstrap.local.aws.cloudformation.template import Template

PSEUDO = {"AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}


def resolve(template: Template, given: dict[str, str], lists: dict[str, list[str]]) -> dict[str, Any]:
    """The template's document with every such name written out. Raises Refused.

    Parameters are as `given`, as `lists` for those that are lists, or their defaults; a name by a parameter that has no value
    yet stays a function, so that such a template can still be looked at.
    """
    values: dict[str, Any] = {}
    for name, declaration in template.section("Parameters").items():
        if name in lists:
            values[name] = lists[name]
        elif name in given or "Default" in declaration:
            values[name] = str(given.get(name, declaration.get("Default")))
    without_value = template.section("Parameters").keys() - values.keys()

    def unknown(name: str, *_: Any) -> NoReturn:
        if name in without_value:
            raise _NoValue
        raise Refused(f"Template error: the name of a resource in Ref or Fn::GetAtt cannot depend on {name}")

    scope = Scope(template, values, PSEUDO, unknown, unknown, unknown, unknown)
    found: dict[str, Any] = _walk(template.document, scope)
    return found


def _walk(value: Any, scope: Scope) -> Any:
    if isinstance(value, list):
        return [_walk(item, scope) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return {"Ref": _name(value["Ref"], scope)}
    if set(value) == {"Fn::GetAtt"} and isinstance(value["Fn::GetAtt"], list):
        logical, *attribute = value["Fn::GetAtt"]
        return {"Fn::GetAtt": [_name(logical, scope), *_walk(attribute, scope)]}
    return {key: _walk(item, scope) for key, item in value.items()}


def _name(written: Any, scope: Scope) -> Any:
    if not isinstance(written, dict):
        return written
    try:
        name = scope.evaluate(written)
    except _NoValue:
        return written
    if not isinstance(name, str):
        raise Refused(f"Template error: the name of a resource in Ref or Fn::GetAtt must be text, not {name!r}")
    return name


class _NoValue(Exception):
    """A parameter has no value yet."""
