"""What can be known of a source before anything is loaded from it: is every file there, and is it the locked one.

A folder is looked at whole, as a launch does. Of a web site each file is asked for and not read; a sum that the lock holds is
compared with the one that the site tells of the file. Only the file itself proves anything, so a launch loads all of them
before it makes anything.
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
from bootstrap.jenkins.distribution.resolve import prove, sums_of
from bootstrap.jenkins.distribution.sources import Folder, Site, Source, choose
from bootstrap.jenkins.distribution.transfer import Unobtainable
from bootstrap.values import Change

_AT_ONCE = 16
_SECONDS = 20.0  # for all questions together; what was not asked by then is left to the launch


@dataclass(frozen=True)
class Presence:
    """What a source has: `unobtainable` says why it does not answer, `faults` what is missing or another file."""

    source: str
    unobtainable: str = ""
    faults: tuple[str, ...] = ()


class _Quiet:
    """A reporter of looks, which tell what they found at their end."""

    def change(self, change: Change) -> None:
        raise AssertionError(f"a plan changes nothing: {change}")

    def progress(self, text: str) -> None:
        pass

    def notice(self, text: str) -> None:
        pass


def look(settings: JenkinsSettings, lock: Lock, cache: Path) -> Presence:
    """Ask the source that the environment names, once; nothing is loaded and nothing is written.

    A site is not asked where every file is in the cache already: neither does a launch.
    """
    source = choose(settings, lock)
    if isinstance(source, Site) and _is_cached(cache, "jenkins.war", lock.core.sha256) and not _uncached(lock, cache):
        return Presence(source.name)
    try:
        source.probe()
    except Unobtainable as error:
        return Presence(source.name, unobtainable=str(error))
    found = _of_folder(lock, source, cache) if isinstance(source, Folder) else _of_site(lock, source, cache)
    return Presence(source.name, faults=tuple(found))


def tell_unproved(settings: JenkinsSettings, lock: Lock) -> str:
    """One sentence on the files whose sums the lock does not hold: what will prove them; empty where there is none."""
    count = len(lock.without_sum)
    if settings.source == "emulator" or (count == 0 and lock.core.sha256 is not None):
        return ""
    source = choose(settings, lock)
    parts = [] if lock.core.sha256 else ["the core"]
    means = [] if lock.core.sha256 else ["the core by its OpenPGP signature with the pinned key"]
    if count:
        known = "signed by an authority that the core carries"
        by_whom = known if source.is_official else f"{known}, or unsigned, which you must trust"
        parts.append(wording.counted(count, "plugin"))
        means.append(f"the plugins by its {LIST}, {by_whom}")
    return (
        f"{lock.path.name} has no checksum for {' and '.join(parts)}: a launch that reaches {source.name} verifies "
        f"{' and '.join(means)}, and writes the checksums into it"
    )


def _of_folder(lock: Lock, source: Folder, cache: Path) -> Iterator[str]:
    """Every file of the folder against the lock, and the plugins' own manifests against each other."""
    whole = lock
    try:
        whole, _ = prove(lock, source, cache, _Quiet())
    except (DistributionFailed, Unobtainable) as error:
        yield _told(error)
    there: dict[str, Path] = {}
    wanted: list[tuple[str, Path, str | None]] = [("", source.war, whole.core.sha256)]
    wanted += [(name, source.path_of(name), pin.sha256) for name, pin in whole.pins.items()]
    for name, path, sha256 in wanted:
        if not path.is_file():
            yield f"{path}: it does not exist"
            continue
        try:
            got = transfer.sha256_of(path)
        except OSError as error:
            yield f"{path}: it cannot be read: {error.strerror}"
            continue
        if sha256 not in {None, got}:
            yield f"{path}: its SHA-256 is {got}, not {sha256}"
            continue
        if name:
            there[name] = path
    yield from plugin_files.find_faults(lock.version, lock.plugins, there)


def _of_site(lock: Lock, source: Source, cache: Path) -> Iterator[str]:
    """Whether every file that is not here yet can be had there, and whether the site itself tells another sum."""
    if not isinstance(source, Site):
        return
    urls = []
    if lock.core.sha256 is None:
        urls += [f"{source.war}.sha256", f"{source.war}.asc", source.key_url]
    if lock.without_sum:
        urls.append(source.metadata_url)
    missing = _uncached(lock, cache)
    urls += [source.url_of(name, lock.pins[name].version) for name in missing]
    end = time.monotonic() + _SECONDS
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = list(pool.map(lambda url: _refusal(url, end), urls))
    yield from filter(None, answers)
    if source.is_official:  # its list is as large as all that would be loaded
        return
    if lock.core.sha256 is not None and not _is_cached(cache, "jenkins.war", lock.core.sha256):
        yield from _differing(source.war, lock.core.sha256, source.claimed_sum)
    known = [name for name in missing if lock.pins[name].sha256 is not None]
    if known or lock.without_sum:
        yield from _of_list(lock, source, known)


def _of_list(lock: Lock, source: Site, known: list[str]) -> Iterator[str]:
    """What the site's list of plugin versions says against the lock; one that is not there is needed for unknown sums alone."""
    try:
        listed = source.metadata()
    except Unobtainable:
        return  # told already where it is needed
    for name in known:
        pin = lock.pins[name]
        told = listed.sum_of(name, pin.version)
        if told is not None and told != pin.sha256:
            yield f"{source.url_of(name, pin.version)}: its SHA-256 is {told} by {LIST} there, not {pin.sha256}"
    try:
        sums_of(lock, lock.without_sum, listed, source)
    except DistributionFailed as error:
        yield _told(error)


def _uncached(lock: Lock, cache: Path) -> list[str]:
    return [name for name, pin in lock.pins.items() if not _is_cached(cache, f"{name}.hpi", pin.sha256)]


def _is_cached(cache: Path, name: str, sha256: str | None) -> bool:
    return sha256 is not None and (cache / sha256 / name).is_file()


def _refusal(url: str, end: float) -> str:
    """Why a file cannot be had; empty where it can, or where the time for questions is over."""
    if time.monotonic() > end:
        return ""
    try:
        transfer.answers(url)
    except Unobtainable as error:
        return str(error)
    return ""


def _differing(url: str, sha256: str, claim: Callable[[], str]) -> Iterator[str]:
    try:
        told = claim()
    except Unobtainable:
        return
    if told != sha256:
        yield f"{url}: its SHA-256 is {told} at the source itself, not {sha256}"


def _told(error: Exception) -> str:
    return f"{error.doing}: {error.found}" if isinstance(error, DistributionFailed) else str(error)
