"""The policies of an environment, made from its templates and the source of the toolkit."""

from __future__ import annotations

from typing import Any

from bootstrap.context import Context
from bootstrap.policies import actions
from bootstrap.policies import policy as policies
from bootstrap.policies.actions import Needs
from bootstrap.preconditions import stack_inputs
from bootstrap.stacks import template


def needs(context: Context) -> Needs:
    """What a launch of this environment needs, by its file; AWS is not asked."""
    paths = [stack_inputs.find_template(name) for name in context.wanted]
    handled = actions.handled(actions.types(paths), context.settings.region, template.permissions)
    own = actions.calls({service: context.world.aws(service) for service in actions.services()})
    return Needs(own, handled, actions.role_services(paths), stack_inputs.peer_network(context))


def policy(context: Context) -> dict[str, Any]:
    """The launcher's policy as one document of any length; `policy.split` makes parts that IAM accepts."""
    return policies.document(context.settings, needs(context))


def operator_policy(context: Context) -> dict[str, Any]:
    """The operator's policy, likewise."""
    return policies.operator(context.settings, needs(context))
