"""Launch configurations of Auto Scaling. No property of one can be changed: each change makes another."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import decode_user_data
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.errors import ResourceFailed


class LaunchConfiguration(TableAdapter):
    """AWS::AutoScaling::LaunchConfiguration; Ref is its name."""

    def delete(self, to: To) -> None:
        """Delete the launch configuration. Auto Scaling refuses that while a group uses it; moto does not."""
        self.read_item(to)
        groups = to.call_as_service("autoscaling", "describe_auto_scaling_groups")["AutoScalingGroups"]
        users = [group["AutoScalingGroupName"] for group in groups if self._find_name(group) == to.physical_id]
        if users:
            raise ResourceFailed(
                f"Cannot delete launch configuration {to.physical_id} because it is attached to AutoScalingGroup {users[0]} "
                "(Service: AutoScaling, Status Code: 400, Error code: ResourceInUse)"
            )
        super().delete(to)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return no attributes; raise Gone when the launch configuration does not exist."""
        self.read_item(to)
        return {}

    def _find_name(self, group: dict[str, Any]) -> str:
        return str(group.get("LaunchConfigurationName", ""))


ADAPTERS = (
    LaunchConfiguration(
        Entry(
            "AWS::AutoScaling::LaunchConfiguration",
            "autoscaling",
            "create_launch_configuration",
            "delete_launch_configuration",
            "LaunchConfigurationName",
            name="LaunchConfigurationName",
            renamed={"RamDiskId": "RamdiskId"},
            shaped={"InstanceMonitoring": lambda value: {"Enabled": value}, "UserData": decode_user_data},
            read="describe_launch_configurations",
            read_key="LaunchConfigurationNames",
            item="LaunchConfigurations.0",
        )
    ),
)
