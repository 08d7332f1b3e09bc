"""What the guard of the cloud asks of stacks: which one a call names, and its tags."""

from __future__ import annotations

from bootstrap.local.aws.cloudformation.store import Store


def find_id(store: Store, name: str, region: str) -> str | None:
    """The id of a stack by its name or id, or by the id of a change set of it."""
    if ":changeSet/" in name:
        every = store.of(region)
        return next((stack.id for stack in every if any(one.id == name for one in stack.change_sets)), None)
    found = store.find(name, region)
    return found.id if found is not None else None


def tags_of(store: Store, stack_id: str) -> dict[str, str]:
    """The tags of a stack."""
    found = store.stacks.get(stack_id)
    return dict(found.wanted.tags) if found is not None else {}
