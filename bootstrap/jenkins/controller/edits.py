"""Finds the settings that a person edited in Jenkins' web interface, and what a reload would do to each edit.

Three documents are compared: the settings that Jenkins exported after the last reload, those that it exports now, and the files
of the code, merged as Jenkins merges them, with their variables replaced. A difference between the two exports is an edit. The
files of the code decide whether a reload overwrites it. Defaults are the same in both exports, so they are no edits.

A reload sets attributes (Configuration as Code, class BaseConfigurator). An attribute that the code has is replaced as a whole,
with every entry of a list and every key that an edit added below it. An attribute that the code does not have keeps its value.
The accounts of Jenkins' own user database are separate: an account that the code does not have is kept.

Secrets are masked in all three documents, so a change of a secret alone is not found here.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bootstrap.jenkins.controller.differences import format_diff
from bootstrap.jenkins.definitions.casc import is_secret
from bootstrap.values import Change, ChangeKind

MASK = "***"
ABSENT = object()
"""The value of a setting in a document that does not have it."""

# Roots that group several objects; the attributes are one level deeper: unclassified.location.url.
_GROUPING = frozenset({"appearance", "credentials", "security", "tool", "unclassified"})
_ACCOUNTS = ("jenkins", "securityRealm", "local", "users")
_NAMES = ("id", "name", "key")
_VARIABLE = re.compile(r"(?<!\^)\$\{([^{}]*)\}")


@dataclass(frozen=True)
class Edit:
    """One edited setting: its value after the last reload, now, and in the code. If `is_overwritten`, a reload sets it."""

    path: tuple[str, ...]
    before: Any
    now: Any
    desired: Any
    is_overwritten: bool

    @property
    def name(self) -> str:
        """The path of the setting as text: jenkins.systemMessage, jenkins.views[list team].description."""
        return _format_path(self.path)

    @property
    def summary(self) -> str:
        """The values before and after the edit, and what a reload does to the edit, in one line."""
        outcome = "a reload overwrites it" if self.is_overwritten else "a reload keeps it"
        return f"was {_shorten(self.before)}, is {_shorten(self.now)}; {outcome}"

    @property
    def diff(self) -> str:
        """A unified diff of what a reload would change; if a reload keeps the edit, a diff of the edit itself."""
        if self.is_overwritten:
            return format_diff(format_setting(self.now), format_setting(self.desired), self.name)
        return format_diff(format_setting(self.before), format_setting(self.now), self.name, ("reloaded", "actual"))

    @property
    def change(self) -> Change:
        """The change that a reload would make to this setting, for a plan."""
        kind = ChangeKind.ALTER
        if ABSENT in (self.now, self.desired):
            kind = ChangeKind.ADD if self.now is ABSENT else ChangeKind.REMOVE
        code = "does not name it" if self.desired is ABSENT else f"says {_shorten(self.desired)}"
        detail = f"edited in Jenkins: is {_shorten(self.now)}, the code {code}"
        return Change("casc", kind, self.name, detail, self.diff)


def find_edits(before: str, now: str, desired: Mapping[str, Any]) -> tuple[Edit, ...]:
    """The edits between two exports, sorted by name; `desired` is the code's files, as `merge_files` returns them.

    A setting that has the code's value now is not an edit.
    """
    edits = []
    for path, old, new in _find_differences((), parse_settings(before), parse_settings(now)):
        value = _find_value(desired, path)
        if not _is_same(value, new):
            edits.append(Edit(path, old, new, value, _is_overwritten(path, desired)))
    return tuple(sorted(edits, key=lambda edit: edit.name))


def restore_kept_edits(exported: str, kept: Iterable[Edit], before: str) -> str:
    """The export after a reload, in which each edit that the reload kept has its value from the export `before` the edits.

    So the next comparison finds the edit again. Nothing is masked here: the secrets in an export are masked already.
    """
    places = {_find_place(edit.path) for edit in kept}
    if not places:
        return exported
    document, earlier = YAML(typ="safe").load(exported), YAML(typ="safe").load(before)
    for place in sorted(places):
        _set_value(document, place, _find_value(earlier, place))
    stream = io.StringIO()
    YAML(typ="safe").dump(document, stream)
    return stream.getvalue()


def _find_place(path: tuple[str, ...]) -> tuple[str, ...]:
    """The first keys of a path: those of the attribute or account that a reload sets, or keeps, as a whole."""
    if path[: len(_ACCOUNTS)] == _ACCOUNTS and len(path) > len(_ACCOUNTS):
        return path[: len(_ACCOUNTS) + 1]
    return path[: 3 if path[0] in _GROUPING else 2]


def _set_value(document: Any, place: tuple[str, ...], value: Any) -> None:
    *above, last = place
    node = document
    for part in above:
        node = node.setdefault(part, [] if part == _ACCOUNTS[-1] and tuple(above) == _ACCOUNTS else {})
    if isinstance(node, list):
        others = [entry for entry in node if f"[{_name_entry(entry)[0]}]" != last]
        node[:] = others if value is ABSENT else [*others, value]
    elif value is ABSENT:
        node.pop(last, None)
    else:
        node[last] = value


def merge_files(files: Iterable[str], values: Mapping[str, str]) -> dict[str, Any]:
    """The files of the code as one document; a value is masked unless all of its variables are in `values`."""
    merged: dict[str, Any] = {}
    for text in files:
        _merge_into(merged, _fill_variables(parse_settings(text), values))
    return merged


def parse_settings(text: str) -> dict[str, Any]:
    """The settings in a YAML text, with masked secrets; empty if the text is not a YAML mapping."""
    try:
        document = YAML(typ="safe").load(text)
    except YAMLError:
        return {}
    return _mask_secrets(document) if isinstance(document, Mapping) else {}


def format_setting(node: Any) -> str:
    """The value of a setting as text, with sorted keys and one scalar per line; empty if it is ABSENT."""
    return "" if node is ABSENT else "\n".join(_format_lines(node))


def _format_lines(node: Any) -> Iterator[str]:
    node = _simplify(node)
    if isinstance(node, Mapping):
        for key in sorted(node):
            inner = list(_format_lines(node[key]))
            if isinstance(node[key], Mapping | list) and node[key]:
                yield f"{key}:"
                yield from (f"  {line}" for line in inner)
            else:
                yield f"{key}: {' | '.join(inner)}".rstrip()
    elif isinstance(node, list):
        for each in node:
            first, *rest = list(_format_lines(each)) or [""]
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield from _format_scalar(node).splitlines()


def _find_differences(path: tuple[str, ...], old: Any, new: Any) -> Iterator[tuple[tuple[str, ...], Any, Any]]:
    """The path and both values of the smallest parts that differ: a key, a named entry, a value, or an unnamed list."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        pairs = [((*path, key), old.get(key, ABSENT), new.get(key, ABSENT)) for key in {**old, **new}]
    else:
        before, after = _index_entries(old), _index_entries(new)
        if before is None or after is None or _is_reordered(before, after):
            if not _is_same(old, new):
                yield path, old, new
            return
        names = {**before, **after}
        pairs = [((*path, f"[{name}]"), before.get(name, ABSENT), after.get(name, ABSENT)) for name in names]
    for pair in pairs:
        yield from _find_differences(*pair)


