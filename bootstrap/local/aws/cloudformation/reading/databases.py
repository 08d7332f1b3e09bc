"""DynamoDB."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read


def _encryption(part: Any, _: Context) -> Any:
    description = part.get("SSEDescription")
    if not description:
        return None
    return {
        "SSEEnabled": description["Status"] == "ENABLED",
        "SSEType": description["SSEType"],
        "KMSMasterKeyId": description.get("KMSMasterKeyArn"),
    }


def _billing(part: Any, _: Context) -> str:
    """A table without a summary has provisioned capacity."""
    return str((part.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED"))


def _time_to_live(part: Any, _: Context) -> dict[str, Any]:
    description = part["TimeToLiveDescription"]
    return {
        "AttributeName": description.get("AttributeName"),
        "Enabled": description.get("TimeToLiveStatus") == "ENABLED",
    }


def _recovery(part: Any, _: Context) -> dict[str, Any]:
    description = part["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    specification = {"PointInTimeRecoveryEnabled": description.get("PointInTimeRecoveryStatus") == "ENABLED"}
    return specification | {key: description[key] for key in ("RecoveryPeriodInDays",) if key in description}


READS: dict[str, tuple[Read, ...]] = {
    "AWS::DynamoDB::Table": (
        Read(
            "dynamodb",
            "describe_table",
            {"TableName": "@id"},
            "Table",
            {
                "SSESpecification": _encryption,
                "BillingMode": _billing,
                "TableClass": "TableClassSummary.TableClass",
            },
        ),
        Read(
            "dynamodb",
            "describe_time_to_live",
            {"TableName": "@id"},
            ways={"TimeToLiveSpecification": _time_to_live},
            plain=False,
        ),
        Read(
            "dynamodb",
            "describe_continuous_backups",
            {"TableName": "@id"},
            ways={"PointInTimeRecoverySpecification": _recovery},
            plain=False,
        ),
        Read("dynamodb", "list_tags_of_resource", {"ResourceArn": "@Arn"}),
    ),
}
