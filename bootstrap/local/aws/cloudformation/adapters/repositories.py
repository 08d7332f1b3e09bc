"""CodeCommit repositories."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter


class Repository(TableAdapter):
    """AWS::CodeCommit::Repository; Ref is its id. The calls take its name."""

    def identify(self, to: To) -> dict[str, Any]:
        """Return the name as parameter."""
        return {"repositoryName": to.get("RepositoryName")}

    def read_item(self, to: To) -> Any:
        """Read the repository by its name."""
        return to.call("codecommit", "get_repository", **self.identify(to))["repositoryMetadata"]


ADAPTERS = (
    Repository(
        Entry(
            "AWS::CodeCommit::Repository",
            "codecommit",
            "create_repository",
            "delete_repository",
            "repositoryName",
            id_path="repositoryMetadata.repositoryId",
            name="RepositoryName",
            ignored=frozenset({"Code", "Triggers"}),
            read="get_repository",
            attributes={
                "RepositoryId": "@id",
                "Arn": "Arn",
                "Name": "repositoryName",
                "CloneUrlHttp": "cloneUrlHttp",
                "CloneUrlSsh": "cloneUrlSsh",
            },
        )
    ),
)
