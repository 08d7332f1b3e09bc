"""Deletes one resource of a stack, or retains it if its policy says so; each step is an event."""

from __future__ import annotations

import logging

from bootstrap.local.aws.cloudformation import adapters
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed
from bootstrap.local.aws.cloudformation.operations.resource_contexts import ResourceContexts
from bootstrap.local.aws.cloudformation.operations.services import Services
from bootstrap.local.aws.cloudformation.operations.step_checks import StepChecks
from bootstrap.local.aws.cloudformation.store import Resource, Stack

log = logging.getLogger(__name__)

SNAPSHOT_TYPES = frozenset({"AWS::EC2::Volume", "AWS::RDS::DBInstance"})


class Deleter:
    """Deletes resources of one stack in its current operation."""

    def __init__(self, services: Services, stack: Stack, checks: StepChecks, contexts: ResourceContexts) -> None:
        self._services = services
        self._stack = stack
        assert stack.operation is not None
        self._operation = stack.operation
        self._checks = checks
        self._contexts = contexts

    def delete(self, resource: Resource, *, kept: bool, snapshot: bool = False) -> None:
        """Delete a resource, or only record the event if it is to be `kept`. Raises ResourceFailed."""
        stack = self._stack
        if not resource.physical_id:
            return
        if kept:
            stack.record("DELETE_SKIPPED", "", resource)
            return
        adapter = adapters.find(resource.type)
        assert adapter is not None
        stack.record("DELETE_IN_PROGRESS", "", resource)
        context = self._contexts.make(resource, adapter, resource.properties, resource.tags)
        step = f"{self._operation.id}/{resource.logical_id}/{resource.physical_id}/delete"
        try:
            self._checks.check_faults(resource.type, "delete", resource.logical_id)
            with self._services.door.enter_operation(step):
                if snapshot and resource.type in SNAPSHOT_TYPES:
                    adapter.make_snapshot(context)
                adapter.delete(context)
        except Gone:
            log.info("%s was gone already", resource.physical_id)
        except ResourceFailed as failure:
            stack.record("DELETE_FAILED", str(failure), resource)
            raise
        stack.record("DELETE_COMPLETE", "", resource)
        self._contexts.refresh_named(adapter, resource.properties)

    def delete_or_skip(self, resource: Resource, *, kept: bool, snapshot: bool) -> None:
        """Delete a resource in a forced deletion; one that cannot be deleted is left behind and stays listed, as on AWS.

        https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-cli-deleting-stack.html
        """
        try:
            self.delete(resource, kept=kept, snapshot=snapshot)
        except ResourceFailed as failure:
            self._stack.record("DELETE_SKIPPED", str(failure), resource)

    def try_delete(self, resource: Resource, *, kept: bool, snapshot: bool) -> None:
        """Delete a resource; if that fails, it stays and an event says so, as in CloudFormation after an update."""
        try:
            self.delete(resource, kept=kept, snapshot=snapshot)
        except ResourceFailed:
            log.warning("%s of %s is left behind", resource.physical_id, self._stack.name)
