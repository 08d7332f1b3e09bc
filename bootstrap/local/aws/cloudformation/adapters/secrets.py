"""Secrets Manager secrets and SSM parameters."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagged, Tagging
from bootstrap.local.aws.cloudformation.errors import ResourceFailed

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
        """Create the secret with the given or a generated value; return its ARN."""
        name = to.get("Name") or to.generate_name()
        parameters = to.pick("Description", "KmsKeyId")
        answer = to.call(
            "secretsmanager", "create_secret", Name=name, SecretString=self._choose_value(to), **parameters
        )
        return str(answer["ARN"])

    def update(self, to: To) -> None:
        """Change the settings; set a new value only if the properties that describe the value changed."""
        parameters: dict[str, Any] = to.pick("Description", "KmsKeyId")
        if to.changed & {"SecretString", "GenerateSecretString"}:
            parameters["SecretString"] = self._choose_value(to)
        to.call("secretsmanager", "update_secret", SecretId=to.physical_id, **parameters)

    def delete(self, to: To) -> None:
        """Delete the secret without a recovery period, as CloudFormation does."""
        to.call("secretsmanager", "delete_secret", SecretId=to.physical_id, ForceDeleteWithoutRecovery=True)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the ARN as id. Raises Gone when the secret does not exist."""
        to.call("secretsmanager", "describe_secret", SecretId=to.physical_id)
        return {"Id": to.physical_id}

    def _choose_value(self, to: To) -> str | None:
        generator = to.get("GenerateSecretString")
        if generator is None:
            return None if to.get("SecretString") is None else str(to.get("SecretString"))
        parameters = {name: generator[name] for name in GENERATOR if name in generator}
        password = str(to.call("secretsmanager", "get_random_password", **parameters)["RandomPassword"])
        if "SecretStringTemplate" not in generator:
            return password
        return json.dumps({**json.loads(generator["SecretStringTemplate"]), generator["GenerateStringKey"]: password})


class Parameter(Adapter):
    """AWS::SSM::Parameter; Ref is its name."""

    type = "AWS::SSM::Parameter"

    def create(self, to: To) -> str:
        """Create the parameter; refused when the name is in use. Return the name."""
        name = str(to.get("Name") or to.generate_name())
        parameters = to.pick("Type", "Value", "Description", "AllowedPattern", "Tier", "Policies", "DataType")
        to.call("ssm", "put_parameter", Name=name, **parameters)
        return name

    def update(self, to: To) -> None:
        """Write a new version."""
        parameters = to.pick("Type", "Value", "Description", "AllowedPattern", "Tier", "Policies", "DataType")
        to.call("ssm", "put_parameter", Name=to.physical_id, Overwrite=True, **parameters)

    def delete(self, to: To) -> None:
        """Delete the parameter."""
        to.call("ssm", "delete_parameter", Name=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return type and value."""
        answer = to.call("ssm", "get_parameter", Name=to.physical_id)
        return {"Type": find_at(answer, "Parameter.Type"), "Value": find_at(answer, "Parameter.Value")}

    def tag(self, to: To, removed: Iterable[str]) -> None:
        """Remove the tags `removed` and set `to.tags`."""
        target = {"ResourceType": "Parameter", "ResourceId": to.physical_id}
        names = list(removed)
        if names:
            to.call("ssm", "remove_tags_from_resource", **target, TagKeys=names)
        if to.tags:
            to.call("ssm", "add_tags_to_resource", **target, Tags=to.list_tags())


class TargetAttachment(Adapter):
    """AWS::SecretsManager::SecretTargetAttachment; Ref is the secret's ARN.

    It writes the connection of the database into the secret, a JSON text, beside what is there. What a deletion does with the
    connection is documented nowhere: it stays.
    """

    type = "AWS::SecretsManager::SecretTargetAttachment"

    def create(self, to: To) -> str:
        """Write the connection into the secret and return the ARN of the secret."""
        self.update(to)
        return str(to.call("secretsmanager", "describe_secret", SecretId=to.get("SecretId"))["ARN"])

    def update(self, to: To) -> None:
        """Write the connection of the database that the template names now."""
        if to.get("TargetType") != "AWS::RDS::DBInstance":
            raise ResourceFailed(
                f"The local cloud attaches secrets to AWS::RDS::DBInstance, not to {to.get('TargetType')}"
            )
        secret = to.get("SecretId")
        text = to.call("secretsmanager", "get_secret_value", SecretId=secret).get("SecretString")
        try:
            content = json.loads(text or "")
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise ResourceFailed(f"The secret {secret} is no JSON object, so that no connection can be added to it")
        connection = json.dumps({**content, **self._read_connection(to)})
        to.call("secretsmanager", "update_secret", SecretId=secret, SecretString=connection)

    def delete(self, to: To) -> None:
        """Leave the secret as it is. Raises Gone when it does not exist."""
        to.call("secretsmanager", "describe_secret", SecretId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the ARN of the secret. Raises Gone when it does not exist."""
        to.call("secretsmanager", "describe_secret", SecretId=to.physical_id)
        return {"Id": to.physical_id}

    def _read_connection(self, to: To) -> dict[str, Any]:
        """The members that Secrets Manager documents for secrets of RDS (reference_secret_json_structure)."""
        described = to.call("rds", "describe_db_instances", DBInstanceIdentifier=to.get("TargetId"))["DBInstances"][0]
        connection = {
            "engine": described["Engine"],
            "host": find_at(described, "Endpoint.Address"),
            "port": find_at(described, "Endpoint.Port"),
            "dbname": described.get("DBName"),
            "dbInstanceIdentifier": described["DBInstanceIdentifier"],
        }
        return {name: value for name, value in connection.items() if value is not None}


ADAPTERS = (Secret(), Parameter(), TargetAttachment())
