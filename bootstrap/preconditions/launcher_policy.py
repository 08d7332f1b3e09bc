"""The policies of an environment, made from its templates and the source of the toolkit."""

from __future__ import annotations

from typing import Any

from bootstrap.context import Context
from bootstrap.preconditions import iam_policies, required_actions, stack_inputs
from bootstrap.preconditions.required_actions import Needs
from bootstrap.stacks import template


def list_needs(context: Context) -> Needs:
    """What a launch of this environment needs, by its file; AWS is not asked."""
    paths = [stack_inputs.find_template(name) for name in context.wanted]
    handled = required_actions.list_handler_actions(
        required_actions.list_types(paths), context.settings.region, template.list_permissions
    )
    own = required_actions.list_calls(
        {service: context.world.aws(service) for service in required_actions.list_services()}
    )
    return Needs(own, handled, required_actions.list_role_services(paths), stack_inputs.find_peer_network(context))


def make_policy(context: Context) -> dict[str, Any]:
    """The launcher's policy as one document of any length; `policy_parts.split` makes parts that IAM accepts."""
    return iam_policies.make_launcher_policy(context.settings, list_needs(context))


def make_operator_policy(context: Context) -> dict[str, Any]:
    """The operator's policy, likewise."""
    return iam_policies.make_operator_policy(context.settings, list_needs(context))
