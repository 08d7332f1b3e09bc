"""Finds the stack that a call names, and its tags, for the access control of the local cloud."""

from __future__ import annotations

from bootstrap.local.aws.cloudformation.store import Store


def find_id(store: Store, name: str, region: str) -> str | None:
    """The id of a stack by its name or id, or by the id of one of its change sets; None if there is none."""
    if ":changeSet/" in name:
        stacks = store.list_stacks(region)
        return next((stack.id for stack in stacks if any(one.id == name for one in stack.change_sets)), None)
    named_stack = store.find(name, region)
    return named_stack.id if named_stack is not None else None


def find_tags(store: Store, stack_id: str) -> dict[str, str]:
    """The tags of a stack; empty if there is no such stack."""
    stack = store.stacks.get(stack_id)
    return dict(stack.wanted.tags) if stack is not None else {}
