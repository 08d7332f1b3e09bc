"""Finds out whether a change set announces a replacement only because a parameter names the same value in another way.

For example, a parameter of a stack was the name of an SSM parameter, and now is the value that CloudFormation found by that
name. Then a change set can list the resources that use it as changed, although their properties stay the same. A machine must
not be removed for that.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from bootstrap.stacks import template
from bootstrap.stacks.changes import ChangeSet
from bootstrap.values import ChangeKind


def find_resolved(description: Mapping[str, Any], parameters: Mapping[str, str]) -> frozenset[str]:
    """The parameters that were a name in the stack, and now are the value that CloudFormation found by that name."""
    found = {
        it["ParameterKey"]: it["ResolvedValue"] for it in description.get("Parameters", ()) if "ResolvedValue" in it
    }
    return frozenset(name for name, value in found.items() if value == parameters.get(name))


def find_unaltered(before: Any, after: str) -> frozenset[str]:
    """The resources whose text is the same in both templates, function by function."""
    if not isinstance(before, str):  # boto3 reads a template in JSON
        return frozenset()
    old, new = template.list_resources(before), template.list_resources(after)
    return frozenset(name for name, shape in new.items() if old.get(name) == shape)


def is_same(
    change_set: ChangeSet, replaced: Collection[str], resolved: Collection[str], unaltered: Collection[str]
) -> bool:
    """Whether each announced replacement of the resources `replaced` comes only from the `resolved` parameters.

    Causes are followed through other resources; what the text of a template causes counts, unless it is `unaltered`.
    """
    announced = [
        change.name.partition("/")[2] for change in change_set.changes or () if change.kind is ChangeKind.REPLACE
    ]
    visited: set[str] = set()
    waiting = [(name, True) for name in announced if name in replaced]
    while waiting:
        name, is_replaced = waiting.pop(0)
        if name in visited:
            continue
        visited.add(name)
        causes = [each.entity for each in change_set.causes.get(name, ()) if each.may_replace or not is_replaced]
        if not causes:
            return False
        for entity in causes:
            if entity in change_set.causes:
                waiting.append((entity, False))
            elif entity not in resolved and (entity or name not in unaltered):
                return False
    return bool(visited)
