"""Steps that need a node: processes, directories and files of the workspace."""

from __future__ import annotations

import base64
import shlex
from pathlib import Path
from typing import Any

from ..execution import publishers
from ..execution.contexts import Allocation, Context
from ..execution.environment import expand, node_variables
from ..execution.nodes import Node
from ..execution.registry import Step, step
from ..failures import StepFailed

NO_NODE = "org.jenkinsci.plugins.workflow.steps.MissingContextVariableException"


def directory(call: Step) -> Path:
    """The current directory; refused outside a node, in Jenkins' words."""
    current = call.context.here
    if current is None:
        raise StepFailed(
            "Required context class hudson.FilePath is missing\n"
            "Perhaps you forgot to surround the step with a step that provides this, such as: node",
            NO_NODE,
        )
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

    slot = await executors.wait(call.text("label").strip(), engine.build, waits)
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


@step("sh", main="script", plugin="workflow-durable-task-step")
async def shell(call: Step) -> Any:
    """Run a shell script; its standard output or its exit code is the value when that is asked for."""
    call.only("script", "returnStdout", "returnStatus", "label", "encoding")
    script, where, engine = call.need("script"), directory(call), call.engine
    if call.flag("returnStdout") and call.flag("returnStatus"):
        raise StepFailed("You may not set both returnStatus and returnStdout", "java.lang.IllegalArgumentException")
    node = current_node(call)
    await node.make_folder(where)
    scratch = await node.make_scratch("durable-")
    await node.write(scratch / "script.sh", script.encode(), 0o600)
    first = script.split("\n", 1)[0]
    program = shlex.split(first[2:]) if first.startswith("#!") else [engine.home.configuration.shell, "-xe"]
    try:
        code, output = await node.run(
            [*program, str(scratch / "script.sh")],
            where,
            engine.process_environment(call.context),
            engine.writer(call.context),
            capture=call.flag("returnStdout"),
        )
    except OSError as fault:
        raise StepFailed(f'Cannot run program "{program[0]}": {fault.strerror}', "java.io.IOException") from fault
    finally:
        await node.remove(scratch)
        engine.console.flush()
    if call.flag("returnStatus"):
        return code
    if code:
        raise StepFailed(f"script returned exit code {code if code >= 0 else 128 - code}")
    return output if call.flag("returnStdout") else None


@step("readFile", main="file")
async def read_file(call: Step) -> str:
    """Read a file."""
    try:
        content = await current_node(call).read(_path(call, call.need("file")))
    except OSError as fault:
        raise StepFailed(f"{_path(call, call.need('file'))}", "java.nio.file.NoSuchFileException") from fault
    return (
        base64.b64encode(content).decode() if call.text("encoding") == "Base64" else content.decode("utf-8", "replace")
    )


@step("writeFile", main="file")
async def write_file(call: Step) -> None:
    """Write a file."""
    path = _path(call, call.need("file"))
    text = call.need("text")
    await current_node(call).write(path, base64.b64decode(text) if call.text("encoding") == "Base64" else text.encode())


@step("fileExists", main="file")
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
        raise StepFailed("No files included in stash")
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


@step("archiveArtifacts", main="artifacts")
async def archive(call: Step) -> None:
    """Archive files of the workspace."""
    call.say("Archiving artifacts")
    includes = expand(call.need("artifacts"), call.engine.environment(call.context))
    allows_empty = call.flag("allowEmptyArchive")
    where = publishers.Files(current_node(call), directory(call))
    await publishers.archive(call.engine.build, where, includes, call.text("excludes"), allows_empty=allows_empty)


@step("junit", main="testResults", plugin="junit")
async def junit(call: Step) -> dict[str, int]:
    """Record test results; a failed test makes the build unstable."""
    call.say("Recording test results")
    build = call.engine.build
    before = build.result
    where = publishers.Files(current_node(call), directory(call))
    allows_empty = call.flag("allowEmptyResults")
    counts = await publishers.record_tests(build, where, call.need("testResults"), allows_empty=allows_empty)
    if call.flag("skipMarkingBuildUnstable"):
        build.result = before
    elif counts.failed:
        call.engine.mark_stage(call.context, "UNSTABLE")
    return {
        "totalCount": counts.total,
        "failCount": counts.failed,
        "skipCount": counts.skipped,
        "passCount": counts.total - counts.failed - counts.skipped,
    }


@step("publishHTML", main="target", plugin="htmlpublisher")
async def publish_html(call: Step) -> None:
    """Publish a directory of HTML pages with the build."""
    target: dict[str, Any] = call.arguments.get("target") or call.arguments
    source = directory(call) / str(target.get("reportDir", ""))
    name = str(target.get("reportName") or "HTML Report")
    call.say("[htmlpublisher] Archiving HTML reports...")
    if await current_node(call).kind_of(source) != "directory":
        if str(target.get("allowMissing", "false")).lower() == "true":
            return
        raise StepFailed(f"Specified HTML directory '{source}' does not exist.")
    if "/" in name or name in {"", ".", ".."}:
        raise StepFailed(f"Invalid report name: {name}", "java.lang.IllegalArgumentException")
    files = publishers.Files(current_node(call), source)
    await files.copy(await files.node.select(source, "**"), call.engine.build.directory / "htmlreports" / name)
