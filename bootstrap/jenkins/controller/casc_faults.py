"""Where in which settings file a fault stands, read out of what Jenkins says of it.

Jenkins tells a place in its text, in one of four forms, or none at all:

    `at SOURCE:LINE (path: NAME)`           where the value of the outermost attribute begins
    `Item isn't a Scalar SOURCE:LINE`       the thing itself
    `in SOURCE, line L, column C`           a fault of the YAML; the last of several is the fault, those before lead to it
    `Invalid configuration elements ... : NAME`, `... root element: NAME`     no place; the name is looked for

A source is named relative to the folder; that of a text which was only posted is the path that it was posted to.
The attributes on the way to the fault (`Failed to configure 'a': Failed to set attribute 'b'`) lead from the outermost to it.
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
_LONGEST = 40_000  # letters of Jenkins' words that are read
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
    """A place in one of the files; lines and columns count from 1."""

    name: str
    line: int
    column: int


def read(said: str, files: Mapping[str, str], folder: str = "casc", checked: str = "") -> Fault:
    """The fault that `said` tells: of the file `checked`, whatever its source is called, or of the one that it names."""
    said = said[:_LONGEST].replace(_POSTED, checked) if checked else said[:_LONGEST]
    place = _place(said, {checked: files[checked]} if checked else files, bool(checked))
    if place is None:
        return Fault(f"{folder}/{checked}" if checked else folder, 1, 1, _message(said, keeps_places=not checked))
    return Fault(f"{folder}/{place.name}", place.line, place.column, _message(said, keeps_places=False))


def _place(said: str, files: Mapping[str, str], is_one: bool) -> _Place | None:
    def file_of(source: str) -> str | None:
        if is_one:
            return next(iter(files))
        source = source.strip("'\"")
        named = source if source in files else source.rpartition("/")[2]
        return named if named in files else None

    for pattern, which in ((_YAML, -1), (_ITEM, -1), (_AT, 0)):
        found = list(pattern.finditer(said))
        if found and (name := file_of(found[which]["source"])) is not None:
            match, line = found[which], int(found[which]["line"])
            if pattern is _YAML:
                return _inside(files[name], name, line, int(match["column"]))
            steps = [each["name"] for each in _STEP.finditer(said)] if pattern is _AT else []
            exact = _lead(files[name], line, match["path"], steps) if pattern is _AT else None
            return _Place(name, *exact) if exact else _inside(files[name], name, line)
    return _named(said, files)


def _inside(text: str, name: str, line: int, column: int = 0) -> _Place | None:
    """The place, where the file has such a line; without a column the first thing on it."""
    lines = text.splitlines()
    if not 1 <= line <= len(lines) + 1:
        return None
    shown = lines[line - 1] if line <= len(lines) else ""
    return _Place(name, line, column or len(shown) - len(shown.lstrip()) + 1)


def _named(said: str, files: Mapping[str, str]) -> _Place | None:
    """Where the thing stands that is only named: an unknown root, an unknown attribute, one that is not allowed."""
    if root := _ROOT.search(said):
        return _key(files, {part.strip() for part in root["names"].split(",")}, only_roots=True)
    if unknown := _UNKNOWN.search(said):
        return _key(files, {part.strip() for part in unknown["names"].split(",")}, owner=unknown["owner"] or "")
    refused = _NOT_ALLOWED.search(said)
    return _key(files, {refused["name"]}) if refused else None


def _key(files: Mapping[str, str], names: set[str], owner: str = "", *, only_roots: bool = False) -> _Place | None:
    """The first key of these names; one below `owner` before others."""
    found = [
        (path, _Place(name, node.start_mark.line + 1, node.start_mark.column + 1))
        for name, text in files.items()
        for path, node, _ in _keys(_composed(text))
        if path[-1] in names and (len(path) == 1 or not only_roots)
    ]
    below = [place for path, place in found if owner and owner.lower() in {part.lower() for part in path[:-1]}]
    return next(iter([*below, *(place for _, place in found)]), None)


def _lead(text: str, line: int, outermost: str, steps: list[str]) -> tuple[int, int] | None:
    """Line and column of the last attribute that the steps lead to, from the outermost whose value begins on `line`."""
    starts = [
        (key, value)
        for path, key, value in _keys(_composed(text))
        if path[-1].lower() == outermost.lower() and value.start_mark.line + 1 == line
    ]
    if not starts:
        return None
    key, value = starts[0]
    for step in steps:
        within = [(inner, below) for path, inner, below in _keys(value) if path[-1].lower() == step.lower()]
        if within:
            key, value = within[0]
    # The outermost attribute alone: Jenkins' own line, unless its value stands beside it.
    mark = key.start_mark if key is not starts[0][0] or key.start_mark.line + 1 == line else value.start_mark
    return mark.line + 1, mark.column + 1


def _composed(text: str) -> Any:
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None


def _keys(node: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """Every key below a node in the order of the text: its path, its node and its value's; what an alias repeats once."""
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


def _message(said: str, *, keeps_places: bool) -> str:
    """The words without places that the fault has itself; a list of all attributes becomes the one that is meant."""
    if unknown := _UNKNOWN.search(said):
        known = [part.strip() for each in _AVAILABLE.finditer(said) for part in each["names"].split(",")]
        near = difflib.get_close_matches(unknown["names"], known, n=1, cutoff=0.6)
        if near:
            said = _AVAILABLE.sub(f"did you mean '{near[0]}'?", said)
    if not keeps_places:
        said = _AT_LINE.sub("", said)
    lines = list(dict.fromkeys(line.strip() for line in said.splitlines() if line.strip()))
    return "\n".join(line if len(line) <= _WIDTH else f"{line[:_WIDTH]}..." for line in lines[:_LINES])
