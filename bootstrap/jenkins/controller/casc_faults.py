"""Finds the file, line and column of a fault in the settings, by Jenkins' message about it.

The message of Configuration as Code has one of these forms, or names no place:

    `at SOURCE:LINE (path: NAME)`           the line where the value of the outermost attribute begins
    `Item isn't a Scalar SOURCE:LINE`       the line of the faulty value
    `in SOURCE, line L, column C`           a fault of the YAML; if there are several, the last one is the place of the fault
    `Invalid configuration elements ... : NAME`, `... root element: NAME`     no line; the key NAME is searched in the files

SOURCE is relative to the folder of the settings. For a text that was posted to the check, it is the path of the request.
The attributes around the fault (`Failed to configure 'a': Failed to set attribute 'b'`) stand from the outermost inward.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bootstrap.errors import Fault

_LINES, _WIDTH = 12, 400
_LONGEST = 40_000  # characters of the message that are read
_POSTED = "/configuration-as-code/check"
_YAML = re.compile(r"\bin (?P<source>\S[^\n]{0,300}?), line (?P<line>\d{1,9}), column (?P<column>\d{1,9})")
_ITEM = re.compile(r"Item isn't an? \w+ (?P<source>\S[^\n]{0,300}?):(?P<line>\d{1,9})\b")
_AT = re.compile(r"(?:^|\s)at (?P<source>\S[^\n]{0,300}?):(?P<line>\d{1,9}) \(path: (?P<path>[^)\n]{0,300})\)")
_AT_LINE = re.compile(r"\bat \S[^\n]{0,300}? \(path: [^)\n]{0,300}\)")
_STEP = re.compile(r"Failed to (?:configure|set attribute)(?: attribute)? '(?P<name>[^'\n]+)'")
_UNKNOWN = re.compile(
    r"(?:(?<![\w.$-])(?P<owner>[\w.$-]{1,200}): )?Invalid configuration elements for type: (?:(?:class|interface) )?\S+ : "
    r"(?P<names>[^\n]+?)\.?(?:\n|$)"
)
_AVAILABLE = re.compile(r"Available attributes : (?P<names>[^\n]*)")
_ROOT = re.compile(
    r"No configurator found for the following root elements?: (?P<names>[\w., -]+?)(?:\. |\.?$|\s\()", re.MULTILINE
)
_NOT_ALLOWED = re.compile(r"'(?P<name>[\w.-]+)' is (?:deprecated|restricted)")


@dataclass(frozen=True)
class _Place:
    """A place in a file; `name` is the file's name, `line` and `column` count from 1."""

    name: str
    line: int
    column: int


def parse_fault(message: str, files: Mapping[str, str], folder: str = "casc", checked: str = "") -> Fault:
    """The fault that Jenkins' message describes, with its place in one of `files` (name to text).

    If `checked` is given, the message is about this file, whatever SOURCE it names. If no place is found, the fault is at line
    1 of the file `checked`, or of `folder`.
    """
    message = message[:_LONGEST].replace(_POSTED, checked) if checked else message[:_LONGEST]
    place = _find_place(message, {checked: files[checked]} if checked else files, bool(checked))
    if place is None:
        return Fault(
            f"{folder}/{checked}" if checked else folder, 1, 1, _shorten_message(message, keeps_places=not checked)
        )
    return Fault(f"{folder}/{place.name}", place.line, place.column, _shorten_message(message, keeps_places=False))


def _find_place(message: str, files: Mapping[str, str], is_one: bool) -> _Place | None:
    def find_file(source: str) -> str | None:
        if is_one:
            return next(iter(files))
        source = source.strip("'\"")
        named = source if source in files else source.rpartition("/")[2]
        return named if named in files else None

    for pattern, which in ((_YAML, -1), (_ITEM, -1), (_AT, 0)):
        matches = list(pattern.finditer(message))
        if matches and (name := find_file(matches[which]["source"])) is not None:
            match, line = matches[which], int(matches[which]["line"])
            if pattern is _YAML:
                return _make_place(files[name], name, line, int(match["column"]))
            steps = [each["name"] for each in _STEP.finditer(message)] if pattern is _AT else []
            exact = _follow_steps(files[name], line, match["path"], steps) if pattern is _AT else None
            return _Place(name, *exact) if exact else _make_place(files[name], name, line)
    return _find_named_place(message, files)


