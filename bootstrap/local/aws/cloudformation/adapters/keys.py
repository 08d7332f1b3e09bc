"""KMS keys and aliases."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import is_true
from bootstrap.local.aws.cloudformation.adapters.parameter_forms import format_policy
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagged, Tagging


class Key(Tagged):
    """AWS::KMS::Key; Ref is its id."""

    type = "AWS::KMS::Key"
    service = "kms"
    tagging = Tagging("KeyId", names=("TagKey", "TagValue"))

    def create(self, to: To) -> str:
        """Create the key with its policy, then set rotation and state; return its id."""
        parameters = to.pick("Description", "KeyUsage", "KeySpec", "MultiRegion", "Origin")
        answer = to.call("kms", "create_key", Policy=format_policy(to.get("KeyPolicy")), **parameters)
        to.physical_id = str(answer["KeyMetadata"]["KeyId"])
        self._set_flags(to, only_set=True)
        return to.physical_id

    def update(self, to: To) -> None:
        """Change the policy, the description, the rotation and whether the key is enabled."""
        key = {"KeyId": to.physical_id}
        if "KeyPolicy" in to.changed:
            to.call("kms", "put_key_policy", **key, PolicyName="default", Policy=format_policy(to.get("KeyPolicy")))
        if "Description" in to.changed:
            to.call("kms", "update_key_description", **key, Description=to.get("Description", ""))
        self._set_flags(to, only_set=False)

    def delete(self, to: To) -> None:
        """Schedule the deletion, after 30 days by default: KMS deletes no key at once."""
        days = int(to.get("PendingWindowInDays", 30))
        to.call("kms", "schedule_key_deletion", KeyId=to.physical_id, PendingWindowInDays=days)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return ARN and id."""
        metadata = to.call("kms", "describe_key", KeyId=to.physical_id)["KeyMetadata"]
        return {"Arn": metadata["Arn"], "KeyId": to.physical_id}

    def _set_flags(self, to: To, *, only_set: bool) -> None:
        """Set rotation and state where they changed; with `only_set` only where they differ from KMS's defaults."""
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
        """Create the alias of the key and return its name."""
        to.call("kms", "create_alias", **to.pick("AliasName", "TargetKeyId"))
        return str(to.get("AliasName"))

    def update(self, to: To) -> None:
        """Point the alias to another key."""
        to.call("kms", "update_alias", **to.pick("AliasName", "TargetKeyId"))

    def delete(self, to: To) -> None:
        """Delete the alias; the key is kept."""
        to.call("kms", "delete_alias", AliasName=to.physical_id)


ADAPTERS = (Key(), Alias())