def _is_reordered(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return before.keys() == after.keys() and list(before) != list(after)


def _index_entries(node: Any) -> dict[str, Any] | None:
    """The entries of a list by their names; None if an entry has no name, or two have the same name."""
    if not isinstance(node, list) or not any(isinstance(each, Mapping) for each in node):
        return {} if node == [] else None
    named = [_name_entry(each) for each in node]
    by_name = {name: value for name, value in named if name}
    return by_name if len(by_name) == len(node) else None


def _name_entry(node: Any) -> tuple[str, Any]:
    """Name and content of an entry of a list: `{list: {name: team}}` has the name 'list team'; a string has no content."""
    if not isinstance(node, Mapping):
        return _format_scalar(node), {}
    if len(node) == 1:
        ((kind, inner),) = node.items()
        if isinstance(inner, Mapping) or inner is None:
            return " ".join(filter(None, (str(kind), _find_own_name(inner or {})))), inner or {}
    return _find_own_name(node), node


def _find_own_name(node: Mapping[str, Any]) -> str:
    return next(
        (_format_scalar(node[key]) for key in _NAMES if key in node and not isinstance(node[key], Mapping | list)), ""
    )


def _find_value(desired: Any, path: tuple[str, ...]) -> Any:
    """The value at a path, or ABSENT. Case of keys is ignored, as Jenkins does."""
    node = desired
    for part in path:
        if isinstance(node, str):
            node = {node: {}}  # an implementation without attributes, written as a string
        children = (
            node
            if isinstance(node, Mapping)
            else {f"[{key}]": value for key, value in (_index_entries(node) or {}).items()}
        )
        name = next((key for key in children if key.lower() == part.lower()), None)
        if name is None:
            return ABSENT
        node = children[name]
    return node


def _is_overwritten(path: tuple[str, ...], desired: Mapping[str, Any]) -> bool:
    is_account = path[:4] == _ACCOUNTS and len(path) > len(_ACCOUNTS)
    return _find_value(desired, path if is_account else _find_place(path)) is not ABSENT


def _is_same(one: Any, other: Any) -> bool:
    """Whether Jenkins reads both values as the same: '2' and 2, or 'standard' and {standard: {}}."""
    if ABSENT in (one, other):
        return one is other
    one, other = _simplify(one), _simplify(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    if isinstance(one, Mapping | list) or isinstance(other, Mapping | list):
        return False
    return _format_scalar(one) == _format_scalar(other)


def _simplify(node: Any) -> Any:
    return next(iter(node)) if isinstance(node, Mapping) and list(node.values()) in ([{}], [None]) else node


def _mask_secrets(node: Any) -> Any:
    if isinstance(node, Mapping):
        return {
            str(key): MASK if isinstance(value, str) and value and is_secret(str(key)) else _mask_secrets(value)
            for key, value in node.items()
        }
    return [_mask_secrets(value) for value in node] if isinstance(node, list) else node


def _merge_into(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge_into(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _fill_variables(node: Any, values: Mapping[str, str]) -> Any:
    if isinstance(node, Mapping):
        return {key: _fill_variables(value, values) for key, value in node.items() if not key.startswith("x-")}
    if isinstance(node, list):
        return [_fill_variables(value, values) for value in node]
    if not isinstance(node, str):
        return node
    if any(name not in values for name in _VARIABLE.findall(node)):
        return MASK
    return _VARIABLE.sub(lambda match: values[match[1]], node).replace("^${", "${")


def _format_scalar(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _format_path(path: tuple[str, ...]) -> str:
    return ".".join(path).replace(".[", "[")


def _shorten(node: Any) -> str:
    if node is ABSENT:
        return "absent"
    text = ", ".join(line.strip() for line in _format_lines(node)) or "empty"
    return text if len(text) <= 60 else f"{text[:57]}..."
