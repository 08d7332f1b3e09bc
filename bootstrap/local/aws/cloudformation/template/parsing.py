"""Parses a template (YAML with the short forms of functions, or JSON) and checks its structure, as CloudFormation does first.

Error messages are those of CloudFormation, as far as they are known.

A stack's template is read at nearly every call about the stack, so the last REMEMBERED results are kept, packed: every reader
gets a copy of its own, and unpacking takes a fiftieth of the time of parsing and checking.
"""

from __future__ import annotations

import json
import pickle
import re
from functools import lru_cache
from typing import Any

import yaml

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import computed_names, foreach
from bootstrap.local.aws.cloudformation.template.template import (
    LANGUAGE_EXTENSIONS,
    Template,
    dependencies,
    explicit_dependencies,
    names_in,
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
CUSTOM = ("AWS::CloudFormation::CustomResource", "Custom::")  # only these types may have the attribute Version
PSEUDO = frozenset(
    f"AWS::{name}"
    for name in ("AccountId", "NotificationARNs", "NoValue", "Partition", "Region", "StackId", "StackName", "URLSuffix")
)
POLICIES = frozenset({"Delete", "Retain", "Snapshot", "RetainExceptOnCreate"})
REMEMBERED = 64


def read(text: str, parameters: dict[str, str] | None = None) -> Template:
    """Parse a template and check its structure; raises Refused. Fn::ForEach uses `parameters` or defaults."""
    plain, is_extended = _parse_once(text)
    if not is_extended:
        return Template(text, pickle.loads(plain))  # noqa: S301 -- packed by this process
    given_values = tuple(sorted((parameters or {}).items()))
    return Template(text, pickle.loads(_extend_once(text, given_values)))  # noqa: S301


@lru_cache(REMEMBERED)
def _parse_once(text: str) -> tuple[bytes, bool]:
    """The document, packed, and whether it has loops; one without loops is checked here, the others when they are extended."""
    document = _parse(text)
    if not isinstance(document, dict):
        raise Refused("Template format error: unsupported structure.")
    template = Template(text, document)
    if not template.is_extended:
        _check(template)
    return pickle.dumps(document), template.is_extended


@lru_cache(REMEMBERED)
def _extend_once(text: str, given_values: tuple[tuple[str, str], ...]) -> bytes:
    """The document without its loops, which depend on parameters, checked and packed."""
    document, parameters = pickle.loads(_parse_once(text)[0]), dict(given_values)  # noqa: S301
    lists = foreach.parameter_lists(document, parameters)
    expanded = Template(text, foreach.expand(document, lists))
    template = Template(text, computed_names.resolve(expanded, parameters, lists))
    _check(template)
    return pickle.dumps(template.document)


def _check(template: Template) -> None:
    _check_sections(template)
    _check_resources(template)
    _check_references(template)
    dependencies(template, frozenset(template.resources))


def _parse(text: str) -> Any:
    if not text.strip():
        raise Refused("Template format error: unsupported structure.")
    try:
        if text.lstrip().startswith("{"):
            return json.loads(text)
        _refuse_aliases(text)
        return yaml.load(text, _Loader)  # noqa: S506
    except json.JSONDecodeError as fault:
        raise Refused(
            f"Template format error: JSON not well-formed. (line {fault.lineno}, column {fault.colno})"
        ) from None
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise Refused(f"Template format error: YAML not well-formed.{place}") from None


def _refuse_aliases(text: str) -> None:
    """Raise Refused for YAML aliases, before they are expanded: a few lines of them can become a billion values."""
    if "*" in text and any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Loader)):
        raise Refused("Template error: YAML aliases are not allowed in CloudFormation templates")


def _check_sections(template: Template) -> None:
    unknown = sorted(set(template.document) - SECTIONS)
    if unknown:
        raise Refused(f"Invalid template property or properties [{', '.join(unknown)}]")
    version = template.document.get("AWSTemplateFormatVersion", "2010-09-09")
    if version != "2010-09-09":
        raise Refused("Template format error: unsupported value for AWSTemplateFormatVersion.")
    for transform in template.transforms:
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
        allowed = ATTRIBUTES | ({"Version"} if str(resource["Type"]).startswith(CUSTOM) else set())
        unknown = sorted(set(resource) - allowed)
        if unknown:
            raise Refused(f"Invalid template resource property '{unknown[0]}'")
        for attribute in ("DeletionPolicy", "UpdateReplacePolicy"):
            policy = resource.get(attribute, "Delete")
            if isinstance(policy, str) and policy not in POLICIES:
                raise Refused(f"Template format error: Unrecognized {attribute} {policy} for resource {logical}")


def _check_references(template: Template) -> None:
    known_names = set(template.resources) | set(template.section("Parameters")) | PSEUDO
    conditions = set(template.section("Conditions"))
    for section in ("Resources", "Outputs", "Conditions"):
        names = [
            (kind, name)
            for kind, name in names_in(template.section(section))
            if not (template.is_extended and name.startswith("{"))  # the name is a function
        ]
        missing = sorted({name for kind, name in names if kind != "Condition" and name not in known_names})
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
        condition = resource.get("Condition")
        if condition is not None and condition not in conditions:
            raise Refused(f"Template format error: Unresolved condition {condition} of resource {logical}")
        for name in explicit_dependencies(resource):
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
    """A YAML loader like CloudFormation's: it knows the short forms of functions, and dates stay texts."""


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
    names: set[Any] = set()
    for key, _ in node.value:
        name = loader.construct_object(key, deep=True)
        if name in names:
            raise yaml.MarkedYAMLError(problem=f"duplicate key {name}", problem_mark=key.start_mark)
        names.add(name)
    return dict(loader.construct_pairs(node, deep=True))


_Loader.add_multi_constructor("!", _short_form)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _unique_mapping)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
