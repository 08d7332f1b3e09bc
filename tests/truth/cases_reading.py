"""Reads the cases of `cases/*.yaml`, and writes those out that only evaluate a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

HANDLE = {"Type": "AWS::CloudFormation::WaitConditionHandle"}

Case = dict[str, Any]
Step = dict[str, Any]


class _Cases(yaml.SafeLoader):
    """Reads short forms of functions as their long forms."""


def _function(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Cases.add_multi_constructor("!", _function)


def load(path: Path) -> list[Case]:
    """The cases of a file; those that only evaluate a value are written out."""
    found = yaml.load(path.read_text(), _Cases)["cases"]  # noqa: S506 (a safe loader with CloudFormation's tags)
    return [_written_out(case) for case in found]


def _written_out(case: Case) -> Case:
    """A case with its template and steps; `many` puts a number of members alike into a section of the template."""
    if "many" in case:
        many = case["many"]
        members = {f"M{number}": many["of"] for number in range(many["count"])}
        section = {many["section"]: {**case["template"].get(many["section"], {}), **members}}
        case["template"] = {**case["template"], **section}
    if "value" in case:
        sections = {name: case[name] for name in ("Mappings", "Conditions", "Parameters", "Transform") if name in case}
        case["template"] = {"Resources": {"H": HANDLE}, "Outputs": {"V": {"Value": case["value"]}}, **sections}
        if "is" in case:
            case["steps"] = [{"do": "create", "status": "CREATE_COMPLETE", "outputs": {"V": case["is"]}}]
    if "refused" in case:
        case["steps"] = [{"do": "create", "parameters": case.get("parameters", {}), "refused": case["refused"]}]
    return case
