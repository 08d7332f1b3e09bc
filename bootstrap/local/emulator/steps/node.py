"""Steps that need a node: processes, directories and files of the workspace."""

from __future__ import annotations

import asyncio
import base64
import shlex
import shutil
import tarfile
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from ..execution import process, publishers
from ..execution.contexts import Context
from ..execution.environment import expand, node_variables
from ..execution.registry import Step, step
from ..failures import StepFailed

NO_NODE = "org.jenkinsci.plugins.workflow.steps.MissingContextVariableException"


def directory(call: Step) -> Path:
    """The current directory; refused outside a node, in Jenkins' words."""
    found = call.context.here
    if found is None:
        raise StepFailed(
            "Required context class hudson.FilePath is missing\n"
            "Perhaps you forgot to surround the step with a step that provides this, such as: node",
            NO_NODE,
        )
    return found


def _workspace(call: Step) -> Path:
    directory(call)
    node = call.context.node
    assert node is not None and node.workspace is not None
    return node.workspace


def _path(call: Step, name: str) -> Path:
    return directory(call) / name


@step("node", main="label", plugin="workflow-durable-task-step", is_block=True)
async def node(call: Step) -> None:
    """Hold an executor and a workspace for a body."""
    engine, context = call.engine, call.context
    executors = engine.services.executors

    def waits(why: str) -> None:
        call.say(f"Still waiting to schedule task\n{why}")

    slot = await executors.wait(call.text("label").strip(), engine.build, waits)
    context.stack.callback(executors.release, slot)
    _hold(call, context, slot, engine.services.workspaces.lend(engine.build.job, context.stack))
    call.say(f"Running on Jenkins in {context.workspace}")


def _hold(call: Step, context: Context, slot: int, workspace: Path) -> None:
    workspace.mkdir(parents=True, exist_ok=True)
    context.slot, context.workspace, context.directory = slot, workspace, workspace
    context.layer.update(node_variables(call.engine.home.configuration, slot, workspace))


@step("ws", main="dir", plugin="workflow-durable-task-step", is_block=True)
async def other_workspace(call: Step) -> None:
    """Another workspace for a body."""
    base = call.engine.home.directory
    slot = call.context.node.slot if call.context.node else 0
    _hold(call, call.context, slot, base / call.need("dir"))
    call.say(f"Running in {call.context.workspace}")


@step("dir", main="path", is_block=True)
async def change_directory(call: Step) -> None:
    """Another directory for a body."""
    target = _path(call, call.need("path"))
    target.mkdir(parents=True, exist_ok=True)
    call.context.directory = target
    call.say(f"Running in {target}")


@step("pwd")
async def working_directory(call: Step) -> str:
    """The current directory; with `tmp` one beside the workspace."""
    if call.flag("tmp"):
        beside = Path(f"{_workspace(call)}@tmp")
        beside.mkdir(exist_ok=True)
        return str(beside)
    return str(directory(call))


@step("sh", main="script", plugin="workflow-durable-task-step")
async def shell(call: Step) -> Any:
    """Run a shell script; its standard output or its exit code is the value when that is asked for."""
    call.only("script", "returnStdout", "returnStatus", "label", "encoding")
    script, where, engine = call.need("script"), directory(call), call.engine
    if call.flag("returnStdout") and call.flag("returnStatus"):
        raise StepFailed("You may not set both returnStatus and returnStdout", "java.lang.IllegalArgumentException")
    where.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", prefix="durable-", suffix=".sh", delete=False) as file:
        file.write(script)
    first = script.split("\n", 1)[0]
    program = shlex.split(first[2:]) if first.startswith("#!") else [engine.home.configuration.shell, "-xe"]
    try:
        code, output = await process.run(
            [*program, file.name],
            where,
            engine.process_environment(call.context),
            engine.writer(call.context),
            capture=call.flag("returnStdout"),
        )
    except OSError as fault:
        raise StepFailed(f'Cannot run program "{program[0]}": {fault.strerror}', "java.io.IOException") from fault
    finally:
        Path(file.name).unlink(missing_ok=True)
        engine.console.flush()
    if call.flag("returnStatus"):
        return code
    if code:
        raise StepFailed(f"script returned exit code {code if code >= 0 else 128 - code}")
    return output if call.flag("returnStdout") else None


