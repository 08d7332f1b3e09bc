"""Resource groups, which select resources by tags or by a stack."""

from __future__ import annotations

import json
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


class Group(TableAdapter):
    """AWS::ResourceGroups::Group; Ref is its name. Without a query it contains the resources of its own stack."""

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Convert the query to JSON text."""
        parameters = super().make_parameters(to, names)
        if to.physical_id and "ResourceQuery" not in names:
            return parameters
        setting = parameters.get("ResourceQuery") or ({} if "Configuration" in to.properties else {"Type": STACK})
        if setting:
            query = setting.get("Query") or {"ResourceTypeFilters": ["AWS::AllSupported"]}
            if setting["Type"] == STACK:
                query = {"StackIdentifier": to.stack_id, **query}
            parameters["ResourceQuery"] = {"Type": setting["Type"], "Query": json.dumps(query)}
        return parameters

    def update(self, to: To) -> None:
        """Change the description and the query."""
        parameters = self.make_parameters(to, {"ResourceQuery"})
        if "Description" in to.changed:
            to.call("resource-groups", "update_group", GroupName=to.physical_id, Description=to.get("Description", ""))
        if "ResourceQuery" in to.changed:
            to.call("resource-groups", "update_group_query", GroupName=to.physical_id, **parameters)


STACK = "CLOUDFORMATION_STACK_1_0"
ADAPTERS = (
    Group(
        Entry(
            "AWS::ResourceGroups::Group",
            "resource-groups",
            "create_group",
            "delete_group",
            "GroupName",
            name="Name",
            read="get_group",
            item="Group",
            attributes={"Arn": "GroupArn"},
            tags=Tagging(
                "Arn", target="Arn", add="tag", remove="untag", keys="Keys", as_map=True, takes_system_tags=False
            ),
        )
    ),
)
