"""The sub-commands: each opens what it needs, calls the play or one act, and says what came of it. Returns exit codes."""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bootstrap import beforehand, console, context, environment_lock, refusals, report, settings, wording
from bootstrap.context import ROOT, Context
from bootstrap.errors import BootstrapError
from bootstrap.run import Run, start
from bootstrap.values import Change, Verdict

DONE, FAILED, PENDING = 0, 1, 2


def run(options: argparse.Namespace) -> int:
    """Carry out the command that the options name."""
    if options.command in {"schema", "lock", "test"}:
        from bootstrap import checkout

        return int(getattr(checkout, options.command)(options))
    return getattr(sys.modules[__name__], f"_{options.command}")(options) or DONE


@contextlib.contextmanager
def opened(
    options: argparse.Namespace, *, brings_up: bool = False, changes: bool = False
) -> Iterator[tuple[Context, Run]]:
    """The environment and a run of it; the local cloud is made where `brings_up`, else only found.

    Whatever people wrote and the command would read is refused first, before anything is touched.

    What `changes` anything holds the environment's lock meanwhile.
    """
    path = context.paths(options.environment)
    chosen = settings.load(path)
    run = start(ROOT / ".bootstrap" / chosen.name / "runs", as_json=options.json, is_verbose=options.verbose)
    run.event("run-began", command=options.command, environment=chosen.name)
    try:
        with contextlib.ExitStack() as held:
            read = held.enter_context(Context(path, chosen))
            beforehand.check(options, read)
            if changes:
                lock = environment_lock.held(run.folder.parents[1], options.command, run, run.run_id)
                held.enter_context(lock)
            beforehand.supply(options, read, run)
            held.enter_context(refusals.told(f"carrying out '{options.command}' for '{chosen.name}'"))
            made = held.enter_context(_context(options, path, chosen, run, brings_up=brings_up))
            made.take_over(read)
            yield made, run
        run.event("run-ended", seconds=round(run.seconds, 3), changes=len(run.changes))
    except BootstrapError as error:
        with contextlib.suppress(OSError):  # of a full disk, say: the failure itself must be told
            run.event(
                "run-failed", error=type(error).__name__, doing=error.doing, found=error.found, remedy=error.remedy
            )
        raise
    finally:
        _draw(run)


def _draw(run: Run) -> None:
    """The run's page. One that cannot be drawn is said and hides nothing: what the run came to, or why it failed, stays."""
    try:
        report.write(run.journal.path)
    except Exception as error:
        # Whatever a page stumbles over (its template, a line of the journal, a full disk) is less than the run's own outcome.
        with contextlib.suppress(OSError):
            run.notice(f"the report of this run cannot be drawn: {type(error).__name__}: {error}")


def _context(
    options: argparse.Namespace, path: Path, chosen: settings.Settings, run: Run, *, brings_up: bool
) -> Context:
    if chosen.cloud != "local" or "AWS_ENDPOINT_URL" in os.environ:
        return Context(path, chosen, os.environ.get("AWS_ENDPOINT_URL"))
    from bootstrap.local.cloud import LocalCloud

    cloud = LocalCloud(chosen, ROOT / ".bootstrap" / chosen.name / "cloud")
    if brings_up:
        with run.act("cloud", "the AWS on this machine", ending="ready"):
            cloud.up(run, is_agreed=options.yes, ask=console.ask)
    else:
        cloud.attach(run)
    # Child processes (the acceptance suite) open the same environment by this variable, as the machine does.
    os.environ["AWS_ENDPOINT_URL"] = cloud.endpoint
    return Context(path, chosen, cloud.endpoint, cloud.machine_environment)


def _launch(options: argparse.Namespace) -> int:
    from bootstrap import launch, network_diagram, saved_plan

    planned = saved_plan.read(Path(options.plan)) if options.plan else None
    with opened(options, brings_up=True, changes=True) as (made, run):
        if planned is not None:
            saved_plan.check(made, run, planned)
        verdict = launch.launch(made, run, with_verify=not options.skip_verify, waits=not options.now)
        network_diagram.tell(made, run)
        if verdict is not None and not verdict.is_green:
            return _judge(verdict, options)
        _closing(made, run, verdict)
    return DONE


