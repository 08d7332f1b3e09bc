"""EventBridge Scheduler: groups and schedules. They are stored as the template gives them; no target is called."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


class ScheduleGroup(TableAdapter):
    """AWS::Scheduler::ScheduleGroup; Ref is its name."""

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return ARN, state and the two times, as texts."""
        return {name: str(value) for name, value in super().read_attributes(to).items()}


ADAPTERS = (
    ScheduleGroup(
        Entry(
            "AWS::Scheduler::ScheduleGroup",
            "scheduler",
            "create_schedule_group",
            "delete_schedule_group",
            "Name",
            name="Name",
            read="get_schedule_group",
            attributes={
                "Arn": "Arn",
                "CreationDate": "CreationDate",
                "LastModificationDate": "LastModificationDate",
                "State": "State",
            },
            tags=Tagging("ResourceArn", target="Arn"),
        )
    ),
    TableAdapter(
        Entry(
            "AWS::Scheduler::Schedule",
            "scheduler",
            "create_schedule",
            "delete_schedule",
            "Name",
            name="Name",
            along=("GroupName",),
            update="update_schedule",
            takes=(
                "Description",
                "EndDate",
                "FlexibleTimeWindow",
                "KmsKeyArn",
                "ScheduleExpression",
                "ScheduleExpressionTimezone",
                "StartDate",
                "State",
                "Target",
            ),
            whole=True,
            read="get_schedule",
            attributes={"Arn": "Arn"},
        )
    ),
)
