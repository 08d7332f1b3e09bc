"""The policy of the launcher, made from the templates of an environment and the source of the toolkit."""

from __future__ import annotations

from typing import Any

from bootstrap.context import Context
from bootstrap.doctor import policy as policies
from bootstrap.preconditions import stack_inputs
from bootstrap.stacks import template


def policy(context: Context) -> dict[str, Any]:
    """The policy as one document of any length; `policy.split` makes parts that IAM accepts."""
    own_actions = policies.calls({service: context.world.aws(service) for service in policies.services()})
    kinds = policies.types(stack_inputs.TEMPLATES / f"{name}.yaml" for name in context.wanted)
    cloudformation_actions = policies.handled(kinds, context.settings.region, template.permissions)
    return policies.document(context.settings, own_actions, cloudformation_actions)
