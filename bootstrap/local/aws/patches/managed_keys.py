"""Makes the keys that AWS itself manages (alias/aws/...) what they are in KMS; moto makes customer keys of them.

KMS makes such a key when its alias is first used; before, the alias has no key (API reference, ListAliases and DescribeKey).
Nobody can change, disable or delete it (https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html): its policy allows
the account only to look at it, and its service to use it. Descriptions are those that users quote; of some services only the
form of the description is known.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from bootstrap.local.aws.persistence import randomness

PREFIX = "alias/aws/"
_CHANGES = (
    "cancel_key_deletion",
    "disable_key",
    "disable_key_rotation",
    "enable_key",
    "enable_key_rotation",
    "put_key_policy",
    "rotate_key_on_demand",
    "schedule_key_deletion",
    "tag_resource",
    "untag_resource",
    "update_key_description",
)
_ALIAS_CHANGES = ("create_alias", "update_alias", "delete_alias")
KEY_NAMES: dict[str, tuple[str, ...]] = {
    "moto.kms.models": ("KmsBackend._generate_default_keys",),
    "moto.kms.responses": tuple(f"KmsResponse.{name}" for name in (*_CHANGES, *_ALIAS_CHANGES, "list_aliases")),
}
"""The names of moto that are replaced here."""
_PROTECTED = {
    "acm": "ACM private keys",
    "dynamodb": "DynamoDB data",
    "ebs": "EBS volumes",
    "elasticfilesystem": "EFS filesystems",
    "glue": "Glue data",
    "lambda": "Lambda functions",
    "rds": "RDS database volumes",
    "s3": "S3 objects",
    "ssm": "SSM parameters",
}
_SERVICES = {"ebs": "ec2"}  # the name in kms:ViaService, where it is not that of the alias


class ManagedKeyPatches:
    """One method for each module that is changed."""

    _salt: str

    def _kms_models(self, module: Any) -> None:
        salt = self._salt

        def generate_default_keys(backend: Any, alias_name: str) -> str | None:
            if alias_name not in module.RESERVED_ALIASES:
                return None
            # A read can be the first use, and reads are not repeated after a restart: the key must be the same then.
            with randomness.use_seed(f"{salt}/{backend.account_id}/{backend.region_name}/{alias_name}"):
                key = backend.create_key(
                    _write_policy(alias_name.removeprefix(PREFIX), backend.account_id, backend.region_name),
                    "ENCRYPT_DECRYPT",
                    "SYMMETRIC_DEFAULT",
                    _describe(alias_name.removeprefix(PREFIX)),
                    None,
                )
            key.key_manager = "AWS"
            key.key_rotation_status = True
            backend.create_alias(key.id, alias_name)
            return str(key.id)

        module.KmsBackend._generate_default_keys = generate_default_keys

    def _kms_responses(self, module: Any) -> None:
        response_class = module.KmsResponse
        for name in _CHANGES:
            setattr(response_class, name, _refuse_managed(getattr(response_class, name), "KeyId"))
        for name in _ALIAS_CHANGES:
            parameter = "AliasName" if name == "delete_alias" else "TargetKeyId"
            setattr(response_class, name, _refuse_managed(getattr(response_class, name), parameter))
        list_aliases = response_class.list_aliases

        @functools.wraps(list_aliases)
        def list_with_real_keys(response: Any) -> str:
            answer = json.loads(list_aliases(response))
            for alias in answer["Aliases"]:
                if alias["TargetKeyId"] not in response.kms_backend.keys:
                    del alias["TargetKeyId"]  # moto invents a key that does not exist
            return json.dumps(answer)

        response_class.list_aliases = list_with_real_keys


def _describe(service: str) -> str:
    return f"Default key that protects my {_PROTECTED.get(service, f'{service} data')} when no other key is defined"


def _write_policy(service: str, account: str, region: str) -> str:
    """The key policy as AWS writes it: the service may use the key for principals of the account, who may look at it."""
    via = f"{_SERVICES.get(service, service)}.{region}.amazonaws.com"
    uses = [
        "kms:Encrypt",
        "kms:Decrypt",
        "kms:ReEncrypt*",
        "kms:GenerateDataKey*",
        "kms:CreateGrant",
        "kms:DescribeKey",
    ]
    looks = ["kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant"]
    condition = {"StringEquals": {"kms:CallerAccount": account, "kms:ViaService": via}}
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": uses, "Resource": "*", "Condition": condition},
        {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": looks, "Resource": "*"},
    ]
    return json.dumps({"Version": "2012-10-17", "Id": f"auto-{service}-1", "Statement": statements})


def _refuse_managed(original: Any, parameter: str) -> Any:
    """Wrap an operation of KMS: it refuses a key of AWS, which `parameter` names by id, ARN or alias."""

    @functools.wraps(original)
    def change(response: Any) -> Any:
        from moto.core.exceptions import JsonRESTError

        key = _find(response.kms_backend, str(response._get_param(parameter) or ""))
        if key is not None and key.key_manager == "AWS":
            action = "kms:" + "".join(part.capitalize() for part in original.__name__.split("_"))
            raise JsonRESTError(
                "AccessDeniedException",
                f"The caller is not authorized to perform: {action} on resource: {key.arn} because no resource-based policy "
                f"allows the {action} action",
            )
        return original(response)

    return change


def _find(backend: Any, name: str) -> Any:
    """The key with an id, an ARN or an alias; None if there is none. It makes no key of AWS."""
    alias = backend.get_alias_name(name)
    by_alias = next((key for key in list(backend.keys.values()) if alias in key.aliases), None)
    return by_alias or backend.keys.get(backend.get_key_id(name))
