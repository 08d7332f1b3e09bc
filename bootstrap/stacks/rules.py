"""The project's own rules for templates: no ingress rule for all addresses, and every output that another stack takes exists.

CloudFormation checks neither in time: the first mistake opens a port to the Internet, the second stops a launch half way.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bootstrap.errors import Fault, TemplateInvalid
from bootstrap.stacks.template import REMEMBERED, compose, read_bytes

_WORLD = {"CidrIp": "0.0.0.0/0", "CidrIpv6": "::/0"}
_REMEDY = "Correct the template; nothing was created or changed."


def check(path: Path, outputs: Collection[str]) -> None:
    """TemplateInvalid if the template at `path` opens a group to all addresses, or does not have one of `outputs`."""
    faults = _find_faults(path, read_bytes(path), frozenset(outputs))
    if faults:
        raise TemplateInvalid(f"checking {path.name}", faults, _REMEDY)


@lru_cache(REMEMBERED)
def _find_faults(path: Path, body: bytes, outputs: frozenset[str]) -> list[Fault]:
    root = compose(path, body)
    faults = [
        _make_fault(path, node, f"would allow 0.0.0.0/0 or ::/0: {text}") for node, text in _find_world_open_rules(root)
    ]
    produced = _get_child(root, "Outputs")
    names = {key.value for key, _ in produced.value} if isinstance(produced, yaml.MappingNode) else set()
    faults += [
        _make_fault(
            path, produced or root, f"the output '{name}' does not exist, and another stack or the toolkit needs it"
        )
        for name in sorted(outputs - names)
    ]
    return faults


def list_outputs(path: Path) -> set[str]:
    """The names of the outputs that the template at `path` can have."""
    return set(_list_children(_get_child(compose(path, read_bytes(path)), "Outputs")))


def find_unmet_parameters(path: Path, known: Collection[str]) -> Iterator[Fault]:
    """The parameters of the template at `path` that have no default, and not one of the known names."""
    parameters = _list_children(_get_child(compose(path, read_bytes(path)), "Parameters"))
    for name, (key, node) in parameters.items():
        if name in known or _get_child(node, "Default") is not None:
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        yield _make_fault(
            path, key, f"the parameter '{name}' has no default, and no stack before has an output of its name{hint}"
        )


def _list_children(node: yaml.Node | None) -> dict[str, tuple[yaml.Node, yaml.Node]]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return {key.value: (key, value) for key, value in pairs}


def _find_world_open_rules(root: yaml.Node) -> Iterator[tuple[yaml.Node, str]]:
    """The nodes and texts of ingress sources that are all addresses; egress rules are not checked."""
    resources = _get_child(root, "Resources")
    for _, resource in resources.value if isinstance(resources, yaml.MappingNode) else ():
        kind, properties = _get_child(resource, "Type"), _get_child(resource, "Properties")
        if kind is None or properties is None:
            continue
        rules: list[yaml.Node] = []
        if kind.value == "AWS::EC2::SecurityGroupIngress":
            rules = [properties]
        elif kind.value == "AWS::EC2::SecurityGroup":
            listed = _get_child(properties, "SecurityGroupIngress")
            rules = list(listed.value) if isinstance(listed, yaml.SequenceNode) else []
        for rule in rules:
            yield from _find_world_sources(rule)


def _find_world_sources(node: yaml.Node) -> Iterator[tuple[yaml.Node, str]]:
    """The sources in one rule that are all addresses, also inside the branches of !If."""
    if isinstance(node, yaml.SequenceNode):
        for part in node.value:
            yield from _find_world_sources(part)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(value, yaml.ScalarNode) and _WORLD.get(key.value) == value.value:
                yield value, value.value
            elif not isinstance(value, yaml.ScalarNode):
                yield from _find_world_sources(value)


def _get_child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    pairs: Any = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _make_fault(path: Path, node: yaml.Node, message: str) -> Fault:
    return Fault(str(path), node.start_mark.line + 1, node.start_mark.column + 1, message)
