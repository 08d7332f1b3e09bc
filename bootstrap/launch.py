"""The play: five acts; each gets what the previous one returned. `plan` looks at the same five; `destroy` takes all down.

    stack   CloudFormation makes the network, the data and the machine
    host    the machine is converged to its desired state
    casc    Configuration as Code configures Jenkins
    jobs    Job Builder makes the jobs
    verify  testinfra proves all of it

Whatever a person wrote (templates, CasC, jobs, the lock) is read and refused before the first act touches anything, and
every file of Jenkins is here and proved by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bootstrap import wording
from bootstrap.acts import casc, host, jobs, stack, verify
from bootstrap.cloud import direct_connect, retained, tag_repair
from bootstrap.cloud import instance as machine
from bootstrap.context import ROOT, Context
from bootstrap.environment import settings as environments
from bootstrap.errors import SessionRefused, StackFailed, Unreachable
from bootstrap.jenkins.controller import differences, journal
from bootstrap.policies import people
from bootstrap.preconditions import (
    account,
    bucket_of_files,
    host_inputs,
    hosted_zones,
    image_choice,
    interruptions,
    jenkins_files,
    network_removal,
    other_repository,
    project_stacks,
    running_builds,
    stack_inputs,
)
from bootstrap.runs.journal import Run
from bootstrap.stacks import composition, rules
from bootstrap.values import Change, ChangeKind, Controller, Machine, Stack, Verdict
from bootstrap.views import enforcement, inventory, mail

ACCEPTANCE = ROOT / "tests" / "acceptance"


def launch(context: Context, run: Run, *, with_verify: bool = True, waits: bool = True) -> Verdict | None:
    """From nothing, or from whatever is there, to a verified Jenkins; None where the verification was left out.

    Running builds are waited for before Jenkins restarts, or its machine is replaced, unless `waits` is false.
    """
    check(context)
    jenkins_files.obtain(context, run)
    inventory.report_versions(context, run)
    launch_stacks(context, run, waits=waits)
    controller = provision(context, run, waits=waits)
    configure(context, run, controller)
    publish(context, run)
    inventory.report_inventory(context, run)
    return prove(context, run) if with_verify else None


def check(context: Context) -> None:
    """Read everything that people wrote; the errors name file, line and column. Nothing is touched."""
    jenkins_files.check_lock(context)
    check_code(context)


def check_code(context: Context) -> None:
    """What people wrote, except the dependencies in the lock: the ways in, settings of Jenkins, jobs and templates."""
    environments.check_ssh(context.environment_file, context.settings)
    environments.check_ways(context.environment_file, context.settings)
    project_stacks.check(context)
    _ = context.casc_files, context.jobset
    check_templates(context, context.wanted)


def check_templates(context: Context, names: Sequence[str]) -> None:
    """Lint the templates of these stacks and hold them to the toolkit's own rules; TemplateInvalid where one is wrong."""
    for name in names:
        stack.lint(stack_inputs.find_template(name), context.settings.region)
        rules.check(stack_inputs.find_template(name), composition.list_outputs(name))


