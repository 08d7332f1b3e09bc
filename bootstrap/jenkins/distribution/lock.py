"""Reads `jenkins.lock.yaml`, the exact versions and checksums of the distribution, and writes proved checksums into it."""

from __future__ import annotations

import difflib
import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from bootstrap.environment import yaml_source
from bootstrap.errors import DistributionFailed, Fault
from bootstrap.jenkins.distribution.versions import is_version

_SHA256 = re.compile(r"[0-9a-f]{64}")
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
    `pins` are the plugins by name.
    """

    path: Path
    core: Pin
    core_path: str
    fingerprint: str
    key_url: str
    pins: Mapping[str, Pin]

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
    try:
        document, faults = yaml_source.mapping(str(path), yaml_source.text(path))
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
    )


def _read_pin(entry: CommentedMap) -> Pin:
    line, column = entry.lc.key("version")
    return Pin(entry["version"], entry["sha256"], (line + 1, column + 1))


class _Checker:
    """Finds the faults in a lock; messages name the entry: core, signing_key, plugin 'git'."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def find_faults(self, document: CommentedMap) -> Iterator[Fault]:
        """All faults, section by section."""
        yield from self._check_keys(document, "", ("core", "signing_key", "plugins"), (0, 0))
        for name in ("core", "signing_key"):
            if name in document:
                yield from self._check_section(name, document)
        if "plugins" in document:
            plugins = document["plugins"]
            if not isinstance(plugins, CommentedMap):
                yield self._make_fault(document, "plugins", "plugins: a mapping of plugins is needed here")
                return
            for name in plugins:
                shown = f"plugin '{name}'"
                if not isinstance(name, str):
                    yield self._make_fault(plugins, name, f"{shown}: the name needs quotes, to be a string")
                yield from self._check_entry(shown, plugins, name, ("version", "sha256"))

    def _check_section(self, name: str, document: CommentedMap) -> Iterator[Fault]:
        keys = ("version", "path", "sha256") if name == "core" else ("fingerprint", "url")
        yield from self._check_entry(name, document, name, keys)
        section = document[name]
        fingerprint = section.get("fingerprint", "") if isinstance(section, CommentedMap) else ""
        if name == "signing_key" and fingerprint and not _FINGERPRINT.fullmatch(str(fingerprint)):
            message = f"{name}.fingerprint: {fingerprint!r} is not a full fingerprint of 40 hex digits"
            yield self._make_fault(section, "fingerprint", message)

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
            ("path", _check_text),
            ("url", _check_text),
        ):
            if key in keys and key in entry and (message := check(entry[key])):
                yield self._make_fault(entry, key, f"{shown}{separator}{key}: {message}")

    def _check_keys(
        self, node: CommentedMap, shown: str, keys: tuple[str, ...], place: tuple[int, int]
    ) -> Iterator[Fault]:
        """Missing keys, with `place` as their place, and unknown keys."""
        for key in keys:
            if key not in node:
                yield Fault(str(self._path), place[0] + 1, place[1] + 1, f"{shown}the key '{key}' is missing")
        for key in node:
            if key not in keys:
                near = difflib.get_close_matches(str(key), keys, n=1, cutoff=0.6)
                hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(keys)}"
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


def _check_text(value: Any) -> str:
    return "" if isinstance(value, str) and value else f"{value!r} is not a text"


def record_checksums(path: Path, core: str | None, plugins: Mapping[str, str]) -> None:
    """Write the SHA-256 of the core and of plugins into the lock, if it has none for them.

    Existing checksums are not replaced, comments and order are kept, and the file is replaced in one step.
    """
    yaml = YAML(typ="rt")
    yaml.width = 4096  # never fold a line that a person wrote
    yaml.preserve_quotes = True
    # By default, null is written as an empty value, which looks like a forgotten one.
    yaml.representer.add_representer(
        type(None), lambda representer, _: representer.represent_scalar("tag:yaml.org,2002:null", "null")
    )
    document = yaml.load(path.read_text(encoding="utf-8"))
    if core is not None and document["core"]["sha256"] is None:
        document["core"]["sha256"] = core
    for name, sha256 in plugins.items():
        if document["plugins"][name]["sha256"] is None:
            document["plugins"][name]["sha256"] = sha256
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            yaml.dump(document, file)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(path.stat().st_mode & 0o777)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
