"""The builds that run now, where a change would end them: told in a plan, and waited for before the machine is replaced.

Before a restart of Jenkins alone the machine itself waits (`remote.converge.draining`). `destroy` waits for nobody: it is asked
for by a person, and is meant to end what runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from bootstrap.acts import host
from bootstrap.cloud.instance import state
from bootstrap.context import Context
from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect
from bootstrap.remote import drain
from bootstrap.runs.journal import Run
from bootstrap.values import Change, ChangeKind

_TREE = "computer[executors[currentExecutable[url]],oneOffExecutors[currentExecutable[url]]]"
_PATH = re.compile(r"/job/(?P<name>[^?#]+?)/(?P<number>\d+)/$")


def tell(context: Context, run: Run, changes: Sequence[Change]) -> None:
    """Say of a plan's changes whether they restart Jenkins, or replace its machine, and which builds run now."""
    what = next(iter(_ends(changes)), "")
    if not what:
        return
    minutes = context.settings.jenkins.drain_minutes
    waits = (
        f"it waits for running builds, at most {minutes} min, unless --now is given" if minutes else "it does not wait"
    )
    try:
        builds = now_running(context.jenkins)
    except BootstrapError:
        run.notice(f"interrupts: {what}; {waits}. The running builds are not known: Jenkins does not answer")
        return
    run.notice(f"interrupts: {what}; {waits}. Running now: {', '.join(builds) or 'no builds'}")


def _ends(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        is_machine = change.kind is ChangeKind.REPLACE and change.name.endswith("-controller/Instance")
        if is_machine and change.detail.startswith("AWS::EC2::Instance"):
            yield "the machine is replaced"
        if change.name == drain.UNIT and "restarted: " in change.detail:
            yield "Jenkins restarts"


def now_running(client: JenkinsClient) -> tuple[str, ...]:
    """The builds that run now, as people know them: 'folder/job #12'."""
    return tuple(dict.fromkeys(_names(client, "executors", "oneOffExecutors")))


def on_executors(client: JenkinsClient) -> tuple[str, ...]:
    """Those of them that hold an executor which another build could have."""
    return tuple(dict.fromkeys(_names(client, "executors")))


def _names(client: JenkinsClient, *kinds: str) -> Iterator[str]:
    answer = ask(client, "GET", "computer/api/json", params={"tree": _TREE})
    for computer in expect(answer, "asking Jenkins which builds run").json().get("computer", ()):
        for executor in (each for kind in kinds for each in computer.get(kind, ())):
            executable = executor.get("currentExecutable") or {}
            if found := _PATH.search(str(executable.get("url", ""))):
                name = unquote(found["name"]).replace("/job/", "/")
                yield "".join(each if each.isprintable() else "?" for each in f"{name} #{found['number']}")


def wait(context: Context, run: Run, *, waits: bool = True) -> None:
    """Before the machine is replaced: no new build starts, and those that run are waited for, within the limit.

    A machine that does not run, or cannot be reached any more, is not waited for.
    """
    if state(context.world.aws("ec2"), context.outputs("controller").get("InstanceId", "")) != "running":
        return
    try:
        host.drain(context.shell, context.settings.jenkins, context.url, run, waits=waits)
    except BootstrapError as error:
        run.notice(f"the machine is replaced without waiting for builds: {error.found.splitlines()[0]}")
