"""The policy of who changes an account: made from the account's template and the source of its act.

It is apart from the launcher's, which does not let a launch change anything that the account has only once.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bootstrap.cloud import account_claim
from bootstrap.context import Context
from bootstrap.environment.models import Settings
from bootstrap.preconditions import iam_policies, required_actions
from bootstrap.preconditions.iam_policies import OF_CHANGE_SETS, THROUGH_CLOUDFORMATION, is_reading
from bootstrap.preconditions.policy_statements import Names, make_statement
from bootstrap.projects import folders
from bootstrap.stacks import template


def make_policy(context: Context) -> dict[str, Any]:
    """The policy as one document of any length; `policy_parts.split` makes parts that IAM accepts. AWS is not asked."""
    path = folders.find("cloudformation/account/account.yaml")
    region = context.settings.region
    kinds = required_actions.list_types([path])
    sources = required_actions.list_account_sources()
    services = {service: context.world.aws(service) for service in required_actions.list_services(sources)}
    handled = required_actions.list_handler_actions(kinds, region, template.list_permissions)
    return make_statements(context.settings, required_actions.list_calls(services, sources), handled)


def make_statements(settings: Settings, own: Collection[str], through: Collection[str]) -> dict[str, Any]:
    """The policy for the act's `own` calls and for what CloudFormation does `through` them.

    The settings of an account have no resource in IAM, so their actions are allowed on `*`; the stack, the records and the
    claim have names.
    """
    names, folder = Names(settings), f"/{settings.project}/account"
    stacks = {it for it in own if it.startswith("cloudformation:")}
    parameters = {it for it in own if it.startswith("ssm:")}
    claim = {it for it in own if it.endswith("InstanceProfile")}
    rest = {*own} - stacks - parameters - claim
    writes = {it for it in rest if not is_reading(it)}
    start = f"{names.own}:cloudformation:{names.region}:*:stack"
    return iam_policies.make_document(
        make_statement("Stack", {*stacks, *OF_CHANGE_SETS}, f"{start}/{settings.project}-account/*"),
        make_statement("Records", parameters, f"{names.own}:ssm:{names.region}:*:parameter{folder}/*"),
        make_statement(
            "Claim",
            {*claim, "iam:TagInstanceProfile"},
            f"{names.own}:iam::*:instance-profile/{account_claim.NAME}",
        ),
        make_statement("Look", rest - writes, "*"),
        make_statement("Settings", writes, "*"),
        make_statement("ThroughCloudFormation", through, "*", THROUGH_CLOUDFORMATION),
    )
