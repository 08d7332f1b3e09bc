"""Registers the members of a group at its load balancers when they come into service, and deregisters them when they leave."""

from __future__ import annotations

import logging
from typing import Any

from bootstrap.local.aws.scaling import members

log = logging.getLogger(__name__)


def register(group: Any) -> None:
    """Register the members in service at the group's target groups and Classic Load Balancers.

    A failure is only logged, because the group does not depend on it: somebody deleted a target group before the group.
    """
    from moto.core.exceptions import ServiceException

    backend = group.autoscaling_backend
    if group.name not in backend.autoscaling_groups or members.is_suspended(group, "AddToLoadBalancer"):
        return
    try:
        backend.update_attached_elbs(group.name)
        backend.update_attached_target_groups(group.name)
    except ServiceException as failure:
        log.warning("cannot register the instances of group %s: %s", group.name, failure)


def deregister(group: Any, member: Any) -> None:
    """Deregister a leaving member everywhere; a load balancer that was deleted before is left out."""
    backend = group.autoscaling_backend
    backend.elbv2_backend.notify_terminate_instances([member.instance.id])
    if group.name in backend.autoscaling_groups:
        backend.update_attached_elbs(group.name)


def list_in_service(group: Any) -> list[Any]:
    """The members that a load balancer takes: those in service whose instance runs."""
    return [
        member
        for member in group.instance_states
        if member.lifecycle_state == members.IN_SERVICE and member.instance.state == "running"
    ]
