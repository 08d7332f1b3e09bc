"""What a launch would change: it looks at the same five acts, act by act, as far as the input of each one exists."""

from __future__ import annotations

from collections.abc import Sequence

from bootstrap import wording
from bootstrap.acts import casc, host, jobs, stack, verify
from bootstrap.cloud import direct_connect, tag_repair
from bootstrap.context import Context
from bootstrap.jenkins.controller import differences
from bootstrap.launch import ACCEPTANCE, check, check_templates
from bootstrap.preconditions import (
    account,
    agent_groups,
    agent_repair,
    host_inputs,
    image_choice,
    interruptions,
    network_removal,
    other_repository,
    people_policy,
    running_builds,
    sign_in,
    stack_inputs,
)
from bootstrap.runs.journal import Run
from bootstrap.values import Change, ChangeKind


def plan(context: Context, run: Run) -> tuple[Change, ...]:
    """What a launch would change, as far as can be known: it stops at the first act whose input does not exist yet."""
    check(context)
    sign_in.report(context, run)
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
            wished = people_policy.gather_template(context, name, context.stacks, tags)
            changes += _show(run, stack.plan(context.world.aws("cloudformation"), wished))
            changes += _show(run, agent_repair.plan(context, name))
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
        clouds = agent_groups.make_clouds(context)
        found = casc.plan(context.shell, context.jenkins, context.casc_files, values, run, clouds)
        return _show(run, differences.add_settings_diffs(context.shell, casc.FOLDER, context.casc_files, found))


def plan_jobs(context: Context, run: Run) -> tuple[Change, ...]:
    """Which jobs would be sent, and which would be disabled."""
    with run.act("jobs", "what would change"):
        found = jobs.plan(context.jenkins, context.jobset)
        jobs.report_unjudged(context.jobset, run)
        return _show(run, differences.add_job_diffs(context.jenkins, context.jobset, found))


def _show(run: Run, changes: Sequence[Change]) -> tuple[Change, ...]:
    for change in changes:
        run.change(change)
    return tuple(changes)
