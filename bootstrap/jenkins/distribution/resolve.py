"""Returns the verified files that the lock names, from the source in the environment file; or the emulator instead."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bootstrap.environment.models import JenkinsSettings
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import plugins as plugin_files
from bootstrap.jenkins.distribution import signature, transfer
from bootstrap.jenkins.distribution.lock import Lock
from bootstrap.jenkins.distribution.lock_files import record_checksums, require_writable
from bootstrap.jenkins.distribution.metadata import NAME as LIST
from bootstrap.jenkins.distribution.metadata import Metadata, Unproved
from bootstrap.jenkins.distribution.metadata import verify as verify_list
from bootstrap.jenkins.distribution.sources import Source, choose
from bootstrap.jenkins.distribution.transfer import Unobtainable
from bootstrap.values import Reporter

_AT_ONCE = 8


@dataclass(frozen=True)
class Distribution:
    """What runs on the machine: the WAR with the files of its plugins, or the emulator with the same version numbers.

    `urls` has the address of each file by its SHA-256, if its source is a site with HTTPS.
    """

    kind: Literal["war", "emulator"]
    version: str
    plugins: Mapping[str, str]
    war: Path | None = None
    sha256: str = ""
    plugin_files: Mapping[str, Path] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)


def resolve(
    settings: JenkinsSettings, lock: Lock, cache: Path, report: Reporter, unobtainable: str = ""
) -> Distribution:
    """The distribution that the lock names, from the source that the environment file names.

    Files in `cache` with the right checksum are used without the network. If the caller has already asked the source and got
    no answer, `unobtainable` is the reason, and the source is not asked again. Missing checksums are written into the lock.
    Raises DistributionFailed if a file has wrong content, or if the source does not answer and there is no fallback.
    """
    if settings.source == "emulator":
        report.notice(f"the emulator is used instead of Jenkins {lock.core.version}, as the environment file says")
        return _use_emulator(lock)
    source = choose(settings, lock)
    cached = _read_cache(lock, cache) if settings.source != "file" else None
    if cached is not None:
        return _check_files(lock, cached, source)
    if unobtainable:
        return _fall_back(settings, lock, source, unobtainable, report)
    try:
        source.probe()
        lock = _complete_lock(lock, source, cache, report)
    except Unobtainable as error:
        return _fall_back(settings, lock, source, str(error), report)
    return _check_files(lock, _download(lock, source, cache, report), source)


def _use_emulator(lock: Lock) -> Distribution:
    return Distribution("emulator", lock.core.version, lock.plugins)


def _fall_back(settings: JenkinsSettings, lock: Lock, source: Source, reason: str, report: Reporter) -> Distribution:
    if settings.fallback == "emulator":
        report.notice(
            f"Jenkins {lock.core.version} is not available from {source.name} ({reason}): the emulator is used instead"
        )
        return _use_emulator(lock)
    raise DistributionFailed(
        f"downloading Jenkins {lock.core.version} from {source.name}",
        reason,
        "Name a mirror or a file under 'jenkins' in the environment, or allow 'fallback: emulator' there.",
    )


def _complete_lock(lock: Lock, source: Source, cache: Path, report: Reporter) -> Lock:
    """The lock with all checksums; the missing ones are proved first and then written into the file."""
    if not lock.is_toolkits and (lock.without_checksum or lock.core.sha256 is None):
        require_writable([lock.path])  # before the core is downloaded to prove it
    complete, remark = prove(lock, source, cache, report)
    if complete != lock and not lock.is_toolkits:
        count = len(lock.without_checksum) + (lock.core.sha256 is None)
        checksums = {name: str(complete.pins[name].sha256) for name in lock.without_checksum}
        record_checksums(lock.path, None if lock.core.sha256 else complete.core.sha256, checksums)
        report.notice(
            f"{lock.path.name} had no checksum for {count} files; the checksums of {source.name}{remark} are now in it: "
            "review and commit it"
        )
    return complete


def prove(lock: Lock, source: Source, cache: Path, report: Reporter) -> tuple[Lock, str]:
    """The lock with all checksums, and a remark for a notice if the list of plugin versions is not signed.

    The core is proved by its signature. The root certificates in the core prove the list, which has the checksums of the
    plugins. Only the core is downloaded, into `cache`; nothing else is written. Raises DistributionFailed or Unobtainable.
    """
    names = lock.without_checksum
    listed = source.read_metadata() if names else None
    checksums = find_checksums(lock, names, listed, source) if listed is not None else {}
    core = lock.core.sha256 or prove_core(lock, source, cache, report)
    remark = ""
    if listed is not None:
        remark = check_list(listed, source, lambda: source.fetch_core(cache, core))
    pins = {
        name: dataclasses.replace(pin, sha256=checksums[name]) if name in checksums else pin
        for name, pin in lock.pins.items()
    }
    return dataclasses.replace(lock, core=dataclasses.replace(lock.core, sha256=core), pins=pins), remark


def check_list(listed: Metadata, source: Source, core: Callable[[], Path]) -> str:
    """Verify the signature of the list; return a remark if the list of a mirror or a folder has none.

    Raises DistributionFailed for a bad signature, or for a missing one on the official site.
    """
    if listed.signature is None and not source.is_official:
        return f" (its {LIST} is not signed: for the plugins you trust {source.name})"
    try:
        verify_list(listed, core())
    except Unproved as error:
        raise DistributionFailed(
            f"checking the signature of {LIST} of {source.name}",
            str(error),
            "Do not use this list. Try again, or name another source; or write checksums that you trust into "
            "jenkins.lock.yaml.",
        ) from error
    return ""


def prove_core(lock: Lock, source: Source, cache: Path, report: Reporter) -> str:
    """Download the core, verify its OpenPGP signature, and return its checksum."""
    claimed = source.read_claimed_checksum()
    signed, key = source.read_signature(), source.read_key()
    report.progress(f"downloading Jenkins {lock.core.version} from {source.name}")
    signature.verify(source.fetch_core(cache, claimed), signed, key, lock.fingerprint)
    return claimed


def find_checksums(lock: Lock, names: Sequence[str], listed: Metadata, source: Source) -> dict[str, str]:
    """The checksums in the list for the locked versions of these plugins. Raises DistributionFailed if one is missing."""
    checksums = {name: listed.find_checksum(name, lock.pins[name].version) for name in names}
    missing = [f"{name} {lock.pins[name].version}" for name, sha256 in checksums.items() if sha256 is None]
    if missing:
        raise DistributionFailed(
            f"reading the checksums of {len(names)} plugins at {source.name}",
            f"it has none for {', '.join(missing)}",
            "Choose versions that the update center lists, or write the sha256 that you trust into jenkins.lock.yaml.",
        )
    return {name: sha256 for name, sha256 in checksums.items() if sha256 is not None}


@dataclass(frozen=True)
class _Files:
    core: Path
    plugins: Mapping[str, Path]


def _read_cache(lock: Lock, cache: Path) -> _Files | None:
    """All files from the cache, or None if one file or one checksum is missing."""
    checksums = {name: pin.sha256 for name, pin in lock.pins.items() if pin.sha256 is not None}
    if lock.core.sha256 is None or len(checksums) < len(lock.pins):
        return None
    core_checksum = lock.core.sha256
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        core = pool.submit(transfer.find_cached, cache, "jenkins.war", core_checksum)
        jobs = {
            name: pool.submit(transfer.find_cached, cache, f"{name}.hpi", sha256) for name, sha256 in checksums.items()
        }
    files = {name: path for name, job in jobs.items() if (path := job.result()) is not None}
    war = core.result()
    return _Files(war, files) if war is not None and len(files) == len(checksums) else None


def _download(lock: Lock, source: Source, cache: Path, report: Reporter) -> _Files:
    """All files from the source, several at the same time; the first error is raised after the other downloads ended."""
    report.progress(f"downloading Jenkins {lock.core.version} and {len(lock.pins)} plugins from {source.name}")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        core = pool.submit(source.fetch_core, cache, lock.core.sha256 or "")
        jobs = {
            name: pool.submit(source.fetch_plugin, cache, name, pin.version, pin.sha256 or "")
            for name, pin in lock.pins.items()
        }
    return _Files(core.result(), {name: job.result() for name, job in jobs.items()})


def _check_files(lock: Lock, files: _Files, source: Source) -> Distribution:
    plugin_files.check(lock.core.version, lock.plugins, files.plugins)
    core, urls = lock.core.sha256 or "", source.list_urls(lock)
    return Distribution("war", lock.core.version, lock.plugins, files.core, core, files.plugins, urls)
