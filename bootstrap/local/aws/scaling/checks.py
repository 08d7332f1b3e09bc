"""Refuses requests about groups, in the words of EC2 Auto Scaling where they are known.

Each function raises `Refused`; the patches make an error of moto's from it. What the local cloud does not model is refused in
its own name.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bootstrap.local.aws.scaling import activities, capacity, members, mixed, selection

PROCESSES = (
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
)
_PROTECTABLE = frozenset({members.IN_SERVICE, members.STANDBY})


class Refused(ValueError):
    """A request is refused; `code` is the error code of AWS."""

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.code = code


def find_group(backend: Any, name: str) -> Any:
    """The group of this name. Raises Refused if there is none."""
    group = backend.autoscaling_groups.get(name)
    if group is None:
        raise Refused(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")
    return group


def find_managed(backend: Any, instance_id: str) -> tuple[Any, Any]:
    """The group of an instance and its member. Raises Refused if the instance is in no group."""
    for group in backend.autoscaling_groups.values():
        member = members.find_member(group, instance_id)
        if member is not None:
            return group, member
    raise Refused(f"Instance Id not found - No managed instance found for instance ID: {instance_id}")


def check_new(backend: Any, name: str) -> None:
    """Raises Refused if a group of this name exists, also one that is being deleted."""
    if name in backend.autoscaling_groups:
        raise Refused(
            f"AutoScalingGroup by this name already exists - A group with the name {name} already exists",
            "AlreadyExists",
        )


def check_changeable(group: Any) -> None:
    """Raises Refused if the group is being deleted."""
    if getattr(group, "is_being_deleted", False):
        raise Refused(f"AutoScalingGroup '{group.name}' is pending delete", "ScalingActivityInProgress")


def check_sizes(min_size: int | None, max_size: int | None, desired: int | None) -> None:
    """Raises Refused if the bounds contradict each other, or the desired capacity is outside of them."""
    if min_size is None or max_size is None:
        raise Refused("MinSize and MaxSize must be provided")
    if min_size < 0 or max_size < min_size:
        raise Refused(f"Max bound, {max_size}, must be greater than or equal to min bound, {min_size}")
    if desired is not None and not min_size <= desired <= max_size:
        raise Refused(
            f"Desired capacity:{desired} must be between the specified min size:{min_size} and max size:{max_size}"
        )


def check_desired(group: Any, desired: int) -> None:
    """Raises Refused if SetDesiredCapacity asks for a capacity outside of the bounds of the group."""
    if desired > group.max_size:
        side, bound = "above max value", group.max_size
    elif desired < group.min_size:
        side, bound = "below min value", group.min_size
    else:
        return
    raise Refused(f"New SetDesiredCapacity value {desired} is {side} {bound} for the AutoScalingGroup.")


def check_decrement(group: Any) -> None:
    """Raises Refused if an instance cannot be terminated without a replacement: the group would be too small."""
    desired, least = int(group.desired_capacity or 0), int(group.min_size or 0)
    if desired - 1 < least:
        raise Refused(
            f"Currently, desiredSize equals minSize ({least}). Terminating instance without replacement will violate "
            "group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size."
        )


def check_protection(group: Any, instance_ids: Sequence[str]) -> list[Any]:
    """The members whose protection is to be set. Raises Refused if one is not in the group, or not in service."""
    chosen = []
    for instance_id in instance_ids:
        member = members.find_member(group, instance_id)
        if member is None:
            raise Refused(f"The instance {instance_id} is not part of Auto Scaling group {group.name}.")
        if member.lifecycle_state not in _PROTECTABLE:
            raise Refused(f"The instance {instance_id} is not in InService or EnteringStandby or Standby.")
        chosen.append(member)
    return chosen


def check_deletion(group: Any) -> None:
    """Raises Refused if the group cannot be deleted without ForceDelete."""
    if group.instance_states:
        raise Refused(
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in "
            "the group.",
            "ResourceInUse",
        )
    if activities.is_any_in_progress(group):
        raise Refused(
            "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.",
            "ScalingActivityInProgress",
        )


def check_processes(names: Sequence[str]) -> None:
    """Raises Refused for the name of a process that no group has."""
    unknown = [name for name in names if name not in PROCESSES]
    if unknown:
        raise Refused(f"Scaling process {unknown[0]} is not one of {', '.join(PROCESSES)}")


def check_policies(names: Sequence[str]) -> None:
    """Raises Refused for a termination policy that is unknown, or that the local cloud does not model (Lambda functions)."""
    unknown = [name for name in names if name not in selection.POLICIES]
    if unknown:
        raise Refused(f"The local cloud does not model the termination policy {unknown[0]}.")


def check_source(group: Any) -> None:
    """Raises Refused if EC2 cannot launch from the group's launch template: its image or an instance type is not there."""
    from moto.core.exceptions import ServiceException
    from moto.ec2.exceptions import InvalidInstanceTypeError, UnvailableAMIIdError
    from moto.ec2.models.instance_types import INSTANCE_TYPES

    if group.ec2_launch_template is None:
        return
    try:
        mixed.check(group.mixed_instances_policy)
        for choice in mixed.list_choices(group):
            source: Any = capacity.find_source(group, choice)
            if source.image_id in group.ec2_backend.deleted_amis:
                raise UnvailableAMIIdError(source.image_id)
            group.ec2_backend.describe_images(ami_ids=[source.image_id] if source.image_id else [])
            if choice.instance_type not in INSTANCE_TYPES:
                raise InvalidInstanceTypeError(choice.instance_type)
    except mixed.NotModelled as refusal:
        raise Refused(str(refusal)) from None
    except ServiceException as refusal:
        raise Refused(f"You must use a valid fully-formed launch template. {refusal.message}") from None
