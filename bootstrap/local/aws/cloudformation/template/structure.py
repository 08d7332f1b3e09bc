"""Checks the structure of a template's document: sections, resources, outputs, parameters, and the names that they refer to.

Error messages are those of CloudFormation, as far as they are known. `check_sections` judges what the expansion of loops relies
on; `check` judges the document without loops.
"""

from __future__ import annotations

import re
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused, TransformFailed
from bootstrap.local.aws.cloudformation.template import forms
from bootstrap.local.aws.cloudformation.template.template import (
    LANGUAGE_EXTENSIONS,
    Template,
    find_circle,
    find_dependencies,
    find_names,
    list_explicit_dependencies,
)

SECTIONS = frozenset(
    [
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Rules",
        "Mappings",
        "Conditions",
        "Transform",
        "Resources",
        "Outputs",
        "Hooks",
    ]
)
MAPS = ("Parameters", "Rules", "Mappings", "Conditions", "Resources", "Outputs")
ATTRIBUTES = frozenset(
    [
        "Type",
        "Properties",
        "DependsOn",
        "Condition",
        "Metadata",
        "DeletionPolicy",
        "UpdateReplacePolicy",
        "CreationPolicy",
        "UpdatePolicy",
    ]
)
SERVERLESS = "AWS::Serverless-2016-10-31"  # changes nothing in a template without serverless resources
CUSTOM = ("AWS::CloudFormation::CustomResource", "Custom::")  # only these types may have the attribute Version
PSEUDO = frozenset(
    f"AWS::{name}"
    for name in ("AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)
POLICIES = frozenset({"Delete", "Retain", "Snapshot", "RetainExceptOnCreate"})


def check_sections(template: Template) -> None:
    """Raise Refused for unknown sections, and for sections and parameters of a wrong kind."""
    if SERVERLESS in template.transforms and "Globals" in template.document:
        raise Refused(f"The local cloud does not carry out the transform {SERVERLESS}, which the section Globals needs")
    unknown = sorted(set(template.document) - SECTIONS)
    if unknown:
        raise Refused(f"Invalid template property or properties [{', '.join(unknown)}]")
    version = template.document.get("AWSTemplateFormatVersion", "2010-09-09")
    if version != "2010-09-09":
        raise Refused("Template format error: unsupported value for AWSTemplateFormatVersion.")
    if not isinstance(template.document.get("Description", ""), str):
        raise Refused("Template format error: 'Description' field must be a string.")
    _refuse_nulls({name: value for name, value in template.document.items() if name != "Metadata"}, "")
    for transform in template.transforms:
        if transform not in (LANGUAGE_EXTENSIONS, SERVERLESS):
            name = transform.get("Name") if isinstance(transform, dict) else transform
            raise TransformFailed(f"No transform named {name if forms.is_text(name) else ''} found.")
    if not template.document.get("Resources"):
        raise Refused("Template format error: At least one Resources member must be defined.")
    for name in MAPS:
        if not isinstance(template.document.get(name, {}), dict):
            raise Refused(f"Template format error: {name} must be an object.")
    for name, declaration in template.read_section("Parameters").items():
        if not _is_alphanumeric(name):
            raise Refused(f"Template format error: Parameter name {name} is non alphanumeric.")
        if not isinstance(declaration, dict):
            raise Refused(f"Template format error: Every Parameters object must be an object. ({name})")
    _check_mappings(template)


def check(template: Template) -> None:
    """Raise Refused for a document without loops whose resources, outputs, conditions or references are wrong."""
    _check_resources(template)
    _check_outputs(template)
    check_forms(template)
    _check_references(template)
    _check_conditions(template)
    find_dependencies(template, frozenset(template.resources))


def check_forms(template: Template) -> None:
    """Raise Refused for functions whose arguments have a wrong form."""
    for section in ("Resources", "Outputs", "Conditions", "Rules"):
        forms.check(list(template.read_section(section).values()), is_extended=template.is_extended)


def _refuse_nulls(value: Any, path: str) -> None:
    """Raise Refused for a null value; Metadata of resources may have some."""
    if value is None:
        raise Refused(f"Template format error: [{path}] 'null' values are not allowed in templates")
    if isinstance(value, dict):
        for name, item in value.items():
            if name != "Metadata":
                _refuse_nulls(item, f"{path}/{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_nulls(item, f"{path}/{index}")


def _check_mappings(template: Template) -> None:
    for name, table in template.read_section("Mappings").items():
        if not isinstance(table, dict):
            raise Refused(f"Template format error: Every Mappings member {name} must be a map")
        if template.is_extended and forms.is_function(table):
            continue
        for key, entries in table.items():
            if not isinstance(entries, dict):
                raise Refused(f"Template format error: Every Mappings member {key} must be a map")
            for item in entries.values():
                texts = item if isinstance(item, list) else [item]
                if not template.is_extended and not all(map(forms.is_text, texts)):
                    raise Refused("Template format error: Every Mappings attribute must be a String or a List.")


def _check_resources(template: Template) -> None:
    for logical, resource in template.resources.items():
        if not re.fullmatch(r"[A-Za-z0-9]{1,255}", logical):
            raise Refused(f"Template format error: Resource name {logical} is non alphanumeric.")
        if not isinstance(resource, dict):
            raise Refused("Template format error: Any Resources member must be an object.")
        if "Type" not in resource:
            raise Refused(
                "Template format error: [/Resources/" + logical + "] Every Resources object must contain a Type member."
            )
        if not isinstance(resource["Type"], str):
            raise Refused(f"Template format error: [/Resources/{logical}/Type] Every Type member must be a string.")
        if resource["Type"].startswith("AWS::Serverless::"):
            kind = resource["Type"]
            raise Refused(
                f"The local cloud does not carry out the transform {SERVERLESS}, which resource {logical} of type {kind} needs"
            )
        _check_attributes(template, logical, resource)


def _check_attributes(template: Template, logical: str, resource: dict[str, Any]) -> None:
    allowed = ATTRIBUTES | ({"Version"} if resource["Type"].startswith(CUSTOM) else set())
    unknown = sorted(set(resource) - allowed)
    if unknown:
        raise Refused(f"Invalid template resource property '{unknown[0]}'")
    for attribute in ("Properties", "CreationPolicy", "UpdatePolicy"):
        if not isinstance(resource.get(attribute, {}), dict):
            raise Refused(
                f"Template format error: [/Resources/{logical}/{attribute}] Every {attribute} member must be an object."
            )
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
        policy = resource.get(attribute, "Delete")
        if isinstance(policy, str) and policy not in POLICIES:
            raise Refused(f"Template format error: Unrecognized {attribute} {policy} for resource {logical}")
    needs = resource.get("DependsOn", [])
    if not isinstance(needs, str) and not (isinstance(needs, list) and all(isinstance(one, str) for one in needs)):
        raise Refused("Template format error: DependsOn must be a string or list of strings.")
    if not isinstance(resource.get("Condition", ""), str):
        raise Refused(forms.CONDITION)


def _check_outputs(template: Template) -> None:
    for name, output in template.read_section("Outputs").items():
        if not _is_alphanumeric(name):
            raise Refused(f"Template format error: Outputs name '{name}' is non alphanumeric.")
        if not isinstance(output, dict) or "Value" not in output:
            raise Refused(f"Template format error: Every Outputs member must contain a Value object ({name})")
        if not isinstance(output.get("Condition", ""), str):
            raise Refused(forms.CONDITION)
        if not forms.is_text(output.get("Description", "")):
            raise Refused(f"Template format error: Every Description member must be a string. (output {name})")
        export = output.get("Export", {"Name": ""})
        if not (isinstance(export, dict) and set(export) == {"Name"}):
            raise Refused(
                f"Template format error: Output {name} is malformed. The Name field of Export must be specified."
            )
        if not (forms.is_text(export["Name"]) or forms.is_function(export["Name"])):
            raise Refused(
                f"Template format error: The Name field of every Export member must be a string. (output {name})"
            )


def _check_references(template: Template) -> None:
    known_names = set(template.resources) | set(template.read_section("Parameters")) | PSEUDO
    conditions = set(template.read_section("Conditions"))
    for section in ("Resources", "Outputs"):
        bodies = list(template.read_section(section).values())
        names = list(find_names(bodies))
        needs = {name for body in bodies for name in list_explicit_dependencies(body) if name not in template.resources}
        unknown = needs | {name for kind, name in names if kind != "Condition" and name not in known_names}
        if unknown:
            raise Refused(
                f"Template format error: Unresolved resource dependencies [{', '.join(sorted(unknown))}] "
                f"in the {section} block of the template"
            )
        for name in (name for kind, name in names if kind == "Condition"):
            if name not in conditions:
                raise Refused(f"Template error: unresolved condition dependency {name} in Fn::If")
        for name in (body["Condition"] for body in bodies if "Condition" in body):
            if name not in conditions:
                raise Refused(
                    f"Template format error: Unresolved condition dependency {name} in the {section} block of the template"
                )


def _check_conditions(template: Template) -> None:
    """Raise Refused for conditions that are no boolean functions, refer to resources, or depend on each other in a circle."""
    graph = {}
    values = set(template.read_section("Parameters")) | PSEUDO
    for name, definition in template.read_section("Conditions").items():
        function = next(iter(definition)) if forms.is_function(definition) else ""
        if function in forms.RULE_FUNCTIONS:
            raise Refused(forms.NOT_OUTSIDE_OF_RULES.format(function))
        if function not in forms.CONDITION_FUNCTIONS:
            raise Refused(
                "Template format error: Conditions can only be boolean operations on parameters and other conditions"
            )
        names = list(find_names(definition))
        others = sorted({name for kind, name in names if kind != "Condition" and name not in values})
        if others:
            raise Refused(
                f"Template format error: Unresolved dependencies [{', '.join(others)}]. Cannot reference resources in the "
                "Conditions block of the template"
            )
        graph[name] = {need for kind, need in names if kind == "Condition"}
        for need in sorted(graph[name] - set(template.read_section("Conditions"))):
            raise Refused(
                f"Template format error: Unresolved condition dependency {need} in the Conditions block of the template"
            )
    circle = find_circle(graph)
    if circle:
        raise Refused(f"Template error: Found circular condition dependency: [{', '.join(sorted(circle))}]")


def _is_alphanumeric(name: str) -> bool:
    return name.isascii() and name.isalnum()
