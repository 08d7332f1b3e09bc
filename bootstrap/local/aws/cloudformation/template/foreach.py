"""Fn::ForEach of the transform AWS::LanguageExtensions: a piece of a template that is written once for each member of a list.

The list is written out, or is a parameter (a list of text), whose value must be known when the template is read.
"""

from __future__ import annotations

import re
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused

PREFIX = "Fn::ForEach::"


def expand(value: Any, lists: dict[str, list[str]]) -> Any:
    """The value with every loop written out; `lists` are the values of list parameters. Raises Refused."""
    if isinstance(value, list):
        return [expand(item, lists) for item in value]
    if not isinstance(value, dict):
        return value
    made: dict[str, Any] = {}
    for key, item in value.items():
        pieces = _loop(key, item, lists) if str(key).startswith(PREFIX) else {key: expand(item, lists)}
        twice = sorted(made.keys() & pieces.keys())
        if twice:
            raise Refused(f"Template error: {key} gives the name {twice[0]} a second time")
        made.update(pieces)
    return made


def parameter_lists(document: dict[str, Any], given: dict[str, str]) -> dict[str, list[str]]:
    """The members of each list parameter, given or by default; one without either stands for itself, so that it can be read."""
    found = {}
    for name, declaration in (document.get("Parameters") or {}).items():
        kind = str(declaration.get("Type", "")) if isinstance(declaration, dict) else ""
        if kind == "CommaDelimitedList" or kind.startswith("List<"):
            text = given.get(name, declaration.get("Default", name))
            found[name] = [part.strip() for part in str(text).split(",") if part.strip()]
    return found


def _loop(key: str, argument: Any, lists: dict[str, list[str]]) -> dict[str, Any]:
    if not (isinstance(argument, list) and len(argument) == 3 and isinstance(argument[2], dict)):
        raise Refused(f"Template error: {key} must have an identifier, a list and a piece of the template")
    name, members, piece = argument
    made: dict[str, Any] = {}
    for member in _members(key, members, lists):
        made.update(expand(_replace(piece, str(name), str(member)), lists))
    return made


def _members(key: str, members: Any, lists: dict[str, list[str]]) -> list[Any]:
    if isinstance(members, dict) and set(members) == {"Ref"}:
        if members["Ref"] not in lists:
            raise Refused(f"Template error: {key} cannot resolve the list {members['Ref']}")
        return lists[members["Ref"]]
    if not isinstance(members, list):
        raise Refused(f"Template error: {key} must have a list or a reference to a list parameter")
    return [part for one in members for part in (_members(key, one, lists) if isinstance(one, dict) else [one])]


def _replace(value: Any, name: str, member: str) -> Any:
    """The value for one member: ${name} in keys and text, &{name} without what names cannot have, and Ref name."""
    if isinstance(value, list):
        return [_replace(item, name, member) for item in value]
    if isinstance(value, dict):
        if value == {"Ref": name}:
            return member
        return {_text(str(key), name, member): _replace(item, name, member) for key, item in value.items()}
    return _text(value, name, member) if isinstance(value, str) else value


def _text(text: str, name: str, member: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9]", "", member)
    return text.replace(f"${{{name}}}", member).replace(f"&{{{name}}}", plain)
