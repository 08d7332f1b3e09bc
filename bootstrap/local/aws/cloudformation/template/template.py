"""A parsed template: its sections, the names that its values refer to, the order of its resources."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused

LANGUAGE_EXTENSIONS = "AWS::LanguageExtensions"
_SUB_NAME = re.compile(r"\$\{([^!${}][^${}]*)\}")


@dataclass(frozen=True)
class Template:
    """A parsed template; `text` is its original text, which GetTemplate returns."""

    text: str
    document: dict[str, Any] = field(repr=False)

    def section(self, name: str) -> dict[str, Any]:
        """Return one section; empty if the template does not have it."""
        return self.document.get(name) or {}

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources by logical id."""
        return self.section("Resources")

    @property
    def is_extended(self) -> bool:
        """Whether the template uses the transform AWS::LanguageExtensions."""
        return LANGUAGE_EXTENSIONS in self.transforms

    @property
    def transforms(self) -> list[Any]:
        """Return the transforms of the template."""
        written = self.document.get("Transform") or []
        return written if isinstance(written, list) else [written]


def names_in(value: Any) -> Iterator[tuple[str, str]]:
    """Return every name that a value refers to: ('Ref' | 'Fn::GetAtt' | 'Condition', name)."""
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
    text, variables = (argument, {}) if isinstance(argument, str) else (argument[0], argument[1])
    for name in _SUB_NAME.findall(text):
        if name not in variables:
            yield ("Fn::GetAtt", name.split(".")[0]) if "." in name else ("Ref", name)


def dependencies(template: Template, present: frozenset[str]) -> dict[str, set[str]]:
    """Return, for each resource in `present`, those that must exist before it; raises Refused for a circle."""
    graph = {}
    for logical, resource in template.resources.items():
        if logical in present:
            graph[logical] = (explicit_dependencies(resource) | _referenced(resource)) & present - {logical}
    circle = _circle(graph)
    if circle:
        raise Refused(f"Circular dependency between resources: [{', '.join(sorted(circle))}]")
    return graph


def explicit_dependencies(resource: dict[str, Any]) -> set[str]:
    """Return the resources in DependsOn."""
    written = resource.get("DependsOn") or []
    return {written} if isinstance(written, str) else set(written)


def _referenced(resource: dict[str, Any]) -> set[str]:
    return {name for kind, name in names_in(resource.get("Properties")) if kind != "Condition"}


def _circle(graph: dict[str, set[str]]) -> set[str]:
    remaining = {name: set(needs) for name, needs in graph.items()}
    while True:
        free = [name for name, needs in remaining.items() if not needs & remaining.keys()]
        if not free:
            return set(remaining)
        for name in free:
            del remaining[name]
