"""DynamoDB and RDS."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read, Way
from bootstrap.local.aws.cloudformation.reading.rules import read_ids
from bootstrap.local.aws.cloudformation.reading.spelling import read_spelled, spell_key


def _read_encryption(part: Any, _: Context) -> Any:
    description = part.get("SSEDescription")
    if not description:
        return None
    return {
        "SSEEnabled": description["Status"] == "ENABLED",
        "SSEType": description["SSEType"],
        "KMSMasterKeyId": description.get("KMSMasterKeyArn"),
    }


def _read_billing(part: Any, _: Context) -> str:
    """A table without a summary has provisioned capacity."""
    return str((part.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED"))


def _read_time_to_live(part: Any, _: Context) -> dict[str, Any]:
    description = part["TimeToLiveDescription"]
    return {
        "AttributeName": description.get("AttributeName"),
        "Enabled": description.get("TimeToLiveStatus") == "ENABLED",
    }


def _read_recovery(part: Any, _: Context) -> dict[str, Any]:
    description = part["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    specification = {"PointInTimeRecoveryEnabled": description.get("PointInTimeRecoveryStatus") == "ENABLED"}
    return specification | {key: description[key] for key in ("RecoveryPeriodInDays",) if key in description}


def _read_subnets(part: Any, _: Context) -> list[str]:
    return [subnet["SubnetIdentifier"] for subnet in part["Subnets"]]


def _ignore_case(name: str) -> Way:
    """A name that RDS keeps in small letters (propertyTransform of the schemas)."""
    return read_spelled(name, name, lambda value: str(value).lower())


_RDS_TAGS = {"ResourceName": "@Arn"}
READS: dict[str, tuple[Read, ...]] = {
    "AWS::RDS::DBSubnetGroup": (
        Read(
            "rds",
            "describe_db_subnet_groups",
            {"DBSubnetGroupName": "@id"},
            "DBSubnetGroups.0",
            {"SubnetIds": _read_subnets, "DBSubnetGroupName": _ignore_case("DBSubnetGroupName")},
        ),
        Read("rds", "list_tags_for_resource", _RDS_TAGS, ways={"Tags": "TagList"}, plain=False),
    ),
    "AWS::RDS::DBInstance": (
        Read(
            "rds",
            "describe_db_instances",
            {"DBInstanceIdentifier": "@id"},
            "DBInstances.0",
            {
                "DBInstanceIdentifier": _ignore_case("DBInstanceIdentifier"),
                "DBSubnetGroupName": read_spelled(
                    "DBSubnetGroup.DBSubnetGroupName", "DBSubnetGroupName", lambda value: str(value).lower()
                ),
                "DBParameterGroupName": "DBParameterGroups.0.DBParameterGroupName",
                "EnableIAMDatabaseAuthentication": "IAMDatabaseAuthenticationEnabled",
                "KmsKeyId": read_spelled("KmsKeyId", "KmsKeyId", spell_key),
                "OptionGroupName": "OptionGroupMemberships.0.OptionGroupName",
                "Port": "Endpoint.Port",
                "VPCSecurityGroups": read_ids("VpcSecurityGroups", "VpcSecurityGroupId"),
            },
        ),
        Read(
            "rds", "list_tags_for_resource", {"ResourceName": "@DBInstanceArn"}, ways={"Tags": "TagList"}, plain=False
        ),
    ),
    "AWS::DynamoDB::Table": (
        Read(
            "dynamodb",
            "describe_table",
            {"TableName": "@id"},
            "Table",
            {
                "SSESpecification": _read_encryption,
                "BillingMode": _read_billing,
                "TableClass": "TableClassSummary.TableClass",
            },
        ),
        Read(
            "dynamodb",
            "describe_time_to_live",
            {"TableName": "@id"},
            ways={"TimeToLiveSpecification": _read_time_to_live},
            plain=False,
        ),
        Read(
            "dynamodb",
            "describe_continuous_backups",
            {"TableName": "@id"},
            ways={"PointInTimeRecoverySpecification": _read_recovery},
            plain=False,
        ),
        Read("dynamodb", "list_tags_of_resource", {"ResourceArn": "@Arn"}),
    ),
}
