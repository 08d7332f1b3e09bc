"""Steps that publish results of a build: artifacts, tests, pages."""

from __future__ import annotations

from typing import Any

from ..execution import publishers
from ..execution.environment import expand
from ..execution.registry import Step, register_step
from ..failures import StepFailed
from .node import find_directory, find_node


@register_step("archiveArtifacts", main="artifacts")
async def archive(call: Step) -> None:
    """Archive files of the workspace."""
    where = publishers.Files(find_node(call), find_directory(call))
    call.say("Archiving artifacts")
    includes = expand(call.require("artifacts"), call.engine.make_environment(call.context))
    allows_empty = call.read_flag("allowEmptyArchive")
    try:
        count = await publishers.archive(
            call.engine.build, where, includes, call.read_text("excludes"), allows_empty=allows_empty
        )
    except StepFailed:
        call.say(await publishers.explain_empty(where, includes))
        raise
    if not count:
        call.say(await publishers.explain_empty(where, includes))
        call.say(publishers.explain_no_artifacts(includes))
    elif call.read_flag("fingerprint"):
        call.say("Recording fingerprints")


@register_step("fingerprint", main="targets")
async def fingerprint(call: Step) -> None:
    """Say that fingerprints are recorded; the emulator keeps none."""
    find_directory(call)
    call.require("targets")
    call.say("Recording fingerprints")


@register_step("junit", main="testResults", plugin="junit")
async def record_junit(call: Step) -> dict[str, int]:
    """Record test results; a failed test makes the build unstable."""
    where = publishers.Files(find_node(call), find_directory(call))
    call.say("Recording test results")
    build = call.engine.build
    before = build.result
    allows_empty = call.read_flag("allowEmptyResults")
    try:
        counts = await publishers.record_tests(build, where, call.require("testResults"), allows_empty=allows_empty)
    except StepFailed as fault:
        call.say(str(fault.message))
        raise
    if not counts.total:
        call.say("No test report files were found. Configuration error?")
        call.say("None of the test reports contained any result")
    call.say("[Checks API] No suitable checks publisher found.")
    if call.read_flag("skipMarkingBuildUnstable"):
        build.result = before
    elif counts.failed:
        call.engine.mark_stage(call.context, "UNSTABLE")
    return {
        "totalCount": counts.total,
        "failCount": counts.failed,
        "skipCount": counts.skipped,
        "passCount": counts.total - counts.failed - counts.skipped,
    }


@register_step("publishHTML", main="target", plugin="htmlpublisher")
async def publish_html(call: Step) -> None:
    """Publish a directory of HTML pages with the build."""
    target: dict[str, Any] = call.arguments.get("target") or call.arguments
    source = find_directory(call) / str(target.get("reportDir", ""))
    name = str(target.get("reportName") or "HTML Report")
    call.say("[htmlpublisher] Archiving HTML reports...")
    if await find_node(call).find_kind(source) != "directory":
        if str(target.get("allowMissing", "false")).lower() == "true":
            return
        raise StepFailed(f"Specified HTML directory '{source}' does not exist.")
    if "/" in name or name in {"", ".", ".."}:
        raise StepFailed(f"Invalid report name: {name}", "java.lang.IllegalArgumentException")
    files = publishers.Files(find_node(call), source)
    await files.copy(await files.node.select(source, "**"), call.engine.build.directory / "htmlreports" / name)