def _closing(made: Context, run: Run, verdict: Verdict | None) -> None:
    """The last lines of a launch: where Jenkins is, and what to run next."""
    controller = made.controller
    run.event("launched", url=controller.url, version=controller.version, emulated=controller.is_emulated)
    prefix = made.tool
    what = (
        f"the emulator of Jenkins {controller.version}" if controller.is_emulated else f"Jenkins {controller.version}"
    )
    count = len(run.changes)
    changed = wording.counted(count, "change") if count else "nothing had to change"
    at = "" if made.machine.address in controller.url else f" ({made.machine.address})"
    run.say(f"\n{controller.url}{at}  {what}, {changed}, {run.seconds:.1f} s")
    if verdict is not None:
        is_whole = all(check.outcome == "passed" for check in verdict.checks)
        run.say(verdict.summary + ("" if is_whole else f": '{prefix} verify' says why"))
    run.say(f"next: {prefix} password   {prefix} status   {prefix} verify   {prefix} destroy")


def _plan(options: argparse.Namespace) -> int:
    from bootstrap import launch, saved_plan

    with opened(options, brings_up=True) as (made, run):
        if options.out:
            plan = saved_plan.make(made, run)
            saved_plan.write(plan, Path(options.out))
        found = plan.changes if options.out else launch.plan(made, run)
        _estimate(made, run)
        run.say(f"\n{wording.counted(len(found), 'change')} pending" if found else "\nnothing to do")
        return _pending(found, options)


def _pending(found: Sequence[Change], options: argparse.Namespace) -> int:
    """The exit code of a plan."""
    return PENDING if found and not options.exit_zero else DONE


def _estimate(made: Context, run: Run) -> None:
    """What the environment's options cost a month on AWS, also where they are only tried here."""
    from bootstrap import costs

    table = ROOT / "prices.yaml"
    found = costs.estimate(made.settings, table)
    there = costs.estimate(costs.standing(made.settings, made.stacks), table, tuple(made.stacks))
    run.event(
        "costs",
        monthly=str(found.total),
        standing=str(there.total),
        currency=found.currency,
        noted_on=found.noted_on,
        unpriced=found.unpriced,
    )
    run.say(f"\n{found}")
    if made.stacks and (more := costs.difference(found, there)):
        run.say(more)


def _verify(options: argparse.Namespace) -> int:
    from bootstrap import launch, network_diagram

    with opened(options) as (made, run):
        verdict = launch.prove(made, run, options.only)
        network_diagram.tell(made, run)
        return _judge(verdict, options)


def _judge(verdict: Verdict, options: argparse.Namespace) -> int:
    if not options.json:  # with it, the run has told each check as an event already
        console.verdict(verdict)
        print(f"\nJUnit: {verdict.junit}")
    return DONE if verdict.is_green else FAILED


def _status(options: argparse.Namespace) -> int:
    from bootstrap import status

    with opened(options) as (made, run):
        found = status.look(made)
        if options.json:
            run.event("status", rows=[list(row) for row in found.rows])
        else:
            console.table(("what", "which", "state"), found.rows)
        return DONE if found.is_up else FAILED


def _password(options: argparse.Namespace) -> int:
    with opened(options) as (made, _):
        output = "AdminPasswordSecret" if options.user == "admin" else "ToolkitPasswordSecret"
        print(made.secret(output).reveal())
    return DONE


def _ssh(options: argparse.Namespace) -> int:
    from bootstrap.remote import openssh

    with opened(options) as (made, _), openssh.client(made.machine, made.world.dial(made.machine)) as client:
        return subprocess.run([*client, *options.remote[options.remote[:1] == ["--"] :]]).returncode


def _logs(options: argparse.Namespace) -> int:
    command = ["journalctl", "--no-pager", "--unit", options.unit, "--lines", str(options.lines)]
    if options.follow:
        options.remote = ["sudo", *command, "--follow"]
        return _ssh(options)
    with opened(options) as (made, _):
        sys.stdout.write(made.shell.run(command, sudo=True).stdout)
    return DONE


def _network(options: argparse.Namespace) -> int:
    from bootstrap import launch, network_diagram, network_view, saved_plan

    network_view.check(options)
    if options.action in network_view.ACTIONS:
        with opened(options) as (made, run):
            return network_view.show(options, made, run)
    if options.action == "destroy":
        return _network_destroy(options)
    planned = saved_plan.read(Path(options.plan)) if options.plan else None
    applies = options.action == "apply"
    with opened(options, brings_up=True, changes=applies) as (made, run):
        if options.action == "plan":
            plan = saved_plan.of_network(made, run)
            if options.out:
                saved_plan.write(plan, Path(options.out))
            _estimate(made, run)
            run.say(f"\n{wording.counted(len(plan.changes), 'change')} pending" if plan.changes else "\nnothing to do")
            return _pending(plan.changes, options)
        if planned is not None:
            saved_plan.check(made, run, planned, saved_plan.of_network)
        launch.stacks(made, run, launch.network_of(made))
        network_diagram.tell(made, run)
    return DONE


