"""Makes the lock: resolves the requested plugins by the update center's signed list to a closed set with checksums.

Nothing is believed before it is proved: the core by its OpenPGP signature, the list by an authority that the core contains. An
unsigned list is refused here, also that of a mirror. Versions that are locked stay unless something must change them.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ruamel.yaml.comments import CommentedMap

from bootstrap import wording
from bootstrap.environment.models import JenkinsSettings
from bootstrap.errors import DistributionFailed, UsageError
from bootstrap.jenkins.distribution import core_choice, lock_changes, lock_files, update_center
from bootstrap.jenkins.distribution.lock import Lock, Pin
from bootstrap.jenkins.distribution.metadata import CURRENT, Metadata, Unproved, verify
from bootstrap.jenkins.distribution.metadata import NAME as LIST
from bootstrap.jenkins.distribution.needs import Table
from bootstrap.jenkins.distribution.releases import Release, Releases
from bootstrap.jenkins.distribution.resolve import prove_core
from bootstrap.jenkins.distribution.solve import Solution, Unsolvable, Wish, solve
from bootstrap.jenkins.distribution.sources import Source, choose
from bootstrap.jenkins.distribution.transfer import Unobtainable
from bootstrap.jenkins.distribution.update_center import UpdateCenter
from bootstrap.values import Change, Reporter


@dataclass(frozen=True)
class Request:
    """What the command line asks for; `add` has the version that is wanted, or None.

    `core` is a version, LATEST_LTS, or '' for the locked core.
    """

    add: Mapping[str, str | None] = field(default_factory=dict)
    remove: Sequence[str] = ()
    upgrade: Sequence[str] = ()
    upgrades_all: bool = False
    core: str = ""


@dataclass(frozen=True)
class Outcome:
    """What would change, what a person must know, and the files as they would be, with the texts that they were made from."""

    changes: tuple[Change, ...]
    notices: tuple[str, ...]
    documents: Mapping[Path, CommentedMap]
    originals: Mapping[Path, str]


@dataclass(frozen=True)
class _Proved:
    """What the source says, proved: the checksum of the core, the releases, and the offer or the reason why there is none."""

    core: str
    releases: Releases
    offer: UpdateCenter | None
    without_offer: str = ""


def make(
    lock: Lock, table: Table, settings: JenkinsSettings, cache: Path, request: Request, report: Reporter
) -> Outcome:
    """The lock and the table of needs that fulfil the request. Nothing is written but the core, into `cache`.

    Raises UsageError for a request that does not fit the lock, and DistributionFailed with all reasons if there is no such set.
    """
    requested, taken = _list_requested(lock, table, request)
    source = choose(settings, lock)
    try:
        target = core_choice.move_core(lock, core_choice.find_version(request.core or lock.version, lock, source))
        source = choose(settings, target)
        proved = _read_source(target, source, cache, report, is_other=target is not lock)
    except Unobtainable as error:
        raise DistributionFailed(
            f"asking {source.name} for the versions of plugins",
            str(error),
            "Run this where the update center can be reached, or name a mirror or a file under 'jenkins' in the environment "
            "file. Nothing was changed.",
        ) from error
    requested = _drop_required(requested, taken, proved.releases, lock)
    wish = Wish(
        core=target.version,
        requested=requested,
        locked=lock.plugins,
        exact={name: version for name, version in request.add.items() if version is not None},
        upgrades=frozenset(lock.pins if request.upgrades_all else request.upgrade),
    )
    try:
        solution = solve(proved.releases, wish)
    except Unsolvable as error:
        raise DistributionFailed(
            f"resolving {wording.count_noun(len(requested), 'requested plugin')} for Jenkins {target.version}",
            "\n".join(error.faults),
            "Ask for other versions (--add NAME:VERSION), or remove what asks for these. Nothing was changed.",
        ) from error
    checksums = _check_checksums(lock, solution, source)
    pins = {name: Pin(release.version, checksums[name]) for name, release in solution.releases.items()}
    fulfilled = dataclasses.replace(target, core=dataclasses.replace(target.core, sha256=proved.core), pins=pins)
    documents = _edit(lock, table, fulfilled, requested, solution)
    changes = (
        *lock_changes.list_changes(lock, fulfilled, requested, solution),
        *lock_changes.list_rows(lock, table, solution),
    )
    originals = {table.path: table.text, lock.path: lock.text}
    return Outcome(changes, tuple(_list_notices(lock, target, request, solution, proved)), documents, originals)


def _list_requested(lock: Lock, table: Table, request: Request) -> tuple[list[str], set[str]]:
    """The plugins that are requested from now on, and those of them that are only in the lock, without being required there.

    Somebody wrote the latter into the lock: they stay, and are requested from now on.
    """
    doing = "reading the command line"
    remedy = f"The list 'requested' in {lock.path.name} has what is asked for."
    for name in request.remove:
        if name not in lock.requested and name not in lock.pins:
            raise UsageError(doing, f"the lock has no plugin '{name}' that could be removed", remedy)
        if name in lock.pins and name not in lock.requested and (by := _find_requirer(lock, table, name)):
            raise UsageError(doing, f"nobody requested '{name}': it is in the lock because {by} requires it", remedy)
    for name in request.upgrade:
        if name not in lock.pins:
            raise UsageError(doing, f"the lock has no plugin '{name}' that could be upgraded", f"Write --add {name}.")
    both = sorted(set(request.add) & set(request.remove))
    if both:
        raise UsageError(doing, f"'{both[0]}' is to be added and to be removed", "Write one of them.")
    requested = [name for name in lock.requested if name not in request.remove]
    requested += [name for name in request.add if name not in requested]
    reached = _list_required(lock, table)
    taken = [name for name in lock.pins if name not in reached and name not in {*requested, *request.remove}]
    return requested + taken, set(taken)


def _find_requirer(lock: Lock, table: Table, name: str) -> str:
    """A plugin of the lock that requires this one, as far as the table knows; '' if none does."""
    return next((it for it, row in table.rows.items() if it in lock.pins and name in row.needs), "")


def _list_required(lock: Lock, table: Table) -> set[str]:
    """All that is requested, and all that it requires as far as the table knows."""
    reached: set[str] = set()
    waiting = list(lock.requested)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += table.rows[name].needs if name in table.rows else ()
    return reached


def _drop_required(requested: Sequence[str], taken: set[str], releases: Releases, lock: Lock) -> list[str]:
    """The same without those that were taken over and that another plugin of the lock requires by the list."""
    required = {
        needed
        for name, pin in lock.pins.items()
        if (release := releases.find(name, pin.version)) is not None
        for needed in release.needs
    }
    return [name for name in requested if name not in taken or name not in required]


def _read_source(lock: Lock, source: Source, cache: Path, report: Reporter, *, is_other: bool) -> _Proved:
    """What the source says, proved. Raises Unobtainable, or DistributionFailed for what is not proved.

    `is_other` is whether the core shall be another one than until now: then it must say its version itself.
    """
    report.progress(f"reading {LIST} of {source.name}")
    listed = source.read_metadata()
    try:
        core = lock.core.sha256 or prove_core(lock, source, cache, report)
        war = source.fetch_core(cache, core)
    except Unobtainable as error:
        if is_other:
            raise core_choice.explain_missing(error, lock.version, source) from error
        raise
    if is_other:
        core_choice.check_version(war, lock.version, source)
    _verify(listed, war, LIST, source)
    try:
        current = source.read_current(lock.version)
    except Unobtainable as error:
        return _Proved(core, Releases(listed), None, str(error))
    _verify(current, war, CURRENT, source)
    return _Proved(core, Releases(listed), update_center.read(current))


def _verify(listed: Metadata, war: Path, name: str, source: Source) -> None:
    try:
        verify(listed, war)
    except Unproved as error:
        raise DistributionFailed(
            f"checking the signature of {name} of {source.name}",
            str(error),
            "Do not use this file: nothing proves what it says. Try again, or name another source. Nothing was changed.",
        ) from error


def _check_checksums(lock: Lock, solution: Solution, source: Source) -> dict[str, str]:
    """The checksums of the releases. Raises DistributionFailed if the lock has another one for the same version."""
    faults = []
    for name, release in solution.releases.items():
        pin = lock.pins.get(name)
        if pin is not None and pin.version == release.version and pin.sha256 not in {None, release.sha256}:
            faults.append(f"{release.shown}: the lock has the SHA-256 {pin.sha256}, {LIST} has {release.sha256}")
    if faults:
        raise DistributionFailed(
            f"comparing the checksums of {lock.path.name} with {source.name}",
            "\n".join(faults),
            "A checksum of the lock is never replaced: one of the two is wrong. Find out which before you go on.",
        )
    return {name: release.sha256 for name, release in solution.releases.items()}


def _edit(
    lock: Lock, table: Table, fulfilled: Lock, requested: Sequence[str], solution: Solution
) -> dict[Path, CommentedMap]:
    """Both files as they will be, the table first: a lock is never newer than its table, if a kill comes between the two."""
    document = lock_files.parse(lock.text)
    if fulfilled.version != lock.version:
        document["core"]["version"] = fulfilled.version
    document["core"]["sha256"] = fulfilled.core.sha256
    lock_files.put_requested(document, requested)
    lock_files.put_pins(document, fulfilled.pins, requested)
    rows = lock_files.parse(table.text)
    for name in table.rows:
        if name not in fulfilled.pins:
            lock_files.remove(rows, name)
    lock_files.put_rows(rows, {name: release.row for name, release in sorted(solution.releases.items())})
    return {table.path: rows, lock.path: document}


def _list_notices(lock: Lock, target: Lock, request: Request, solution: Solution, proved: _Proved) -> list[str]:
    """What a person must know: raised versions, removed requests that stay, deprecated plugins, security warnings."""
    notices = [
        f"{name} {lock.pins[name].version} must be {solution.releases[name].version}: {need}"
        for name, need in solution.raised.items()
        if name in lock.pins
    ]
    notices += [
        f"{name} stays in the lock, although it is no longer requested: {solution.required_by[name]} requires it"
        for name in request.remove
        if name in solution.releases
    ]
    if proved.offer is None:
        return [*notices, f"deprecated plugins and security warnings are not known: {proved.without_offer}"]
    if staleness := proved.offer.describe_staleness(datetime.datetime.now(datetime.UTC).date()):
        notices.append(f"{CURRENT} is out of date: {staleness}")
    for name, release in solution.releases.items():
        if name in proved.offer.deprecated:
            notices.append(_describe_deprecated(release, solution, proved.offer.deprecated[name]))
    versions = {name: release.version for name, release in solution.releases.items()}
    notices += [f"security warning {each}" for each in proved.offer.find_warnings(target.version, versions)]
    return notices


def _describe_deprecated(release: Release, solution: Solution, url: str) -> str:
    by = solution.required_by.get(release.name)
    required = f", which {by} requires," if by else ""
    return f"{release.shown}{required} is deprecated{f': {url}' if url else ''}"