def launch_stacks(
    context: Context, run: Run, names: Sequence[str] | None = None, *, waits: bool = True
) -> Machine | None:
    """Act one: the stacks in their order, or those of them that are named, then the machine that they made.

    An optional stack that the settings no longer ask for is deleted first.
    """
    names = stack_inputs.sort_stacks(context, names)
    check_templates(context, names)
    account.check(context, names)
    other_repository.report_other_repository(context, run)
    network_removal.check_narrowing(context)
    hosted_zones.check_removal(
        context, f"launching '{context.settings.name}'", hosted_zones.list_zones_to_delete(context)
    )
    tags = context.make_tags(host_inputs.take_snapshot(context).label, run.run_id)
    run.event("commit", commit=tags["Commit"])
    client = context.world.aws("cloudformation")
    stacks: dict[str, Stack] = dict(context.stacks)

    def empty_bucket(old: Stack) -> None:
        # Not `context.stacks`: a stack that an operation still changed is in `made` as it was afterwards.
        image_choice.check(context, image_choice.choose(context, stacks))
        running_builds.wait(context, run, waits=waits)
        machine.stop(context.world.aws("ec2"), old.outputs.get("InstanceId", ""))

    with run.act("stack", f"CloudFormation: {', '.join(names)}"):
        tag_repair.apply(context.world, stacks, names, tags, run)
        for name in stack_inputs.list_unwanted_stacks(context):
            bucket_of_files.empty_bucket(context, name, run)
            stack.destroy(client, stacks.pop(name).name, run)
        for name in (*names, *stack_inputs.list_repeated(context, names)):
            is_gone = name == "controller" and stack_inputs.is_gone(context)
            if name == "controller":
                image_choice.settle(context, stacks, run, is_gone=is_gone)
            wished = people.gather_template(context, name, stacks, tags)
            if is_gone:
                run.notice("the instance was terminated: its remaining resources are removed, then it is created again")
                stack.apply(client, replace(wished, parameters={**wished.parameters, "Presence": "absent"}), run)
            with _add_boot_log(context):
                stacks[name] = stack.apply(client, wished, run, before_removal=empty_bucket)
        if stacks != dict(context.stacks):
            tag_repair.apply(context.world, stacks, names, tags)
        # Ways to other networks are an operator's to change: the machine's jobs have no rights there.
        if not context.world.is_on_machine:
            direct_connect.apply(context.world.aws, context.settings, tags, run)
        before = context.stacks.get("public-zone")
        context.forget()
        hosted_zones.report_delegation(context, before, run)
        if "controller" not in names:
            return None
        machine.start(context.world.aws("ec2"), context.outputs("controller")["InstanceId"], run)
        found = machine.wait(context.world.aws, context.outputs("controller"), context.outputs("data"), run)
        enforcement.report_enforcement(context.world.endpoint, context.world.control_token, run)
        mail.report_problems(context.world.endpoint, run)
        return found


def provision(context: Context, run: Run, *, waits: bool = True) -> Controller:
    """Act two: the machine in its desired state; returns the Jenkins on it."""
    with run.act("host", f"converging {context.machine.address}"), _add_boot_log(context):
        inputs, artifacts = host_inputs.gather(context, run, writes=True)
        offer = bucket_of_files.find_offer(context, inputs, run)
        return host.apply(context.shell, inputs, artifacts, run, waits=waits, offer=offer)


def configure(context: Context, run: Run, controller: Controller) -> None:
    """Act three: Jenkins checks the configuration, then takes it; the toolkit's token is made where it is missing."""
    with run.act("casc", f"configuring {controller.url}"):
        with context.shell.forward(controller.port) as port:
            casc.ensure_token(f"http://127.0.0.1:{port}/", controller)
        values = context.casc_values
        casc.apply(context.shell, context.jenkins, context.casc_files, values, run)
    if not host.has_agents(context.shell):  # its settings were not those of this Jenkins when the machine was converged
        provision(context, run)


def publish(context: Context, run: Run, again: Sequence[str] = ()) -> None:
    """Act four: the jobs of the code; one that left the code is disabled and kept, those named in `again` are sent anyway."""
    with run.act("jobs", f"publishing {len(context.jobset.jobs)} jobs"):
        jobs.apply(context.jenkins, context.jobset, run, again, explain=journal.make_explainer(context.shell))


def prove(context: Context, run: Run, only: Sequence[str] = ()) -> Verdict:
    """Act five: the acceptance suite, in a process of its own."""
    with run.act("verify", "the acceptance suite", ending="done"):
        verdict = verify.run(context.environment_file, ACCEPTANCE, run.folder, run, tuple(only))
        for check in verdict.checks:
            run.event("check", name=check.name, group=check.group, outcome=check.outcome, detail=check.detail)
        run.say(f"        {verdict.summary}")
        return verdict


def plan(context: Context, run: Run) -> tuple[Change, ...]:
    """What a launch would change, as far as can be known: it stops at the first act whose input does not exist yet."""
    check(context)
    changes = plan_stacks(context, run)
    if stack_inputs.is_gone(context):
        instance = f"{context.stacks['controller'].name}/Instance"
        changes += _show(run, [Change("stack", ChangeKind.REPLACE, instance, "was terminated; it is created again")])
    if not stack_inputs.can_look(context):
        if context.stacks:
            run.notice("host, casc and jobs: known only when every stack exists and the machine runs")
    else:
        changes = (*changes, *plan_host(context, run), *plan_casc(context, run), *plan_jobs(context, run))
    _plan_checks(run)
    return changes


def _plan_checks(run: Run) -> None:
    """What a launch would prove at its end: counted for a person, listed with -v, in the journal and with --json."""
    listed = verify.list_checks(ACCEPTANCE)
    run.event("checks-planned", checks=list(listed))
    run.say(f"verify  {wording.count_noun(len(listed), 'check')} would run")
    for each in listed:
        run.detail(each)


