"""Checks the permissions boundary in an environment file: IAM refuses a role whose boundary does not exist."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bootstrap.cloud import refusals
from bootstrap.context import Context

PLACE = ("account", "permissions_boundary")
_WITH_ROLES = frozenset({"traffic-logs", "bastion", "controller"})


def faults(context: Context, names: Sequence[str]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """A fault if these stacks make roles, and the account has no such policy. Without permission to look there is none."""
    boundary = context.settings.account.permissions_boundary
    if boundary is None or context.world.is_on_machine or not _WITH_ROLES.intersection(names):
        return
    account, owner = context.world.aws("sts").get_caller_identity()["Account"], boundary.split(":")[4]
    if owner not in {"aws", account}:
        yield (
            PLACE,
            f"is a policy of the account {owner}, and this is {account}; a boundary is a policy of the same account",
        )
        return
    try:
        policy = context.world.aws("iam").get_policy(PolicyArn=boundary)["Policy"]
    except Exception as error:
        if refusals.code(error) in {"AccessDenied", "AccessDeniedException"}:
            return
        if refusals.code(error) not in {"NoSuchEntity", "NoSuchEntityException"}:
            raise
        yield PLACE, f"there is no policy {boundary}; ask the account's administrator which policy bounds roles"
        return
    if policy.get("IsAttachable") is False:
        yield PLACE, f"{boundary} cannot be attached to a role"
