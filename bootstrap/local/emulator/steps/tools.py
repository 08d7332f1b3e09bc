"""Steps that use what the settings of Jenkins define: tools, shared libraries, build wrappers."""

from __future__ import annotations

from ..execution.registry import Step, register_step
from ..failures import StepFailed
from .node import find_directory

KINDS = {
    "hudson.model.JDK": "jdk",
    "hudson.tasks.Maven$MavenInstallation": "maven",
    "hudson.tasks.Ant$AntInstallation": "ant",
    "hudson.plugins.git.GitTool": "git",
}
# What these do shows in no text of the console.
WRAPPERS = {"TimestamperBuildWrapper", "AnsiColorBuildWrapper"}


@register_step("tool", main="name", plugin="workflow-basic-steps")
async def find_tool(call: Step) -> str:
    """The home of a tool that the settings define."""
    call.refuse_unknown("name", "type")
    find_directory(call)
    name, wanted = call.require("name"), KINDS.get(call.read_text("type"), call.read_text("type"))
    for kind, settings in call.engine.home.configuration.read("tool", default={}).items():
        for entry in settings.get("installations") or [] if isinstance(settings, dict) else []:
            if entry.get("name") == name and wanted in {"", kind}:
                return str(entry.get("home", ""))
    raise StepFailed(f"No tool named {name} found")


@register_step("library", main="identifier")
async def refuse_library(call: Step) -> None:
    """Refuse a shared library: one that is not defined as Jenkins does, another one because the emulator has none."""
    name = call.require("identifier").partition("@")[0]
    if name in list_libraries(call):
        raise StepFailed(f"the shared library {name} is not known to the emulator")
    raise StepFailed(f"No library named {name} found")


@register_step("_libraries")
async def refuse_libraries(call: Step) -> None:
    """Refuse the libraries of `@Library`, before the Jenkinsfile is compiled."""
    named = [str(name) for name in call.arguments["names"]]
    missing = [name for name in named if name.partition("@")[0] not in list_libraries(call)]
    if missing:
        call.say(f"ERROR: Could not find any definition of libraries [{', '.join(missing)}]")
    else:
        call.say(f"ERROR: the shared library {named[0]} is not known to the emulator")


def list_libraries(call: Step) -> set[str]:
    """The names of the libraries that the settings define."""
    listed = call.engine.home.configuration.read("unclassified", "globalLibraries", "libraries", default=[])
    return {str(entry.get("name")) for entry in listed}


@register_step("wrap", main="delegate", is_block=True)
async def wrap(call: Step) -> None:
    """Run a body within a build wrapper that has no effect on the text of the console."""
    delegate = call.arguments.get("delegate") or {}
    name = str(delegate.get("$class", "")).rpartition(".")[2]
    if name not in WRAPPERS:
        raise StepFailed(f"the build wrapper {name} is not known to the emulator")
