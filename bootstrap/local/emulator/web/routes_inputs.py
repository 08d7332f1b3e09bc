"""Routes of the inputs that builds wait for, and who may answer them (InputStepExecution of pipeline-input-step)."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from ..failures import Refused, make_failure
from ..model.builds import Build
from ..model.inputs import PendingInput
from . import pages
from .calls import Call, answer_text, redirect, register_route


@register_route("build:input")
async def show_inputs(call: Call, build: Build, rest: str) -> web.Response:
    """Show the inputs of a build on its page."""
    return pages.respond(pages.render_build(call, build))


@register_route("build:wfapi/pendingInputActions")
async def list_pending(call: Call, build: Build, rest: str) -> web.Response:
    """List the inputs that wait for an answer (plugin pipeline-rest-api)."""
    shown = [_describe(question) for question in call.controller.inputs.list_open(build)]
    return answer_text(json.dumps(shown), kind="application/json")


@register_route("build:wfapi/nextPendingInputAction")
async def send_next_pending(call: Call, build: Build, rest: str) -> web.Response:
    """Send the first input that waits for an answer; null if there is none."""
    waiting = call.controller.inputs.list_open(build)
    return answer_text(json.dumps(_describe(waiting[0]) if waiting else None), kind="application/json")


@register_route("build:wfapi/inputSubmit", methods=("POST",))
async def submit_by_identifier(call: Call, build: Build, rest: str) -> web.Response:
    """Continue the build with the values of the form, for the input that the query names."""
    question = call.controller.inputs.find(build, (await call.read_form()).get("inputId", ""))
    if question is None:
        raise Refused(404, "Not Found")
    await _proceed(call, question)
    return web.Response(status=200)


def _describe(question: PendingInput) -> dict[str, Any]:
    return {
        "id": question.identifier,
        "message": question.message,
        "proceedText": question.proceed,
        "inputs": [{"name": entry.get("name"), "type": entry.get("$class")} for entry in question.parameters],
        "proceedUrl": f"/{question.build.path}wfapi/inputSubmit?inputId={question.identifier}",
        "abortUrl": f"/{question.build.path}input/{question.identifier}/abort",
    }


@register_route("input:proceedEmpty", methods=("POST",))
async def proceed_empty(call: Call, question: PendingInput, rest: str) -> web.Response:
    """Continue the build without values; defaults are not used."""
    _check_submit(call, question)
    question.settle(call.identity.name, {})
    return web.Response(status=200)


@register_route("input:proceed", methods=("POST",))
async def proceed(call: Call, question: PendingInput, rest: str) -> web.Response:
    """Continue the build with the values of the form."""
    await _proceed(call, question)
    return web.Response(status=200)


@register_route("input:abort", methods=("POST",))
async def abort(call: Call, question: PendingInput, rest: str) -> web.Response:
    """Refuse the input; the build is aborted."""
    _check_abort(call, question)
    question.settle(call.identity.name, None)
    return web.Response(status=200)


@register_route("input:submit", methods=("POST",))
async def submit(call: Call, question: PendingInput, rest: str) -> web.Response:
    """Take the form of the page: the button `proceed` continues the build, any other button aborts it."""
    if "proceed" in await call.read_form():
        await _proceed(call, question)
    else:
        _check_abort(call, question)
        question.settle(call.identity.name, None)
    return redirect(f"/{question.build.path}console")


async def _proceed(call: Call, question: PendingInput) -> None:
    _check_submit(call, question)
    given = (await call.read_json_field()).get("parameter") or []
    values: dict[str, Any] = {}
    for entry in given if isinstance(given, list) else [given]:
        name = str(entry.get("name"))
        if name not in {str(known["name"]) for known in question.parameters}:
            raise Refused(500, f"java.lang.IllegalArgumentException: No such parameter definition: {name}")
        values[name] = entry.get("value")
    question.settle(call.identity.name, values)


def _may_submit(call: Call, question: PendingInput) -> bool:
    """Whether the caller is a named submitter or an administrator; without submitters, whether he may build."""
    rights, identity = call.controller.home.authorization, call.identity
    if not question.submitter:
        return rights.allows(identity, "Job/Build")
    named = {name.lower() for name in (identity.name, *identity.groups)}
    return rights.allows(identity, "Overall/Administer") or bool(named & question.submitters)


def _check_submit(call: Call, question: PendingInput) -> None:
    if not _may_submit(call, question):
        who = f"be {question.submitter}" if question.submitter else "have Job/Build permissions"
        raise make_failure(f"You need to {who} to submit this.")


def _check_abort(call: Call, question: PendingInput) -> None:
    if not _may_submit(call, question) and not call.controller.home.authorization.allows(call.identity, "Job/Cancel"):
        named = f"be '{question.submitter}' (or have Job/Cancel permissions)" if question.submitter else ""
        raise make_failure(f"You need to {named or 'have Job/Cancel permissions'} to cancel this.")
