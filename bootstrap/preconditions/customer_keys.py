"""Checks the KMS keys in an environment file: whether they can encrypt, and whether the services that use them may.

A stack fails late, and in the words of another service, where a key's policy does not let CloudWatch Logs or Auto Scaling use
it. So keys are looked at before anything is made. A fault has the place in the file, and the statement that the policy lacks.
What may not be read is told by `doctor`, and does not stop a launch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from bootstrap.cloud import key_policies, refusals
from bootstrap.cloud.key_policies import Use
from bootstrap.context import Context
from bootstrap.environment.models import Settings
from bootstrap.stacks import composition

Place = tuple[str | int, ...]
Found = tuple[Place, str]
ACCOUNT_KEY: Place = ("account", "kms_key_arn")
_LOGS_KEY: Place = ("network", "flow_logs", "kms_key_arn")
_QUERIES_KEY: Place = ("network", "public_zone", "queries", "kms_key_arn")
_BY_LOGS = (
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:DescribeKey",
)
_BY_VOLUMES = (
    *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey"),
    *("kms:GenerateDataKeyWithoutPlaintext", "kms:DescribeKey", "kms:CreateGrant"),
)
_WRITTEN = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
# The operations of a grant with which Auto Scaling starts a machine with an encrypted volume.
_GRANTED = frozenset({"CreateGrant", "Decrypt", "GenerateDataKeyWithoutPlaintext"})
_STATES = {
    "Disabled": "enable it",
    "PendingDeletion": "cancel its deletion, or name another key",
    "PendingImport": "import its key material",
    "Unavailable": "its key store is not connected",
}


@dataclass
class Examined:
    """What was found: faults, what could not be read (and is not a fault), and the keys that were read completely."""

    faults: list[Found] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    good: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Named:
    """One key with its place in the file, and what the stacks make with it."""

    arn: str
    place: Place
    log_groups: tuple[str, ...] = ()  # the full names of the stacks that make them
    of_account: bool = False  # secrets and volumes, which callers and roles use by their own policies
    by_autoscaling: bool = False


def examine(context: Context, names: Sequence[str]) -> Examined:
    """Look at the keys that these stacks use. The jobs on the machine do not look: their role may not."""
    examined = Examined()
    if context.world.is_on_machine:
        return examined
    examined.faults += _find_changed_keys(context, names)
    keys = list(_list_named_keys(context.settings, names))
    if keys and not examined.faults:
        account = context.world.aws("sts").get_caller_identity()["Account"]
        for key in keys:
            _examine_key(context, key, account, examined)
    return examined


def _list_named_keys(settings: Settings, names: Sequence[str]) -> Iterator[_Named]:
    network, account = settings.network, settings.account.kms_key_arn
    of_account: list[str] = []
    for stack, place, option in (
        ("traffic-logs", _LOGS_KEY, network.flow_logs),
        ("public-zone", _QUERIES_KEY, network.public_zone.queries if network.public_zone else None),
    ):
        if stack not in names or option is None or getattr(option, "log_group", None) is not None:
            continue
        if option.kms_key_arn is not None:
            yield _Named(option.kms_key_arn, place, (settings.name_stack(stack),))
        else:
            of_account.append(settings.name_stack(stack))
    kinds = set(map(composition.find_kind, names))
    by_autoscaling = bool(kinds & {"bastion", composition.AGENTS})
    if account is not None and (of_account or by_autoscaling or kinds & {"data", "controller"}):
        yield _Named(account, ACCOUNT_KEY, tuple(of_account), bool(kinds & {"data", "controller"}), by_autoscaling)


def _find_changed_keys(context: Context, names: Sequence[str]) -> Iterator[Found]:
    """EBS never gives a volume another key: CloudFormation would replace the data volume by an empty one."""
    data = context.stacks.get("data")
    if data is None or "data" not in names or "DataVolumeId" not in data.outputs:
        return
    before, after = data.parameters.get("KmsKeyArn", ""), context.settings.account.kms_key_arn or ""
    if before != after:
        was = f"was made with {before}" if before else "was made with AWS' own key"
        reason = f"the data volume {was}, and a volume keeps its key: a launch would replace it by an empty one"
        yield (
            ACCOUNT_KEY,
            f"{reason}; set this key back, or launch a new environment with it and move JENKINS_HOME there",
        )


def _examine_key(context: Context, key: _Named, account: str, examined: Examined) -> None:
    client = context.world.aws("kms")
    try:
        described = client.describe_key(KeyId=key.arn)["KeyMetadata"]
        if fault := _judge(described):
            examined.faults.append((key.place, fault))
            return
        policy = json.loads(client.get_key_policy(KeyId=key.arn, PolicyName="default")["Policy"])
    except Exception as error:
        if refusals.read_code(error) == "NotFoundException":
            examined.faults.append((key.place, f"there is no key {key.arn} in its account and region"))
        elif refusals.read_code(error) in {"AccessDeniedException", "AccessDenied"}:
            examined.unknown.append(f"{key.arn}: {refusals.format_error(error)}")
        else:
            raise
        return
    faults = list(_list_lacking_statements(context, key, account, policy, client))
    examined.faults += [(key.place, it) for it in faults]
    if not faults:
        examined.good.append(key.arn)


def _judge(described: dict[str, Any]) -> str:
    """Why this key cannot encrypt what the templates make; '' if it can."""
    state = str(described.get("KeyState", "Enabled"))
    if state != "Enabled":
        return f"the key is {state}; {_STATES.get(state, 'name another key')}"
    if described.get("KeyManager") == "AWS":
        return "this is a key of AWS, whose policy nobody changes; leave it out to use the keys of AWS"
    spec = str(described.get("KeySpec") or described.get("CustomerMasterKeySpec") or "SYMMETRIC_DEFAULT")
    if spec != "SYMMETRIC_DEFAULT" or described.get("KeyUsage", "ENCRYPT_DECRYPT") != "ENCRYPT_DECRYPT":
        return (
            f"the key is of the kind {spec} for {described.get('KeyUsage')}; a symmetric key for encryption is needed"
        )
    return ""


def _list_lacking_statements(
    context: Context, key: _Named, account: str, policy: dict[str, Any], client: Any
) -> Iterator[str]:
    """What the policy of the key lacks, each with the statement to add."""
    partition = context.settings.partition
    root = f"arn:{partition}:iam::{account}:root"
    if key.of_account and key_policies.find_missing(policy, Use(frozenset({root, account}), ("kms:Decrypt",))):
        statement = _format_statement("AccountDecides", {"AWS": root}, ["kms:*"])
        reason = (
            "the key's policy does not let the account's own policies allow its use, as the machine's role needs it"
        )
        yield f"{reason}; add to it: {statement}"
    region = key.arn.split(":")[3]
    for stack in key.log_groups:
        group = f"arn:{partition}:logs:{region}:{account}:log-group:{stack}-LogGroup-0000"
        condition = {"kms:EncryptionContext:aws:logs:arn": group.replace(f"{stack}-LogGroup-0000", f"{stack}-*")}
        services = [
            f"logs.{region}.amazonaws.com{suffix}" for suffix in ("", ".cn") if suffix == "" or partition == "aws-cn"
        ]
        use = Use(frozenset(services), _BY_LOGS, {key_name.lower(): group for key_name in condition})
        if missing := key_policies.find_missing(policy, use):
            statement = _format_statement("Logs", {"Service": services[-1]}, _WRITTEN, {"ArnLike": condition})
            yield f"CloudWatch Logs may not use the key ({', '.join(missing)}); add to its policy: {statement}"
    if key.by_autoscaling:
        yield from _list_autoscaling_faults(key, f"arn:{partition}:iam::{account}:role/", policy, client)


def _list_autoscaling_faults(key: _Named, roles: str, policy: dict[str, Any], client: Any) -> Iterator[str]:
    """The bastion and agents are started by Auto Scaling's own role, which no policy of the account can allow anything."""
    role = f"{roles}aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    missing = key_policies.find_missing(policy, Use(frozenset({role}), _BY_VOLUMES))
    if not missing or _has_grant(key, role, client):
        return
    statement = _format_statement("AutoScaling", {"AWS": role}, [*_WRITTEN, "kms:CreateGrant"])
    reason = f"Auto Scaling may not start machines with a volume of this key ({', '.join(missing)})"
    remedy = "if the role does not exist yet: aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com"
    yield f"{reason}; add to its policy: {statement} ({remedy})"


def _has_grant(key: _Named, role: str, client: Any) -> bool:
    try:
        pages = client.get_paginator("list_grants").paginate(KeyId=key.arn)
        grants = [grant for page in pages for grant in page["Grants"]]
    except Exception as error:
        if not refusals.is_from_aws(error):
            raise
        return False
    return any(it.get("GranteePrincipal") == role and set(it.get("Operations", ())) >= _GRANTED for it in grants)


def _format_statement(
    sid: str, principal: dict[str, str], actions: list[str], condition: dict[str, Any] | None = None
) -> str:
    statement: dict[str, Any] = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": actions,
        "Resource": "*",
    }
    return json.dumps(statement | ({"Condition": condition} if condition else {}))
