"""Reads `jenkins.lock.yaml`: the plugins that are requested, and the exact versions and checksums of the distribution."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bootstrap.environment import yaml_source
from bootstrap.errors import DistributionFailed, Fault
from bootstrap.jenkins.distribution.versions import is_version

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PLUGIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}")
_REMEDY = "Correct the file; its comments explain it."


@dataclass(frozen=True)
class Pin:
    """A version, and the SHA-256 (hex) of its file, or None; `place` is line and column of the version in the lock."""

    version: str
    sha256: str | None
    place: tuple[int, int] = field(default=(1, 1), compare=False)


@dataclass(frozen=True)
class Lock:
    """The content of the lock.

    `core_path` is the path of the core below the base URL of a site; `fingerprint` and `key_url` are those of the signing key;
    `pins` are the plugins by name. `requested` are the names of those that a person asked for, with their places; the others
    are there because one of these requires them.
    """

    path: Path
    core: Pin
    core_path: str
    fingerprint: str
    key_url: str
    pins: Mapping[str, Pin]
    requested: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    text: str = field(default="", compare=False, repr=False)  # of the file, when it was read
    is_toolkits: bool = False  # of a project without a lock of its own: nothing is written into the toolkit's

    @property
    def version(self) -> str:
        """The version of the core."""
        return self.core.version

    @property
    def plugins(self) -> dict[str, str]:
        """The version of every plugin by its name."""
        return {name: pin.version for name, pin in self.pins.items()}

    @property
    def without_checksum(self) -> tuple[str, ...]:
        """The names of the plugins for which the lock has no checksum."""
        return tuple(name for name, pin in self.pins.items() if pin.sha256 is None)


def load_lock(path: Path) -> Lock:
    """Read the lock. Raises DistributionFailed with all faults in it, each with its line and column."""
    text = ""
    try:
        text = yaml_source.read_text(path)
        document, faults = yaml_source.parse_mapping(str(path), text)
    except yaml_source.Unreadable as error:
        document, faults = CommentedMap(), [Fault(str(path), error.line, 1, str(error))]
    faults = faults or list(_Checker(path).find_faults(document))
    if faults:
        listed = "\n".join(str(fault) for fault in sorted(faults, key=lambda each: (each.line, each.column)))
        raise DistributionFailed(f"reading {path}", listed, _REMEDY)
    core, key = document["core"], document["signing_key"]
    pin = _read_pin(core)
    return Lock(
        path=path,
        core=pin,
        core_path=str(core["path"]).replace("{version}", pin.version),
        fingerprint=str(key["fingerprint"]),
        key_url=str(key["url"]),
        pins={name: _read_pin(entry) for name, entry in document["plugins"].items()},
        requested=_read_requested(document),
        text=text,
    )


def _read_pin(entry: CommentedMap) -> Pin:
    line, column = entry.lc.key("version")
    return Pin(entry["version"], entry["sha256"], (line + 1, column + 1))


def _read_requested(document: CommentedMap) -> dict[str, tuple[int, int]]:
    names = document.get("requested", CommentedSeq())
    return {name: (names.lc.item(at)[0] + 1, names.lc.item(at)[1] + 1) for at, name in enumerate(names)}


class _Checker:
    """Finds the faults in a lock; messages name the entry: core, signing_key, plugin 'git'."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find_faults(self, document: CommentedMap) -> Iterator[Fault]:
        """All faults, section by section."""
        yield from self._check_keys(document, "", ("core", "signing_key", "plugins"), (0, 0), ("requested",))
        for name in ("core", "signing_key"):
            if name in document:
                yield from self._check_section(name, document)
        if "requested" in document:
            yield from self._check_requested(document)
        if "plugins" in document:
            plugins = document["plugins"]
            if not isinstance(plugins, CommentedMap):
                yield self._make_fault(document, "plugins", "plugins: a mapping of plugins is needed here")
                return
            for name in plugins:
                shown = f"plugin '{name}'"
                if not isinstance(name, str):
                    yield self._make_fault(plugins, name, f"{shown}: the name needs quotes, to be a string")
                elif not is_plugin_name(name):
                    yield self._make_fault(plugins, name, f"{shown}: this is not the name of a plugin")
                yield from self._check_entry(shown, plugins, name, ("version", "sha256"))

    def _check_section(self, name: str, document: CommentedMap) -> Iterator[Fault]:
        keys = ("version", "path", "sha256") if name == "core" else ("fingerprint", "url")
        yield from self._check_entry(name, document, name, keys)
        section = document[name]
        fingerprint = section.get("fingerprint", "") if isinstance(section, CommentedMap) else ""
        if name == "signing_key" and fingerprint and not _FINGERPRINT.fullmatch(str(fingerprint)):
            message = f"{name}.fingerprint: {fingerprint!r} is not a full fingerprint of 40 hex digits"
            yield self._make_fault(section, "fingerprint", message)

    def _check_requested(self, document: CommentedMap) -> Iterator[Fault]:
        names = document["requested"]
        if not isinstance(names, CommentedSeq):
            yield self._make_fault(document, "requested", "requested: a list of names of plugins is needed here")
            return
        for at, name in enumerate(names):
            line, column = names.lc.item(at)
            if not isinstance(name, str) or not is_plugin_name(name):
                yield Fault(str(self._path), line + 1, column + 1, f"requested: {name!r} is not the name of a plugin")
            elif name in names[:at]:
                yield Fault(str(self._path), line + 1, column + 1, f"requested: '{name}' is there twice")

    def _check_entry(self, shown: str, above: CommentedMap, name: Any, keys: tuple[str, ...]) -> Iterator[Fault]:
        entry = above[name]
        if not isinstance(entry, CommentedMap):
            yield self._make_fault(above, name, f"{shown}: a mapping with {' and '.join(keys)} is needed here")
            return
        yield from self._check_keys(entry, f"{shown}: ", keys, above.lc.key(name))
        separator = "." if shown in {"core", "signing_key"} else ": "
        for key, check in (
            ("version", _check_version),
            ("sha256", _check_checksum),
            ("path", _check_path),
            ("url", _check_text),
        ):
            if key in keys and key in entry and (message := check(entry[key])):
                yield self._make_fault(entry, key, f"{shown}{separator}{key}: {message}")

    def _check_keys(
        self,
        node: CommentedMap,
        shown: str,
        keys: tuple[str, ...],
        place: tuple[int, int],
        optional: tuple[str, ...] = (),
    ) -> Iterator[Fault]:
        """Missing keys, with `place` as their place, and unknown keys; `optional` keys may be left out."""
        for key in keys:
            if key not in node:
                yield Fault(str(self._path), place[0] + 1, place[1] + 1, f"{shown}the key '{key}' is missing")
        known = (*keys, *optional)
        for key in node:
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
                hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}"
                yield self._make_fault(node, key, f"{shown}unknown key '{key}'; {hint}")

    def _make_fault(self, node: CommentedMap, key: Any, message: str) -> Fault:
        line, column = node.lc.key(key)
        return Fault(str(self._path), line + 1, column + 1, message)


def _check_version(value: Any) -> str:
    if not isinstance(value, str):
        return f"{value!r} needs quotes, to be a string"
    return "" if is_version(value) else f"{value!r} is not a version of a core or a plugin"


def _check_checksum(value: Any) -> str:
    is_checksum = value is None or (isinstance(value, str) and _SHA256.fullmatch(value))
    return "" if is_checksum else f"{value!r} is not a SHA-256 of 64 lower-case hex digits"


def is_plugin_name(text: str) -> bool:
    """Whether a text can be the name of a plugin, which is a part of a URL and of a file's name."""
    return _PLUGIN.fullmatch(text) is not None


def _check_path(value: Any) -> str:
    """The path of the core below the URL of a site; `{version}` in it stands for the version."""
    if fault := _check_text(value):
        return fault
    if value.startswith("/") or not {"", ".", ".."}.isdisjoint(value.split("/")):
        return f"{value!r} is not a path below the URL of a site"
    return ""


def _check_text(value: Any) -> str:
    return "" if isinstance(value, str) and value else f"{value!r} is not a text"
