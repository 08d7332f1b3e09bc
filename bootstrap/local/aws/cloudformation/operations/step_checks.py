"""Checks before a step on a resource: cancellation, time limit, rollback triggers, stack policy, schema of the type.

Injected faults make a step fail, too.
"""

from __future__ import annotations

import time
from typing import Any

from bootstrap.local.aws.cloudformation.comparison import stack_policy
from bootstrap.local.aws.cloudformation.errors import ResourceFailed
from bootstrap.local.aws.cloudformation.operations import triggers
from bootstrap.local.aws.cloudformation.operations.order import Failed
from bootstrap.local.aws.cloudformation.operations.services import Services
from bootstrap.local.aws.cloudformation.store import Resource, Stack
from bootstrap.local.aws.cloudformation.template import schemas


class StepChecks:
    """The checks of one stack's current operation; `is_halted` is set when a resource has failed and the others stop."""

    def __init__(self, services: Services, stack: Stack) -> None:
        self._client = services.client
        self._faults = services.faults
        self._stack = stack
        assert stack.operation is not None
        self._operation = stack.operation
        self.is_halted = False

    @property
    def is_cancelled(self) -> bool:
        """Whether a step that is waiting must end."""
        return self.is_halted or self._is_late or self._is_update_cancelled or self.is_to_be_deleted

    @property
    def is_to_be_deleted(self) -> bool:
        """Whether the deletion of the stack was asked for while it is being created."""
        return self._operation.deletion == "asked"

    @property
    def _is_late(self) -> bool:
        """Whether the creation of the stack has taken longer than its TimeoutInMinutes."""
        has_limit = self._stack.status == "CREATE_IN_PROGRESS" and self._stack.timeout
        return bool(has_limit) and time.time() > self._stack.created + 60 * self._stack.timeout

    @property
    def _is_update_cancelled(self) -> bool:
        return bool(self._operation.cause) and self._stack.status == "UPDATE_IN_PROGRESS"

    def check_cancelled(self, step: str) -> None:
        """Raise ResourceFailed if the operation is cancelled or late, or if a rollback trigger is in state ALARM."""
        if self._is_update_cancelled or self.is_to_be_deleted:
            raise ResourceFailed(f"Resource {step} cancelled")
        if self._stack.status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}:
            if self._is_late:
                raise ResourceFailed(f"Resource {step} cancelled: the stack's TimeoutInMinutes is over")
            if breach := self._breach():
                raise ResourceFailed(f"Resource {step} cancelled: {breach}")

    def check_removals(self, names: list[str]) -> None:
        """Raise Failed if an update would delete resources that the stack policy protects."""
        denials = {name: self._explain_denial("Update:Delete", self._stack.resources[name]) for name in names}
        denied = [name for name, denial in denials.items() if denial]
        for name in denied:
            self._stack.record("UPDATE_FAILED", denials[name], self._stack.resources[name])
        if denied:
            raise Failed(denied)

    def check_policy(self, action: str, resource: Resource) -> None:
        """Raise ResourceFailed if the stack policy denies an update."""
        if denial := self._explain_denial(action, resource):
            raise ResourceFailed(denial)

    def check_properties(self, kind: str, logical: str, properties: dict[str, Any]) -> None:
        """Raise ResourceFailed for properties that the type's schema does not allow."""
        schema = schemas.load(kind, self._stack.region)
        faults = schemas.list_faults(schema, properties) if schema else []
        if faults:
            lines = "\n".join(faults)
            raise ResourceFailed(f"Properties validation failed for resource {logical} with message:\n{lines}")

    def check_faults(self, kind: str, step: str, logical: str) -> None:
        """Raise ResourceFailed if a fault is injected for this step ('create', 'update' or 'delete') of a resource."""
        message = self._faults.find_resource_message(kind, step, logical)
        if message is not None:
            raise ResourceFailed(f"Resource handler returned message: {message}")

    def _breach(self) -> str:
        """The message of a rollback trigger that stops the operation, or ''."""
        if not self._stack.wanted.rollback:
            return ""
        return triggers.breach(self._stack.wanted, self._client("cloudwatch", self._stack.region))

    def _explain_denial(self, action: str, resource: Resource) -> str:
        if self._stack.status != "UPDATE_IN_PROGRESS":
            return ""
        policy = self._operation.policy or self._stack.policy
        return stack_policy.explain_denial(policy, action, resource.logical_id, resource.type)
