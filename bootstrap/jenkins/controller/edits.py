"""What somebody edited in Jenkins' web interface, setting by setting, beside what the code says of it.

Three documents meet here: the settings as exported after the last reload, as exported now, and the code's own files, merged as
Jenkins merges them, with their variables filled in. What differs between the two exports was edited; what the code says tells
whether a reload overwrites it. Defaults that nobody stated are in both exports alike and never show.

A reload sets attributes (Configuration as Code, BaseConfigurator): an attribute that the code names is made anew, whole, with
every entry of a list and whatever an edit put beside what the code says; one that it does not name stays. Accounts of the
local realm lie beside the settings: those that the code does not name stay.

Secrets are stars on every side, so an edit that only changes one has no line here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bootstrap.jenkins.controller.differences import unified
from bootstrap.jenkins.definitions.casc import is_secret
from bootstrap.values import Change, ChangeKind

MASK = "***"
ABSENT = object()
"""Stands where one side has nothing."""

# Roots that gather singletons, whose attributes are one level further down: unclassified.location.url.
_GATHERING = frozenset({"appearance", "credentials", "security", "tool", "unclassified"})
_ACCOUNTS = ("jenkins", "securityRealm", "local", "users")
_NAMES = ("id", "name", "key")
_VARIABLE = re.compile(r"(?<!\^)\$\{([^{}]*)\}")


@dataclass(frozen=True)
class Edit:
    """One edited setting: as it was after the last reload, as it is now, and what the code says; each may be ABSENT."""

    path: tuple[str, ...]
    before: Any
    now: Any
    wish: Any
    is_overwritten: bool

    @property
    def name(self) -> str:
        """Where it is: jenkins.systemMessage, jenkins.views[list team].description."""
        return _name(self.path)

    @property
    def found(self) -> str:
        """What was edited, and what a reload does to it."""
        fate = "a reload overwrites it" if self.is_overwritten else "a reload keeps it"
        return f"was {_short(self.before)}, is {_short(self.now)}; {fate}"

    @property
    def diff(self) -> str:
        """Line by line: from what is there to what a reload makes of it, or what was edited where a reload leaves it."""
        if self.is_overwritten:
            return unified(text_of(self.now), text_of(self.wish), self.name)
        return unified(text_of(self.before), text_of(self.now), self.name, ("reloaded", "there"))

    @property
    def change(self) -> Change:
        """What a reload does to it, for a plan."""
        kind = ChangeKind.ALTER
        if ABSENT in (self.now, self.wish):
            kind = ChangeKind.ADD if self.now is ABSENT else ChangeKind.REMOVE
        said = "does not name it" if self.wish is ABSENT else f"says {_short(self.wish)}"
        detail = f"edited in Jenkins: is {_short(self.now)}, the code {said}"
        return Change("casc", kind, self.name, detail, self.diff)


def find(before: str, now: str, wish: Mapping[str, Any]) -> tuple[Edit, ...]:
    """The edits between two exports, by name; one that the code says as well by now is none."""
    found = []
    for path, old, new in _differing((), parsed(before), parsed(now)):
        said = _said(wish, path)
        if not _is_same(said, new):
            found.append(Edit(path, old, new, said, _is_overwritten(path, wish)))
    return tuple(sorted(found, key=lambda edit: edit.name))


def without(exported: str, left: Iterable[Edit], before: str) -> str:
    """An export after a reload, in which what the reload left is as it was in the export before the edits.

    So it goes on to be an edit. Nothing is masked here: secrets are stars in every export.
    """
    places = {_place(edit.path) for edit in left}
    if not places:
        return exported
    document, earlier = YAML(typ="safe").load(exported), YAML(typ="safe").load(before)
    for place in sorted(places):
        _put(document, place, _said(earlier, place))
    stream = io.StringIO()
    YAML(typ="safe").dump(document, stream)
    return stream.getvalue()


def _place(path: tuple[str, ...]) -> tuple[str, ...]:
    """What of a path a reload leaves as a whole: the attribute, or the account."""
    if path[: len(_ACCOUNTS)] == _ACCOUNTS and len(path) > len(_ACCOUNTS):
        return path[: len(_ACCOUNTS) + 1]
    return path[: 3 if path[0] in _GATHERING else 2]


def _put(document: Any, place: tuple[str, ...], value: Any) -> None:
    *above, last = place
    node = document
    for part in above:
        node = node.setdefault(part, [] if part == _ACCOUNTS[-1] and tuple(above) == _ACCOUNTS else {})
    if isinstance(node, list):
        node[:] = [entry for entry in node if f"[{_entry(entry)[0]}]" != last] + ([] if value is ABSENT else [value])
    elif value is ABSENT:
        node.pop(last, None)
    else:
        node[last] = value


def wished(files: Iterable[str], values: Mapping[str, str]) -> dict[str, Any]:
    """The code's files as one document; `values` are the variables that may be shown, every other one is a secret."""
    merged: dict[str, Any] = {}
    for text in files:
        _merge(merged, _filled(parsed(text), values))
    return merged


