"""Checks the files of Jenkins before anything is made: the lock, the dependencies of its plugins, and the environment's source.

A plan and `doctor` only check whether the source has the files; a launch downloads and proves every file before it changes the
first resource. The source is used once in each run: the distribution is stored in the context, and the host act takes it from
there.
"""

from __future__ import annotations

from bootstrap.context import ROOT, Context
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import Distribution, needs, presence, resolve
from bootstrap.runs.journal import Run

DOWNLOADS = ROOT / ".bootstrap" / "downloads"


def check_lock(context: Context) -> None:
    """DistributionFailed with every missing or wrong dependency, if Jenkins would not start with the plugins of the lock."""
    needs.check(context.lock, needs.load_table(ROOT / needs.NAME))


def prepare(context: Context, run: Run, *, loads: bool) -> None:
    """Prepare the files of Jenkins before a command changes anything: with `loads` download them, otherwise only check them."""
    if unproved := presence.describe_unproved(context.settings.jenkins, context.lock):
        run.notice(unproved)
    if loads:
        obtain(context, run)
    else:
        examine(context, run)


def obtain(context: Context, run: Run) -> Distribution:
    """Every file, proved; or the emulator, if the environment file allows it and the source does not answer."""
    if context.distribution is None:
        context.distribution = resolve(context.settings.jenkins, context.lock, DOWNLOADS, run)
    return context.distribution


def examine(context: Context, run: Run) -> None:
    """DistributionFailed if the source lacks a file or has another one than the lock; no answer is handled as in a launch."""
    if context.settings.jenkins.source == "emulator":
        obtain(context, run)
        return
    presence_of_files = look(context)
    if presence_of_files.unobtainable:
        context.distribution = resolve(
            context.settings.jenkins, context.lock, DOWNLOADS, run, presence_of_files.unobtainable
        )
    if presence_of_files.faults:
        raise DistributionFailed(
            f"checking whether {presence_of_files.source} has the core and the {len(context.lock.pins)} plugins of the lock",
            "\n".join(presence_of_files.faults),
            "Put the locked files there, or name another source under 'jenkins' in the environment file.",
        )


def look(context: Context) -> presence.Presence:
    """Ask the environment's source which files it has; every call asks again."""
    return presence.look(context.settings.jenkins, context.lock, DOWNLOADS)
