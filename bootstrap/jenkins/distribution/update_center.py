"""What the update center offers at this moment: the newest core and plugins, deprecated plugins, and security warnings.

Its file `update-center.actual.json` is signed like the list of plugin versions, and is a small part as large.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.jenkins.distribution.metadata import Metadata
from bootstrap.jenkins.distribution.releases import read_date


@dataclass(frozen=True)
class Offer:
    """The newest version of the core or of a plugin, and the one before it, each with its date if that is known."""

    version: str
    released: datetime.date | None = None
    previous: str = ""
    previous_released: datetime.date | None = None

    def find_date(self, version: str) -> datetime.date | None:
        """The date of a version, or None."""
        return {self.version: self.released, self.previous: self.previous_released}.get(version)


@dataclass(frozen=True)
class SecurityWarning:
    """A security warning about the core ('core') or a plugin; `patterns` match all versions that it is about."""

    id: str
    name: str
    message: str
    url: str
    patterns: tuple[str, ...]

    def is_about(self, version: str) -> bool:
        """Whether it is about this version. As in Jenkins, a warning without patterns is about all versions."""
        return not self.patterns or any(_matches(pattern, version) for pattern in self.patterns)

    def __str__(self) -> str:
        return f"{self.id}, {self.name}: {self.message} {self.url}".rstrip()


@dataclass(frozen=True)
class UpdateCenter:
    """All of it; `deprecated` has the reasons (addresses of pages) by the plugins."""

    core: Offer | None
    plugins: Mapping[str, Offer]
    deprecated: Mapping[str, str]
    warnings: tuple[SecurityWarning, ...]

    def find_warnings(self, core: str, plugins: Mapping[str, str]) -> list[SecurityWarning]:
        """The warnings about this core and these plugins."""
        versions = {**plugins, "core": core}
        return [each for each in self.warnings if each.name in versions and each.is_about(versions[each.name])]


def read(current: Metadata) -> UpdateCenter:
    """Read the document; entries of another form are left out."""
    core = current.content.get("core")
    deprecations = current.content.get("deprecations")
    deprecated = {
        name: str(entry.get("url", "")) if isinstance(entry, dict) else ""
        for name, entry in (deprecations.items() if isinstance(deprecations, dict) else ())
    }
    for name, entry in current.plugins.items():
        labels = entry.get("labels") if isinstance(entry, dict) else None
        if isinstance(labels, list) and "deprecated" in labels:
            deprecated.setdefault(name, "")
    return UpdateCenter(
        core=_read_core(core) if isinstance(core, dict) else None,
        plugins={name: offer for name, entry in current.plugins.items() if (offer := _read_plugin(entry)) is not None},
        deprecated=deprecated,
        warnings=tuple(_read_warnings(current.content.get("warnings"))),
    )


def _read_core(entry: Mapping[str, Any]) -> Offer | None:
    return Offer(entry["version"], read_date(entry.get("buildDate"))) if isinstance(entry.get("version"), str) else None


def _read_plugin(entry: Any) -> Offer | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("version"), str):
        return None
    released, previous = read_date(entry.get("releaseTimestamp")), entry.get("previousVersion")
    return Offer(
        entry["version"],
        released or read_date(entry.get("buildDate")),
        previous if isinstance(previous, str) else "",
        read_date(entry.get("previousTimestamp")),
    )


def _read_warnings(entries: Any) -> Iterator[SecurityWarning]:
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        name = "core" if entry.get("type") == "core" else str(entry.get("name"))
        ranges = entry.get("versions")
        patterns = [str(each.get("pattern")) for each in ranges or [] if isinstance(each, dict)]
        yield SecurityWarning(
            str(entry.get("id")), name, str(entry.get("message")), str(entry.get("url", "")), tuple(patterns)
        )


def _matches(pattern: str, version: str) -> bool:
    """Whether a pattern matches a whole version; as in Jenkins, a pattern that cannot be read matches every version."""
    try:
        return re.fullmatch(pattern, version) is not None
    except re.error:
        return True
