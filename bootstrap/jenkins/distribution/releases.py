"""The releases of plugins, as the update center's list of plugin versions has them.

An entry of the list without a version, a checksum or a least core is no release: nothing can be proved or solved with it.
"""

from __future__ import annotations

import datetime
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bootstrap.jenkins.distribution.lock import is_plugin_name
from bootstrap.jenkins.distribution.metadata import Metadata
from bootstrap.jenkins.distribution.needs import Needs
from bootstrap.jenkins.distribution.versions import is_older, is_version


@dataclass(frozen=True)
class Release:
    """One version of a plugin.

    `core` is the oldest core that it supports. `needs` has the plugins that it requires, with their least versions. `optional`
    has those that it can use: if Jenkins has one of them, it must have that version at least.
    """

    name: str
    version: str
    core: str
    needs: Mapping[str, str]
    optional: Mapping[str, str]
    sha256: str
    released: datetime.date | None = None

    @property
    def shown(self) -> str:
        """Name and version, as messages have them."""
        return f"{self.name} {self.version}"

    @property
    def row(self) -> Needs:
        """What it needs, as a row of the table of needs has it."""
        return Needs(self.version, self.core, self.needs)


class Releases:
    """All releases of a list."""

    def __init__(self, listed: Metadata) -> None:
        self._listed = listed
        self._read_already: dict[str, dict[str, Release]] = {}

    @property
    def names(self) -> list[str]:
        """The names of all plugins."""
        return list(self._listed.plugins)

    def find(self, name: str, version: str) -> Release | None:
        """This release, or None."""
        return self.list_releases(name).get(version)

    def list_releases(self, name: str) -> dict[str, Release]:
        """The releases of a plugin by their versions, the newest one first."""
        if name not in self._read_already:
            self._read_already[name] = self._read_releases(name)
        return self._read_already[name]

    def _read_releases(self, name: str) -> dict[str, Release]:
        entries = self._listed.plugins.get(name)
        if not isinstance(entries, dict):
            return {}
        releases = [
            release for version, entry in entries.items() if (release := self._read(name, version, entry)) is not None
        ]
        releases.sort(key=functools.cmp_to_key(_compare), reverse=True)
        return {release.version: release for release in releases}

    def list_for_core(self, name: str, core: str) -> list[Release]:
        """The releases of a plugin that run on this core, the newest one first."""
        return [release for release in self.list_releases(name).values() if not is_older(core, release.core)]

    def _read(self, name: str, version: str, entry: Any) -> Release | None:
        sha256 = self._listed.find_checksum(name, version)
        if sha256 is None or not is_version(version) or not isinstance(entry.get("requiredCore"), str):
            return None
        needs: dict[str, str] = {}
        optional: dict[str, str] = {}
        dependencies = entry.get("dependencies", [])
        for each in dependencies if isinstance(dependencies, list) else []:
            name_of_need = str(each.get("name")) if isinstance(each, dict) else ""
            if is_plugin_name(name_of_need) and is_version(str(each.get("version"))):
                (optional if each.get("optional") else needs)[name_of_need] = str(each["version"])
        return Release(
            name, version, entry["requiredCore"], needs, optional, sha256, read_date(entry.get("releaseTimestamp"))
        )


def _compare(one: Release, other: Release) -> int:
    return -1 if is_older(one.version, other.version) else int(is_older(other.version, one.version))


def read_date(text: Any) -> datetime.date | None:
    """The date of one of the two forms that the update center writes: 2026-08-05T10:11:12.00Z, or Aug 05, 2026."""
    if not isinstance(text, str):
        return None
    for form, length in (("%Y-%m-%d", 10), ("%b %d, %Y", 12)):
        try:
            return datetime.datetime.strptime(text[:length], form).date()
        except ValueError:
            continue
    return None
