"""Direct Connect connections, as they are stored. The types that use a connection are stand-ins."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.errors import Gone


class Connection(TableAdapter):
    """AWS::DirectConnect::Connection; Ref is its ARN, which moto also uses as its id."""

    def update(self, to: To) -> None:
        """Change the name."""
        to.call("directconnect", "update_connection", **self.identify(to), connectionName=to.get("ConnectionName"))

    def read_item(self, to: To) -> Any:
        """Read the connection. Raises Gone for a deleted one, which the service still describes."""
        connection = super().read_item(to)
        if connection["connectionState"] == "deleted":
            raise Gone(f"The connection {to.physical_id} does not exist")
        return connection


ADAPTERS = (
    Connection(
        Entry(
            "AWS::DirectConnect::Connection",
            "directconnect",
            "create_connection",
            "delete_connection",
            "connectionId",
            id_path="connectionId",
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
