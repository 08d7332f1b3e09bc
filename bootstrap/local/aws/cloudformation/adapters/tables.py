"""DynamoDB tables."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import is_true
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


def _recovery(to: To, value: Any) -> None:
    wanted = {"PointInTimeRecoveryEnabled": is_true((value or {}).get("PointInTimeRecoveryEnabled"))}
    to.call("dynamodb", "update_continuous_backups", TableName=to.physical_id, PointInTimeRecoverySpecification=wanted)


def _time_to_live(to: To, value: Any) -> None:
    wanted = {"Enabled": True, **value} if value else {**to.old["TimeToLiveSpecification"], "Enabled": False}
    to.call("dynamodb", "update_time_to_live", TableName=to.physical_id, TimeToLiveSpecification=wanted)


def _encryption(value: Any) -> dict[str, Any]:
    kept = {key: item for key, item in value.items() if key != "SSEEnabled"}
    return {"Enabled": value["SSEEnabled"], **kept}


class Table(TableAdapter):
    """AWS::DynamoDB::Table; Ref is its name."""

    def replaces(self, to: To) -> bool:
        """Another key is another table."""
        return True

    def given(self, to: To, names: Any) -> dict[str, Any]:
        """A table without a mode of billing has provisioned capacity."""
        made = super().given(to, names)
        if not to.physical_id:
            made.setdefault("BillingMode", "PROVISIONED")
        return made


ADAPTERS = (
    Table(
        Entry(
            "AWS::DynamoDB::Table",
            "dynamodb",
            "create_table",
            "delete_table",
            "TableName",
            name="TableName",
            limit=255,
            shaped={
                "SSESpecification": _encryption,
                "StreamSpecification": lambda value: {"StreamEnabled": True, **value},
            },
            settings={"PointInTimeRecoverySpecification": _recovery, "TimeToLiveSpecification": _time_to_live},
            update="update_table",
            takes=(
                "AttributeDefinitions",
                "BillingMode",
                "DeletionProtectionEnabled",
                "ProvisionedThroughput",
                "SSESpecification",
                "StreamSpecification",
                "TableClass",
            ),
            read="describe_table",
            item="Table",
            attributes={"Arn": "TableArn", "StreamArn": "LatestStreamArn"},
            ready=lambda item: bool(item["TableStatus"] == "ACTIVE"),
            tags=Tagging("ResourceArn", target="Arn"),
        )
    ),
)
