"""The running builds that a change would end: a plan lists them, and a launch waits for them before it replaces the machine.

Before a restart of Jenkins alone, the program on the machine waits (`remote.converge.draining`). `destroy` does not wait: a
person who deletes the environment wants to end its builds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bootstrap.acts import host
from bootstrap.cloud.instance import read_state
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller import executors
from bootstrap.jenkins.controller.api import JenkinsClient
from bootstrap.remote import drain
from bootstrap.runs.journal import Run
from bootstrap.values import Change, ChangeKind


def report_running_builds(context: Context, run: Run, changes: Sequence[Change]) -> None:
    """Report whether the changes of a plan restart Jenkins or replace its machine, and which builds run now."""
    interruption = next(iter(_list_interruptions(changes)), "")
    if not interruption:
        return
    minutes = context.settings.jenkins.drain_minutes
    waits = (
        f"it waits for running builds, at most {minutes} min, unless --now is given" if minutes else "it does not wait"
    )
    try:
        builds = list_running_builds(context.jenkins)
    except BootstrapError:
        run.notice(f"interrupts: {interruption}; {waits}. The running builds are not known: Jenkins does not answer")
        return
    run.notice(f"interrupts: {interruption}; {waits}. Running now: {', '.join(builds) or 'no builds'}")


def _list_interruptions(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        is_machine = change.kind is ChangeKind.REPLACE and change.name.endswith("-controller/Instance")
        if is_machine and change.detail.startswith("AWS::EC2::Instance"):
            yield "the machine is replaced"
        if change.name == drain.UNIT and "restarted: " in change.detail:
            yield "Jenkins restarts"


def list_running_builds(client: JenkinsClient) -> tuple[str, ...]:
    """The names of the running builds: 'folder/job #12'."""
    return tuple(dict.fromkeys(each.build for each in executors.read_occupied(client)))


def list_builds_on_executors(client: JenkinsClient) -> tuple[str, ...]:
    """The running builds that occupy an executor; builds that need none are not included."""
    return tuple(dict.fromkeys(each.build for each in executors.read_occupied(client) if not each.is_one_off))


def wait(context: Context, run: Run, *, waits: bool = True) -> None:
    """Before the machine is replaced: start no new builds, and wait for the running ones, at most as long as the settings say.

    If the machine does not run or cannot be reached, this does not wait.
    """
    if read_state(context.world.aws("ec2"), context.outputs("controller").get("InstanceId", "")) != "running":
        return
    try:
        host.drain(context.shell, context.settings.jenkins, context.url, run, waits=waits)
    except BootstrapError as error:
        run.notice(f"the machine is replaced without waiting for builds: {error.found.splitlines()[0]}")
