"""Steps that need a node: processes, directories and files of the workspace."""

from __future__ import annotations

import asyncio
import base64
import secrets
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..execution.bindings import refuse_without_node
from ..execution.console import MUTED
from ..execution.contexts import Allocation, Context
from ..execution.durable_node import DurableNode
from ..execution.environment import make_node_variables, read_node_timeout
from ..execution.executors import Slot
from ..execution.nodes import Node
from ..execution.registry import TEXT, Step, register_step
from ..execution.spans import describe_span
from ..failures import Interrupted, StepFailed
from ..model.stashes import find_stash
from .durable_shell import TIMED_OUT, DurableShell

PATIENCE = 15.0  # seconds until a waiting step says why it waits
STEPS = "org.jenkinsci.plugins.workflow.steps"


def find_directory(call: Step) -> Path:
    """The current directory; refused outside a node, in Jenkins' words."""
    current = call.context.here
    if current is None:
        raise refuse_without_node(call.name)
    return current


def find_node(call: Step) -> Node:
    """The node of the step."""
    return _find_allocation(call).node


def _find_allocation(call: Step) -> Allocation:
    find_directory(call)
    held = call.context.allocation
    assert held is not None
    return held


def _find_workspace(call: Step) -> Path:
    return _find_allocation(call).workspace


def _resolve_path(call: Step, name: str) -> Path:
    return find_directory(call) / name


@register_step("node", main="label", plugin="workflow-durable-task-step", is_block=True)
async def allocate_node(call: Step) -> None:
    """Allocate an executor and a workspace for a body."""
    engine, context = call.engine, call.context
    executors = engine.services.executors

    def report_wait(why: str) -> None:
        call.say(f"Still waiting to schedule task\n{why}")

    held = call.note.get("workspace")
    slot = (
        await _wait_again(call, str(call.note["agent"]))
        if held
        else await executors.wait(call.read_text("label").strip(), engine.build, report_wait, PATIENCE)
    )
    context.stack.callback(executors.release, slot)
    settings, node = executors.find_settings(slot.node), executors.find_connected(slot.node)
    if node is None:  # it has gone in this very moment
        raise StepFailed(f"‘{settings.shown_name}’ is offline")
    workspaces = engine.services.workspaces
    workspace = Path(held) if held else workspaces.lend(engine.build.job, settings, context.stack)
    if held:
        workspaces.lend_again(engine.build.job, settings, workspace, context.stack)
    _cancel_with_agent(call, context, slot)
    await _hold(call, context, Allocation(slot, node, workspace))
    call.say(f"Running on {settings.shown_name} in {workspace}")


async def _wait_again(call: Step, agent: str) -> Slot:
    """Wait after a restart for the agent on which the block worked before; Interrupted if it does not come back."""
    engine, seconds = call.engine, read_node_timeout(call.engine.home)
    is_muted = MUTED.get()
    MUTED.set(False)
    try:
        call.say(f"Waiting for reconnection of {agent} before proceeding with build")
        return await engine.services.executors.wait_on(agent, engine.build, seconds)
    except TimeoutError as fault:
        words = f"{agent} has been removed for {describe_span(int(seconds * 1000))}; assuming it is not coming back"
        call.say(f"{words}, and terminating node step")
        raise Interrupted(TIMED_OUT, is_of_agent=True) from fault
    finally:
        MUTED.set(is_muted)


def _cancel_with_agent(call: Step, context: Context, slot: Slot) -> None:
    """Cancel the block when its agent has been deleted for long enough."""
    engine, bodies = call.engine, call.engine.services.executors.bodies

    def cancel() -> None:
        engine.console.write_line(f"Agent {slot.node} was deleted; cancelling node body")
        engine.interrupt(context, Interrupted("Agent was removed", is_actual=False, is_of_agent=True))

    bodies[slot] = cancel
    context.stack.callback(bodies.pop, slot, None)


async def _hold(call: Step, context: Context, held: Allocation) -> None:
    await held.node.make_folder(held.workspace)
    context.own_allocation, context.directory = held, held.workspace
    settings = call.engine.services.executors.find_settings(held.slot.node)
    context.layer.update(make_node_variables(settings, held.slot.number, held.workspace))


@register_step("ws", main="dir", plugin="workflow-durable-task-step", is_block=True)
async def allocate_workspace(call: Step) -> None:
    """Allocate another workspace for a body."""
    held, services = _find_allocation(call), call.engine.services
    base = services.workspaces.find_root(services.executors.find_settings(held.slot.node))
    workspace = base / call.require("dir")
    await _hold(call, call.context, Allocation(held.slot, held.node, workspace))
    call.say(f"Running in {workspace}")


@register_step("dir", main="path", is_block=True)
async def change_directory(call: Step) -> None:
    """Change the directory for a body."""
    target = _resolve_path(call, call.require("path"))
    await find_node(call).make_folder(target)
    call.context.directory = target
    call.say(f"Running in {target}")


@register_step("pwd")
async def print_directory(call: Step) -> str:
    """The current directory; with `tmp` one beside the workspace."""
    if call.read_flag("tmp"):
        beside = Path(f"{_find_workspace(call)}@tmp")
        await find_node(call).make_folder(beside)
        return str(beside)
    return str(find_directory(call))


