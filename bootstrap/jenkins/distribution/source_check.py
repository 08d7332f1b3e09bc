"""Checks, without a download, whether a source has every file and whether its checksums are those of the lock.

A folder is read completely, as in a launch. From a web site, each file is requested, but its content is not read; the checksum
that the site publishes is compared with the lock. Only the file itself is a proof, so a launch downloads all files before it
creates anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bootstrap import wording
from bootstrap.environment.models import JenkinsSettings
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import plugins as plugin_files
from bootstrap.jenkins.distribution import transfer
from bootstrap.jenkins.distribution.lock import Lock
from bootstrap.jenkins.distribution.metadata import NAME as LIST
from bootstrap.jenkins.distribution.resolve import find_checksums, prove
from bootstrap.jenkins.distribution.sources import Folder, Site, Source, choose
from bootstrap.jenkins.distribution.transfer import Unobtainable
from bootstrap.values import Change

_AT_ONCE = 16
_SECONDS = 20.0  # for all requests together; the launch checks the files that were not requested by then


@dataclass(frozen=True)
class Presence:
    """The result: `unobtainable` says why the source does not answer; `faults` are missing files and other checksums."""

    source: str
    unobtainable: str = ""
    faults: tuple[str, ...] = ()


class _Quiet:
    """A reporter that prints nothing; `check_source` returns its result at the end."""

    def change(self, change: Change) -> None:
        raise AssertionError(f"a plan changes nothing: {change}")

    def progress(self, text: str) -> None:
        pass

    def notice(self, text: str) -> None:
        pass


def check_source(settings: JenkinsSettings, lock: Lock, cache: Path) -> Presence:
    """Check the source that the environment file names, without a download; nothing is written.

    As in a launch, a site is not asked if every file is in the cache.
    """
    source = choose(settings, lock)
    if (
        isinstance(source, Site)
        and _is_cached(cache, "jenkins.war", lock.core.sha256)
        and not _list_uncached(lock, cache)
    ):
        return Presence(source.name)
    try:
        source.probe()
    except Unobtainable as error:
        return Presence(source.name, unobtainable=str(error))
    faults = _check_folder(lock, source, cache) if isinstance(source, Folder) else _check_site(lock, source, cache)
    return Presence(source.name, faults=tuple(faults))


def describe_unproved(settings: JenkinsSettings, lock: Lock) -> str:
    """A sentence about the files without a checksum in the lock, and what will prove them; '' if there are none."""
    count = len(lock.without_checksum)
    if settings.source == "emulator" or (count == 0 and lock.core.sha256 is not None):
        return ""
    source = choose(settings, lock)
    parts = [] if lock.core.sha256 else ["the core"]
    means = [] if lock.core.sha256 else ["the core by its OpenPGP signature with the pinned key"]
    if count:
        signer = "signed by an authority that the core carries"
        proof = signer if source.is_official else f"{signer}, or unsigned, which you must trust"
        parts.append(wording.count_noun(count, "plugin"))
        means.append(f"the plugins by its {LIST}, {proof}")
    return (
        f"{lock.path.name} has no checksum for {' and '.join(parts)}. A launch that reaches {source.name} verifies "
        f"{' and '.join(means)}. {_describe_record(lock)}"
    )


def _describe_record(lock: Lock) -> str:
    if lock.is_toolkits:
        return "Each launch does so again, because this project has no lock of its own for the checksums"
    return "It writes the checksums into the lock"


def _check_folder(lock: Lock, source: Folder, cache: Path) -> Iterator[str]:
    """Compare every file of the folder with the lock, and the manifests of the plugins with each other."""
    proved = lock
    try:
        proved, _ = prove(lock, source, cache, _Quiet())
    except (DistributionFailed, Unobtainable) as error:
        yield _format_error(error)
    present: dict[str, Path] = {}
    expected: list[tuple[str, Path, str | None]] = [("", source.war, proved.core.sha256)]
    expected += [(name, source.make_plugin_path(name), pin.sha256) for name, pin in proved.pins.items()]
    for name, path, sha256 in expected:
        if not path.is_file():
            yield f"{path}: it does not exist"
            continue
        try:
            actual = transfer.compute_sha256(path)
        except OSError as error:
            yield f"{path}: it cannot be read: {error.strerror}"
            continue
        if sha256 not in {None, actual}:
            yield f"{path}: its SHA-256 is {actual}, not {sha256}"
            continue
        if name:
            present[name] = path
    yield from plugin_files.find_faults(lock.version, lock.plugins, present)


def _check_site(lock: Lock, source: Source, cache: Path) -> Iterator[str]:
    """The files that are not in the cache and that the site refuses, and those whose checksums at the site differ."""
    if not isinstance(source, Site):
        return
    urls = []
    if lock.core.sha256 is None:
        urls += [f"{source.war}.sha256", f"{source.war}.asc", source.key_url]
    if lock.without_checksum:
        urls.append(source.metadata_url)
    missing = _list_uncached(lock, cache)
    urls += [source.make_plugin_url(name, lock.pins[name].version) for name in missing]
    end = time.monotonic() + _SECONDS
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda url: _find_refusal(url, end), urls))
    yield from filter(None, answers)
    if source.is_official:  # the list is too large for a check: as large as the whole download
        return
    if lock.core.sha256 is not None and not _is_cached(cache, "jenkins.war", lock.core.sha256):
        yield from _compare_claim(source.war, lock.core.sha256, source.read_claimed_checksum)
    known = [name for name in missing if lock.pins[name].sha256 is not None]
    if known or lock.without_checksum:
        yield from _check_list(lock, source, known)


def _check_list(lock: Lock, source: Site, known: list[str]) -> Iterator[str]:
    """Compare the checksums in the site's list of plugin versions with the lock.

    A missing list is a fault only if the lock lacks checksums, and _check_site reports it then.
    """
    try:
        listed = source.read_metadata()
    except Unobtainable:
        return
    for name in known:
        pin = lock.pins[name]
        claimed = listed.find_checksum(name, pin.version)
        if claimed is not None and claimed != pin.sha256:
            url = source.make_plugin_url(name, pin.version)
            yield f"{url}: its SHA-256 is {claimed} according to {LIST} there, not {pin.sha256}"
    try:
        find_checksums(lock, lock.without_checksum, listed, source)
    except DistributionFailed as error:
        yield _format_error(error)


def _list_uncached(lock: Lock, cache: Path) -> list[str]:
    return [name for name, pin in lock.pins.items() if not _is_cached(cache, f"{name}.hpi", pin.sha256)]


def _is_cached(cache: Path, name: str, sha256: str | None) -> bool:
    return sha256 is not None and (cache / sha256 / name).is_file()


def _find_refusal(url: str, end: float) -> str:
    """Why the site does not deliver a file; '' if it does, or after the time `end` (of time.monotonic)."""
    if time.monotonic() > end:
        return ""
    try:
        transfer.probe(url)
    except Unobtainable as error:
        return str(error)
    return ""


def _compare_claim(url: str, sha256: str, claim: Callable[[], str]) -> Iterator[str]:
    try:
        claimed = claim()
    except Unobtainable:
        return
    if claimed != sha256:
        yield f"{url}: its SHA-256 is {claimed} at the source itself, not {sha256}"


def _format_error(error: Exception) -> str:
    return f"{error.doing}: {error.found}" if isinstance(error, DistributionFailed) else str(error)
