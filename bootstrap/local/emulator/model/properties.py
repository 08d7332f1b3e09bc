"""Writes what a Pipeline declares about its job into the config.xml of the job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import item_xml, xmlfile
from .job_configuration import PIPELINE_PROPERTIES, JobConfiguration
from .job_options import (
    NO_RESTART,
    PROPERTIES,
    TRIGGER_CLASSES,
    note_declarations,
    remove_property,
    replace_property,
)

PARAMETERS = "hudson.model.ParametersDefinitionProperty"
TRIGGERS = f"{PIPELINE_PROPERTIES}PipelineTriggersJobProperty"
KINDS = {
    "string": "StringParameterDefinition",
    "booleanParam": "BooleanParameterDefinition",
    "choice": "ChoiceParameterDefinition",
    "text": "TextParameterDefinition",
    "password": "PasswordParameterDefinition",
}


def declare_jenkinsfile(
    job: JobConfiguration, plugins: Mapping[str, str], declared: Mapping[str, Any], quiet_period: int
) -> None:
    """Write the declarations of a declarative Jenkinsfile, undo those that have left it, and note them.

    `quiet_period` is that of Jenkins, which a job gets whose Jenkinsfile no longer declares its own.
    """
    before = xmlfile.serialise(job.root)
    holder, noted = _find_holder(job), item_xml.read_declarations(job.root)
    _undo(holder, noted, declared)
    _write_properties(holder, declared)
    options = {str(option.get("$class")): option for option in declared.get("options") or []}
    if "quietPeriod" in options or "quietPeriod" in noted["options"]:
        given = options.get("quietPeriod", {})
        _set_quiet_period(job.root, int(given.get("quietPeriod", given.get("value", quiet_period))))
    item_xml.record_declarations(job.root, plugins, note_declarations(declared))
    if "disableRestartFromStage" in options:
        xmlfile.put(
            job.root.find("actions"),
            NO_RESTART,
            plugin=f"pipeline-model-definition@{plugins.get('pipeline-model-definition', '')}",
        )
    _save_if_changed(job, before)


def declare_properties(job: JobConfiguration, declared: Mapping[str, Any]) -> None:
    """Write the properties that the step `properties` sets; other properties of the job stay."""
    before = xmlfile.serialise(job.root)
    _write_properties(_find_holder(job), declared)
    _save_if_changed(job, before)


def _find_holder(job: JobConfiguration) -> Any:
    holder = job.root.find("properties")
    return xmlfile.put(job.root, "properties") if holder is None else holder


def _save_if_changed(job: JobConfiguration, before: bytes) -> None:
    if xmlfile.serialise(job.root) != before:
        item_xml.complete(job.root)
        job.save()


def _undo(holder: Any, noted: Mapping[str, list[str]], declared: Mapping[str, Any]) -> None:
    """Remove what an earlier Jenkinsfile declared and this one does not."""
    now = note_declarations(declared)
    for name in noted["jobProperties"]:
        if name not in now["jobProperties"]:
            remove_property(holder, name)
    for tag, path in ((PARAMETERS, "parameterDefinitions"), (TRIGGERS, "triggers")):
        listed = holder.find(f"{tag}/{path}")
        for entry in list(listed) if listed is not None else []:
            is_parameter = path == "parameterDefinitions"
            name = xmlfile.read_text(entry, "name") if is_parameter else item_xml.decode_class(str(entry.tag))
            if name in noted["parameters" if is_parameter else "triggers"]:
                listed.remove(entry)
        if listed is not None and not len(listed):
            remove_property(holder, tag)


def _set_quiet_period(root: Any, seconds: int) -> None:
    node = root.find("quietPeriod")
    if node is None:
        node = xmlfile.put(root, "quietPeriod")
    node.text = str(seconds)


def _write_properties(holder: Any, declared: Mapping[str, Any]) -> None:
    """Replace the properties that are declared; parameters and triggers that are not declared stay behind those that are."""
    if declared.get("parameters"):
        listed = _render_parameters(declared["parameters"])
        names = {xmlfile.read_text(entry, "name") for entry in listed}
        kept = holder.findall(f"{PARAMETERS}/parameterDefinitions/*")
        listed.extend(entry for entry in kept if xmlfile.read_text(entry, "name") not in names)
        replace_property(holder, PARAMETERS, [listed])
    if declared.get("triggers"):
        replace_property(holder, TRIGGERS, [_render_triggers(declared["triggers"])])
    for option in declared.get("options") or []:
        if entry := PROPERTIES.get(str(option.get("$class"))):
            name, read = entry
            replace_property(holder, name, read(option))


def _render_parameters(entries: list[dict[str, Any]]) -> Any:
    listed = xmlfile.make_element("parameterDefinitions")
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
    listed = xmlfile.make_element("triggers")
    for entry in entries:
        node = xmlfile.put(listed, TRIGGER_CLASSES[entry["$class"]])
        if entry["$class"] == "upstream":
            xmlfile.put(node, "upstreamProjects", entry.get("upstreamProjects", entry.get("value", "")))
            xmlfile.put(xmlfile.put(node, "threshold"), "name", entry.get("threshold") or "SUCCESS")
        else:
            xmlfile.put(node, "spec", entry.get("value", entry.get("spec", entry.get("scmpoll_spec", ""))))
    return listed
