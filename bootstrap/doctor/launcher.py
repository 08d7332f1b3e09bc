"""The policy of the identity that launches an environment, from its templates and the toolkit's source."""

from __future__ import annotations

from typing import Any

from bootstrap.context import Context
from bootstrap.doctor import policy as policies
from bootstrap.preconditions import stack_inputs
from bootstrap.stacks import template


def policy(context: Context) -> dict[str, Any]:
    """One document, however long it is."""
    ours = policies.calls({service: context.world.aws(service) for service in policies.services()})
    kinds = policies.types(stack_inputs.TEMPLATES / f"{name}.yaml" for name in context.wanted)
    through = policies.handled(kinds, context.settings.region, template.permissions)
    return policies.document(context.settings, ours, through)
