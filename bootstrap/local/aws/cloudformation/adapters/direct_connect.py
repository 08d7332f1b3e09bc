"""Direct Connect: connections as a location would keep them. What is made of them is a stand-in."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.errors import Gone


class Connection(TableAdapter):
    """AWS::DirectConnect::Connection; Ref is its ARN, which moto takes for its id too."""

    def update(self, to: To) -> None:
        """Its name."""
        to.call("directconnect", "update_connection", **self.keys(to), connectionName=to.get("ConnectionName"))

    def item(self, to: To) -> Any:
        """A deleted one is still described."""
        found = super().item(to)
        if found["connectionState"] == "deleted":
            raise Gone(f"The connection {to.physical_id} does not exist")
        return found


ADAPTERS = (
    Connection(
        Entry(
            "AWS::DirectConnect::Connection",
            "directconnect",
            "create_connection",
            "delete_connection",
            "connectionId",
            found="connectionId",
            read="describe_connections",
            item="connections.0",
            attributes={
                "ConnectionArn": "@id",
                "ConnectionId": lambda item: item["connectionId"].rpartition("/")[2],
                "ConnectionState": "connectionState",
            },
            tags=Tagging("resourceArn"),
        )
    ),
)