@register_step(
    "sh",
    main="script",
    plugin="workflow-durable-task-step",
    java=f"{STEPS}.durable_task.ShellStep",
    kinds={"script": TEXT},
)
async def run_shell(call: Step) -> Any:
    """Run a shell script; its standard output or its exit code is the value when that is asked for."""
    call.refuse_unknown("script", "returnStdout", "returnStatus", "label", "encoding")
    where, engine = find_directory(call), call.engine
    script, node = call.require("script"), find_node(call)
    if not script.strip() and call.since is None:
        call.say("Warning: was asked to run an empty script")
    first = script.split("\n", 1)[0]
    program = shlex.split(first[2:]) if first.startswith("#!") else [engine.home.configuration.shell, "-xe"]
    if isinstance(node, DurableNode):
        return _conclude(call, *await DurableShell(call, node, where).run(program, script))
    await node.make_folder(where)
    scratch = await node.make_scratch(f"{where}@tmp/durable-{secrets.token_hex(4)}")
    path = scratch / "script.sh"
    await node.write(path, script.encode(), 0o600)
    environment, write = engine.make_process_environment(call.context), engine.make_writer(call.context)
    running = asyncio.ensure_future(
        node.run([*program, str(path)], where, environment, write, capture=call.read_flag("returnStdout"))
    )
    try:
        code, output = await asyncio.shield(running)
    except asyncio.CancelledError:
        await _interrupt(call, running)
        raise
    except OSError as fault:
        raise StepFailed(f'Cannot run program "{program[0]}": {fault.strerror}', "java.io.IOException") from fault
    finally:
        await node.remove(scratch)
        engine.console.flush()
    return _conclude(call, code, output)


def _conclude(call: Step, code: int, output: str) -> Any:
    """The value of a script that has ended, or its failure."""
    engine = call.engine
    if call.read_flag("returnStatus"):
        return code
    if code:
        if output:
            engine.console.write(output)
            engine.console.flush()
        raise StepFailed(f"script returned exit code {code if code >= 0 else 128 - code}")
    return output if call.read_flag("returnStdout") else None


async def _interrupt(call: Step, running: asyncio.Future[tuple[int, str]]) -> None:
    """End the script of an interrupted step; a shell then says that it was terminated."""
    call.say("Sending interrupt signal to process")
    running.cancel()
    with suppress(asyncio.CancelledError, StepFailed, OSError):
        await running
    call.say("Terminated")


@register_step("bat", main="script", plugin="workflow-durable-task-step")
async def refuse_batch(call: Step) -> None:
    """Refused, because all nodes of the emulator run on Unix."""
    find_directory(call)
    raise StepFailed("Batch scripts can only be run on Windows nodes", "java.io.IOException")


@register_step("readFile", main="file", java=f"{STEPS}.ReadFileStep", kinds={"file": TEXT})
async def read_file(call: Step) -> str:
    """Read a file."""
    try:
        content = await find_node(call).read(_resolve_path(call, call.require("file")))
    except OSError as fault:
        raise StepFailed(f"{_resolve_path(call, call.require('file'))}", "java.nio.file.NoSuchFileException") from fault
    return (
        base64.b64encode(content).decode()
        if call.read_text("encoding") == "Base64"
        else content.decode("utf-8", "replace")
    )


@register_step("load", main="path", is_block=True)
async def load(call: Step) -> str:
    """Read a Groovy script of the workspace, which the Groovy side then runs."""
    call.context.name = call.require("path")
    path = find_directory(call) / call.context.name
    try:
        return (await find_node(call).read(path)).decode("utf-8", "replace")
    except OSError as fault:
        raise StepFailed(str(path), "java.nio.file.NoSuchFileException") from fault


@register_step("writeFile", main="file", java=f"{STEPS}.WriteFileStep", kinds={"file": TEXT, "text": TEXT})
async def write_file(call: Step) -> None:
    """Write a file."""
    path = _resolve_path(call, call.require("file"))
    text = call.require("text")
    await find_node(call).write(
        path, base64.b64decode(text) if call.read_text("encoding") == "Base64" else text.encode()
    )


@register_step("fileExists", main="file", java=f"{STEPS}.FileExistsStep", kinds={"file": TEXT})
async def exists(call: Step) -> bool:
    """Whether a file exists."""
    return bool(await find_node(call).find_kind(_resolve_path(call, call.require("file"))))


@register_step("deleteDir")
async def delete_directory(call: Step) -> None:
    """Delete the current directory."""
    await find_node(call).remove(find_directory(call))


@register_step("cleanWs", plugin="ws-cleanup")
async def clean(call: Step) -> None:
    """Empty the workspace."""
    workspace = _find_workspace(call)
    call.say("[WS-CLEANUP] Deleting project workspace...")
    call.say("[WS-CLEANUP] Deferred wipeout is used...")
    await find_node(call).remove(workspace)
    await find_node(call).make_folder(workspace)
    call.say("[WS-CLEANUP] done")


@register_step("stash", main="name")
async def stash(call: Step) -> None:
    """Stash files for a later part of the build."""
    where, path = find_directory(call), find_stash(call.engine.build, call.require("name"))
    names = await find_node(call).select(where, call.read_text("includes") or "**", call.read_text("excludes"))
    if not names and not call.read_flag("allowEmpty"):
        raise StepFailed(f"No files included in stash ‘{call.require('name')}’")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(await find_node(call).pack(where, names))
    call.say(f"Stashed {len(names)} file(s)")


@register_step("unstash", main="name")
async def unstash(call: Step) -> None:
    """Unstash files."""
    where, path = find_directory(call), find_stash(call.engine.build, call.require("name"))
    if not path.exists():
        raise StepFailed(f"No such saved stash ‘{call.require('name')}’")
    await find_node(call).unpack(where, path.read_bytes())
