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
from bootstrap.jenkins.distribution.versions import LONGEST

OLD_DAYS = 30  # the update center publishes an offer every few minutes
_LONGEST_PATTERN = 1000  # characters


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
    """All of it; `deprecated` has the reasons (addresses of pages) by the plugins.

    `dated` is the day on which it was made, as far as it says that: the signature of an old one is as good as that of today's.
    """

    core: Offer | None
    plugins: Mapping[str, Offer]
    deprecated: Mapping[str, str]
    warnings: tuple[SecurityWarning, ...]
    dated: datetime.date | None = None

    def describe_staleness(self, today: datetime.date) -> str:
        """Why it may lack recent successors and security warnings; '' if it is recent."""
        if self.dated is None:
            return "it does not say when it was made"
        days = (today - self.dated).days
        if days <= OLD_DAYS:
            return ""
        return f"it is {days} days old, so it lacks later successors and security warnings"

    def find_warnings(self, core: str, plugins: Mapping[str, str]) -> list[SecurityWarning]:
        """The warnings about this core and these plugins. Only for an offer that is proved: it runs the patterns in it."""
        versions = {**plugins, "core": core}
        return [each for each in self.warnings if each.name in versions and each.is_about(versions[each.name])]


def read(current: Metadata) -> UpdateCenter:
    """Read the document; entries of another form are left out."""
    core = current.content.get("core")
    deprecations = current.content.get("deprecations")
    deprecated = {
        name: _read_text(entry, "url") if isinstance(entry, dict) else ""
        for name, entry in (deprecations.items() if isinstance(deprecations, dict) else ())
    }
    for name, entry in current.plugins.items():
        labels = entry.get("labels") if isinstance(entry, dict) else None
        if isinstance(labels, list) and "deprecated" in labels:
            deprecated.setdefault(name, "")
    newest = _read_core(core) if isinstance(core, dict) else None
    plugins = {name: offer for name, entry in current.plugins.items() if (offer := _read_plugin(entry)) is not None}
    released = [each.released for each in (newest, *plugins.values()) if each is not None and each.released is not None]
    return UpdateCenter(
        core=newest,
        plugins=plugins,
        deprecated=deprecated,
        warnings=tuple(_read_warnings(current.content.get("warnings"))),
        dated=read_date(current.content.get("generationTimestamp")) or max(released, default=None),
    )


def _read_core(entry: Mapping[str, Any]) -> Offer | None:
    version = _read_version(entry, "version")
    return Offer(version, read_date(entry.get("buildDate"))) if version else None


def _read_plugin(entry: Any) -> Offer | None:
    version = _read_version(entry, "version") if isinstance(entry, dict) else ""
    if not version:
        return None
    released = read_date(entry.get("releaseTimestamp")) or read_date(entry.get("buildDate"))
    return Offer(version, released, _read_version(entry, "previousVersion"), read_date(entry.get("previousTimestamp")))


def _read_version(entry: Mapping[str, Any], key: str) -> str:
    version = _read_text(entry, key)
    return version if len(version) <= LONGEST else ""


def _read_text(entry: Mapping[str, Any], key: str) -> str:
    """A string of the document; '' if it is missing or something else."""
    text = entry.get(key)
    return text if isinstance(text, str) else ""


def _read_warnings(entries: Any) -> Iterator[SecurityWarning]:
    """The warnings; one whose versions have another form is about all versions, as one without patterns."""
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        ranges = entry.get("versions")
        patterns = [
            each["pattern"]
            for each in (ranges if isinstance(ranges, list) else [])
            if isinstance(each, dict) and isinstance(each.get("pattern"), str)
        ]
        yield SecurityWarning(
            id=_read_text(entry, "id"),
            name="core" if entry.get("type") == "core" else _read_text(entry, "name"),
            message=_read_text(entry, "message"),
            url=_read_text(entry, "url"),
            patterns=tuple(patterns),
        )


def _matches(pattern: str, version: str) -> bool:
    """Whether a pattern matches a whole version.

    As in Jenkins, a pattern that cannot be read matches every version; here also one that is too long.
    """
    if len(pattern) > _LONGEST_PATTERN:
        return True
    try:
        return re.fullmatch(pattern, version) is not None
    except (re.error, OverflowError, RecursionError):
        return True
