"""DynamoDB."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read


def _encryption(found: Any, _: Context) -> Any:
    told = found.get("SSEDescription")
    if not told:
        return None
    return {
        "SSEEnabled": told["Status"] == "ENABLED",
        "SSEType": told["SSEType"],
        "KMSMasterKeyId": told.get("KMSMasterKeyArn"),
    }


def _billing(found: Any, _: Context) -> str:
    """A table without a summary has provisioned capacity."""
    return str((found.get("BillingModeSummary") or {}).get("BillingMode", "PROVISIONED"))


def _time_to_live(found: Any, _: Context) -> dict[str, Any]:
    told = found["TimeToLiveDescription"]
    return {"AttributeName": told.get("AttributeName"), "Enabled": told.get("TimeToLiveStatus") == "ENABLED"}


def _recovery(found: Any, _: Context) -> dict[str, Any]:
    told = found["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
    made = {"PointInTimeRecoveryEnabled": told.get("PointInTimeRecoveryStatus") == "ENABLED"}
    return made | {key: told[key] for key in ("RecoveryPeriodInDays",) if key in told}


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
