"""Lists what `jenkins lock` changes: in the lock, and in the table of needs beside it."""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap import wording
from bootstrap.jenkins.distribution.lock import Lock
from bootstrap.jenkins.distribution.needs import Table
from bootstrap.jenkins.distribution.releases import Release
from bootstrap.jenkins.distribution.solve import Solution
from bootstrap.values import Change, ChangeKind

_MOST_NAMED = 8


def list_changes(lock: Lock, fulfilled: Lock, requested: Sequence[str], solution: Solution) -> list[Change]:
    """What differs between the lock and what it will be."""
    changes = [_make_change(ChangeKind.ADD, f"requested: {name}") for name in requested if name not in lock.requested]
    changes += [
        _make_change(ChangeKind.REMOVE, f"requested: {name}") for name in lock.requested if name not in requested
    ]
    for name, release in solution.releases.items():
        pin = lock.pins.get(name)
        by = f"{solution.required_by[name]} requires it" if name in solution.required_by else "requested"
        if pin is None:
            changes.append(_make_change(ChangeKind.ADD, name, f"{release.version}, {by}"))
        elif pin.version != release.version:
            reason = f": {solution.raised[name]}" if name in solution.raised else ""
            changes.append(_make_change(ChangeKind.ALTER, name, f"{pin.version} -> {release.version}{reason}"))
    changes += [
        _make_change(ChangeKind.REMOVE, name, f"{pin.version}, nothing requires it")
        for name, pin in lock.pins.items()
        if name not in fulfilled.pins
    ]
    proved = [
        name
        for name, pin in lock.pins.items()
        if pin.sha256 is None and name in fulfilled.pins and fulfilled.pins[name].version == pin.version
    ]
    if proved:
        changes.append(_make_change(ChangeKind.ALTER, "checksums", f"of {wording.count_noun(len(proved), 'plugin')}"))
    if lock.version != fulfilled.version:
        changes.append(_make_change(ChangeKind.ALTER, "core", f"{lock.version} -> {fulfilled.version}"))
    if lock.core.sha256 != fulfilled.core.sha256:
        changes.append(
            _make_change(ChangeKind.ALTER, "checksum", f"of Jenkins {fulfilled.version}: {fulfilled.core.sha256}")
        )
    return changes


def list_rows(lock: Lock, table: Table, solution: Solution) -> list[Change]:
    """The rows of the table of needs that change although their plugins stay as the lock has them.

    A row can be missing, about another version, or left over, where a person or a merge changed one of the two files alone.
    """
    altered = [
        name
        for name, release in solution.releases.items()
        if (pin := lock.pins.get(name)) is not None
        and pin.version == release.version
        and not _is_row_of(table, name, release)
    ]
    left_over = [name for name in table.rows if name not in lock.pins and name not in solution.releases]
    return [
        _make_change(kind, table.path.name, f"the rows of {_name_some(names)}")
        for kind, names in ((ChangeKind.ALTER, altered), (ChangeKind.REMOVE, left_over))
        if names
    ]


def _is_row_of(table: Table, name: str, release: Release) -> bool:
    """Whether the table has a row about this release that says what the release needs, with its record."""
    row = table.rows.get(name)
    if row is None or not row.is_recorded:
        return False
    return (row.version, row.least_core, row.needs) == (release.version, release.core, release.needs)


def _name_some(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _make_change(kind: ChangeKind, name: str, detail: str = "") -> Change:
    return Change("lock", kind, name, detail)
