"""Steps that publish results of a build: artifacts, tests, pages."""

from __future__ import annotations

from typing import Any

from ..execution import publishers
from ..execution.environment import expand
from ..execution.registry import Step, step
from ..failures import StepFailed
from .node import current_node, directory


@step("archiveArtifacts", main="artifacts")
async def archive(call: Step) -> None:
    """Archive files of the workspace."""
    where = publishers.Files(current_node(call), directory(call))
    call.say("Archiving artifacts")
    includes = expand(call.need("artifacts"), call.engine.environment(call.context))
    allows_empty = call.flag("allowEmptyArchive")
    try:
        count = await publishers.archive(
            call.engine.build, where, includes, call.text("excludes"), allows_empty=allows_empty
        )
    except StepFailed:
        call.say(await publishers.explain_empty(where, includes))
        raise
    if not count:
        call.say(await publishers.explain_empty(where, includes))
        call.say(publishers.no_artifacts(includes))
    elif call.flag("fingerprint"):
        call.say("Recording fingerprints")


@step("fingerprint", main="targets")
async def fingerprint(call: Step) -> None:
    """Say that fingerprints are recorded; the emulator keeps none."""
    directory(call)
    call.need("targets")
    call.say("Recording fingerprints")


@step("junit", main="testResults", plugin="junit")
async def junit(call: Step) -> dict[str, int]:
    """Record test results; a failed test makes the build unstable."""
    where = publishers.Files(current_node(call), directory(call))
    call.say("Recording test results")
    build = call.engine.build
    before = build.result
    allows_empty = call.flag("allowEmptyResults")
    try:
        counts = await publishers.record_tests(build, where, call.need("testResults"), allows_empty=allows_empty)
    except StepFailed as fault:
        call.say(str(fault.message))
        raise
    if not counts.total:
        call.say("No test report files were found. Configuration error?")
        call.say("None of the test reports contained any result")
    call.say("[Checks API] No suitable checks publisher found.")
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
