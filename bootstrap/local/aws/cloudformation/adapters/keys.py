"""KMS keys and aliases."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import is_true
from bootstrap.local.aws.cloudformation.adapters.given import policy_text
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagged, Tagging


class Key(Tagged):
    """AWS::KMS::Key; Ref is its id."""

    type = "AWS::KMS::Key"
    service = "kms"
    tagging = Tagging("KeyId", names=("TagKey", "TagValue"))

    def create(self, to: To) -> str:
        """With its policy; rotation afterwards."""
        given = to.pick("Description", "KeyUsage", "KeySpec", "MultiRegion", "Origin")
        made = to.call("kms", "create_key", Policy=policy_text(to.get("KeyPolicy")), **given)
        to.physical_id = str(made["KeyMetadata"]["KeyId"])
        self._switches(to, only_set=True)
        return to.physical_id

    def update(self, to: To) -> None:
        """Policy, description, rotation and whether it is enabled."""
        key = {"KeyId": to.physical_id}
        if "KeyPolicy" in to.changed:
            to.call("kms", "put_key_policy", **key, PolicyName="default", Policy=policy_text(to.get("KeyPolicy")))
        if "Description" in to.changed:
            to.call("kms", "update_key_description", **key, Description=to.get("Description", ""))
        self._switches(to, only_set=False)

    def delete(self, to: To) -> None:
        """Scheduled: KMS never deletes at once."""
        days = int(to.get("PendingWindowInDays", 30))
        to.call("kms", "schedule_key_deletion", KeyId=to.physical_id, PendingWindowInDays=days)

    def attributes(self, to: To) -> dict[str, Any]:
        """ARN and id."""
        found = to.call("kms", "describe_key", KeyId=to.physical_id)["KeyMetadata"]
        return {"Arn": found["Arn"], "KeyId": to.physical_id}

    def _switches(self, to: To, *, only_set: bool) -> None:
        key = {"KeyId": to.physical_id}
        if "EnableKeyRotation" in to.changed:
            on = is_true(to.get("EnableKeyRotation"))
            if on or not only_set:
                to.call("kms", "enable_key_rotation" if on else "disable_key_rotation", **key)
        if "Enabled" in to.changed:
            on = is_true(to.get("Enabled", True))
            if not on or not only_set:
                to.call("kms", "enable_key" if on else "disable_key", **key)


class Alias(Adapter):
    """AWS::KMS::Alias; Ref is its name."""

    type = "AWS::KMS::Alias"

    def create(self, to: To) -> str:
        """A name for a key."""
        to.call("kms", "create_alias", **to.pick("AliasName", "TargetKeyId"))
        return str(to.get("AliasName"))

    def update(self, to: To) -> None:
        """The name for another key."""
        to.call("kms", "update_alias", **to.pick("AliasName", "TargetKeyId"))

    def delete(self, to: To) -> None:
        """The key stays."""
        to.call("kms", "delete_alias", AliasName=to.physical_id)


ADAPTERS = (Key(), Alias())
