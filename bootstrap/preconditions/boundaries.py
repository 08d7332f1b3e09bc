"""Checks the permissions boundary in an environment file: IAM refuses a role whose boundary does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from bootstrap.cloud import refusals
from bootstrap.context import Context
from bootstrap.stacks import composition

PLACE = ("account", "permissions_boundary")
_WITH_ROLES = frozenset({"traffic-logs", "bastion", "controller", "people", composition.AGENTS})


@dataclass
class Examined:
    """What was found: the faults, or why the boundary could not be looked at; both are empty if it is good."""

    faults: list[tuple[tuple[str | int, ...], str]] = field(default_factory=list)
    unknown: str = ""


def examine(context: Context, names: Sequence[str]) -> Examined:
    """Look at the boundary if these stacks make roles. The jobs on the machine do not look: they make none."""
    boundary = context.settings.account.permissions_boundary
    if (
        boundary is None
        or context.world.is_on_machine
        or not _WITH_ROLES.intersection(map(composition.find_kind, names))
    ):
        return Examined()
    account, owner = context.world.aws("sts").get_caller_identity()["Account"], boundary.split(":")[4]
    if owner not in {"aws", account}:
        rule = "a boundary is a policy of the same account"
        return Examined([(PLACE, f"is a policy of the account {owner}, and this is {account}; {rule}")])
    try:
        policy = context.world.aws("iam").get_policy(PolicyArn=boundary)["Policy"]
    except Exception as error:
        if refusals.read_code(error) in {"AccessDenied", "AccessDeniedException"}:
            return Examined(unknown=f"{boundary}: {refusals.format_error(error)}")
        if refusals.read_code(error) not in {"NoSuchEntity", "NoSuchEntityException"}:
            raise
        remedy = "ask the account's administrator which policy bounds roles"
        return Examined([(PLACE, f"there is no policy {boundary}; {remedy}")])
    if policy.get("IsAttachable") is False:
        return Examined([(PLACE, f"{boundary} cannot be attached to a role")])
    return Examined()
