"""What a call asks of KMS beside its own action: the customer key of a secret or of a volume is used in the caller's name.

The keys of AWS are not asked for: every caller of the account may use them in this way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bootstrap.local.aws.access.policies import attached, resources_ec2
from bootstrap.local.aws.access.policies.parameters import Call

_WRITES_SECRETS = frozenset({"CreateSecret", "PutSecretValue", "UpdateSecret"})
_MAKES_VOLUMES = frozenset({"CreateVolume", "RunInstances"})
_TAKES_VOLUMES = frozenset({"AttachVolume", "StartInstances"})
Need = tuple[str, str, dict[str, tuple[str, ...]]]  # action, key, condition keys


def needs(call: Call, on: Iterable[str]) -> Iterator[Need]:
    """The actions on keys; `on` are the resources of the call."""
    if call.service == "secretsmanager":
        yield from _of_secrets(call, on)
    elif call.service == "ec2":
        yield from _of_volumes(call)


def _of_secrets(call: Call, on: Iterable[str]) -> Iterator[Need]:
    if call.operation in _WRITES_SECRETS:
        actions: tuple[str, ...] = ("kms:GenerateDataKey", "kms:Decrypt")
    elif call.operation == "GetSecretValue":
        actions = ("kms:Decrypt",)
    else:
        return
    named = [_arn(call, key) for key in call.texts("KmsKeyId")]
    keys = dict.fromkeys([*named, *(key for arn in on if (key := _key_of_secret(call, arn)))])
    via: dict[str, tuple[str, ...]] = {"kms:viaservice": (f"secretsmanager.{call.region}.amazonaws.com",)}
    yield from ((action, key, via) for key in keys for action in actions)


def _of_volumes(call: Call) -> Iterator[Need]:
    """EC2 encrypts a new volume, and asks KMS for a grant whenever a machine gets one."""
    if call.operation in _MAKES_VOLUMES:
        keys = [*call.texts("KmsKeyId", "BlockDeviceMapping.Ebs.KmsKeyId"), *_keys_of_template(call)]
        actions: tuple[str, ...] = ("kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant")
    elif call.operation in _TAKES_VOLUMES:
        keys, actions = _keys_of_volumes(call), ("kms:Decrypt", "kms:CreateGrant")
    else:
        return
    found: dict[str, tuple[str, ...]] = {"kms:grantisforawsresource": ("true",)}
    found["kms:viaservice"] = (f"ec2.{call.region}.amazonaws.com",)
    for key in dict.fromkeys(_arn(call, key) for key in keys):
        if not _is_of_aws(call, key):
            yield from ((action, key, found) for action in actions)


def _keys_of_template(call: Call) -> list[str]:
    backend, name = resources_ec2.backend(call), call.text("LaunchTemplate.LaunchTemplateId")
    template = getattr(backend, "launch_templates", {}).get(name)
    if template is None:
        return []
    number = call.text("LaunchTemplate.Version")
    version = template.get_version(number) if number else template.default_version()
    disks = version.data.get("BlockDeviceMappings") or []
    return [str(disk["Ebs"]["KmsKeyId"]) for disk in disks if (disk.get("Ebs") or {}).get("KmsKeyId")]


def _keys_of_volumes(call: Call) -> list[str]:
    backend = resources_ec2.backend(call)
    machines = set(call.texts("InstanceId")) if call.operation == "StartInstances" else set()
    named = set(call.texts("VolumeId"))
    volumes: list[Any] = list(backend.volumes.values()) if backend is not None else []
    return [
        str(one.kms_key_id)
        for one in volumes
        if one.kms_key_id and (one.id in named or (one.attachment and one.attachment.instance.id in machines))
    ]


def _key_of_secret(call: Call, arn: str) -> str:
    """The customer key that encrypts a secret; '' for the key of AWS."""
    secrets = attached.backend("secretsmanager", call.account, call.region)
    found = next((one for one in list(secrets.secrets.values()) if one.arn == arn), None) if secrets else None
    key = str(getattr(found, "kms_key_id", "") or "")
    return "" if not key or key.endswith("alias/aws/secretsmanager") else _arn(call, key)


def _arn(call: Call, key: str) -> str:
    return key if key.startswith("arn:") else f"arn:aws:kms:{call.region}:{call.account}:key/{key}"


def _is_of_aws(call: Call, key: str) -> bool:
    kms = attached.backend("kms", call.account, call.region)
    found = kms.keys.get(key.rpartition("/")[2]) if kms else None
    return found is not None and any(one.startswith("alias/aws/") for one in found.aliases)
