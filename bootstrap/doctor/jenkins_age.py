"""The findings about the age of the lock: successors of the core and of plugins, security warnings, deprecated plugins.

They need the update center's current offer, which is small. The lock itself is only read: `jenkins lock` changes it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

from bootstrap import wording
from bootstrap.context import Context
from bootstrap.doctor.findings import Finding, make_good, make_warning
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import metadata, transfer, update_center
from bootstrap.jenkins.distribution.lock import Lock
from bootstrap.jenkins.distribution.needs import COMMAND
from bootstrap.jenkins.distribution.sources import Folder, choose
from bootstrap.jenkins.distribution.update_center import Offer, UpdateCenter
from bootstrap.jenkins.distribution.versions import is_older
from bootstrap.preconditions import jenkins_files

_SECONDS = 20.0  # for the offer, a few megabytes
_MOST_NAMED = 5
_DAYS_OF_A_YEAR = 365.25
# Their patterns are regular expressions, and a hostile one never ends.
_UNPROVED_WARNINGS = (
    "the update center's warnings are not known until the core is downloaded: the core proves who wrote them"
)
_REMARK = " (signature not checked: the core is not downloaded yet)"


def examine(context: Context, unobtainable: str) -> Iterator[Finding]:
    """The findings; one that says why, if they are not known. `unobtainable` says why the source does not answer."""
    lock, chosen = context.lock, context.settings.jenkins
    reason = "the environment file asks for the emulator" if chosen.source == "emulator" else ""
    if unobtainable:
        reason = "the source does not answer"
    if not reason:
        source = choose(chosen, lock)
        try:
            current = transfer.run_within(_SECONDS, lambda: source.read_current(lock.version))
        except (transfer.Unobtainable, DistributionFailed) as error:
            reason = str(error)
    if reason:
        text = f"successors and security warnings for Jenkins {lock.version} and its plugins are not known: {reason}"
        yield make_good("age", text)
        return
    war = _find_core(lock, source.war if isinstance(source, Folder) else None)
    if war is not None:
        try:
            metadata.verify(current, war)
        except metadata.Unproved as error:
            remedy = "Do not believe what it says. Name another source under 'jenkins' in the environment file."
            yield make_warning("age", f"the update center's offer at {source.name} is not proved: {error}", remedy)
            return
    today = datetime.datetime.now(datetime.UTC).date()
    yield from describe(lock, update_center.read(current), today, is_proved=war is not None)


def _find_core(lock: Lock, in_folder: Path | None) -> Path | None:
    """The file of the core, if it is on this machine with the checksum of the lock; it has the authorities."""
    if lock.core.sha256 is None:
        return None
    path = in_folder or jenkins_files.DOWNLOADS / lock.core.sha256 / "jenkins.war"
    return path if path.is_file() and transfer.compute_sha256(path) == lock.core.sha256 else None


def describe(lock: Lock, offer: UpdateCenter, today: datetime.date, *, is_proved: bool = True) -> Iterator[Finding]:
    """What the offer says about the versions of the lock; each finding remarks that it is not proved, if it is not."""
    remark = "" if is_proved else _REMARK
    yield _describe_offer(offer, today, remark)
    yield _describe_core(lock, offer.core, today, remark)
    yield make_good("plugins", _describe_plugins(lock, offer, today) + remark)
    yield _describe_security(lock, offer) if is_proved else make_good("security", _UNPROVED_WARNINGS)
    deprecated = [name for name in lock.pins if name in offer.deprecated]
    if deprecated:
        listed = ", ".join(
            f"{name} ({offer.deprecated[name]})" if offer.deprecated[name] else name for name in deprecated
        )
        remedy = f"Replace them; '{COMMAND} --remove NAME' takes a plugin that was requested out of the lock."
        yield make_warning("deprecated", listed + remark, remedy)


def _describe_security(lock: Lock, offer: UpdateCenter) -> Finding:
    warnings = offer.find_warnings(lock.version, lock.plugins)
    if not warnings:
        return make_good("security", "no warning of the update center is about these versions")
    remedy = (
        f"Upgrade what they are about: '{COMMAND} --upgrade NAME'; for the core, run '{COMMAND} --core latest-lts'."
    )
    return make_warning("security", "; ".join(str(each) for each in warnings), remedy)


def _describe_offer(offer: UpdateCenter, today: datetime.date, remark: str) -> Finding:
    offered = f"the update center's offer{_describe_age(offer.dated, today)}"
    if staleness := offer.describe_staleness(today):
        remedy = (
            "Bring the mirror or the folder up to date, or name another source under 'jenkins' in the environment file."
        )
        return make_warning("offer", f"{offered}: {staleness}{remark}", remedy)
    return make_good("offer", f"{offered}{remark}")


def _describe_core(lock: Lock, newest: Offer | None, today: datetime.date, remark: str) -> Finding:
    version = lock.version
    if newest is None:
        return make_good("core", f"the update center does not say which core is the newest{remark}")
    age = _describe_age(newest.find_date(version), today)
    if is_older(version, newest.version):
        successor = f"{newest.version}{_describe_age(newest.released, today)}"
        remedy = f"Read its changelog. Then run '{COMMAND} --core latest-lts', and launch."
        return make_warning("core", f"Jenkins {version}{age} has a successor: {successor}{remark}", remedy)
    return make_good("core", f"Jenkins {version}{age} is the newest that the update center offers{remark}")


def _describe_plugins(lock: Lock, offer: UpdateCenter, today: datetime.date) -> str:
    """How many are the newest for the core, which are not, and which one is the oldest."""
    behind, withdrawn, dated = [], [], []
    for name, version in lock.plugins.items():
        newest = offer.plugins.get(name)
        if newest is None:
            withdrawn.append(name)
            continue
        if is_older(version, newest.version):
            behind.append(f"{name} {version} -> {newest.version}{_describe_age(newest.released, today)}")
        if (released := newest.find_date(version)) is not None:
            dated.append((released, name))
    count = len(lock.pins)
    parts = [
        f"{count - len(behind) - len(withdrawn)} of {wording.count_noun(count, 'plugin')} are the newest for this core"
    ]
    if behind:
        parts.append(f"with a successor: {_list(behind)}")
    if withdrawn:
        parts.append(f"not offered any more: {_list(withdrawn)}")
    if dated:
        released, name = min(dated)
        parts.append(f"the oldest is {name} {lock.plugins[name]}{_describe_age(released, today)}")
    if len(dated) < count:
        parts.append(f"the age of {count - len(dated)} is not known")
    return "; ".join(parts)


def _list(items: list[str]) -> str:
    more = len(items) - _MOST_NAMED
    return ", ".join(items[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def _describe_age(released: datetime.date | None, today: datetime.date) -> str:
    """' of 2026-08-05 (117 days old)', or '' if the date is not known."""
    if released is None:
        return ""
    days = max((today - released).days, 0)
    age = wording.count_noun(days, "day") if days < 2 * _DAYS_OF_A_YEAR else f"{days / _DAYS_OF_A_YEAR:.1f} years"
    return f" of {released} ({age} old)"
