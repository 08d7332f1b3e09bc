"""`jenkins.lock.yaml`: the exact distribution, as a person decided it and as the tool proved it."""

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
    """A version, and the SHA-256 (hex) of its file where that is known; `place` is the version's line and column."""

    version: str
    sha256: str | None
    place: tuple[int, int] = field(default=(1, 1), compare=False)


@dataclass(frozen=True)
class Lock:
    """What the lock holds; `core_path` lies below a site's base URL, `key_url` names the official place of the key."""

    path: Path
    core: Pin
    core_path: str
    fingerprint: str
    key_url: str
    pins: Mapping[str, Pin]

    @property
    def version(self) -> str:
        """The version of Jenkins itself."""
        return self.core.version

    @property
    def plugins(self) -> dict[str, str]:
        """Every plugin's version."""
        return {name: pin.version for name, pin in self.pins.items()}

    @property
    def without_sum(self) -> tuple[str, ...]:
        """The plugins whose files nothing in the lock proves."""
        return tuple(name for name, pin in self.pins.items() if pin.sha256 is None)


def load_lock(path: Path) -> Lock:
    """Read the lock, or raise DistributionFailed with everything that is wrong in it, each with its line and column."""
    try:
        document, faults = yaml_source.mapping(str(path), yaml_source.text(path))
    except yaml_source.Unreadable as error:
        document, faults = CommentedMap(), [Fault(str(path), error.line, 1, str(error))]
    faults = faults or list(_Judge(path).faults(document))
    if faults:
        found = "\n".join(str(fault) for fault in sorted(faults, key=lambda each: (each.line, each.column)))
        raise DistributionFailed(f"reading {path}", found, _REMEDY)
    core, key = document["core"], document["signing_key"]
    pin = _pin(core)
    return Lock(
        path=path,
        core=pin,
        core_path=str(core["path"]).replace("{version}", pin.version),
        fingerprint=str(key["fingerprint"]),
        key_url=str(key["url"]),
        pins={name: _pin(entry) for name, entry in document["plugins"].items()},
    )


def _pin(entry: CommentedMap) -> Pin:
    line, column = entry.lc.key("version")
    return Pin(entry["version"], entry["sha256"], (line + 1, column + 1))


class _Judge:
    """Finds what is wrong in a lock; a place in it is named as people speak of it: core, signing_key, plugin 'git'."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def faults(self, document: CommentedMap) -> Iterator[Fault]:
        """Every fault, section by section."""
        yield from self._keys(document, "", ("core", "signing_key", "plugins"), (0, 0))
        for name in ("core", "signing_key"):
            if name in document:
                yield from self._section(name, document)
        if "plugins" in document:
            plugins = document["plugins"]
            if not isinstance(plugins, CommentedMap):
                yield self._at(document, "plugins", "plugins: a mapping of plugins is needed here")
                return
            for name in plugins:
                shown = f"plugin '{name}'"
                if not isinstance(name, str):
                    yield self._at(plugins, name, f"{shown}: the name needs quotes, to be a string")
                yield from self._entry(shown, plugins, name, ("version", "sha256"))

    def _section(self, name: str, document: CommentedMap) -> Iterator[Fault]:
        keys = ("version", "path", "sha256") if name == "core" else ("fingerprint", "url")
        yield from self._entry(name, document, name, keys)
        section = document[name]
        fingerprint = section.get("fingerprint", "") if isinstance(section, CommentedMap) else ""
        if name == "signing_key" and fingerprint and not _FINGERPRINT.fullmatch(str(fingerprint)):
            message = f"{name}.fingerprint: {fingerprint!r} is not a full fingerprint of 40 hex digits"
            yield self._at(section, "fingerprint", message)

    def _entry(self, shown: str, above: CommentedMap, name: Any, keys: tuple[str, ...]) -> Iterator[Fault]:
        entry = above[name]
        if not isinstance(entry, CommentedMap):
            yield self._at(above, name, f"{shown}: a mapping with {' and '.join(keys)} is needed here")
            return
        yield from self._keys(entry, f"{shown}: ", keys, above.lc.key(name))
        separator = "." if shown in {"core", "signing_key"} else ": "
        for key, judge in (("version", _of_version), ("sha256", _of_sum), ("path", _of_text), ("url", _of_text)):
            if key in keys and key in entry and (message := judge(entry[key])):
                yield self._at(entry, key, f"{shown}{separator}{key}: {message}")

    def _keys(self, node: CommentedMap, shown: str, keys: tuple[str, ...], place: tuple[int, int]) -> Iterator[Fault]:
        """Keys that are missing, told at `place`, and those that nobody reads."""
        for key in keys:
            if key not in node:
                yield Fault(str(self._path), place[0] + 1, place[1] + 1, f"{shown}the key '{key}' is missing")
        for key in node:
            if key not in keys:
                near = difflib.get_close_matches(str(key), keys, n=1, cutoff=0.6)
                hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(keys)}"
                yield self._at(node, key, f"{shown}unknown key '{key}'; {hint}")

    def _at(self, node: CommentedMap, key: Any, message: str) -> Fault:
        line, column = node.lc.key(key)
        return Fault(str(self._path), line + 1, column + 1, message)


def _of_version(value: Any) -> str:
    if not isinstance(value, str):
        return f"{value!r} needs quotes, to be a string"
    return "" if is_version(value) else f"{value!r} is not a version of a core or a plugin"


def _of_sum(value: Any) -> str:
    is_sum = value is None or (isinstance(value, str) and _SHA256.fullmatch(value))
    return "" if is_sum else f"{value!r} is not a SHA-256 of 64 lower-case hex digits"


def _of_text(value: Any) -> str:
    return "" if isinstance(value, str) and value else f"{value!r} is not a text"


def record(path: Path, core: str | None, plugins: Mapping[str, str]) -> None:
    """Write proved sums where the lock holds none: in one step, comments and order kept, known sums never replaced."""
    yaml = YAML(typ="rt")
    yaml.width = 4096  # never fold a line that a person wrote
    yaml.preserve_quotes = True
    # PyYAML's way of writing null is nothing at all, which reads like a forgotten value.
    yaml.representer.add_representer(type(None), lambda it, _: it.represent_scalar("tag:yaml.org,2002:null", "null"))
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
