"""Solves a request for plugins to a closed set of releases, with the fewest changes of the versions that are locked.

A version that is locked stays unless a plugin requires a higher one; then the lowest version that is high enough takes its
place. A plugin that is new gets the newest version that requires no change of a locked one, if there is such a version, else
the newest for the core. Versions only rise, so this ends.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bootstrap.jenkins.distribution.releases import Release, Releases
from bootstrap.jenkins.distribution.versions import is_older


@dataclass(frozen=True)
class Wish:
    """What is asked for: plugins, the versions that are locked, versions that a person names, and plugins to upgrade."""

    core: str
    requested: Sequence[str]
    locked: Mapping[str, str]
    exact: Mapping[str, str] = field(default_factory=dict)
    upgrades: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Need:
    """A plugin is required, in a least version, by a release."""

    name: str
    least: str
    by: str

    def __str__(self) -> str:
        return f"{self.by} requires {self.name} {self.least}"


@dataclass(frozen=True)
class Solution:
    """The releases by their plugins; for each that nobody requested, who requires it; and for each raised one, the reason."""

    releases: Mapping[str, Release]
    required_by: Mapping[str, str]
    raised: Mapping[str, Need]


class Unsolvable(Exception):
    """There is no such set; `faults` say why."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("; ".join(faults))
        self.faults = tuple(faults)


def solve(releases: Releases, wish: Wish) -> Solution:
    """The set of releases. Raises Unsolvable with all faults."""
    try:
        return _Solver(releases, wish, spares_locked=True).solve()
    except Unsolvable as error:
        try:  # a new plugin in a version that changes no locked one can require what nobody has
            return _Solver(releases, wish, spares_locked=False).solve()
        except Unsolvable:
            raise error from None


class _Solver:
    """One attempt; with `spares_locked`, a new plugin gets a version that changes no locked one, if there is such a version."""

    def __init__(self, releases: Releases, wish: Wish, *, spares_locked: bool) -> None:
        self._releases = releases
        self._wish = wish
        self._spares_locked = spares_locked
        self._versions = {**wish.locked, **wish.exact}
        self._raised: dict[str, Need] = {}
        self._faults: dict[str, None] = {}  # in their order, each once

    def solve(self) -> Solution:
        for name in sorted(self._wish.upgrades - self._wish.exact.keys()):
            self._upgrade(name)
        while True:
            chosen, required_by = self._close()
            unmet = list(_find_unmet(chosen))
            if not unmet or self._faults:
                break
            for need in unmet:
                self._raise_version(need)
        for release in chosen.values():
            self._check_core(release)
        if self._faults:
            raise Unsolvable(list(self._faults))
        raised = {name: need for name, need in self._raised.items() if name in chosen}
        return Solution(chosen, required_by, raised)

    def _close(self) -> tuple[dict[str, Release], dict[str, str]]:
        """The requested plugins and all that they require, in the versions of this moment; and who required which first."""
        chosen: dict[str, Release] = {}
        required_by: dict[str, str] = {}
        waiting: list[Need] = [Need(name, "", "") for name in self._wish.requested]
        while waiting:
            need = waiting.pop(0)
            if need.name in chosen:
                continue
            release = self._choose(need)
            if release is None:
                continue
            chosen[need.name] = release
            if need.by:
                required_by[need.name] = need.by
            waiting += [Need(name, least, release.shown) for name, least in release.needs.items()]
        return chosen, required_by

    def _choose(self, need: Need) -> Release | None:
        """The release of a plugin in the version of this moment; a plugin without one gets it here."""
        reason = f" ({need})" if need.by else ""
        if not self._releases.list_releases(need.name):
            near = difflib.get_close_matches(need.name, self._releases.names, n=1, cutoff=0.6)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            self._add_fault(f"the update center has no plugin '{need.name}'{reason}{hint}")
            return None
        version = self._versions.get(need.name)
        if version is None:
            candidates = self._list_for_core(need)
            if not candidates:
                return None
            chosen = next((each for each in candidates if self._is_preferred(each)), candidates[0])
            self._versions[need.name] = chosen.version
            return chosen
        release = self._releases.find(need.name, version)
        if release is None:
            newest = next(iter(self._releases.list_releases(need.name)))
            self._add_fault(f"the update center has no {need.name} {version}{reason}; its newest version is {newest}")
        return release

    def _list_for_core(self, need: Need) -> list[Release]:
        """The releases that are high enough and run on the core, the newest one first; none is a fault."""
        high_enough = [
            release
            for release in self._releases.list_releases(need.name).values()
            if not (need.least and is_older(release.version, need.least))
        ]
        fitting = [release for release in high_enough if not is_older(self._wish.core, release.core)]
        if not fitting:
            reason = f"{need}: " if need.by else ""
            fault = "the update center has no such version"
            if high_enough:
                last = high_enough[-1]
                fault = f"{last.shown} needs Jenkins {last.core}, the lock has {self._wish.core}"
            self._add_fault(f"{reason}{fault}")
        return fitting

    def _is_preferred(self, release: Release) -> bool:
        """Whether all that this release requires is high enough already, or new."""
        return not self._spares_locked or not any(
            name in self._versions and is_older(self._versions[name], least) for name, least in release.needs.items()
        )

    def _upgrade(self, name: str) -> None:
        """Take the newest release for the core, if it is newer than the locked one."""
        newest = next(iter(self._releases.list_for_core(name, self._wish.core)), None)
        if newest is not None and (name not in self._versions or is_older(self._versions[name], newest.version)):
            self._versions[name] = newest.version

    def _raise_version(self, need: Need) -> None:
        """Take the lowest release that is high enough."""
        if not is_older(self._versions[need.name], need.least):
            return  # another need raised it in this round
        if need.name in self._wish.exact:
            self._add_fault(f"{need}, and version {self._wish.exact[need.name]} of it was asked for")
            return
        fitting = self._list_for_core(need)
        if fitting:
            self._versions[need.name] = fitting[-1].version
            self._raised[need.name] = need

    def _check_core(self, release: Release) -> None:
        if not is_older(self._wish.core, release.core):
            return
        newest = next(iter(self._releases.list_for_core(release.name, self._wish.core)), None)
        hint = f"; its newest version for that is {newest.version}" if newest else "; no version of it is for that"
        self._add_fault(f"{release.shown} needs Jenkins {release.core}, the lock has {self._wish.core}{hint}")

    def _add_fault(self, fault: str) -> None:
        self._faults[fault] = None


def _find_unmet(chosen: Mapping[str, Release]) -> Iterator[Need]:
    """What the chosen releases require of each other and do not get."""
    for release in chosen.values():
        for name, least in (*release.needs.items(), *release.optional.items()):
            if name in chosen and is_older(chosen[name].version, least):
                yield Need(name, least, release.shown)