def _network_destroy(options: argparse.Namespace) -> int:
    from bootstrap import network_removal

    with opened(options, changes=True) as (made, run):
        if not _agreed(options, f"Destroy the network of '{made.settings.name}'?"):
            return FAILED
        network_removal.destroy(made, run)
        run.say(f"the network of '{made.settings.name}' is gone")
    return DONE


def _agreed(options: argparse.Namespace, question: str) -> bool:
    """Whether a person at the terminal says yes; nobody is asked without one, or after --yes."""
    return options.yes or not sys.stdin.isatty() or console.ask(question)


def _host(options: argparse.Namespace) -> int:
    from bootstrap import launch

    with opened(options, changes=options.action == "apply") as (made, run):
        if options.action == "plan":
            return _pending(launch.plan_host(made, run), options)
        launch.provision(made, run, waits=not options.now)
    return DONE


def _casc(options: argparse.Namespace) -> int:
    from bootstrap import launch

    with opened(options, changes=options.action == "apply") as (made, run):
        if options.action == "plan":
            return _pending(launch.plan_casc(made, run), options)
        launch.configure(made, run, made.controller)
    return DONE


def _jobs(options: argparse.Namespace) -> int:
    from bootstrap import launch

    with opened(options, changes=options.action == "apply") as (made, run):
        if options.action == "plan":
            return _pending(launch.plan_jobs(made, run), options)
        launch.publish(made, run, options.again)
    return DONE


def _build(options: argparse.Namespace) -> int:
    from bootstrap.controller import builds

    with opened(options) as (made, run):
        parameters = dict(text.split("=", 1) for text in options.parameter)
        result = builds.follow(made.jenkins, options.name, parameters, sys.stdout.write, url=made.url)
        run.event("built", job=options.name, result=result)
        return DONE if result == "SUCCESS" else FAILED


def _destroy(options: argparse.Namespace) -> int:
    from bootstrap import launch, remains

    with opened(options, changes=True) as (made, run):
        with_data = options.delete_data is not None
        if not with_data and not _agreed(options, f"Destroy '{made.settings.name}'?"):
            return FAILED
        kept = launch.destroy(made, run, with_data=with_data)
        for thing in kept:
            run.say(f"kept: {thing}")
        run.say(
            "the environment is gone" if not kept else f"'{made.settings.name}' is down; launch brings its data back"
        )
        remains.tell(made, run)
        if with_data:
            made.close()
            _forget_cloud(made)
    return DONE


def _forget_cloud(made: Context) -> None:
    """After the data went too, nothing of a local cloud is worth keeping: its server and its folder go."""
    if made.settings.cloud == "local" and not made.world.is_on_machine:
        from bootstrap.local.cloud import LocalCloud
        from bootstrap.local.machines import Machines

        cloud = LocalCloud(made.settings, made.state / "cloud")
        cloud.down()
        Machines(made.settings.name, cloud.state).remove_all(with_volumes=True)
        cloud.forget()


def _drift(options: argparse.Namespace) -> int:
    from bootstrap import drift

    with opened(options) as (made, run):
        found = drift.look(made, run)
        run.event("drift", lines=[vars(line) for line in found.lines], unseen=found.unseen)
        if found.lines and not options.json:
            print()
            console.table(
                ("where", "what", "found", "mend"), ((it.where, it.name, it.found, it.mend) for it in found.lines)
            )
            for it in found.lines:
                run.diff(it.diff)
        blind = f"; {wording.counted(len(found.unseen), 'place')} could not be looked at" if found.unseen else ""
        run.say(f"\n{wording.drifted(len(found.lines))}{blind}")
        if found.lines:
            return PENDING
        return FAILED if found.unseen else DONE


def _doctor(options: argparse.Namespace) -> int:
    from bootstrap import preflight

    return preflight.policies(options) if options.policy else preflight.doctor(options)


def _mail(options: argparse.Namespace) -> int:
    from bootstrap import inspection

    return inspection.mail(options)


def _history(options: argparse.Namespace) -> int:
    from bootstrap import inspection

    return inspection.history(options)


def _report(options: argparse.Namespace) -> int:
    from bootstrap import inspection

    return inspection.show(options)
