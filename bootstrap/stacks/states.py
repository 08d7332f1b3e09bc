"""The statuses of a stack (CloudFormation's 'Stack status codes'), grouped by what a change has to do next."""

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
"""The stack can be updated."""

CREATION_FAILED = frozenset({"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"})
"""The first creation failed: the stack cannot be updated and has no data. It is deleted and created again."""

UPDATE_STOPPED = {"UPDATE_ROLLBACK_FAILED": "continue_update_rollback", "UPDATE_FAILED": "rollback_stack"}
"""An update or its rollback stopped half way. The value is the operation that brings the stack to UPDATE_ROLLBACK_COMPLETE."""

DELETION_STOPPED = "DELETE_FAILED"
"""A deletion stopped half way: the stack can only be deleted, not changed."""

EMPTY = "REVIEW_IN_PROGRESS"
"""A change set made the stack, and no change set was executed."""


def is_busy(status: str) -> bool:
    """Whether an operation is running, whoever started it."""
    return status != EMPTY and status.endswith("_IN_PROGRESS")


def has_outputs(status: str) -> bool:
    """Whether the outputs of the stack can be used."""
    return status not in CREATION_FAILED and status not in {
        EMPTY,
        DELETION_STOPPED,
        "DELETE_IN_PROGRESS",
        "CREATE_IN_PROGRESS",
    }


def choose_remedy(status: str, name: str) -> str:
    """The remedy for a stack that cannot be changed in this status."""
    if status in UPDATE_STOPPED:
        return (
            "Correct the cause, then launch again: it continues the rollback. To skip resources that no longer exist: "
            f"aws cloudformation continue-update-rollback --stack-name {name} --resources-to-skip LOGICAL_ID"
        )
    if status == DELETION_STOPPED:
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
