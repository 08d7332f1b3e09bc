"""Converts the list of plugins to a request for the lock: what was installed, in which version, and what the lock has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.importing.findings import Note, make_note, shorten
from bootstrap.importing.yaml_text import dump
from bootstrap.jenkins.distribution.versions import is_older, is_version

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_BUILT_BY_HAND = re.compile(r"snapshot|private|[()\s]", re.IGNORECASE)
_HEAD = """\
# The plugins of the imported Jenkins. `locked` is the version in the toolkit's jenkins.lock.yaml, null if it is not there: add
# each of these that you need (./bootstrap.py jenkins lock --add NAME). `required` says that an enabled plugin requires it: it
# comes with that one. The lock decides which versions are used.
"""


@dataclass(frozen=True)
class Plugin:
    """An installed plugin.

    A pinned one was held at its version by hand. An enabled plugin requires each of `required`.
    """

    name: str
    version: str
    is_active: bool
    is_enabled: bool
    is_pinned: bool
    required: frozenset[str] = frozenset()


def read(entries: Iterable[Mapping[str, Any]], notes: list[Note]) -> list[Plugin]:
    """The plugins in the answer of the API, by name; an entry that cannot be one is told."""
    by_name: dict[str, Plugin] = {}
    for entry in entries:
        name, version = entry.get("shortName"), entry.get("version")
        if not isinstance(name, str) or not _NAME.fullmatch(name) or not isinstance(version, str):
            notes.append(
                make_note(
                    "plugin",
                    str(name),
                    "it has no name or version that a plugin can have",
                    "look at it in the imported Jenkins",
                )
            )
            continue
        flags = (entry.get("active") is True, entry.get("enabled") is True, entry.get("pinned") is True)
        by_name[name] = Plugin(name, shorten(version), *flags, _read_required(entry.get("dependencies")))
    return [by_name[name] for name in sorted(by_name)]


def _read_required(dependencies: Any) -> frozenset[str]:
    listed = [each for each in dependencies if isinstance(each, dict)] if isinstance(dependencies, list) else []
    return frozenset(str(each.get("shortName")) for each in listed if each.get("optional") is False)


def write(plugins: Sequence[Plugin], locked: Mapping[str, str]) -> str:
    """The request as YAML."""
    required = {name for plugin in plugins if plugin.is_enabled for name in plugin.required}
    rows = {
        plugin.name: {
            "version": plugin.version,
            "active": plugin.is_active,
            "enabled": plugin.is_enabled,
            "pinned": plugin.is_pinned,
            "required": plugin.name in required,
            "locked": locked.get(plugin.name),
        }
        for plugin in plugins
    }
    return _HEAD + dump({"plugins": rows})


def judge(plugins: Iterable[Plugin], locked: Mapping[str, str]) -> Iterator[Note]:
    """What is to be told about each plugin that is not simply in the lock."""
    for plugin in plugins:
        locked_version = locked.get(plugin.name)
        if not plugin.is_enabled:
            yield make_note(
                "plugin",
                plugin.name,
                "it is disabled in the imported Jenkins",
                "leave it out of the lock, or it will be enabled",
            )
        elif not plugin.is_active:
            yield make_note(
                "plugin",
                plugin.name,
                "it is enabled in the imported Jenkins, but does not run",
                "read the log of that Jenkins first",
            )
        if not is_version(plugin.version) or _BUILT_BY_HAND.search(plugin.version):
            why = f"its version {plugin.version} was built by hand, and no update center has it"
            yield make_note(
                "plugin", plugin.name, why, "lock a published version, or publish it on a mirror of your own"
            )
        elif locked_version is None:
            remedy = f"if you need it: ./bootstrap.py jenkins lock --add {plugin.name}"
            yield make_note("plugin", plugin.name, f"jenkins.lock.yaml does not have it ({plugin.version})", remedy)
        elif locked_version != plugin.version:
            relation = "older" if is_older(locked_version, plugin.version) else "newer"
            remedy = (
                f"if you need it: ./bootstrap.py jenkins lock --upgrade {plugin.name}"
                if relation == "older"
                else "read its changelog"
            )
            yield make_note(
                "plugin",
                plugin.name,
                f"the lock has the {relation} version {locked_version}, there it is {plugin.version}",
                remedy,
            )
