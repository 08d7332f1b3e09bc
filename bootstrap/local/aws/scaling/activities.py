"""The scaling activities of a group, which DescribeScalingActivities returns, in the words of EC2 Auto Scaling.

Words and states: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-verify-scaling-activity.html,
https://docs.aws.amazon.com/autoscaling/ec2/userguide/replace-unhealthy-instance.html, and activities that AWS customers
published.
"""

from __future__ import annotations

import datetime
import json
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.persistence import randomness

IN_PROGRESS, PRE_IN_SERVICE, WAITING = "InProgress", "PreInService", "MidLifecycleAction"
SUCCESSFUL, FAILED, CANCELLED = "Successful", "Failed", "Cancelled"
_PROGRESS = {
    IN_PROGRESS: 0,
    PRE_IN_SERVICE: 30,
    WAITING: 40,
}  # the numbers of AWS while nothing waits for a load balancer

DIFFERENCE = "a difference between desired and actual capacity"
DIED = "an EC2 health check indicating it has been terminated or stopped"
JUDGED = "a user health-check"
ALL_PROTECTED = "Could not scale to desired capacity because all remaining instances are protected from scale-in."


@dataclass
class Activity:
    """One activity, with the names that moto's serializer looks for. `end_time` is None while it is in progress."""

    activity_id: str
    auto_scaling_group_name: str
    auto_scaling_group_arn: str
    description: str
    cause: str
    start_time: datetime.datetime
    details: str
    status_code: str = IN_PROGRESS
    status_message: str | None = None
    end_time: datetime.datetime | None = None
    progress: int = 0

    def move_to(self, status: str) -> None:
        """Set the status of an activity that goes on."""
        self.status_code, self.progress = status, _PROGRESS[status]

    def finish(self, status: str = SUCCESSFUL, message: str = "") -> None:
        """End the activity now; an ended activity is not changed. A message also becomes a part of the description."""
        if self.end_time is not None:
            return
        self.status_code, self.progress, self.end_time = status, 100, randomness.utcnow()
        if message:
            self.status_message = message
            self.description = f"{self.description}.  Status Reason: {message}"


def get_all(backend: Any) -> list[Activity]:
    """The activities of one account and region, oldest first, also those of deleted groups."""
    if not hasattr(backend, "scaling_activities"):
        backend.scaling_activities = []
    activities: list[Activity] = backend.scaling_activities
    return activities


def begin(group: Any, description: str, cause: str, instance: Any = None) -> Activity:
    """Begin an activity of a group, about an instance or about none."""
    from moto.moto_api._internal import mock_random

    place = {"Subnet ID": instance.subnet_id, "Availability Zone": instance.availability_zone} if instance else {}
    activity = Activity(
        str(mock_random.uuid4()),
        group.name,
        group.arn,
        description,
        cause,
        randomness.utcnow(),
        json.dumps({name: value for name, value in place.items() if value}, separators=(",", ":")),
    )
    get_all(group.autoscaling_backend).append(activity)
    return activity


def say(text: str) -> str:
    """One sentence of a cause: `text` at this moment."""
    return f"At {randomness.utcnow():%Y-%m-%dT%H:%M:%SZ} {text}."


def join(*sentences: str) -> str:
    """The sentences of a cause as AWS joins them: with two spaces. Empty ones are left out."""
    return "  ".join(sentence for sentence in sentences if sentence)


def list_described(backend: Any, group: str, ids: list[str], *, with_deleted: bool) -> list[Activity]:
    """The activities that DescribeScalingActivities returns, newest first: of one group, or all; or those with these ids."""
    living = {existing.arn for existing in backend.autoscaling_groups.values()}
    chosen = [
        activity
        for activity in reversed(get_all(backend))
        if (with_deleted or activity.auto_scaling_group_arn in living)
        and (not group or activity.auto_scaling_group_name == group)
        and (not ids or activity.activity_id in ids)
    ]
    return sorted(chosen, key=lambda activity: activity.start_time, reverse=True)


def is_any_in_progress(group: Any) -> bool:
    """Whether an activity of the group has not ended."""
    activities = get_all(group.autoscaling_backend)
    return any(one.end_time is None for one in activities if one.auto_scaling_group_arn == group.arn)
