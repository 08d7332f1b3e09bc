"""Steps with effects outside of the node: repositories, other jobs, mail."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from typing import Any

from ..execution.bindings import lookup
from ..execution.environment import expand
from ..execution.git import Git, Repository, strip_branch
from ..execution.mail_sending import NOT_SENT, SEND_FAILED, MailFailed, deliver, read_account
from ..execution.publishers import complete_message, parse_recipients, send_mail
from ..execution.queue import QueueItem
from ..execution.registry import Step, register_step
from ..failures import Interrupted, StepFailed
from ..model.build_record import Parameter
from ..model.builds import Build, make_upstream_cause
from ..model.properties import declare_properties
from .node import find_directory, find_node

RETRY_SECONDS = 10.0
BOOLEAN = "BooleanParameterDefinition"


@register_step("checkout", main="scm", plugin="workflow-scm-step")
async def check_out(call: Step) -> dict[str, str]:
    """Check out a repository: that of the job (`scm`), or another one."""
    scm = call.arguments.get("scm")
    if not isinstance(scm, dict):
        raise StepFailed("No such property: scm for class: groovy.lang.Binding", "groovy.lang.MissingPropertyException")
    repository = call.engine.repository if scm.get("$class") == "own" else read_repository(scm)
    if repository is None:
        raise StepFailed("the job has no repository of its own")
    return await _check_out(call, repository)


def read_repository(scm: dict[str, Any]) -> Repository:
    """A repository from `[$class: 'GitSCM', ...]` or `scmGit(...)`."""
    if str(scm.get("$class", "")).rpartition(".")[2] not in {"GitSCM", "scmGit"}:
        raise StepFailed(f"the source code management {scm.get('$class')} is not known to the emulator")
    remotes, branches = scm.get("userRemoteConfigs") or [], scm.get("branches") or [{"name": "*/master"}]
    if not remotes:
        raise StepFailed("No remote repository is configured for Git")
    extensions = {str(entry.get("$class", "")): entry for entry in scm.get("extensions") or []}
    folder = extensions.get("RelativeTargetDirectory", {}).get("relativeTargetDir", "")
    cleans = bool({"CleanBeforeCheckout", "cleanBeforeCheckout", "WipeWorkspace"} & set(extensions))
    remote = remotes[0]
    return Repository(
        str(remote["url"]),
        strip_branch(str(branches[0]["name"])),
        str(remote.get("credentialsId") or ""),
        str(folder),
        cleans,
    )


@register_step("git", main="url", plugin="git")
async def check_out_git(call: Step) -> dict[str, str]:
    """Check out one branch of one remote."""
    return await _check_out(
        call, Repository(call.require("url"), call.read_text("branch", "master"), call.read_text("credentialsId"))
    )


async def _check_out(call: Step, repository: Repository) -> dict[str, str]:
    engine = call.engine
    where = find_directory(call)
    await find_node(call).make_folder(where)
    client = Git(engine.home, engine.console, engine.make_process_environment(call.context), find_node(call))
    is_main = repository == engine.repository or not engine.build.revision
    variables = await client.check_out(repository, where, engine.build, is_main=is_main)
    engine.variables.update(variables)
    return variables


@register_step("build", main="job", plugin="pipeline-build-step")
async def build(call: Step) -> dict[str, str] | None:
    """Build another job; by default wait for it, and fail if it fails."""
    engine = call.engine
    job = engine.home.find_job(call.require("job"), engine.build.job.parent)
    if job is None:
        raise StepFailed(f"No item named {call.require('job')} found")
    if job.is_disabled or job.is_held:
        raise StepFailed(f"Item {job.full_name} is not buildable")
    given = {str(entry.get("name")): entry for entry in call.arguments.get("parameters") or []}
    values = [
        Parameter(
            entry.name,
            _format_value(given[entry.name].get("value")) if entry.name in given else entry.default,
            entry.kind,
        )
        for entry in job.parameters
    ]
    converted = [entry for entry in job.parameters if entry.name in given and _differs(entry.kind, given[entry.name])]
    delay = call.arguments.get("quietPeriod")
    item, _ = engine.services.queue.schedule(
        job, values, [make_upstream_cause(engine.build)], None if delay is None else float(delay)
    )
    call.say(f"Scheduling project: {job.full_name}")
    for entry in converted:
        kind = "Boolean" if entry.kind == BOOLEAN else "String"
        call.say(
            f"The parameter '{entry.name}' did not have the type expected by {job.full_name}."
            f" Converting to {kind} Parameter."
        )
    if str(call.arguments.get("wait", "true")).lower() == "false":
        return None
    with engine.services.queue.pipelines.await_build(engine.build):
        engine.services.queue.wake()  # its own build may begin now, although the limit is reached
        started = await _await_end(call, item)
    outcome = started.result or "SUCCESS"
    call.say(f"Build {job.full_name} {started.shown_name} completed: {outcome}")
    if outcome != "SUCCESS" and str(call.arguments.get("propagate", "true")).lower() != "false":
        raise Interrupted(
            f"{job.full_name} {started.shown_name} completed with status {outcome} (propagate: false to ignore)",
            outcome,
            is_actual=False,
        )
    return {"$run": f"{job.full_name}#{started.number}"}


async def _await_end(call: Step, item: QueueItem) -> Build:
    """Wait until the build of a queued item has ended."""
    while item.build is None:
        if item.is_cancelled:
            raise StepFailed(f"Queue task was cancelled: {item.job.full_name}")
        await asyncio.sleep(0.05)
    call.say(f"Starting building: {item.job.full_name} {item.build.shown_name}")
    while item.build.is_building:
        await asyncio.sleep(0.05)
    return item.build


def _differs(kind: str, given: dict[str, Any]) -> bool:
    """Whether a value is given as another type than the job declares."""
    return (kind == BOOLEAN) != (given.get("$class") in {"booleanParam", "BooleanParameterValue"})


def _format_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


@register_step("mail", main="body")
async def send_one_mail(call: Step) -> None:
    """Send one mail."""
    try:
        await send_mail(
            call.engine.home.configuration, _make_message(call, call.read_text("body"), call.read_text("to"))
        )
    except MailFailed as fault:
        raise StepFailed(fault.shown, fault.kind) from fault


@register_step("emailext", main="body", plugin="email-ext")
async def send_extended_mail(call: Step) -> None:
    """Send one mail with the tokens of the extended publisher replaced."""
    engine = call.engine
    settings = engine.home.configuration.read("unclassified", "email-ext", default={})
    build = engine.build
    name = f"{build.job.full_name} - Build {build.shown_name} - {build.result or 'SUCCESS'}"
    tokens = {
        **engine.make_environment(call.context),
        "PROJECT_NAME": build.job.full_name,
        "BUILD_STATUS": (build.result or "SUCCESS").replace("SUCCESS", "Successful").replace("FAILURE", "Failure"),
        "DEFAULT_SUBJECT": name,
        "DEFAULT_CONTENT": f"{name}:\n\nCheck console output at {engine.home.url}{build.path} to view the results.",
        "DEFAULT_RECIPIENTS": str(settings.get("defaultRecipients", "")),
    }
    to = expand(call.read_text("to") or "$DEFAULT_RECIPIENTS", tokens)
    if not parse_recipients(to):
        call.say("An attempt to send an e-mail to empty list of recipients, ignored.")
        return
    message = _make_message(call, expand(call.read_text("body") or "$DEFAULT_CONTENT", tokens), to)
    del message["Subject"]
    message["Subject"] = expand(call.read_text("subject") or "$DEFAULT_SUBJECT", tokens)
    call.say("Sending email to: " + " ".join(parse_recipients(to)))
    complete_message(engine.home.configuration, message, is_extended=True)
    await _send_extended(call, settings.get("mailAccount") or {}, message)


async def _send_extended(call: Step, settings: dict[str, Any], message: EmailMessage) -> None:
    """Send through the extended publisher's own server, with the login of a credential.

    As the plugin does: a failure never changes the result. Of a wrong login nothing is said, unless the plugin's debug mode is
    on; where nothing answers, it is tried twice.
    """
    engine, identifier = call.engine, str(settings.get("credentialsId") or "")
    login = _find_login(engine, identifier) if identifier else {}
    user = login.get("username", "unknown") if identifier else None
    account = read_account(settings, user, login.get("password"))
    is_debugging = engine.home.configuration.read("unclassified", "email-ext", "debugMode", default=False)
    for _ in range(2):
        try:
            await asyncio.to_thread(deliver, account, message)
            return
        except MailFailed as fault:
            if fault.is_refused_connection:
                call.say("SMTP connection error while sending email. Retrying once more in 10 seconds.")
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if fault.kind == NOT_SENT:
                call.say("Not sent to the following valid addresses: " + " ".join(parse_recipients(str(message["To"]))))
            elif fault.kind == SEND_FAILED:
                call.say(
                    "Could not be sent to the following addresses: " + " ".join(parse_recipients(str(message["To"])))
                )
            if is_debugging:
                call.say(f"{fault.kind.rpartition('.')[2]} message: {fault.message}")
            return
    call.say("Failed after second try sending email")


def _find_login(engine: Any, identifier: str) -> dict[str, str]:
    """User and password of a credential; nothing if the build may not use it, or there is none."""
    try:
        return dict(lookup(engine.home, engine.build, identifier, ("usernamePassword",)).values)
    except StepFailed:
        return {}


def _make_message(call: Step, body: str, to: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = call.read_text("subject")
    message["To"] = ", ".join(parse_recipients(to))
    for header, argument in (("Cc", "cc"), ("Bcc", "bcc"), ("Reply-To", "replyTo"), ("From", "from")):
        if call.read_text(argument):
            message[header] = ", ".join(parse_recipients(call.read_text(argument)))
    subtype = "html" if "html" in call.read_text("mimeType") else "plain"
    message.set_content(body, subtype=subtype)
    return message


@register_step("properties", main="properties", plugin="workflow-job")
async def set_properties(call: Step) -> dict[str, Any]:
    """Set the job's properties from a scripted Pipeline; returns the parameters."""
    listed: list[dict[str, Any]] = call.arguments.get("properties") or []
    wanted: dict[str, list[dict[str, Any]]] = {"options": [], "parameters": [], "triggers": []}
    for entry in listed:
        kind = {"parameters": "parameters", "pipelineTriggers": "triggers"}.get(str(entry.get("$class")))
        if kind:
            wanted[kind] += entry.get("value") or []
        else:
            wanted["options"].append(entry)
    declare_properties(call.engine.build.job, wanted)
    return call.engine.make_parameters()
