"""Steps that need a node: processes, directories and files of the workspace."""

from __future__ import annotations

import asyncio
import base64
import secrets
import shlex
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..execution.bindings import missing_node
from ..execution.contexts import Allocation, Context
from ..execution.environment import node_variables
from ..execution.nodes import Node
from ..execution.registry import TEXT, Step, step
from ..failures import StepFailed

PATIENCE = 15.0  # seconds until a waiting step says why it waits
STEPS = "org.jenkinsci.plugins.workflow.steps"


def directory(call: Step) -> Path:
    """The current directory; refused outside a node, in Jenkins' words."""
    current = call.context.here
    if current is None:
        raise missing_node(call.name)
    return current


def current_node(call: Step) -> Node:
    """The node of the step."""
    return _allocation_of(call).node


def _allocation_of(call: Step) -> Allocation:
    directory(call)
    held = call.context.allocation
    assert held is not None
    return held


def _workspace(call: Step) -> Path:
    return _allocation_of(call).workspace


def _path(call: Step, name: str) -> Path:
    return directory(call) / name


@step("node", main="label", plugin="workflow-durable-task-step", is_block=True)
async def node(call: Step) -> None:
    """Allocate an executor and a workspace for a body."""
    engine, context = call.engine, call.context
    executors = engine.services.executors

    def waits(why: str) -> None:
        call.say(f"Still waiting to schedule task\n{why}")

    slot = await executors.wait(call.text("label").strip(), engine.build, waits, PATIENCE)
    context.stack.callback(executors.release, slot)
    settings, node = executors.node(slot.node), executors.connected_node(slot.node)
    if node is None:  # it has gone in this very moment
        raise StepFailed(f"‘{settings.shown_name}’ is offline")
    workspace = engine.services.workspaces.lend(engine.build.job, settings, context.stack)
    await _hold(call, context, Allocation(slot, node, workspace))
    call.say(f"Running on {settings.shown_name} in {workspace}")


async def _hold(call: Step, context: Context, held: Allocation) -> None:
    await held.node.make_folder(held.workspace)
    context.own_allocation, context.directory = held, held.workspace
    settings = call.engine.services.executors.node(held.slot.node)
    context.layer.update(node_variables(settings, held.slot.number, held.workspace))


@step("ws", main="dir", plugin="workflow-durable-task-step", is_block=True)
async def other_workspace(call: Step) -> None:
    """Allocate another workspace for a body."""
    held, services = _allocation_of(call), call.engine.services
    base = services.workspaces.root(services.executors.node(held.slot.node))
    workspace = base / call.need("dir")
    await _hold(call, call.context, Allocation(held.slot, held.node, workspace))
    call.say(f"Running in {workspace}")


@step("dir", main="path", is_block=True)
async def change_directory(call: Step) -> None:
    """Change the directory for a body."""
    target = _path(call, call.need("path"))
    await current_node(call).make_folder(target)
    call.context.directory = target
    call.say(f"Running in {target}")


@step("pwd")
async def working_directory(call: Step) -> str:
    """The current directory; with `tmp` one beside the workspace."""
    if call.flag("tmp"):
        beside = Path(f"{_workspace(call)}@tmp")
        await current_node(call).make_folder(beside)
        return str(beside)
    return str(directory(call))


