"""From the lock and a source to files that may be installed, or to the emulator."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from bootstrap.distribution import plugins as plugin_files
from bootstrap.distribution import signature, transfer
from bootstrap.distribution.lock import Lock, record
from bootstrap.distribution.sources import Source, choose
from bootstrap.distribution.transfer import Unobtainable
from bootstrap.errors import DistributionFailed
from bootstrap.settings import JenkinsSettings
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


def resolve(settings: JenkinsSettings, lock: Lock, cache: Path, report: Reporter) -> Distribution:
    """The distribution that `lock` names, from the source that the environment names.

    Everything already in `cache` with the right sum is taken without asking the network. DistributionFailed when a file is
    not what it must be, or, without a fallback, when the source does not answer.
    """
    if settings.source == "emulator":
        report.notice(f"the emulator stands in for Jenkins {lock.core.version}, as the environment asks")
        return _emulator(lock)
    source = choose(settings, lock)
    known = _from_cache(lock, cache) if settings.source != "file" else None
    if known is not None:
        return _checked(lock, known)
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
            f"Jenkins {lock.core.version} cannot be had from {source.name} ({reason}): the emulator stands in for it"
        )
        return _emulator(lock)
    raise DistributionFailed(
        f"getting Jenkins {lock.core.version} from {source.name}",
        reason,
        "Name a mirror or a file under 'jenkins' in the environment, or allow 'fallback: emulator' there.",
    )


def _learn(lock: Lock, source: Source, cache: Path, report: Reporter) -> Lock:
    """The lock with every sum known; what was not known is proved first and then written down."""
    unknown = [name for name, pin in lock.pins.items() if pin.sha256 is None]
    sums = _sums(lock, unknown, source) if unknown else {}
    core = lock.core.sha256 or _proved_core(lock, source, cache, report)
    if lock.core.sha256 is None or sums:
        record(lock.path, None if lock.core.sha256 else core, sums)
        report.notice(
            f"{lock.path.name} held no sum for {len(sums) + (lock.core.sha256 is None)} files; "
            f"the ones that {source.name} proves are in it now: review and commit it"
        )
    pins = {
        name: dataclasses.replace(pin, sha256=sums[name]) if name in sums else pin for name, pin in lock.pins.items()
    }
    return dataclasses.replace(lock, core=dataclasses.replace(lock.core, sha256=core), pins=pins)


def _proved_core(lock: Lock, source: Source, cache: Path, report: Reporter) -> str:
    """The sum of the core, once the file itself carries a good signature: the source's own word for it is not enough."""
    claimed = source.claimed_sum()
    signed, key = source.signature(), source.key()
    report.progress(f"loading Jenkins {lock.core.version} from {source.name}")
    signature.verify(source.core(cache, claimed), signed, key, lock.fingerprint)
    return claimed


def _sums(lock: Lock, names: list[str], source: Source) -> dict[str, str]:
    known = source.metadata()
    found, missing = {}, []
    for name in names:
        version = lock.pins[name].version
        sha256 = _sum_of(known.get(name, {}).get(version))
        if sha256 is None:
            missing.append(f"{name} {version}")
        else:
            found[name] = sha256
    if missing:
        raise DistributionFailed(
            f"looking up the sums of {len(names)} plugins at {source.name}",
            f"it tells none for {', '.join(missing)}",
            "Choose versions that the update center lists, or write the sha256 that you trust into jenkins.lock.yaml.",
        )
    return found


def _sum_of(entry: Any) -> str | None:
    """The SHA-256 of a metadata entry in hex; it is base64 there."""
    try:
        digest = base64.b64decode(entry["sha256"], validate=True)
    except (TypeError, KeyError, binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 32 else None


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
    report.progress(f"loading Jenkins {lock.core.version} and {len(lock.pins)} plugins from {source.name}")
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
