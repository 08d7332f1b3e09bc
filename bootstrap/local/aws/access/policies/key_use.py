"""Finds the KMS actions that a call needs in addition to its own, because it uses the customer key of a secret or a volume.

AWS managed keys need no permission here: every caller of the account may use them in this way.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bootstrap.local.aws.access.policies import attached, resources_ec2
from bootstrap.local.aws.access.policies.parameters import Call

_WRITES_SECRETS = frozenset({"CreateSecret", "PutSecretValue", "UpdateSecret"})
_MAKES_VOLUMES = frozenset({"CreateVolume", "RunInstances"})
_TAKES_VOLUMES = frozenset({"AttachVolume", "StartInstances"})
KeyUse = tuple[str, str, dict[str, tuple[str, ...]]]  # action, key, condition keys


def list_key_uses(call: Call, resources: Iterable[str]) -> Iterator[KeyUse]:
    """The actions on KMS keys that a call with these resources needs."""
    if call.service == "secretsmanager":
        yield from _list_secret_uses(call, resources)
    elif call.service == "ec2":
        yield from _list_volume_uses(call)


def _list_secret_uses(call: Call, secrets: Iterable[str]) -> Iterator[KeyUse]:
    if call.operation in _WRITES_SECRETS:
        actions: tuple[str, ...] = ("kms:GenerateDataKey", "kms:Decrypt")
    elif call.operation == "GetSecretValue":
        actions = ("kms:Decrypt",)
    else:
        return
    given = [_make_key_arn(call, key) for key in call.list_texts("KmsKeyId")]
    keys = dict.fromkeys([*given, *(key for arn in secrets if (key := _find_key_of_secret(call, arn)))])
    via: dict[str, tuple[str, ...]] = {"kms:viaservice": (f"secretsmanager.{call.region}.amazonaws.com",)}
    yield from ((action, key, via) for key in keys for action in actions)


def _list_volume_uses(call: Call) -> Iterator[KeyUse]:
    """The key actions for volumes: EC2 encrypts a new volume, and creates a grant when it attaches a volume."""
    if call.operation in _MAKES_VOLUMES:
        keys = [*call.list_texts("KmsKeyId", "BlockDeviceMapping.Ebs.KmsKeyId"), *_find_keys_of_template(call)]
        actions: tuple[str, ...] = ("kms:GenerateDataKeyWithoutPlaintext", "kms:CreateGrant")
    elif call.operation in _TAKES_VOLUMES:
        keys, actions = _find_keys_of_volumes(call), ("kms:Decrypt", "kms:CreateGrant")
    else:
        return
    context: dict[str, tuple[str, ...]] = {"kms:grantisforawsresource": ("true",)}
    context["kms:viaservice"] = (f"ec2.{call.region}.amazonaws.com",)
    for key in dict.fromkeys(_make_key_arn(call, key) for key in keys):
        if not _is_aws_managed(call, key):
            yield from ((action, key, context) for action in actions)


def _find_keys_of_template(call: Call) -> list[str]:
    backend, name = resources_ec2.find_backend(call), call.find_text("LaunchTemplate.LaunchTemplateId")
    template = getattr(backend, "launch_templates", {}).get(name)
    if template is None:
        return []
    number = call.find_text("LaunchTemplate.Version")
    version = template.get_version(number) if number else template.default_version()
    disks = version.data.get("BlockDeviceMappings") or []
    return [str(disk["Ebs"]["KmsKeyId"]) for disk in disks if (disk.get("Ebs") or {}).get("KmsKeyId")]


def _find_keys_of_volumes(call: Call) -> list[str]:
    backend = resources_ec2.find_backend(call)
    machines = set(call.list_texts("InstanceId")) if call.operation == "StartInstances" else set()
    named_volumes = set(call.list_texts("VolumeId"))
    volumes: list[Any] = list(backend.volumes.values()) if backend is not None else []
    return [
        str(volume.kms_key_id)
        for volume in volumes
        if volume.kms_key_id
        and (volume.id in named_volumes or (volume.attachment and volume.attachment.instance.id in machines))
    ]


def _find_key_of_secret(call: Call, arn: str) -> str:
    """The customer key that encrypts a secret; '' for the key of AWS."""
    backend = attached.find_backend("secretsmanager", call.account, call.region)
    secret = next((one for one in list(backend.secrets.values()) if one.arn == arn), None) if backend else None
    key = str(getattr(secret, "kms_key_id", "") or "")
    return "" if not key or key.endswith("alias/aws/secretsmanager") else _make_key_arn(call, key)


def _make_key_arn(call: Call, key: str) -> str:
    return key if key.startswith("arn:") else f"arn:aws:kms:{call.region}:{call.account}:key/{key}"


def _is_aws_managed(call: Call, key: str) -> bool:
    kms = attached.find_backend("kms", call.account, call.region)
    found_key = kms.keys.get(key.rpartition("/")[2]) if kms else None
    return found_key is not None and any(one.startswith("alias/aws/") for one in found_key.aliases)
