"""Secrets Manager secrets and SSM parameters."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagged, Tagging

GENERATOR = (
    "PasswordLength",
    "ExcludeCharacters",
    "ExcludeNumbers",
    "ExcludePunctuation",
    "ExcludeUppercase",
    "ExcludeLowercase",
    "IncludeSpace",
    "RequireEachIncludedType",
)


class Secret(Tagged):
    """AWS::SecretsManager::Secret; Ref is its ARN."""

    type = "AWS::SecretsManager::Secret"
    service = "secretsmanager"
    tagging = Tagging("SecretId")

    def create(self, to: To) -> str:
        """With a given or a generated value."""
        name = to.get("Name") or to.name(128)
        given = to.pick("Description", "KmsKeyId")
        made = to.call("secretsmanager", "create_secret", Name=name, SecretString=self._value(to), **given)
        return str(made["ARN"])

    def update(self, to: To) -> None:
        """A new value only when the template's words for it changed."""
        given: dict[str, Any] = to.pick("Description", "KmsKeyId")
        if to.changed & {"SecretString", "GenerateSecretString"}:
            given["SecretString"] = self._value(to)
        to.call("secretsmanager", "update_secret", SecretId=to.physical_id, **given)

    def delete(self, to: To) -> None:
        """Without the time of grace, as CloudFormation deletes."""
        to.call("secretsmanager", "delete_secret", SecretId=to.physical_id, ForceDeleteWithoutRecovery=True)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its ARN; reading it tells whether it is there."""
        to.call("secretsmanager", "describe_secret", SecretId=to.physical_id)
        return {"Id": to.physical_id}

    def _value(self, to: To) -> str | None:
        wanted = to.get("GenerateSecretString")
        if wanted is None:
            return None if to.get("SecretString") is None else str(to.get("SecretString"))
        asked = {name: wanted[name] for name in GENERATOR if name in wanted}
        made = str(to.call("secretsmanager", "get_random_password", **asked)["RandomPassword"])
        if "SecretStringTemplate" not in wanted:
            return made
        return json.dumps({**json.loads(wanted["SecretStringTemplate"]), wanted["GenerateStringKey"]: made})


class Parameter(Adapter):
    """AWS::SSM::Parameter; Ref is its name."""

    type = "AWS::SSM::Parameter"

    def create(self, to: To) -> str:
        """Refused when the name is taken."""
        name = str(to.get("Name") or to.name(256))
        given = to.pick("Type", "Value", "Description", "AllowedPattern", "Tier", "Policies", "DataType")
        to.call("ssm", "put_parameter", Name=name, **given)
        return name

    def update(self, to: To) -> None:
        """A new version."""
        given = to.pick("Type", "Value", "Description", "AllowedPattern", "Tier", "Policies", "DataType")
        to.call("ssm", "put_parameter", Name=to.physical_id, Overwrite=True, **given)

    def delete(self, to: To) -> None:
        """By name."""
        to.call("ssm", "delete_parameter", Name=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Type and value."""
        found = to.call("ssm", "get_parameter", Name=to.physical_id)
        return {"Type": at(found, "Parameter.Type"), "Value": at(found, "Parameter.Value")}

    def tag(self, to: To, gone: Iterable[str]) -> None:
        """By name."""
        target = {"ResourceType": "Parameter", "ResourceId": to.physical_id}
        names = list(gone)
        if names:
            to.call("ssm", "remove_tags_from_resource", **target, TagKeys=names)
        if to.tags:
            to.call("ssm", "add_tags_to_resource", **target, Tags=to.tag_list())


ADAPTERS = (Secret(), Parameter())
