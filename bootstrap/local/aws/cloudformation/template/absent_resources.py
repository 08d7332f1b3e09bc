"""Refuses references to resources that a stack does not have, because their condition is false."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN, Scope
from bootstrap.local.aws.cloudformation.template.template import find_names


def check(scope: Scope) -> None:
    """Raise Refused if a resource or an output that is present refers to a resource that is not.

    In a nested change set, the values of parameters, and so of conditions, can be unknown; then nothing is checked.
    """
    if UNKNOWN in scope.parameters.values():
        return
    template, present = scope.template, scope.find_present()
    outputs = template.read_section("Outputs").values()
    bodies: dict[str, list[Any]] = {
        "Resources": [template.resources[name].get("Properties") for name in sorted(present)],
        "Outputs": [body for body in outputs if "Condition" not in body or scope.evaluate_condition(body["Condition"])],
    }
    absent = template.resources.keys() - present
    for section, values in bodies.items():
        names = {name for kind, name in find_names(values, scope.evaluate_condition) if kind != "Condition"}
        if names & absent:
            raise make_unresolved(sorted(names & absent), section)


def make_unresolved(names: list[str], section: str) -> Refused:
    """Return the refusal of references to resources that do not exist."""
    return Refused(f"Unresolved resource dependencies [{', '.join(names)}] in the {section} block of the template")
