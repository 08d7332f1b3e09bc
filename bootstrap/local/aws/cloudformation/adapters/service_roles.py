"""Roles that are linked to a service of AWS: IAM makes the name, the path and the trust of the role."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.errors import ResourceFailed


class ServiceLinkedRole(Adapter):
    """AWS::IAM::ServiceLinkedRole; Ref is the name that IAM gives the role."""

    type = "AWS::IAM::ServiceLinkedRole"

    def create(self, to: To) -> str:
        """Create the role and return its name. Refused by IAM when the account has the role already."""
        parameters = to.pick("AWSServiceName", "CustomSuffix", "Description")
        return str(to.call("iam", "create_service_linked_role", **parameters)["Role"]["RoleName"])

    def update(self, to: To) -> None:
        """Change the description, the only property that can change."""
        to.call("iam", "update_role", RoleName=to.physical_id, Description=to.get("Description", ""))

    def delete(self, to: To) -> None:
        """Delete the role and wait for the end of the task. Raises ResourceFailed when the service still needs it."""
        task = to.call("iam", "delete_service_linked_role", RoleName=to.physical_id)["DeletionTaskId"]

        def read_status() -> str:
            return str(to.call("iam", "get_service_linked_role_deletion_status", DeletionTaskId=task)["Status"])

        to.wait(lambda: read_status() not in {"NOT_STARTED", "IN_PROGRESS"}, f"The deletion of {to.physical_id}")
        if read_status() == "FAILED":
            raise ResourceFailed(f"The deletion of {to.physical_id} failed: its service still uses it")

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the name. Raises Gone when the role does not exist."""
        to.call("iam", "get_role", RoleName=to.physical_id)
        return {"RoleName": to.physical_id}


ADAPTERS = (ServiceLinkedRole(),)
