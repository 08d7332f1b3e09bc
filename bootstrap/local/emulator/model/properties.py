"""Writes what a Jenkinsfile declares about its job into the config.xml of the job."""

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


def record_declarations(job: JobConfiguration, plugins: Mapping[str, str], declared: Mapping[str, Any]) -> None:
    """Write the names of all declarations of a declarative Jenkinsfile into the job, also if there are none."""
    before = xmlfile.serialise(job.root)
    item_xml.record_declarations(job.root, plugins, declared)
    if xmlfile.serialise(job.root) != before:
        job.save()


def declare_properties(job: JobConfiguration, declared: dict[str, Any]) -> None:
    """Replace the properties that the Jenkinsfile declares; other properties of the job stay."""
    before = xmlfile.serialise(job.root)
    holder = job.root.find("properties")
    if holder is None:
        holder = xmlfile.put(job.root, "properties")
    if declared.get("parameters"):
        _replace_element(holder, PARAMETERS).append(_render_parameters(declared["parameters"]))
    if declared.get("triggers"):
        _replace_element(holder, TRIGGERS).append(_render_triggers(declared["triggers"]))
    for option in declared.get("options") or []:
        if option.get("$class") == "disableConcurrentBuilds":
            _replace_element(holder, CONCURRENT)
        elif option.get("$class") == "disableResume":
            _replace_element(holder, DISABLED)
        elif option.get("$class") == "buildDiscarder":
            _replace_element(holder, DISCARDER).append(
                _render_rotator(option.get("value") or option.get("strategy") or {})
            )
    if xmlfile.serialise(job.root) != before:
        job.save()


def _replace_element(holder: Any, tag: str) -> Any:
    for stale in holder.findall(tag):
        holder.remove(stale)
    return xmlfile.put(holder, tag)


def _render_parameters(entries: list[dict[str, Any]]) -> Any:
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
            if entry.get("trim"):
                xmlfile.put(node, "trim", True)
    return listed


def _render_triggers(entries: list[dict[str, Any]]) -> Any:
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


def _render_rotator(given: dict[str, Any]) -> Any:
    strategy = xmlfile.element("strategy", class_="hudson.tasks.LogRotator")
    for tag in ("daysToKeep", "numToKeep", "artifactDaysToKeep", "artifactNumToKeep"):
        xmlfile.put(strategy, tag, given.get(f"{tag}Str") or given.get(tag) or -1)
    return strategy
