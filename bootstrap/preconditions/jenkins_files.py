"""Checks the files of Jenkins before anything is made: the lock, the dependencies of its plugins, and the environment's source.

A plan and `doctor` only check whether the source has the files; a launch downloads and proves every file before it changes the
first resource. The source is used once in each run: the distribution is stored in the context, and the host act takes it from
there.
"""

from __future__ import annotations

from bootstrap.context import PROJECT, Context
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import Distribution, lock_files, needs, plugins, resolve, source_check
from bootstrap.runs.journal import Run

DOWNLOADS = PROJECT / ".bootstrap" / "downloads"


def check_lock(context: Context) -> None:
    """DistributionFailed with every missing or wrong dependency, if Jenkins would not start with the plugins of the lock."""
    needs.check(context.lock, read_needs(context))


def read_needs(context: Context) -> needs.Table:
    """What the plugins need, as the table beside the lock has it."""
    return needs.load_table(context.lock.path.with_name(needs.NAME))


def find_unjudged(context: Context) -> str:
    """A sentence about the plugins of the lock that nothing here knows; '' if all are known."""
    unjudged = needs.find_unjudged(context.lock, read_needs(context))
    return needs.describe_unjudged(context.lock, unjudged)


def report_unjudged(context: Context, run: Run) -> None:
    """Print a notice if the lock has plugins that nothing here knows."""
    if unjudged := find_unjudged(context):
        run.notice(f"{unjudged}; '{needs.COMMAND}' asks the update center")


def prepare(context: Context, run: Run, *, loads: bool) -> None:
    """Prepare the files of Jenkins before a command changes anything: with `loads` download them, otherwise only check them."""
    report_unjudged(context, run)
    if unproved := source_check.describe_unproved(context.settings.jenkins, context.lock):
        run.notice(unproved)
    if loads:
        obtain(context, run)
    else:
        examine(context, run)


def obtain(context: Context, run: Run) -> Distribution:
    """Every file, proved; or the emulator, if the environment file allows it and the source does not answer."""
    if context.distribution is None:
        context.distribution = resolve(context.settings.jenkins, context.lock, DOWNLOADS, run)
        record_needs(context, context.distribution, run)
    return context.distribution


def record_needs(context: Context, distribution: Distribution, run: Run) -> None:
    """Write rows for the plugins that nothing here knew; the manifests of their proved files say what they need."""
    table = read_needs(context)
    unjudged = needs.find_unjudged(context.lock, table)
    found = {
        name: plugins.read_needs(distribution.plugin_files[name])
        for name in unjudged
        if name in distribution.plugin_files
    }
    if found:
        lock_files.record_needs(table.path, found)
        run.notice(f"{table.path.name} has what the manifest of {', '.join(found)} says now: review and commit it")


def examine(context: Context, run: Run) -> None:
    """DistributionFailed if the source lacks a file or has another one than the lock; no answer is handled as in a launch."""
    if context.settings.jenkins.source == "emulator":
        obtain(context, run)
        return
    presence_of_files = check_source(context)
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


def check_source(context: Context) -> source_check.Presence:
    """Ask the environment's source which files it has; every call asks again."""
    return source_check.check_source(context.settings.jenkins, context.lock, DOWNLOADS)
