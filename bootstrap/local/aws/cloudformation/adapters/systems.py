"""Systems Manager: documents and maintenance windows."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, as_json
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


def _tags(kind: str) -> Tagging:
    return Tagging(
        "ResourceId", put="add_tags_to_resource", take="remove_tags_from_resource", more={"ResourceType": kind}
    )


class Document(TableAdapter):
    """AWS::SSM::Document; Ref is its name. A change replaces it unless UpdateMethod says NewVersion."""

    def given(self, to: To, names: Any) -> dict[str, Any]:
        """How to update is not the service's business; what is made is a Command where the template does not say."""
        made = super().given(to, names)
        if not to.physical_id:
            made.setdefault("DocumentType", "Command")
        made.pop("UpdateMethod", None)
        return made

    def replaces(self, to: To) -> bool:
        """Replace is the default."""
        return bool(to.get("UpdateMethod", "Replace") != "NewVersion")

    def update(self, to: To) -> None:
        """A new version, which becomes the default."""
        if to.changed - {"UpdateMethod", "Tags"}:
            given = self.given(to, {"Content", "DocumentFormat", "TargetType", "VersionName"})
            made = to.call("ssm", "update_document", Name=to.physical_id, DocumentVersion="$LATEST", **given)
            version = made["DocumentDescription"]["DocumentVersion"]
            to.call("ssm", "update_document_default_version", Name=to.physical_id, DocumentVersion=version)


ADAPTERS = (
    Document(
        Entry(
            "AWS::SSM::Document",
            "ssm",
            "create_document",
            "delete_document",
            "Name",
            name="Name",
            limit=128,
            shaped={"Content": as_json},
            read="describe_document",
            item="Document",
            tags=_tags("Document"),
        )
    ),
    TableAdapter(
        Entry(
            "AWS::SSM::MaintenanceWindow",
            "ssm",
            "create_maintenance_window",
            "delete_maintenance_window",
            "WindowId",
            found="WindowId",
            read="get_maintenance_window",
            attributes={"WindowId": "@id"},
            tags=_tags("MaintenanceWindow"),
        )
    ),
)
