"""Systems Manager: documents and maintenance windows."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, format_json
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging


def _make_tagging(kind: str) -> Tagging:
    return Tagging(
        "ResourceId", add="add_tags_to_resource", remove="remove_tags_from_resource", more={"ResourceType": kind}
    )


class Document(TableAdapter):
    """AWS::SSM::Document; Ref is its name. A change replaces it unless UpdateMethod is NewVersion."""

    def make_parameters(self, to: To, names: Any) -> dict[str, Any]:
        """Leave out UpdateMethod, which SSM does not take; a new document is a Command unless the template says otherwise."""
        parameters = super().make_parameters(to, names)
        if not to.physical_id:
            parameters.setdefault("DocumentType", "Command")
        parameters.pop("UpdateMethod", None)
        return parameters

    def replaces(self, to: To) -> bool:
        """Return whether UpdateMethod is Replace, which is the default."""
        return bool(to.get("UpdateMethod", "Replace") != "NewVersion")

    def update(self, to: To) -> None:
        """Create a new version and make it the default version."""
        if to.changed - {"UpdateMethod", "Tags"}:
            parameters = self.make_parameters(to, {"Content", "DocumentFormat", "TargetType", "VersionName"})
            answer = to.call("ssm", "update_document", Name=to.physical_id, DocumentVersion="$LATEST", **parameters)
            version = answer["DocumentDescription"]["DocumentVersion"]
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
            shaped={"Content": format_json},
            read="describe_document",
            item="Document",
            tags=_make_tagging("Document"),
        )
    ),
    TableAdapter(
        Entry(
            "AWS::SSM::MaintenanceWindow",
            "ssm",
            "create_maintenance_window",
            "delete_maintenance_window",
            "WindowId",
            id_path="WindowId",
            read="get_maintenance_window",
            attributes={"WindowId": "@id"},
            tags=_make_tagging("MaintenanceWindow"),
        )
    ),
)
