"""Refuses two outputs of one template that export the same name."""

from __future__ import annotations

import dataclasses

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN, Scope, format_text


def check(scope: Scope) -> None:
    """Raise Refused for a name that two outputs export; the id and the name of a new stack need not be known."""
    own = {name: name for name, value in scope.pseudo.items() if value == UNKNOWN}
    named = dataclasses.replace(scope, pseudo={**scope.pseudo, **own})
    names = set()
    for body in scope.template.read_section("Outputs").values():
        if "Export" in body and ("Condition" not in body or scope.evaluate_condition(body["Condition"])):
            name = format_text(named.evaluate(body["Export"]["Name"]))
            if name in names:
                raise Refused(f"Template error: more than one output exports the name {name}")
            if UNKNOWN not in name:  # a parameter of a nested change set
                names.add(name)