def plan_stacks(context: Context, run: Run, names: Sequence[str] | None = None) -> tuple[Change, ...]:
    """The change sets of the stacks, as far as the outputs that they take exist."""
    names = stack_inputs.sort_stacks(context, names)
    check_templates(context, names)
    account.check(context, names)
    other_repository.report_other_repository(context, run)
    tags = context.make_tags(host_inputs.take_snapshot(context).label, run.run_id)
    changes: list[Change] = []
    with run.act("stack", "what would change"):
        for name in stack_inputs.list_unwanted_stacks(context):
            changes += _show(run, [Change("stack", ChangeKind.REMOVE, context.stacks[name].name)])
        for name in names:
            if reason := stack_inputs.explain_waiting(context, name):
                run.notice(f"{name} cannot be planned yet: {reason}")
                continue
            wished = people.gather_template(context, name, context.stacks, tags)
            changes += _show(run, stack.plan(context.world.aws("cloudformation"), wished))
        changes += _show(run, tag_repair.plan(context.world, context.stacks, names, tags))
        if not context.world.is_on_machine:
            changes += _show(run, direct_connect.plan(context.world.aws, context.settings))
        for line in interruptions.explain_interruptions(changes):
            run.notice(f"interrupts: {line}")
        running_builds.report_running_builds(context, run, changes)
        image_choice.report_image_choice(context, run)
        for line in network_removal.list_hindrances(context):
            run.notice(f"will be refused: {line}")
    return tuple(changes)


def plan_host(context: Context, run: Run) -> tuple[Change, ...]:
    """What differs between the machine and its desired state."""
    with run.act("host", "what would change"):
        inputs, _ = host_inputs.gather(context, run)
        found = _show(run, host.plan(context.shell, inputs))
        running_builds.report_running_builds(context, run, found)
        return found


def plan_casc(context: Context, run: Run) -> tuple[Change, ...]:
    """Which configuration files differ, and what was edited in Jenkins that a reload overwrites."""
    with run.act("casc", "what would change"):
        values = context.casc_values
        found = casc.plan(context.shell, context.jenkins, context.casc_files, values, run)
        return _show(run, differences.add_settings_diffs(context.shell, casc.FOLDER, context.casc_files, found))


def plan_jobs(context: Context, run: Run) -> tuple[Change, ...]:
    """Which jobs would be sent, and which would be disabled."""
    with run.act("jobs", "what would change"):
        found = jobs.plan(context.jenkins, context.jobset)
        jobs.report_unjudged(context.jobset, run)
        return _show(run, differences.add_job_diffs(context.jenkins, context.jobset, found))


def destroy(context: Context, run: Run, *, with_data: bool = False) -> tuple[str, ...]:
    """Take the stacks down, last first; returns what is left of them. The data stays unless `with_data` says otherwise."""
    client = context.world.aws("cloudformation")
    hosted_zones.check_removal(context, f"destroying '{context.settings.name}'", tuple(hosted_zones.ZONES))
    kept: list[str] = []
    with run.act("stack", "deleting"):
        direct_connect.destroy(context.world.aws, context.settings, run)
        for name in stack_inputs.list_destroyed(context):
            if name in stack_inputs.PROTECTED and not with_data:
                found = context.stacks.get(name)
                kept += [f"stack {found.name}"] if found else []
                continue
            if name == "controller" and name in context.stacks:
                machine.stop(context.world.aws("ec2"), context.stacks[name].outputs.get("InstanceId", ""))
            bucket_of_files.empty_bucket(context, name, run)
            kept += stack.destroy(client, context.settings.name_stack(name), run)
        if with_data:
            data = [context.settings.name_stack(name) for name in stack_inputs.PROTECTED]
            kept = list(dict.fromkeys([*kept, *retained.find(context.world.aws, context.settings, data)]))
            kept = [thing for thing in kept if not retained.remove(context.world.aws, thing, run)]
    return tuple(kept)


@contextmanager
def _add_boot_log(context: Context) -> Iterator[None]:
    """What fails for the machine's sake gets the last lines of its console after the reason, where there is a machine."""
    try:
        yield
    except SessionRefused:
        raise
    except (Unreachable, StackFailed) as error:
        if log := machine.read_boot_log_of(context.world.aws, context.settings.name_stack("controller")):
            error.found = f"{error.found}\n{log}"
        raise


def _show(run: Run, changes: Sequence[Change]) -> tuple[Change, ...]:
    for change in changes:
        run.change(change)
    return tuple(changes)
