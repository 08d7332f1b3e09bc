"""Reads a template: YAML with its short forms, or JSON; and refuses what CloudFormation refuses before making anything.

Words of refusals are those of CloudFormation where they are known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from bootstrap.local.aws.cloudformation import foreach, named
from bootstrap.local.aws.cloudformation.errors import Refused

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
CUSTOM = ("AWS::CloudFormation::CustomResource", "Custom::")  # these alone may have a Version beside those
PSEUDO = frozenset(
    f"AWS::{name}"
    for name in ("AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)
POLICIES = frozenset({"Delete", "Retain", "Snapshot", "RetainExceptOnCreate"})
LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_SUB_NAME = re.compile(r"\$\{([^!${}][^${}]*)\}")


@dataclass(frozen=True)
class Template:
    """A template that has been read; `text` is what GetTemplate gives back."""

    text: str
    document: dict[str, Any] = field(repr=False)

    def section(self, name: str) -> dict[str, Any]:
        """One section, empty when absent."""
        return self.document.get(name) or {}

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """The resources by logical id."""
        return self.section("Resources")

    @property
    def is_extended(self) -> bool:
        """Whether the template asks for the transform AWS::LanguageExtensions."""
        return LANGUAGE_EXTENSIONS in _listed(self.document.get("Transform") or [])


def read(text: str, given: dict[str, str] | None = None) -> Template:
    """Read and check a template; raises Refused. Loops go over the parameters as `given`, or their defaults."""
    document = _parse(text)
    if not isinstance(document, dict):
        raise Refused("Template format error: unsupported structure.")
    if LANGUAGE_EXTENSIONS in _listed(document.get("Transform") or []):
        lists = foreach.parameter_lists(document, given or {})
        document = named.resolve(Template(text, foreach.expand(document, lists)), given or {}, lists)
    template = Template(text, document)
    _check_sections(template)
    _check_resources(template)
    _check_references(template)
    dependencies(template, frozenset(template.resources))
    return template


def names_in(value: Any) -> Iterator[tuple[str, str]]:
    """Every name that a value refers to: ('Ref' | 'Fn::GetAtt' | 'Condition', name)."""
    if isinstance(value, list):
        for item in value:
            yield from names_in(item)
    elif isinstance(value, dict):
        yield from _intrinsic_names(value)
        for name, item in value.items():
            if not (len(value) == 1 and name in {"Ref", "Fn::GetAtt", "Condition"}):
                yield from names_in(item)


def _intrinsic_names(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if len(value) != 1:
        return
    name, argument = next(iter(value.items()))
    if name == "Ref":
        yield "Ref", str(argument)
    elif name == "Fn::GetAtt":
        parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
        yield "Fn::GetAtt", str(parts[0])
    elif name == "Condition" and isinstance(argument, str):
        yield "Condition", argument
    elif name == "Fn::If" and isinstance(argument, list) and argument:
        yield "Condition", str(argument[0])
    elif name == "Fn::Sub":
        yield from _sub_names(argument)


def _sub_names(argument: Any) -> Iterator[tuple[str, str]]:
    text, given = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
    for name in _SUB_NAME.findall(text):
        if name not in given:
            yield ("Fn::GetAtt", name.split(".")[0]) if "." in name else ("Ref", name)


def dependencies(template: Template, present: frozenset[str]) -> dict[str, set[str]]:
    """For each resource of `present` those that must be there before it; refuses circles."""
    found = {}
    for logical in template.resources:
        if logical in present:
            found[logical] = _needs(template.resources[logical]) & present - {logical}
    circle = _circle(found)
    if circle:
        raise Refused(f"Circular dependency between resources: [{', '.join(sorted(circle))}]")
    return found


def _needs(resource: dict[str, Any]) -> set[str]:
    explicit = resource.get("DependsOn") or []
    names = {explicit} if isinstance(explicit, str) else set(explicit)
    return names | {name for kind, name in names_in(resource.get("Properties")) if kind != "Condition"}


def _circle(graph: dict[str, set[str]]) -> set[str]:
    left = {name: set(needs) for name, needs in graph.items()}
    while True:
        free = [name for name, needs in left.items() if not needs & left.keys()]
        if not free:
            return set(left)
        for name in free:
            del left[name]


def _parse(text: str) -> Any:
    if not text.strip():
        raise Refused("Template format error: unsupported structure.")
    try:
        return json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506
    except json.JSONDecodeError as fault:
        raise Refused(
            f"Template format error: JSON not well-formed. (line {fault.lineno}, column {fault.colno})"
        ) from None
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise Refused(f"Template format error: YAML not well-formed.{place}") from None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _check_sections(template: Template) -> None:
    unknown = sorted(set(template.document) - SECTIONS)
    if unknown:
        raise Refused(f"Invalid template property or properties [{', '.join(unknown)}]")
    version = template.document.get("AWSTemplateFormatVersion", "2010-09-09")
    if version != "2010-09-09":
        raise Refused("Template format error: unsupported value for AWSTemplateFormatVersion.")
    for transform in _listed(template.document.get("Transform") or []):
        if transform != LANGUAGE_EXTENSIONS:
            raise Refused(f"No transform named {transform} found.")
    if not template.resources:
        raise Refused("Template format error: At least one Resources member must be defined.")
    for name in ("Parameters", "Mappings", "Conditions", "Resources", "Outputs"):
        if not isinstance(template.section(name), dict):
            raise Refused(f"Template format error: {name} must be an object.")


def _check_resources(template: Template) -> None:
    for logical, resource in template.resources.items():
        if not re.fullmatch(r"[A-Za-z0-9]{1,255}", logical):
            raise Refused(f"Template format error: Resource name {logical} is non alphanumeric.")
        if not isinstance(resource, dict) or "Type" not in resource:
            raise Refused(
                "Template format error: [/Resources/" + logical + "] Every Resources object must contain a Type member."
            )
        known = ATTRIBUTES | ({"Version"} if str(resource["Type"]).startswith(CUSTOM) else set())
        unknown = sorted(set(resource) - known)
        if unknown:
            raise Refused(f"Invalid template resource property '{unknown[0]}'")
        for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
            policy = resource.get(attribute, "Delete")
            if isinstance(policy, str) and policy not in POLICIES:
                raise Refused(f"Template format error: Unrecognized {attribute} {policy} for resource {logical}")


def _check_references(template: Template) -> None:
    known = set(template.resources) | set(template.section("Parameters")) | PSEUDO
    conditions = set(template.section("Conditions"))
    for section in ("Resources", "Outputs", "Conditions"):
        found = names_in(template.section(section))
        names = [one for one in found if not (template.is_extended and one[1].startswith("{"))]  # they are functions
        missing = sorted({name for kind, name in names if kind != "Condition" and name not in known})
        if missing:
            raise Refused(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] "
                f"in the {section} block of the template"
            )
        for name in (name for kind, name in names if kind == "Condition"):
            if name not in conditions:
                raise Refused(
                    f"Template error: unresolved condition dependency {name} in the {section} block of the template"
                )
    _check_attributes(template, conditions)


def _check_attributes(template: Template, conditions: set[str]) -> None:
    for logical, resource in template.resources.items():
        wanted = resource.get("Condition")
        if wanted is not None and wanted not in conditions:
            raise Refused(f"Template format error: Unresolved condition {wanted} of resource {logical}")
        for name in _needs({"DependsOn": resource.get("DependsOn")}):
            if name not in template.resources:
                raise Refused(
                    f"Template format error: Unresolved resource dependencies [{name}] in the Resources block of the template"
                )
    for name, output in template.section("Outputs").items():
        if not str(name).isalnum():
            raise Refused(f"Template format error: Outputs name '{name}' is non alphanumeric.")
        if not isinstance(output, dict) or "Value" not in output:
            raise Refused(f"Template format error: Every Outputs member must contain a Value object ({name})")


class _Loader(yaml.CSafeLoader):
    """YAML as CloudFormation reads it: short forms of the functions; dates stay text."""


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if name == "Fn::GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


def _unique_mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    seen: set[Any] = set()
    for key, _ in node.value:
        name = loader.construct_object(key, deep=True)
        if name in seen:
            raise yaml.MarkedYAMLError(problem=f"duplicate key {name}", problem_mark=key.start_mark)
        seen.add(name)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
