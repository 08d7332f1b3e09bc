"""Adds a person to the text of an environment file, or removes one: by lines, so that everything else stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

KEY = "people"
Fields = Mapping[str, str | Sequence[str]]


class Unchangeable(ValueError):
    """The text cannot be changed by lines; the message says why."""


def add_person(text: str, name: str, fields: Fields) -> str:
    """The text with a person at the end of `people`; Unchangeable if there is one of this id, or the section is in braces."""
    section = _find_section(text)
    if section is None:
        return f"{_end_line(text)}\n{KEY}:\n{_format_person(name, fields, '  ')}"
    _, value = section
    if _find_person(value, name) is not None:
        raise Unchangeable(f"there is a person '{name}' already")
    people = value.value if isinstance(value, yaml.MappingNode) else []
    if not people:
        start = text.rindex(":", 0, value.start_mark.index + 1) if _is_null(value) else value.start_mark.index
        before = text[: start + 1] if _is_null(value) else text[:start].rstrip(" ")
        end = value.end_mark.index
        return f"{before}\n{_format_person(name, fields, '  ')}{text[end:].lstrip(' ').removeprefix(chr(10))}"
    _refuse_braces(value)
    lines = _end_line(text).splitlines(keepends=True)
    last = _find_last_line(people[-1][1]) + 1
    added = _format_person(name, fields, " " * people[0][0].start_mark.column)
    return "".join([*lines[:last], added, *lines[last:]])


def remove_person(text: str, name: str) -> str:
    """The text without a person; Unchangeable if there is none of this id, or the section is in braces.

    Comments inside of the entry go with it, those above it stay.
    """
    section = _find_section(text)
    person = _find_person(section[1], name) if section else None
    if section is None or person is None:
        raise Unchangeable(f"there is no person '{name}'")
    _refuse_braces(section[1])
    lines = text.splitlines(keepends=True)
    first, last = person[0].start_mark.line, _find_last_line(person[1]) + 1
    left = "".join([*lines[:first], *lines[last:]])
    if len(section[1].value) > 1:
        return left
    key = section[0].start_mark.line
    written = "".join([*lines[:key], lines[key].replace(f"{KEY}:", f"{KEY}: {{}}", 1), *lines[key + 1 : first]])
    return f"{written}{''.join(lines[last:])}"


def _find_section(text: str) -> tuple[yaml.Node, yaml.Node] | None:
    root = yaml.compose(text, yaml.SafeLoader)
    pairs = root.value if isinstance(root, yaml.MappingNode) else []
    return next(((key, value) for key, value in pairs if key.value == KEY), None)


def _find_person(section: yaml.Node, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    pairs = section.value if isinstance(section, yaml.MappingNode) else []
    return next(((key, value) for key, value in pairs if key.value == name), None)


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and not node.value


def _refuse_braces(section: yaml.Node) -> None:
    if getattr(section, "flow_style", False):
        raise Unchangeable(f"'{KEY}' is written in braces, or as an alias; write each person on lines of their own")


def _find_last_line(node: yaml.Node) -> int:
    """The line of the last character of a value, from 0. A mapping or list in block style ends with its last value."""
    if isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style and node.value:
        last: Any = node.value[-1]
        return _find_last_line(last[1] if isinstance(last, tuple) else last)
    mark = node.end_mark
    return int(mark.line if mark.column else max(mark.line - 1, node.start_mark.line))


def _format_person(name: str, fields: Fields, indentation: str) -> str:
    lines = [f"{indentation}{name}:"]
    for key, value in fields.items():
        if isinstance(value, str):
            lines.append(f"{indentation}  {key}: {_format_text(value)}")
        elif key == "ssh_keys":
            lines += [f"{indentation}  {key}:", *(f"{indentation}    - {_format_text(each)}" for each in value)]
        else:
            lines.append(f"{indentation}  {key}: [{', '.join(map(_format_text, value))}]")
    return "".join(f"{line}\n" for line in lines)


def _format_text(text: str) -> str:
    """A text as a YAML value: plain where that is the same text everywhere, else in quotes."""
    is_plain = text[:1].isalpha() and not set(text) & set("\"'#{}[]&*!|>%`,:\\") and text.strip() == text
    is_text = is_plain and isinstance(yaml.safe_load(text), str)
    return text if is_text and yaml.safe_load(text) == text else json.dumps(text, ensure_ascii=False)


def _end_line(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
