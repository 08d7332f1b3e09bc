"""Whether the lock is a set that starts: by a table of what each plugin needs, which lies beside it.

A Jenkins whose plugins lack one that they need does not come up, and says so only when its machine stands. The table says it
before: which plugins each plugin cannot do without, from which version on, and the least core. A row is about one version.

A row is known to be true if it has a record, a short digest of its content. The toolkit writes a record with what it read from
signed metadata or from the manifest of a proved file. Without a network, a plugin of the lock that has no such row cannot be
judged: nobody here knows whether this version exists. That is no fault, but it is never a good result either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedMap

from bootstrap.environment import yaml_source
from bootstrap.errors import DistributionFailed, Fault
from bootstrap.jenkins.distribution.lock import Lock
from bootstrap.jenkins.distribution.versions import is_older, is_version

NAME = "jenkins.needs.yaml"
COMMAND = "jenkins lock"
_KEYS = {"version", "least_core", "read_at", "needs", "recorded"}
_READING = "Correct the table; its comments explain it."
_REMEDY = (
    f"Run '{COMMAND}' where the update center can be reached. Or correct jenkins.lock.yaml and {NAME}: add what is "
    "missing, raise what is too old, remove what is left over."
)
_MOST_NAMED = 5


@dataclass(frozen=True)
class Needs:
    """What one version of a plugin needs: plugins with their least versions, None where that is not known; the least core."""

    version: str
    least_core: str | None
    needs: Mapping[str, str | None]


@dataclass(frozen=True)
class Row(Needs):
    """A row of the table; `is_recorded` says whether its record is that of its content."""

    place: tuple[int, int]
    is_recorded: bool = True


@dataclass(frozen=True)
class Table:
    """The rows by their plugins, the file that they are from, and its text when it was read."""

    path: Path
    rows: Mapping[str, Row]
    text: str = field(default="", compare=False, repr=False)


def load_table(path: Path) -> Table:
    """Read the table, or raise DistributionFailed with everything that is wrong in it, by line and column."""
    text = ""
    try:
        text = yaml_source.read_text(path)
        document, faults = yaml_source.parse_mapping(str(path), text)
    except yaml_source.Unreadable as error:
        document, faults = CommentedMap(), [Fault(str(path), error.line, 1, str(error))]
    faults = faults or list(_find_misshapen_rows(path, document))
    if faults:
        raise DistributionFailed(f"reading {path}", _format_faults(faults), _READING)
    rows = {name: _parse_row(name, row, document.lc.key(name)) for name, row in document.items()}
    return Table(path, rows, text)


def _parse_row(name: str, row: CommentedMap, place: tuple[int, int]) -> Row:
    read = Needs(row["version"], row.get("least_core"), dict(row["needs"]))
    is_recorded = row.get("recorded") == compute_record(name, read)
    return Row(read.version, read.least_core, read.needs, (place[0] + 1, place[1] + 1), is_recorded)


def compute_record(name: str, needs: Needs) -> str:
    """The record of a row: a digest of its content, by which a row that somebody edited is recognized."""
    content = [name, needs.version, needs.least_core, sorted(needs.needs.items())]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]


def _find_misshapen_rows(path: Path, document: CommentedMap) -> Iterator[Fault]:
    """What is no row, or no part of one."""
    for name, row in document.items():
        if not isinstance(row, CommentedMap) or not isinstance(row.get("needs"), CommentedMap) or "version" not in row:
            yield _make_fault_at(path, document, name, f"{name}: a row has the keys 'version' and 'needs', a mapping")
            continue
        for key in row:
            if key not in _KEYS:
                yield _make_fault_at(path, row, key, f"{name}.{key}: unknown key; a row has {', '.join(sorted(_KEYS))}")
        for key in ("version", "least_core"):
            if key in row and not _is_version(row[key]):
                yield _make_fault_at(path, row, key, f"{name}.{key}: {row[key]!r} is not a version in quotes")
        for needed, least in row["needs"].items():
            if least is not None and not _is_version(least):
                yield _make_fault_at(
                    path, row["needs"], needed, f"{name}.needs.{needed}: {least!r} is not a version in quotes"
                )


def _is_version(value: Any) -> bool:
    return isinstance(value, str) and is_version(value)


def _make_fault_at(path: Path, node: CommentedMap, key: Any, message: str) -> Fault:
    line, column = node.lc.key(key)
    return Fault(str(path), line + 1, column + 1, message)


def check(lock: Lock, table: Table) -> None:
    """Return when the lock is closed under what its plugins need, each new enough; DistributionFailed with every fault."""
    faults = sorted(find_faults(lock, table), key=lambda it: (it.file, it.line, it.column, it.message))
    if faults:
        doing = f"checking whether the {len(lock.pins)} plugins of {lock.path.name} have all their dependencies"
        raise DistributionFailed(doing, _format_faults(faults), _REMEDY)


def find_faults(lock: Lock, table: Table) -> Iterator[Fault]:
    """Everything for which Jenkins would not start with this lock, as far as the table has its versions."""
    for name, place in lock.requested.items():
        if name not in lock.pins:
            yield _make_fault(lock, place, f"{name} is requested, and 'plugins' does not have it")
    for name, pin in lock.pins.items():
        row = table.rows.get(name)
        if row is not None and row.version == pin.version:
            yield from _find_unmet(lock, name, row)
    for name, row in table.rows.items():
        if name not in lock.pins:
            found = f"{name} {row.version}: the lock does not have this plugin: remove the row"
            yield Fault(str(table.path), *row.place, found)


def find_unjudged(lock: Lock, table: Table) -> dict[str, str]:
    """The plugins of the lock that cannot be judged by the table, each with the reason."""
    unjudged = {}
    for name, pin in lock.pins.items():
        row = table.rows.get(name)
        if row is None:
            unjudged[name] = f"{table.path.name} does not have it"
        elif row.version != pin.version:
            unjudged[name] = f"{table.path.name}:{row.place[0]} is about {row.version}"
        elif not row.is_recorded:
            unjudged[name] = f"its row in {table.path.name}:{row.place[0]} was written by hand"
    return unjudged


def describe_unjudged(lock: Lock, unjudged: Mapping[str, str]) -> str:
    """A sentence about the plugins that cannot be judged yet; '' if there are none."""
    if not unjudged:
        return ""
    named = [f"{name} {lock.pins[name].version} ({reason})" for name, reason in list(unjudged.items())[:_MOST_NAMED]]
    more = len(unjudged) - len(named)
    listed = ", ".join(named) + (f" and {more} more" if more else "")
    return (
        f"cannot be judged yet: {listed}: the toolkit does not know whether such a version exists and what it requires; "
        "it reads that from the plugin's manifest when it downloads the file for the first time"
    )


def _find_unmet(lock: Lock, name: str, row: Row) -> Iterator[Fault]:
    """What a plugin of the lock needs and does not get there."""
    place = lock.pins[name].place
    if row.least_core is not None and is_older(lock.version, row.least_core):
        found = f"{name} {row.version} needs Jenkins {row.least_core}, the lock has {lock.version}"
        yield _make_fault(lock, place, found)
    for needed, least in row.needs.items():
        wanted = f"{needed} {least}" if least else needed
        pin = lock.pins.get(needed)
        if pin is None:
            yield _make_fault(lock, place, f"{name} {row.version} needs {wanted}, which the lock does not have")
        elif least is not None and is_older(pin.version, least):
            yield _make_fault(lock, pin.place, f"{name} {row.version} needs {wanted}, the lock has {pin.version}")


def _make_fault(lock: Lock, place: tuple[int, int], message: str) -> Fault:
    return Fault(str(lock.path), *place, message)


def _format_faults(faults: list[Fault]) -> str:
    return "\n".join(str(fault) for fault in faults)
