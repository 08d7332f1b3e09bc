"""`jenkins.lock.yaml`: the exact distribution, as a person decided it and as the tool proved it."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from bootstrap.environment import yaml_source
from bootstrap.errors import DistributionFailed
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
    """Read the lock, or raise DistributionFailed with the first thing that is wrong in it, and its line and column."""
    document: Any = None
    try:
        document = _load(path)
        core, key = document["core"], document["signing_key"]
        pin = _pin("core", core)
        fingerprint = str(key["fingerprint"])
        if not _FINGERPRINT.fullmatch(fingerprint):
            raise ValueError(f"signing_key.fingerprint: {fingerprint!r} is not a full fingerprint of 40 hex digits")
        return Lock(
            path=path,
            core=pin,
            core_path=str(core["path"]).replace("{version}", pin.version),
            fingerprint=fingerprint,
            key_url=str(key["url"]),
            pins={str(name): _pin(f"plugins.{name}", entry) for name, entry in document["plugins"].items()},
        )
    except yaml_source.Unreadable as error:
        raise DistributionFailed(f"reading {path}", f"{path}:{error.line}:1: {error}", _REMEDY) from error
    except KeyError as error:
        found = f"{_place(path, document, '')}: the key {error} is missing"
        raise DistributionFailed(f"reading {path}", found, _REMEDY) from error
    except (ValueError, TypeError, AttributeError) as error:
        found = f"{_place(path, document, str(error).partition(':')[0])}: {error}"
        raise DistributionFailed(f"reading {path}", found, _REMEDY) from error


def _place(path: Path, document: Any, key: str) -> str:
    """The file with the line and column of a dotted key, as far as it leads."""
    line, column, node = 0, 0, document
    for part in key.split("."):
        if not isinstance(node, CommentedMap) or part not in node:
            break
        line, column = node.lc.key(part)
        node = node[part]
    return f"{path}:{line + 1}:{column + 1}"


def _load(path: Path) -> Any:
    document, faults = yaml_source.mapping(str(path), yaml_source.text(path))
    if faults:
        raise DistributionFailed(f"reading {path}", str(faults[0]), _REMEDY)
    return document


def _pin(where: str, entry: Mapping[str, Any]) -> Pin:
    version, sha256 = entry["version"], entry["sha256"]
    if not isinstance(version, str):
        raise TypeError(f"{where}.version: {version!r} needs quotes, to be a string")
    if not is_version(version):
        raise ValueError(f"{where}.version: {version!r} is not a version of a core or a plugin")
    if sha256 is not None and not (isinstance(sha256, str) and _SHA256.fullmatch(sha256)):
        raise ValueError(f"{where}.sha256: {sha256!r} is not a SHA-256 of 64 lower-case hex digits")
    line, column = entry.lc.key("version") if isinstance(entry, CommentedMap) else (0, 0)
    return Pin(version, sha256, (line + 1, column + 1))


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
