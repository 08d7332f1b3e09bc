"""What a Jenkinsfile declares about its job becomes part of the job's config.xml."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import item_xml, xmlfile
from .job_configuration import PIPELINE_PROPERTIES, JobConfiguration
from .program_record import DISABLED

PARAMETERS = "hudson.model.ParametersDefinitionProperty"
DISCARDER = "jenkins.model.BuildDiscarderProperty"
CONCURRENT = f"{PIPELINE_PROPERTIES}DisableConcurrentBuildsJobProperty"
TRIGGERS = f"{PIPELINE_PROPERTIES}PipelineTriggersJobProperty"
KINDS = {
    "string": "StringParameterDefinition",
    "booleanParam": "BooleanParameterDefinition",
    "choice": "ChoiceParameterDefinition",
    "text": "TextParameterDefinition",
    "password": "PasswordParameterDefinition",
}


def note_declared(job: JobConfiguration, plugins: Mapping[str, str], declared: Mapping[str, Any]) -> None:
    """Write down what a declarative build found in its script, whether or not it said anything of the job."""
    before = xmlfile.serialise(job.root)
    item_xml.note_declared(job.root, plugins, declared)
    if xmlfile.serialise(job.root) != before:
        job.save()


def declare_properties(job: JobConfiguration, declared: dict[str, Any]) -> None:
    """Replace the properties that the declaration names; others, such as those of the job's own definition, stay."""
    before = xmlfile.serialise(job.root)
    holder = job.root.find("properties")
    if holder is None:
        holder = xmlfile.put(job.root, "properties")
    if declared.get("parameters"):
        _fresh(holder, PARAMETERS).append(_parameters(declared["parameters"]))
    if declared.get("triggers"):
        _fresh(holder, TRIGGERS).append(_triggers(declared["triggers"]))
    for option in declared.get("options") or []:
        if option.get("$class") == "disableConcurrentBuilds":
            _fresh(holder, CONCURRENT)
        elif option.get("$class") == "disableResume":
            _fresh(holder, DISABLED)
        elif option.get("$class") == "buildDiscarder":
            _fresh(holder, DISCARDER).append(_rotator(option.get("value") or option.get("strategy") or {}))
    if xmlfile.serialise(job.root) != before:
        job.save()


def _fresh(holder: Any, tag: str) -> Any:
    for stale in holder.findall(tag):
        holder.remove(stale)
    return xmlfile.put(holder, tag)


def _parameters(entries: list[dict[str, Any]]) -> Any:
    listed = xmlfile.element("parameterDefinitions")
    for entry in entries:
        node = xmlfile.put(listed, f"hudson.model.{KINDS[entry['$class']]}")
        xmlfile.put(node, "name", entry.get("name"))
        xmlfile.put(node, "description", entry.get("description") or "")
        if entry["$class"] == "choice":
            array = xmlfile.put(
                xmlfile.put(node, "choices", class_="java.util.Arrays$ArrayList"), "a", class_="string-array"
            )
            choices = entry.get("choices") or []
            for choice in choices.splitlines() if isinstance(choices, str) else choices:
                xmlfile.put(array, "string", choice)
        else:
            default = entry.get("defaultValue")
            xmlfile.put(
                node,
                "defaultValue",
                default if default is not None else False if entry["$class"] == "booleanParam" else "",
            )
    return listed


def _triggers(entries: list[dict[str, Any]]) -> Any:
    listed = xmlfile.element("triggers")
    for entry in entries:
        if entry["$class"] == "upstream":
            node = xmlfile.put(listed, "jenkins.triggers.ReverseBuildTrigger")
            xmlfile.put(node, "upstreamProjects", entry.get("upstreamProjects", entry.get("value", "")))
            xmlfile.put(xmlfile.put(node, "threshold"), "name", entry.get("threshold") or "SUCCESS")
        else:
            node = xmlfile.put(
                listed, "hudson.triggers.TimerTrigger" if entry["$class"] == "cron" else "hudson.triggers.SCMTrigger"
            )
            xmlfile.put(node, "spec", entry.get("value", entry.get("spec", entry.get("scmpoll_spec", ""))))
    return listed


def _rotator(given: dict[str, Any]) -> Any:
    strategy = xmlfile.element("strategy", class_="hudson.tasks.LogRotator")
    for tag in ("daysToKeep", "numToKeep", "artifactDaysToKeep", "artifactNumToKeep"):
        xmlfile.put(strategy, tag, given.get(f"{tag}Str") or given.get(tag) or -1)
    return strategy