def parsed(text: str) -> dict[str, Any]:
    """A document of settings with its secrets masked; an empty one where the text is none."""
    try:
        found = YAML(typ="safe").load(text)
    except YAMLError:
        return {}
    return _masked(found) if isinstance(found, Mapping) else {}


def text_of(node: Any) -> str:
    """A setting for a reader: its keys in their order of names, one value a line; nothing where it is absent."""
    return "" if node is ABSENT else "\n".join(_lines(node))


def _lines(node: Any) -> Iterator[str]:
    node = _bare(node)
    if isinstance(node, Mapping):
        for key in sorted(node):
            inner = list(_lines(node[key]))
            if isinstance(node[key], Mapping | list) and node[key]:
                yield f"{key}:"
                yield from (f"  {line}" for line in inner)
            else:
                yield f"{key}: {' | '.join(inner)}".rstrip()
    elif isinstance(node, list):
        for each in node:
            first, *rest = list(_lines(each)) or [""]
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield from _text(node).splitlines()


def _differing(path: tuple[str, ...], old: Any, new: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """The smallest settings that differ: a key of a mapping, a named entry of a list, a value, a list of values whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs = [((*path, key), old.get(key, ABSENT), new.get(key, ABSENT)) for key in {**old, **new}]
    else:
        ours, theirs = _entries(old), _entries(new)
        if ours is None or theirs is None or _is_moved(ours, theirs):
            if not _is_same(old, new):
                yield path, old, new
            return
        pairs = [((*path, f"[{it}]"), ours.get(it, ABSENT), theirs.get(it, ABSENT)) for it in {**ours, **theirs}]
    for pair in pairs:
        yield from _differing(*pair)


def _is_moved(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    return ours.keys() == theirs.keys() and list(ours) != list(theirs)


def _entries(node: Any) -> dict[str, Any] | None:
    """The entries of a list by what names them; None where something has no name, or two have the same."""
    if not isinstance(node, list) or not any(isinstance(each, Mapping) for each in node):
        return {} if node == [] else None
    named = [_entry(each) for each in node]
    found = {name: value for name, value in named if name}
    return found if len(found) == len(node) else None


def _entry(node: Any) -> tuple[str, Any]:
    """An entry's name and content: `{list: {name: team}}` is 'list team', a bare word a kind without attributes."""
    if not isinstance(node, Mapping):
        return _text(node), {}
    if len(node) == 1:
        ((kind, inner),) = node.items()
        if isinstance(inner, Mapping) or inner is None:
            return " ".join(filter(None, (str(kind), _own(inner or {})))), inner or {}
    return _own(node), node


def _own(node: Mapping[str, Any]) -> str:
    return next((_text(node[key]) for key in _NAMES if key in node and not isinstance(node[key], Mapping | list)), "")


def _said(wish: Any, path: tuple[str, ...]) -> Any:
    """What the code says at a path; Jenkins takes keys in any case."""
    node = wish
    for part in path:
        if isinstance(node, str):
            node = {node: {}}  # a choice without attributes, as a bare word
        inside = (
            node if isinstance(node, Mapping) else {f"[{key}]": value for key, value in (_entries(node) or {}).items()}
        )
        name = next((key for key in inside if key.lower() == part.lower()), None)
        if name is None:
            return ABSENT
        node = inside[name]
    return node


def _is_overwritten(path: tuple[str, ...], wish: Mapping[str, Any]) -> bool:
    is_account = path[:4] == _ACCOUNTS and len(path) > len(_ACCOUNTS)
    return _said(wish, path if is_account else _place(path)) is not ABSENT


def _is_same(one: Any, other: Any) -> bool:
    """Equal as Jenkins takes it: '2' is 2, and a bare word is the choice without attributes."""
    if ABSENT in (one, other):
        return one is other
    one, other = _bare(one), _bare(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, Mapping | list) or isinstance(other, Mapping | list):
        return False
    return _text(one) == _text(other)


def _bare(node: Any) -> Any:
    return next(iter(node)) if isinstance(node, Mapping) and list(node.values()) in ([{}], [None]) else node


def _masked(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {
            str(key): MASK if isinstance(value, str) and value and is_secret(str(key)) else _masked(value)
            for key, value in node.items()
        }
    return [_masked(value) for value in node] if isinstance(node, list) else node


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _filled(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, Mapping):
        return {key: _filled(value, values) for key, value in node.items() if not key.startswith("x-")}
    if isinstance(node, list):
        return [_filled(value, values) for value in node]
    if not isinstance(node, str):
        return node
    if any(name not in values for name in _VARIABLE.findall(node)):
        return MASK
    return _VARIABLE.sub(lambda match: values[match[1]], node).replace("^${", "${")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _name(path: tuple[str, ...]) -> str:
    return ".".join(path).replace(".[", "[")


def _short(node: Any) -> str:
    if node is ABSENT:
        return "absent"
    text = ", ".join(line.strip() for line in _lines(node)) or "empty"
    return text if len(text) <= 60 else f"{text[:57]}..."
