"""Drift of Jenkins' settings: the files on the machine, and what was changed in the web interface, setting by setting.

A reload puts back what the code says and leaves what it does not name; each line tells which of the two it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bootstrap.acts import casc
from bootstrap.controller.api import JenkinsClient
from bootstrap.drift.values import Drifted
from bootstrap.values import ChangeKind, Shell

_ABSENT = object()


def of_settings(
    shell: Shell, jenkins: JenkinsClient, files: Mapping[str, str], tool: str, *, sudo: bool
) -> Iterator[Drifted]:
    """Files that differ on the machine, and settings that differ from those after the last reload."""
    there = casc.look(shell, sudo=sudo)
    for change in there.changes(files):
        verb = {ChangeKind.ADD: "is missing", ChangeKind.REMOVE: "is not of the code"}.get(change.kind, "differs")
        yield Drifted("casc", f"{casc.FOLDER}/{change.name}", verb, f"{tool} casc apply")
    exported = casc.export(jenkins)
    if there.is_applied(exported):
        return
    if there.exported is None:
        yield Drifted("casc", "settings", "changed outside of the code", f"{tool} casc apply")
        return
    named = set(_leaves(_merged(files.values())))
    for path, before, now in differing(there.exported, exported):
        is_ours = any(_within(path, ours) or _within(ours, path) for ours in named)
        mend = f"{tool} casc apply" if is_ours else "write it into casc/, or undo it in Jenkins"
        fate = "a reload wipes it" if is_ours else "a reload leaves it"
        yield Drifted("casc", ".".join(path), f"was {_shown(before)}, is {_shown(now)}; {fate}", mend)


def differing(before: str, now: str) -> list[tuple[tuple[str, ...], Any, Any]]:
    """The settings that differ between two exports: key path, value before, value now."""
    old, new = _leaves(_parsed(before)), _leaves(_parsed(now))
    paths = sorted(old.keys() | new.keys())
    return [
        (path, old.get(path, _ABSENT), new.get(path, _ABSENT))
        for path in paths
        if old.get(path, _ABSENT) != new.get(path, _ABSENT)
    ]


def _leaves(node: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    """Key paths to what is no mapping: a list counts whole, for its entries have no names."""
    if isinstance(node, Mapping) and node:
        return {leaf: value for key, child in node.items() for leaf, value in _leaves(child, (*path, str(key))).items()}
    return {path: node} if path else {}


def _merged(texts: Any) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for text in texts:
        _merge(merged, _parsed(text))
    return merged


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _parsed(text: str) -> Mapping[str, Any]:
    try:
        found = YAML(typ="safe").load(text)
    except YAMLError:
        return {}
    return found if isinstance(found, Mapping) else {}


def _within(path: tuple[str, ...], of: tuple[str, ...]) -> bool:
    return path[: len(of)] == of


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "absent"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
