"""Jenkins' own files, judged before anything is made: the lock, what its plugins need, and the source of the environment.

A plan and the doctor look; a launch has every file here, proved, before the first resource is touched. The source is asked
once for each run: what came of it is kept in the context, and the host act takes it from there.
"""

from __future__ import annotations

from bootstrap.context import ROOT, Context
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import Distribution, needs, presence, resolve
from bootstrap.runs.journal import Run

DOWNLOADS = ROOT / ".bootstrap" / "downloads"


def check_lock(context: Context) -> None:
    """Refuse a lock that is broken or no set that starts; DistributionFailed with every fault of the latter kind."""
    needs.check(context.lock, needs.load_table(ROOT / needs.NAME))


def prepare(context: Context, run: Run, *, loads: bool) -> None:
    """What a command does with Jenkins' files before it touches anything: a launch loads them, a plan looks."""
    if told := presence.tell_unproved(context.settings.jenkins, context.lock):
        run.notice(told)
    if loads:
        obtain(context, run)
    else:
        examine(context, run)


def obtain(context: Context, run: Run) -> Distribution:
    """Every file, proved; or the emulator, where the environment allows it and the source does not answer."""
    if context.distribution is None:
        context.distribution = resolve(context.settings.jenkins, context.lock, DOWNLOADS, run)
    return context.distribution


def examine(context: Context, run: Run) -> None:
    """Refuse a source that lacks a file or has another one than the lock says; one that does not answer, as a launch does."""
    if context.settings.jenkins.source == "emulator":
        obtain(context, run)
        return
    found = look(context)
    if found.unobtainable:
        context.distribution = resolve(context.settings.jenkins, context.lock, DOWNLOADS, run, found.unobtainable)
    if found.faults:
        raise DistributionFailed(
            f"checking whether {found.source} has the core and the {len(context.lock.pins)} plugins of the lock",
            "\n".join(found.faults),
            "Put the locked files there, or name another source under 'jenkins' in the environment file.",
        )


def look(context: Context) -> presence.Presence:
    """What the source of the environment has; it is asked at every call."""
    return presence.look(context.settings.jenkins, context.lock, DOWNLOADS)