@step("readFile", main="file")
async def read_file(call: Step) -> str:
    """A file's text."""
    try:
        content = _path(call, call.need("file")).read_bytes()
    except OSError as fault:
        raise StepFailed(f"{_path(call, call.need('file'))}", "java.nio.file.NoSuchFileException") from fault
    return (
        base64.b64encode(content).decode() if call.text("encoding") == "Base64" else content.decode("utf-8", "replace")
    )


@step("writeFile", main="file")
async def write_file(call: Step) -> None:
    """Write a text."""
    path = _path(call, call.need("file"))
    path.parent.mkdir(parents=True, exist_ok=True)
    text = call.need("text")
    path.write_bytes(base64.b64decode(text) if call.text("encoding") == "Base64" else text.encode())


@step("fileExists", main="file")
async def file_exists(call: Step) -> bool:
    """Whether a file is there."""
    return _path(call, call.need("file")).exists()


@step("deleteDir")
async def delete_directory(call: Step) -> None:
    """Delete the current directory."""
    shutil.rmtree(directory(call), ignore_errors=True)


@step("cleanWs", plugin="ws-cleanup")
async def clean(call: Step) -> None:
    """Empty the workspace."""
    workspace = _workspace(call)
    call.say("[WS-CLEANUP] Deleting project workspace...")
    shutil.rmtree(workspace, ignore_errors=True)
    workspace.mkdir(parents=True)
    call.say("[WS-CLEANUP] done")


def _stash(call: Step) -> Path:
    name = call.need("name")
    if "/" in name or name in {"", ".", ".."}:
        raise StepFailed(f"Invalid stash name: {name}", "java.lang.IllegalArgumentException")
    return call.engine.build.directory / "stashes" / f"{name}.tar.gz"


@step("stash", main="name")
async def stash(call: Step) -> None:
    """Keep files for a later part of the build."""
    where, path = directory(call), _stash(call)
    names = publishers.select(where, call.text("includes") or "**", call.text("excludes"))
    if not names and not call.flag("allowEmpty"):
        raise StepFailed("No files included in stash")
    path.parent.mkdir(parents=True, exist_ok=True)

    def pack() -> None:
        with tarfile.open(path, "w:gz") as archive:
            for name in names:
                archive.add(where / name, name)

    await asyncio.to_thread(pack)
    call.say(f"Stashed {len(names)} file(s)")


@step("unstash", main="name")
async def unstash(call: Step) -> None:
    """Bring kept files back."""
    where, path = directory(call), _stash(call)
    if not path.exists():
        raise StepFailed(f"No such saved stash ‘{call.need('name')}’")

    def unpack() -> None:
        with tarfile.open(path) as archive:
            archive.extractall(where, filter="data")

    await asyncio.to_thread(unpack)


@step("archiveArtifacts", main="artifacts")
async def archive(call: Step) -> None:
    """Keep files with the build."""
    call.say("Archiving artifacts")
    includes = expand(call.need("artifacts"), call.engine.environment(call.context))
    publishers.archive(
        call.engine.build, directory(call), includes, call.text("excludes"), allows_empty=call.flag("allowEmptyArchive")
    )


@step("junit", main="testResults", plugin="junit")
async def junit(call: Step) -> dict[str, int]:
    """Count tests; a failed one makes the build unstable."""
    call.say("Recording test results")
    build = call.engine.build
    before = build.result
    counts = publishers.record_tests(
        build, directory(call), call.need("testResults"), allows_empty=call.flag("allowEmptyResults")
    )
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
    """Keep a directory of pages with the build."""
    target: dict[str, Any] = call.arguments.get("target") or call.arguments
    source = directory(call) / str(target.get("reportDir", ""))
    name = str(target.get("reportName") or "HTML Report")
    call.say("[htmlpublisher] Archiving HTML reports...")
    if not source.is_dir():
        if str(target.get("allowMissing", "false")).lower() == "true":
            return
        raise StepFailed(f"Specified HTML directory '{source}' does not exist.")
    shutil.copytree(source, call.engine.build.directory / "htmlreports" / name, dirs_exist_ok=True)
