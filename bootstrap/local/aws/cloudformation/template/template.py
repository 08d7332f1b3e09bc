"""A parsed template: its sections, the names that its values refer to, the order of its resources."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
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

    def read_section(self, name: str) -> dict[str, Any]:
        """Return one section; empty if the template does not have it."""
        return self.document.get(name) or {}

    @property
    def resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources by logical id."""
        return self.read_section("Resources")

    @property
    def is_extended(self) -> bool:
        """Whether the template uses the transform AWS::LanguageExtensions."""
        return LANGUAGE_EXTENSIONS in self.transforms

    @property
    def transforms(self) -> list[Any]:
        """Return the transforms of the template."""
        written = self.document.get("Transform") or []
        return written if isinstance(written, list) else [written]


def find_names(value: Any, decide: Callable[[str], bool] | None = None) -> Iterator[tuple[str, str]]:
    """Return every name that a value refers to: ('Ref' | 'Fn::GetAtt' | 'Condition', name).

    The functions in the value have the forms that `forms` checks. With `decide`, which says whether a condition is true, only
    the branches of Fn::If that are taken count.
    """
    if isinstance(value, list):
        for item in value:
            yield from find_names(item, decide)
    elif isinstance(value, dict):
        yield from _find_intrinsic_names(value)
        if decide and set(value) == {"Fn::If"}:
            name, *branches = value["Fn::If"]
            yield from find_names(branches[0 if decide(name) else 1], decide)
            return
        for name, item in value.items():
            if not (len(value) == 1 and name in {"Ref", "Fn::GetAtt", "Condition"}):
                yield from find_names(item, decide)


def _find_intrinsic_names(value: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if len(value) != 1:
        return
    name, argument = next(iter(value.items()))
    if name == "Ref":
        if isinstance(argument, str):  # otherwise a function, with AWS::LanguageExtensions
            yield "Ref", argument
    elif name == "Fn::GetAtt":
        logical = argument[0] if isinstance(argument, list) else argument.split(".", 1)[0]
        if isinstance(logical, str):
            yield "Fn::GetAtt", logical
    elif name == "Condition" and isinstance(argument, str):
        yield "Condition", argument
    elif name == "Fn::If" and isinstance(argument, list) and argument:
        yield "Condition", str(argument[0])
    elif name == "Fn::Sub":
        yield from _find_sub_names(argument)


def _find_sub_names(argument: Any) -> Iterator[tuple[str, str]]:
    text, variables = (argument, {}) if isinstance(argument, str) else argument
    for name in map(str.strip, _SUB_NAME.findall(text)):
        if name not in variables:
            yield ("Fn::GetAtt", name.split(".")[0]) if "." in name else ("Ref", name)


def find_dependencies(template: Template, present: frozenset[str]) -> dict[str, set[str]]:
    """Return, for each resource in `present`, those that must exist before it.

    Raises Refused for a circle; a resource that refers to itself is one.
    """
    graph = {}
    for logical, resource in template.resources.items():
        if logical in present:
            graph[logical] = (list_explicit_dependencies(resource) | _find_referenced(resource)) & present
    circle = find_circle(graph)
    if circle:
        raise Refused(f"Circular dependency between resources: [{', '.join(sorted(circle))}]")
    return graph


def list_explicit_dependencies(resource: dict[str, Any]) -> set[str]:
    """Return the resources in DependsOn."""
    written = resource.get("DependsOn") or []
    return {written} if isinstance(written, str) else set(written)


def _find_referenced(resource: dict[str, Any]) -> set[str]:
    return {name for kind, name in find_names(resource.get("Properties")) if kind != "Condition"}


def find_circle(graph: dict[str, set[str]]) -> set[str]:
    """Return the nodes of a graph that need each other in a circle, and those that need one of them; empty if none do."""
    remaining = {name: set(needs) for name, needs in graph.items()}
    while True:
        free = [name for name, needs in remaining.items() if not needs & remaining.keys()]
        if not free:
            return set(remaining)
        for name in free:
            del remaining[name]