def _make_place(text: str, name: str, line: int, column: int = 0) -> _Place | None:
    """The place, or None if the file has no such line; without a column, the first character that is no space."""
    lines = text.splitlines()
    if not 1 <= line <= len(lines) + 1:
        return None
    shown = lines[line - 1] if line <= len(lines) else ""
    return _Place(name, line, column or len(shown) - len(shown.lstrip()) + 1)


def _find_named_place(message: str, files: Mapping[str, str]) -> _Place | None:
    """The place of a key that the message only names: an unknown root, an unknown attribute, or one that is not allowed."""
    if root := _ROOT.search(message):
        return _find_key(files, {part.strip() for part in root["names"].split(",")}, only_roots=True)
    if unknown := _UNKNOWN.search(message):
        return _find_key(files, {part.strip() for part in unknown["names"].split(",")}, owner=unknown["owner"] or "")
    refused = _NOT_ALLOWED.search(message)
    return _find_key(files, {refused["name"]}) if refused else None


def _find_key(files: Mapping[str, str], names: set[str], owner: str = "", *, only_roots: bool = False) -> _Place | None:
    """The first key with one of the names; a key below `owner` is preferred."""
    places = [
        (path, _Place(name, node.start_mark.line + 1, node.start_mark.column + 1))
        for name, text in files.items()
        for path, node, _ in _walk_keys(_compose(text))
        if path[-1] in names and (len(path) == 1 or not only_roots)
    ]
    below = [place for path, place in places if owner and owner.lower() in {part.lower() for part in path[:-1]}]
    return next(iter([*below, *(place for _, place in places)]), None)


def _follow_steps(text: str, line: int, outermost: str, steps: list[str]) -> tuple[int, int] | None:
    """Line and column of the innermost attribute in `steps`, below the attribute `outermost` whose value begins on `line`."""
    starts = [
        (key, value)
        for path, key, value in _walk_keys(_compose(text))
        if path[-1].lower() == outermost.lower() and value.start_mark.line + 1 == line
    ]
    if not starts:
        return None
    key, value = starts[0]
    for step in steps:
        within = [(inner, below) for path, inner, below in _walk_keys(value) if path[-1].lower() == step.lower()]
        if within:
            key, value = within[0]
    # If no step was followed: the line of the value, which Jenkins named; the key if both are on one line.
    mark = key.start_mark if key is not starts[0][0] or key.start_mark.line + 1 == line else value.start_mark
    return mark.line + 1, mark.column + 1


def _compose(text: str) -> Any:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None


def _walk_keys(node: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Every key below a node in the order of the text: its path, its node, and the node of its value.

    A node that aliases repeat comes once.
    """
    seen: set[int] = set()
    waiting: list[tuple[tuple[str, ...], Any]] = [((), node)]
    while waiting:
        path, at = waiting.pop()
        if at is None or id(at) in seen:
            continue
        seen.add(id(at))
        if isinstance(at, yaml.SequenceNode):
            waiting += [(path, child) for child in reversed(at.value)]
        elif isinstance(at, yaml.MappingNode):
            pairs = [(key, value) for key, value in at.value if isinstance(key, yaml.ScalarNode)]
            yield from (((*path, str(key.value)), key, value) for key, value in pairs)
            waiting += [((*path, str(key.value)), value) for key, value in reversed(pairs)]


def _shorten_message(message: str, *, keeps_places: bool) -> str:
    """The message in at most _LINES lines, without places if the fault has one.

    A list of all available attributes is replaced by the attribute that is most similar to the unknown one.
    """
    if unknown := _UNKNOWN.search(message):
        known = [part.strip() for each in _AVAILABLE.finditer(message) for part in each["names"].split(",")]
        near = difflib.get_close_matches(unknown["names"], known, n=1, cutoff=0.6)
        if near:
            message = _AVAILABLE.sub(f"did you mean '{near[0]}'?", message)
    if not keeps_places:
        message = _AT_LINE.sub("", message)
    lines = list(dict.fromkeys(line.strip() for line in message.splitlines() if line.strip()))
    return "\n".join(line if len(line) <= _WIDTH else f"{line[:_WIDTH]}..." for line in lines[:_LINES])
