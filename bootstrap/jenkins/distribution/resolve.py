"""From the lock and a source to files that may be installed, or to the emulator."""

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
from bootstrap.jenkins.distribution.lock import Lock, record
from bootstrap.jenkins.distribution.metadata import NAME as LIST
from bootstrap.jenkins.distribution.metadata import Metadata, Unproved
from bootstrap.jenkins.distribution.metadata import verify as verify_list
from bootstrap.jenkins.distribution.sources import Source, choose
from bootstrap.jenkins.distribution.transfer import Unobtainable
from bootstrap.values import Reporter

_AT_ONCE = 8


@dataclass(frozen=True)
class Distribution:
    """What runs on the machine: a real WAR with its plugins' files, or the emulator in the name of the same versions."""

    kind: Literal["war", "emulator"]
    version: str
    plugins: Mapping[str, str]
    war: Path | None = None
    sha256: str = ""
    plugin_files: Mapping[str, Path] = field(default_factory=dict)


def resolve(
    settings: JenkinsSettings, lock: Lock, cache: Path, report: Reporter, unobtainable: str = ""
) -> Distribution:
    """The distribution that `lock` names, from the source that the environment names.

    Everything already in `cache` with the right sum is taken without asking the network. DistributionFailed when a file is
    not what it must be, or, without a fallback, when the source does not answer. Who has asked it already and got no answer
    says why by `unobtainable`; it is not asked again.
    """
    if settings.source == "emulator":
        report.notice(f"the emulator is used instead of Jenkins {lock.core.version}, as the environment file says")
        return _emulator(lock)
    source = choose(settings, lock)
    known = _from_cache(lock, cache) if settings.source != "file" else None
    if known is not None:
        return _checked(lock, known)
    if unobtainable:
        return _without(settings, lock, source, unobtainable, report)
    try:
        source.probe()
        lock = _learn(lock, source, cache, report)
    except Unobtainable as error:
        return _without(settings, lock, source, str(error), report)
    return _checked(lock, _load(lock, source, cache, report))


def _emulator(lock: Lock) -> Distribution:
    return Distribution("emulator", lock.core.version, lock.plugins)


def _without(settings: JenkinsSettings, lock: Lock, source: Source, reason: str, report: Reporter) -> Distribution:
    if settings.fallback == "emulator":
        report.notice(
            f"Jenkins {lock.core.version} is not available from {source.name} ({reason}): the emulator is used instead"
        )
        return _emulator(lock)
    raise DistributionFailed(
        f"downloading Jenkins {lock.core.version} from {source.name}",
        reason,
        "Name a mirror or a file under 'jenkins' in the environment, or allow 'fallback: emulator' there.",
    )


def _learn(lock: Lock, source: Source, cache: Path, report: Reporter) -> Lock:
    """The lock with every sum known; what was not known is proved first and then written down."""
    whole, by_whom = prove(lock, source, cache, report)
    if whole != lock:
        count = len(lock.without_sum) + (lock.core.sha256 is None)
        sums = {name: str(whole.pins[name].sha256) for name in lock.without_sum}
        record(lock.path, None if lock.core.sha256 else whole.core.sha256, sums)
        report.notice(
            f"{lock.path.name} had no checksum for {count} files; it has those that {source.name} gives{by_whom} now: "
            "review and commit it"
        )
    return whole


def prove(lock: Lock, source: Source, cache: Path, report: Reporter) -> tuple[Lock, str]:
    """The lock with every sum known, and a word on what vouches for them; nothing is written but the core, to the cache.

    The core is proved by its signature, and by the core the list of plugin versions that tells the plugins' sums.
    """
    names = lock.without_sum
    listed = source.metadata() if names else None
    sums = sums_of(lock, names, listed, source) if listed is not None else {}
    core = lock.core.sha256 or _proved_core(lock, source, cache, report)
    by_whom = ""
    if listed is not None:
        by_whom = _vouched(listed, source, lambda: source.core(cache, core))
    pins = {
        name: dataclasses.replace(pin, sha256=sums[name]) if name in sums else pin for name, pin in lock.pins.items()
    }
    return dataclasses.replace(lock, core=dataclasses.replace(lock.core, sha256=core), pins=pins), by_whom


def _vouched(listed: Metadata, source: Source, core: Callable[[], Path]) -> str:
    """Who vouches for the list of plugin versions, as an addition to a sentence; DistributionFailed where nobody may."""
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


def _proved_core(lock: Lock, source: Source, cache: Path, report: Reporter) -> str:
    """The sum of the core, once the file itself carries a good signature: the source's own word for it is not enough."""
    claimed = source.claimed_sum()
    signed, key = source.signature(), source.key()
    report.progress(f"downloading Jenkins {lock.core.version} from {source.name}")
    signature.verify(source.core(cache, claimed), signed, key, lock.fingerprint)
    return claimed


def sums_of(lock: Lock, names: Sequence[str], listed: Metadata, source: Source) -> dict[str, str]:
    """The sums that a list tells for the locked versions of these plugins; DistributionFailed where it lacks one."""
    told = {name: listed.sum_of(name, lock.pins[name].version) for name in names}
    missing = [f"{name} {lock.pins[name].version}" for name, sha256 in told.items() if sha256 is None]
    if missing:
        raise DistributionFailed(
            f"reading the checksums of {len(names)} plugins at {source.name}",
            f"it has none for {', '.join(missing)}",
            "Choose versions that the update center lists, or write the sha256 that you trust into jenkins.lock.yaml.",
        )
    return {name: sha256 for name, sha256 in told.items() if sha256 is not None}


@dataclass(frozen=True)
class _Files:
    core: Path
    plugins: Mapping[str, Path]


def _from_cache(lock: Lock, cache: Path) -> _Files | None:
    """Every file from the cache, or None as soon as one sum or one file is missing."""
    sums = {name: pin.sha256 for name, pin in lock.pins.items() if pin.sha256 is not None}
    if lock.core.sha256 is None or len(sums) < len(lock.pins):
        return None
    core_sum = lock.core.sha256
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        core = pool.submit(transfer.cached, cache, "jenkins.war", core_sum)
        found = {name: pool.submit(transfer.cached, cache, f"{name}.hpi", sha256) for name, sha256 in sums.items()}
    files = {name: path for name, job in found.items() if (path := job.result()) is not None}
    war = core.result()
    return _Files(war, files) if war is not None and len(files) == len(sums) else None


def _load(lock: Lock, source: Source, cache: Path, report: Reporter) -> _Files:
    """Every file from the source, some at once; the first failure is raised after the others have ended."""
    report.progress(f"downloading Jenkins {lock.core.version} and {len(lock.pins)} plugins from {source.name}")
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        core = pool.submit(source.core, cache, lock.core.sha256 or "")
        jobs = {
            name: pool.submit(source.plugin, cache, name, pin.version, pin.sha256 or "")
            for name, pin in lock.pins.items()
        }
    return _Files(core.result(), {name: job.result() for name, job in jobs.items()})


def _checked(lock: Lock, files: _Files) -> Distribution:
    plugin_files.check(lock.core.version, lock.plugins, files.plugins)
    return Distribution("war", lock.core.version, lock.plugins, files.core, lock.core.sha256 or "", files.plugins)
