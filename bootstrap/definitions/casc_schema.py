"""What a settings file says that no Jenkins of this kind takes: misspelt keys, and values of another kind.

The vocabulary is the one that the emulator is strict by (`local/emulator/casc/schema.yaml`, from the sources of Jenkins and its
plugins). It cannot know every plugin, so a key that is nothing like a known one is left to Jenkins itself, which is asked
before a file is placed; what is nearly a known key, or plainly of another kind, is a slip, and is told before anything is made.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bootstrap.errors import Fault

_SCHEMA = Path(__file__).resolve().parents[1] / "local" / "emulator" / "casc" / "schema.yaml"
_TRUTHS = frozenset({"true", "false", "yes", "no", "on", "off"})
_NEAR = 0.8


@cache
def _schema() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = YAML(typ="safe").load(_SCHEMA.read_text(encoding="utf-8"))
    return loaded


def slips(file: str, document: CommentedMap) -> Iterator[Fault]:
    """The faults of one file that the vocabulary shows; `file` is its name as it is told."""
    roots = _schema()["roots"]
    for key, value in document.items():
        if str(key).startswith("x-"):
            continue
        if key not in roots:
            yield from _misspelt(file, document, key, roots, "")
            continue
        kind = [roots[key]["list"]] if "list" in roots[key] else roots[key]
        yield from _value(file, value, kind, str(key), document.lc.value(key))


def _value(file: str, value: Any, kind: Any, where: str, place: tuple[int, int]) -> Iterator[Fault]:
    if isinstance(kind, str):
        yield from _simple(file, value, kind, where, place)
    elif isinstance(kind, list):
        if isinstance(value, CommentedSeq):
            for number, item in enumerate(value):
                yield from _value(file, item, kind[0], f"{where}.{number}", value.lc.item(number))
        elif value is not None:  # a single element may be written without the list
            yield from _value(file, value, kind[0], where, place)
    elif "ref" in kind:
        yield from _value(file, value, _schema()["definitions"][kind["ref"]], where, place)
    elif "enum" in kind:
        if _is_plain(value) and value not in kind["enum"]:
            yield _fault(file, place, f"{where}: {value!r} is not one of {', '.join(kind['enum'])}")
    elif "type" in kind:
        yield from _value(file, value, kind["type"], where, place)
    else:
        yield from _object(file, value, kind, where, place)


def _simple(file: str, value: Any, kind: str, where: str, place: tuple[int, int]) -> Iterator[Fault]:
    if kind == "any" or value is None:
        return
    if isinstance(value, CommentedMap | CommentedSeq):
        yield _fault(
            file, place, f"{where}: one {kind if kind != 'secret' else 'text'} belongs here, not a {_shape(value)}"
        )
    elif kind == "integer" and _is_plain(value) and not (isinstance(value, int) or value.strip().lstrip("-").isdigit()):
        yield _fault(file, place, f"{where}: {value!r} is not a number")
    elif kind == "boolean" and _is_plain(value) and str(value).lower() not in _TRUTHS:
        yield _fault(file, place, f"{where}: {value!r} is neither true nor false")


def _object(file: str, value: Any, kind: Mapping[str, Any], where: str, place: tuple[int, int]) -> Iterator[Fault]:
    if kind["of"] == "any":
        return
    if isinstance(value, CommentedSeq) or (isinstance(value, int | float) and not isinstance(value, bool)):
        yield _fault(file, place, f"{where}: a mapping belongs here, not a {_shape(value)}")
    if not isinstance(value, CommentedMap):
        return  # a choice may be its bare name
    known = {name.lower(): name for name in kind["of"]}
    for key, child in value.items():
        name = known.get(str(key).lower())
        if name is None:
            yield from _misspelt(file, value, key, kind["of"], f"{where}.")
        else:
            yield from _value(file, child, kind["of"][name], f"{where}.{key}", value.lc.value(key))


def _misspelt(file: str, node: CommentedMap, key: Any, known: Mapping[str, Any], prefix: str) -> Iterator[Fault]:
    near = difflib.get_close_matches(str(key), list(known), n=1, cutoff=_NEAR)
    if near:
        yield _fault(file, node.lc.key(key), f"unknown key '{prefix}{key}'; did you mean '{near[0]}'?")


def _is_plain(value: Any) -> bool:
    """Whether a value is written out: what holds a variable is known to Jenkins alone."""
    return isinstance(value, int | float) or (isinstance(value, str) and "${" not in value)


def _shape(value: Any) -> str:
    return {CommentedMap: "mapping", CommentedSeq: "list"}.get(type(value), "number")


def _fault(file: str, place: tuple[int, int], message: str) -> Fault:
    return Fault(file, place[0] + 1, place[1] + 1, message)
