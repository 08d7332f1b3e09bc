"""The play: five acts; each gets what the previous one returned. `destroy` takes all down.

    stack   CloudFormation makes the network, the data and the machine
    host    the machine is converged to its desired state
    casc    Configuration as Code configures Jenkins
    jobs    Job Builder makes the jobs
    verify  testinfra proves all of it

What a launch would change is in `planning.look`. Whatever a person wrote (templates, CasC, jobs, the lock) is read and
refused before the first act touches anything, and every file of Jenkins is here and proved by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from bootstrap.acts import casc, host, jobs, stack, verify
from bootstrap.cloud import direct_connect, retained, tag_repair
from bootstrap.cloud import instance as machine
from bootstrap.context import ROOT, Context
from bootstrap.environment import settings as environments
from bootstrap.errors import SessionRefused, StackFailed, Unreachable
from bootstrap.jenkins.controller import journal
from bootstrap.preconditions import (
    account,
    agent_groups,
    agent_removal,
    agent_repair,
    bucket_of_files,
    host_inputs,
    hosted_zones,
    image_choice,
    jenkins_files,
    network_removal,
    other_repository,
    people_policy,
    project_stacks,
    running_builds,
    sign_in,
    stack_inputs,
)
from bootstrap.runs.journal import Run
from bootstrap.stacks import composition, rules
from bootstrap.values import Controller, Machine, Stack, Verdict
from bootstrap.views import enforcement, inventory, mail

ACCEPTANCE = ROOT / "tests" / "acceptance"


def launch(context: Context, run: Run, *, with_verify: bool = True, waits: bool = True) -> Verdict | None:
    """From nothing, or from whatever is there, to a verified Jenkins; None where the verification was left out.

    Running builds are waited for before Jenkins restarts, or its machine is replaced, unless `waits` is false.
    """
    check(context)
    sign_in.report(context, run)
    jenkins_files.obtain(context, run)
    inventory.report_versions(context, run)
    launch_stacks(context, run, waits=waits)
    controller = provision(context, run, waits=waits)
    configure(context, run, controller)
    agent_removal.remove_unwanted(context, run)
    publish(context, run)
    inventory.report_inventory(context, run)
    return prove(context, run) if with_verify else None


def check(context: Context) -> None:
    """Read everything that people wrote; the errors name file, line and column. Nothing is touched."""
    jenkins_files.check_lock(context)
    sign_in.check_plugins(context)
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

    def release_machine(old: Stack) -> None:
        # Not `context.stacks`: a stack that an operation still changed is in `stacks` as it was afterwards.
        image_choice.check(context, image_choice.choose(context, stacks))
        running_builds.wait(context, run, waits=waits)
        machine.stop(context.world.aws("ec2"), old.outputs.get("InstanceId", ""))

    with run.act("stack", f"CloudFormation: {', '.join(names)}"):
        tag_repair.apply(context.world, stacks, names, tags, run)
        for name in stack_inputs.list_unwanted_stacks(context):
            if name.startswith(composition.AGENTS):
                continue  # only when Jenkins has forgotten the group: `agent_removal`
            bucket_of_files.empty_bucket(context, name, run)
            stack.destroy(client, stacks.pop(name).name, run)
        for name in (*names, *stack_inputs.list_repeated(context, names)):
            is_gone = name == "controller" and stack_inputs.is_gone(context)
            if name == "controller":
                image_choice.settle(context, stacks, run, is_gone=is_gone)
            agent_repair.remove(context, name, stacks, run)
            wished = people_policy.gather_template(context, name, stacks, tags)
            if is_gone:
                run.notice("the instance was terminated: its remaining resources are removed, then it is created again")
                stack.apply(client, replace(wished, parameters={**wished.parameters, "Presence": "absent"}), run)
            with _add_boot_log(context):
                stacks[name] = stack.apply(client, wished, run, before_removal=release_machine)
            agent_repair.resize(context, name, stacks[name], run)
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
        clouds = agent_groups.make_clouds(context)
        casc.apply(context.shell, context.jenkins, context.casc_files, values, run, clouds)
        agent_repair.resize_all(context, run)
    if not host.has_agents(
        context.shell, context.settings.agents
    ):  # its settings were not those of this Jenkins when the machine was converged
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
            agent_removal.prepare(context, name, run)
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
