"""What each status of a stack means for a change of it: CloudFormation's 'Stack status codes', sorted by what comes next."""

from __future__ import annotations

STEADY = frozenset(
    {
        "CREATE_COMPLETE",
        "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_COMPLETE",
        "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_COMPLETE",
    }
)
"""It can be updated."""

DEAD = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
"""A first creation that failed: nothing can be updated there, and nothing of worth can be in it. It is made anew."""

HALF_BACK = {"UPDATE_ROLLBACK_FAILED": "continue_update_rollback", "UPDATE_FAILED": "rollback_stack"}
"""An update stopped half way, or half way back; CloudFormation's operation that brings it to UPDATE_ROLLBACK_COMPLETE."""

HALF_GONE = "DELETE_FAILED"
"""A deletion that stopped half way: it can only be deleted, and no longer be changed."""

EMPTY = "REVIEW_IN_PROGRESS"
"""Opened by a change set, and never made."""


def is_busy(status: str) -> bool:
    """Whether an operation is under way, whoever began it."""
    return status != EMPTY and status.endswith("_IN_PROGRESS")


def is_standing(status: str) -> bool:
    """Whether what the stack says of itself (its outputs) can be built on."""
    return status not in DEAD and status not in {EMPTY, HALF_GONE, "DELETE_IN_PROGRESS", "CREATE_IN_PROGRESS"}


def remedy(status: str, name: str) -> str:
    """What to do about a stack that cannot be changed as it is."""
    if status in HALF_BACK:
        return (
            "Correct the cause, then launch again: it continues the rollback. To skip resources that no longer exist: "
            f"aws cloudformation continue-update-rollback --stack-name {name} --resources-to-skip LOGICAL_ID"
        )
    if status == HALF_GONE:
        return (
            "Remove the cause, then destroy again. To retain a resource, which continues to cost: "
            f"aws cloudformation delete-stack --stack-name {name} --retain-resources LOGICAL_ID"
        )
    if status == "IMPORT_ROLLBACK_FAILED":
        return (
            "Correct the cause in its events, and import again in the AWS console or by change set; then launch again."
        )
    if status.endswith("_IN_PROGRESS"):
        return "Another operation changes it now: wait until it ends (a launch waits), then try again."
    return "Correct the cause, then launch again: CloudFormation rolled its changes back."
