"""Fn::ForEach of the transform AWS::LanguageExtensions: repeats a piece of a template for each member of a list.

The list is in the template, in a mapping (Fn::FindInMap), or it is a list parameter. The values of parameters that it needs
must be known when the template is read.
"""

from __future__ import annotations

import re
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import forms
from bootstrap.local.aws.cloudformation.template.intrinsics import format_text
from bootstrap.local.aws.cloudformation.template.known_values import KnownValues, NoValue

PREFIX = "Fn::ForEach::"
MOST_PIECES = 2_000  # no section of a template may have so many entries


def expand(value: Any, lists: dict[str, list[str]], known: KnownValues) -> Any:
    """The value with every loop expanded; `lists` has the values of list parameters. Raises Refused."""
    if isinstance(value, list):
        return [expand(item, lists, known) for item in value]
    if not isinstance(value, dict):
        return value
    expanded: dict[str, Any] = {}
    for key, item in value.items():
        pieces = (
            _expand_loop(key, item, lists, known) if str(key).startswith(PREFIX) else {key: expand(item, lists, known)}
        )
        repeated = sorted(expanded.keys() & pieces.keys())
        if repeated:
            raise Refused(f"Template error: {key} gives the name {repeated[0]} a second time")
        expanded.update(pieces)
    return expanded


def read_parameter_lists(document: dict[str, Any], values: dict[str, str]) -> dict[str, list[str]]:
    """The members of each list parameter: its value, its default, or its own name if it has neither."""
    lists = {}
    for name, declaration in (document.get("Parameters") or {}).items():
        kind = str(declaration.get("Type", "")) if isinstance(declaration, dict) else ""
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            text = values.get(name, declaration.get("Default", name))
            lists[name] = [part.strip() for part in str(text).split(",") if part.strip()]
    return lists


def _expand_loop(key: str, argument: Any, lists: dict[str, list[str]], known: KnownValues) -> dict[str, Any]:
    if not (isinstance(argument, list) and len(argument) == 3 and isinstance(argument[2], dict)):
        raise Refused(f"Template error: {key} must have an identifier, a list and a piece of the template")
    name, members, piece = argument
    if not isinstance(name, str):
        raise Refused(f"Template error: the identifier of {key} must be a string")
    expanded: dict[str, Any] = {}
    for member in _read_members(key, members, lists, known):
        pieces = expand(_replace(piece, name, format_text(member)), lists, known)
        repeated = sorted(expanded.keys() & pieces.keys())
        if repeated:
            raise Refused(f"Template error: {key} gives the name {repeated[0]} a second time")
        expanded.update(pieces)
        if len(expanded) > MOST_PIECES:
            raise Refused(f"Template error: {key} gives more than {MOST_PIECES} pieces of a template")
    return expanded


def _read_members(key: str, members: Any, lists: dict[str, list[str]], known: KnownValues) -> list[Any]:
    if isinstance(members, dict) and set(members) == {"Ref"} and isinstance(members["Ref"], str):
        if members["Ref"] not in lists:
            raise Refused(f"Template error: {key} cannot resolve the list {members['Ref']}")
        return lists[members["Ref"]]
    if isinstance(members, dict) and set(members) == {"Fn::FindInMap"}:
        forms.check(members, is_extended=True)
        try:
            members = known.evaluate(members, f"the list of {key}")
        except NoValue as missing:
            return [
                str(missing)
            ]  # as for a list parameter: a template is described without the values of its parameters
    if not isinstance(members, list) or any(isinstance(one, list) for one in members):
        raise Refused(f"Template error: {key} must have a list, a list of a mapping or a reference to a list parameter")
    return [
        part for one in members for part in (_read_members(key, one, lists, known) if isinstance(one, dict) else [one])
    ]


def _replace(value: Any, name: str, member: str) -> Any:
    """Replace ${name} in keys and texts, &{name} (only letters and digits of the member), and Ref name by a member."""
    if isinstance(value, list):
        return [_replace(item, name, member) for item in value]
    if isinstance(value, dict):
        if value == {"Ref": name}:
            return member
        return {_replace_name(str(key), name, member): _replace(item, name, member) for key, item in value.items()}
    return _replace_name(value, name, member) if isinstance(value, str) else value


def _replace_name(text: str, name: str, member: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]", "", member)
    return text.replace(f"${{{name}}}", member).replace(f"&{{{name}}}", plain)