@step(
    "sh",
    main="script",
    plugin="workflow-durable-task-step",
    java=f"{STEPS}.durable_task.ShellStep",
    kinds={"script": TEXT},
)
async def shell(call: Step) -> Any:
    """Run a shell script; its standard output or its exit code is the value when that is asked for."""
    call.only("script", "returnStdout", "returnStatus", "label", "encoding")
    where, engine = directory(call), call.engine
    script, node = call.need("script"), current_node(call)
    await node.make_folder(where)
    if not script.strip():
        call.say("Warning: was asked to run an empty script")
    scratch = await node.make_scratch(f"{where}@tmp/durable-{secrets.token_hex(4)}")
    path = scratch / "script.sh"
    await node.write(path, script.encode(), 0o600)
    first = script.split("\n", 1)[0]
    program = shlex.split(first[2:]) if first.startswith("#!") else [engine.home.configuration.shell, "-xe"]
    environment, write = engine.process_environment(call.context), engine.writer(call.context)
    running = asyncio.ensure_future(
        node.run([*program, str(path)], where, environment, write, capture=call.flag("returnStdout"))
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
    if call.flag("returnStatus"):
        return code
    if code:
        if output:
            engine.console.write(output)
            engine.console.flush()
        raise StepFailed(f"script returned exit code {code if code >= 0 else 128 - code}")
    return output if call.flag("returnStdout") else None


async def _interrupt(call: Step, running: asyncio.Future[tuple[int, str]]) -> None:
    """End the script of an interrupted step; a shell then says that it was terminated."""
    call.say("Sending interrupt signal to process")
    running.cancel()
    with suppress(asyncio.CancelledError, StepFailed, OSError):
        await running
    call.say("Terminated")


@step("bat", main="script", plugin="workflow-durable-task-step")
async def batch(call: Step) -> None:
    """Refused, because all nodes of the emulator run on Unix."""
    directory(call)
    raise StepFailed("Batch scripts can only be run on Windows nodes", "java.io.IOException")


@step("readFile", main="file", java=f"{STEPS}.ReadFileStep", kinds={"file": TEXT})
async def read_file(call: Step) -> str:
    """Read a file."""
    try:
        content = await current_node(call).read(_path(call, call.need("file")))
    except OSError as fault:
        raise StepFailed(f"{_path(call, call.need('file'))}", "java.nio.file.NoSuchFileException") from fault
    return (
        base64.b64encode(content).decode() if call.text("encoding") == "Base64" else content.decode("utf-8", "replace")
    )


@step("load", main="path", is_block=True)
async def load(call: Step) -> str:
    """Read a Groovy script of the workspace, which the Groovy side then runs."""
    call.context.name = call.need("path")
    path = directory(call) / call.context.name
    try:
        return (await current_node(call).read(path)).decode("utf-8", "replace")
    except OSError as fault:
        raise StepFailed(str(path), "java.nio.file.NoSuchFileException") from fault


@step("writeFile", main="file", java=f"{STEPS}.WriteFileStep", kinds={"file": TEXT, "text": TEXT})
async def write_file(call: Step) -> None:
    """Write a file."""
    path = _path(call, call.need("file"))
    text = call.need("text")
    await current_node(call).write(path, base64.b64decode(text) if call.text("encoding") == "Base64" else text.encode())


@step("fileExists", main="file", java=f"{STEPS}.FileExistsStep", kinds={"file": TEXT})
async def file_exists(call: Step) -> bool:
    """Whether a file exists."""
    return bool(await current_node(call).kind_of(_path(call, call.need("file"))))


@step("deleteDir")
async def delete_directory(call: Step) -> None:
    """Delete the current directory."""
    await current_node(call).remove(directory(call))


@step("cleanWs", plugin="ws-cleanup")
async def clean(call: Step) -> None:
    """Empty the workspace."""
    workspace = _workspace(call)
    call.say("[WS-CLEANUP] Deleting project workspace...")
    call.say("[WS-CLEANUP] Deferred wipeout is used...")
    await current_node(call).remove(workspace)
    await current_node(call).make_folder(workspace)
    call.say("[WS-CLEANUP] done")


def _stash(call: Step) -> Path:
    name = call.need("name")
    if "/" in name or name in {"", ".", ".."}:
        raise StepFailed(f"Invalid stash name: {name}", "java.lang.IllegalArgumentException")
    return call.engine.build.directory / "stashes" / f"{name}.tar.gz"


@step("stash", main="name")
async def stash(call: Step) -> None:
    """Stash files for a later part of the build."""
    where, path = directory(call), _stash(call)
    names = await current_node(call).select(where, call.text("includes") or "**", call.text("excludes"))
    if not names and not call.flag("allowEmpty"):
        raise StepFailed(f"No files included in stash ‘{call.need('name')}’")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(await current_node(call).pack(where, names))
    call.say(f"Stashed {len(names)} file(s)")


@step("unstash", main="name")
async def unstash(call: Step) -> None:
    """Unstash files."""
    where, path = directory(call), _stash(call)
    if not path.exists():
        raise StepFailed(f"No such saved stash ‘{call.need('name')}’")
    await current_node(call).unpack(where, path.read_bytes())
