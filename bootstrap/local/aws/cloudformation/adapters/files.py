"""EFS: file systems, mount targets and access points."""

from __future__ import annotations

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, format_json, make_setter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging

TAGS = Tagging("ResourceId")


class MountTarget(TableAdapter):
    """AWS::EFS::MountTarget; Ref is its id. Its security groups are read by another call."""

    def read_attributes(self, to: To) -> dict[str, object]:
        """Return id and address."""
        target = self.read_item(to)
        return {"Id": to.physical_id, "IpAddress": target.get("IpAddress")}


ADAPTERS = (
    TableAdapter(
        Entry(
            "AWS::EFS::FileSystem",
            "efs",
            "create_file_system",
            "delete_file_system",
            "FileSystemId",
            id_path="FileSystemId",
            unique="CreationToken",
            renamed={"BackupPolicy": "Backup"},  # moto has no PutBackupPolicy: a change is refused
            shaped={"BackupPolicy": lambda policy: policy.get("Status") == "ENABLED"},
            settings={
                "LifecyclePolicies": make_setter(
                    "efs", "put_lifecycle_configuration", "FileSystemId", "LifecyclePolicies"
                ),
                "FileSystemPolicy": lambda to, value: make_setter(
                    "efs", "put_file_system_policy", "FileSystemId", "Policy"
                )(to, format_json(value)),
            },
            ignored=frozenset({"BypassPolicyLockoutSafetyCheck", "FileSystemProtection", "ReplicationConfiguration"}),
            read="describe_file_systems",
            item="FileSystems.0",
            attributes={"FileSystemId": "@id", "Arn": "FileSystemArn"},
            ready=lambda item: bool(item["LifeCycleState"] == "available"),
            tags=TAGS,
        )
    ),
    MountTarget(
        Entry(
            "AWS::EFS::MountTarget",
            "efs",
            "create_mount_target",
            "delete_mount_target",
            "MountTargetId",
            id_path="MountTargetId",
            alters={
                "SecurityGroups": make_setter(
                    "efs", "modify_mount_target_security_groups", "MountTargetId", "SecurityGroups"
                )
            },
            read="describe_mount_targets",
            item="MountTargets.0",
            ready=lambda item: bool(item["LifeCycleState"] == "available"),
        )
    ),
    TableAdapter(
        Entry(
            "AWS::EFS::AccessPoint",
            "efs",
            "create_access_point",
            "delete_access_point",
            "AccessPointId",
            id_path="AccessPointId",
            unique="ClientToken",
            read="describe_access_points",
            item="AccessPoints.0",
            attributes={"AccessPointId": "@id", "Arn": "AccessPointArn"},
            tags=TAGS,
        )
    ),
)
