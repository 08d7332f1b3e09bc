"""DynamoDB tables."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import is_true
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


def _set_recovery(to: To, value: Any) -> None:
    specification = {"PointInTimeRecoveryEnabled": is_true((value or {}).get("PointInTimeRecoveryEnabled"))}
    to.call(
        "dynamodb",
        "update_continuous_backups",
        TableName=to.physical_id,
        PointInTimeRecoverySpecification=specification,
    )


def _set_time_to_live(to: To, value: Any) -> None:
    specification = {"Enabled": True, **value} if value else {**to.old["TimeToLiveSpecification"], "Enabled": False}
    to.call("dynamodb", "update_time_to_live", TableName=to.physical_id, TimeToLiveSpecification=specification)


def _convert_encryption(value: Any) -> dict[str, Any]:
    others = {key: item for key, item in value.items() if key != "SSEEnabled"}
    return {"Enabled": value["SSEEnabled"], **others}


class Table(TableAdapter):
    """AWS::DynamoDB::Table; Ref is its name."""

    def replaces(self, to: To) -> bool:
        """Return True: another key or index needs another table."""
        return True

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Set the default billing mode, provisioned capacity, for a new table."""
        parameters = super().make_parameters(to, names)
        if not to.physical_id:
            parameters.setdefault("BillingMode", "PROVISIONED")
        return parameters


ADAPTERS = (
    Table(
        Entry(
            "AWS::DynamoDB::Table",
            "dynamodb",
            "create_table",
            "delete_table",
            "TableName",
            name="TableName",
            shaped={
                "SSESpecification": _convert_encryption,
                "StreamSpecification": lambda value: {"StreamEnabled": True, **value},
            },
            settings={"PointInTimeRecoverySpecification": _set_recovery, "TimeToLiveSpecification": _set_time_to_live},
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
