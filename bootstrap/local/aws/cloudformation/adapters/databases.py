"""RDS: database instances and their subnet groups. moto keeps their settings; no database runs."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters import generated_names
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging

DELETION = {"SkipFinalSnapshot": True, "DeleteAutomatedBackups": True}
# What ModifyDBInstance takes under the same name (botocore's model), and what needs no call of its own.
CHANGES = (
    "AllocatedStorage",
    "AllowMajorVersionUpgrade",
    "AutoMinorVersionUpgrade",
    "BackupRetentionPeriod",
    "CACertificateIdentifier",
    "CopyTagsToSnapshot",
    "DBInstanceClass",
    "DBParameterGroupName",
    "DeletionProtection",
    "EnableIAMDatabaseAuthentication",
    "EngineVersion",
    "Iops",
    "LicenseModel",
    "MasterUserPassword",
    "MaxAllocatedStorage",
    "MonitoringInterval",
    "MonitoringRoleArn",
    "MultiAZ",
    "OptionGroupName",
    "PreferredBackupWindow",
    "PreferredMaintenanceWindow",
    "PromotionTier",
    "PubliclyAccessible",
    "StorageThroughput",
    "StorageType",
    "VPCSecurityGroups",
)


class Instance(TableAdapter):
    """AWS::RDS::DBInstance; Ref is its identifier, which RDS keeps in small letters."""

    def choose_name(self, to: To) -> str:
        """Return the identifier in small letters (propertyTransform of the type's schema)."""
        return super().choose_name(to).lower()

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Return the parameters; a change is applied at once, because CloudFormation waits for no maintenance window."""
        parameters = super().make_parameters(to, names)
        parameters.pop("ApplyImmediately", None)
        return {**parameters, "ApplyImmediately": True} if parameters and to.physical_id else parameters

    def replaces(self, to: To) -> bool:
        """Return whether the change needs a new instance: another engine, zone or snapshot."""
        return bool(to.changed & {"AvailabilityZone", "DBSnapshotIdentifier", "Engine", "SourceDBInstanceIdentifier"})

    def make_snapshot(self, to: To) -> None:
        """Make a snapshot (DeletionPolicy: Snapshot, which is the default of this type)."""
        name = f"{to.stack_name}-snapshot-{to.logical_id}-{generated_names.make_random_part(to.operation)}".lower()
        to.call("rds", "create_db_snapshot", DBInstanceIdentifier=to.physical_id, DBSnapshotIdentifier=name)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the attributes as texts; those of an instance that is not ready yet may be missing."""
        return {name: str(value) for name, value in super().read_attributes(to).items() if value is not None}


class SubnetGroup(TableAdapter):
    """AWS::RDS::DBSubnetGroup; Ref is its name, which RDS keeps in small letters."""

    def choose_name(self, to: To) -> str:
        """Return the name in small letters."""
        return super().choose_name(to).lower()

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the ARN, which the calls that set tags take; GetAtt has no attributes."""
        return {"Arn": self.read_item(to)["DBSubnetGroupArn"]}


ADAPTERS = (
    SubnetGroup(
        Entry(
            "AWS::RDS::DBSubnetGroup",
            "rds",
            "create_db_subnet_group",
            "delete_db_subnet_group",
            "DBSubnetGroupName",
            name="DBSubnetGroupName",
            update="modify_db_subnet_group",
            takes=("DBSubnetGroupDescription", "SubnetIds"),
            whole=True,
            read="describe_db_subnet_groups",
            item="DBSubnetGroups.0",
            tags=Tagging("ResourceName", target="Arn", add="add_tags_to_resource", remove="remove_tags_from_resource"),
        )
    ),
    Instance(
        Entry(
            "AWS::RDS::DBInstance",
            "rds",
            "create_db_instance",
            "delete_db_instance",
            "DBInstanceIdentifier",
            name="DBInstanceIdentifier",
            renamed={"VPCSecurityGroups": "VpcSecurityGroupIds"},
            update="modify_db_instance",
            takes=CHANGES,
            read="describe_db_instances",
            item="DBInstances.0",
            attributes={
                "DBInstanceArn": "DBInstanceArn",
                "DbiResourceId": "DbiResourceId",
                "DBInstanceStatus": "DBInstanceStatus",
                "Endpoint.Address": "Endpoint.Address",
                "Endpoint.HostedZoneId": "Endpoint.HostedZoneId",
                "Endpoint.Port": "Endpoint.Port",
                "MasterUserSecret.SecretArn": "MasterUserSecret.SecretArn",
            },
            tags=Tagging(
                "ResourceName",
                target="DBInstanceArn",
                add="add_tags_to_resource",
                remove="remove_tags_from_resource",
            ),
            ready=lambda instance: instance["DBInstanceStatus"] == "available",
            delete_more=DELETION,
        )
    ),
)
