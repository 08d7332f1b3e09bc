"""The resources of a call as ARNs: each must be allowed. What has none, or is not known here, is '*'.

'*' is met by statements for every resource alone. So a permission that names resources does not reach what this table does not
know: a call is rather refused than allowed. A denial that names them does not reach it either.
"""

from __future__ import annotations

import base64
import binascii
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from bootstrap.local.aws.access.policies import resources_ec2
from bootstrap.local.aws.access.policies.attached import backend
from bootstrap.local.aws.access.policies.parameters import Call

_S3_OBJECT = re.compile(r"/[^/]+/.+", re.DOTALL)
_STACKLESS = frozenset(
    {
        "ListStacks",
        "ListExports",
        "ListImports",
        "ValidateTemplate",
        "DescribeStackDriftDetectionStatus",
        "DescribeType",
    }
)
_TAGS_OF_LOGS = re.compile(r"(List|Tag|Untag)\w*(LogGroup|Resource)$")


def of(call: Call) -> list[str]:
    """The ARNs."""
    finder = _FINDERS.get(call.service, _named)
    found = list(dict.fromkeys(one for one in finder(call) if one))
    return found or ["*"]


def _here(call: Call, service: str, what: str, account: str | None = None) -> str:
    return f"arn:aws:{service}:{call.region}:{call.account if account is None else account}:{what}"


def _named(call: Call) -> Iterable[str]:
    """Of other services: the ARNs that the call names, at the place where its own thing is named."""
    named = [value for name, values in call.given.items() if "." not in name for value in values]
    prefix = {"monitoring": "cloudwatch", "tagging": "tag"}.get(call.service, call.service)
    return [value for value in named if value.startswith(f"arn:aws:{prefix}:")]


def _ssm(call: Call) -> Iterable[str]:
    if call.operation in {"StartSession", "SendCommand"}:
        document = call.text("DocumentName") or "SSM-SessionManagerRunShell"
        owner = "" if document.startswith("AWS") else call.account
        machines = [_here(call, "ec2", f"instance/{one}") for one in call.texts("Target", "InstanceIds")]
        return [*machines, _here(call, "ssm", f"document/{document}", owner)]
    if call.operation in {"TerminateSession", "ResumeSession"}:
        return [_here(call, "ssm", f"session/{one}") for one in call.texts("SessionId")]
    if call.operation == "UpdateInstanceInformation":
        return [_here(call, "ec2", f"instance/{one}") for one in call.texts("InstanceId")]
    if call.text("ResourceType") == "Parameter":
        return [_parameter(call, one) for one in call.texts("ResourceId")]
    if "Parameter" not in call.operation or call.operation.startswith("Describe"):
        return [_here(call, "ssm", f"document/{one}") for one in call.texts("Name") if "Document" in call.operation]
    return [_parameter(call, one) for one in call.texts("Name", "Names", "Path")]


def _parameter(call: Call, name: str) -> str:
    if name.startswith("arn:"):
        return name
    plain = name.split(":")[0].lstrip("/")
    return _here(call, "ssm", f"parameter/{plain}", "" if plain.startswith("aws/service/") else None)


def _secrets(call: Call) -> Iterable[str]:
    secrets = backend("secretsmanager", call.account, call.region)
    known: list[str] = [one.arn for one in list(secrets.secrets.values())] if secrets else []
    found = []
    for name in call.texts("SecretId", "SecretIdList"):
        start = name if name.startswith("arn:") else _here(call, "secretsmanager", f"secret:{name}")
        matches = (one for one in known if one == start or re.fullmatch(re.escape(start) + "-[A-Za-z0-9]{6}", one))
        found.append(next(matches, start))
    return [*found, *(_here(call, "secretsmanager", f"secret:{name}") for name in _created(call, "CreateSecret"))]


def _created(call: Call, operation: str, name: str = "Name") -> tuple[str, ...]:
    return call.texts(name) if call.operation == operation else ()


def _kms(call: Call) -> Iterable[str]:
    keys = call.texts("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId")
    if not keys and call.operation == "Decrypt":
        keys = tuple(_key_of(text) for text in call.texts("CiphertextBlob"))
    aliases = [_here(call, "kms", one) for one in call.texts("AliasName")]
    return [*(_key(call, one) for one in keys if one), *aliases]


def _key_of(ciphertext: str) -> str:
    """The key that encrypted a text: moto writes its id in front."""
    try:
        return base64.b64decode(ciphertext)[:36].decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _key(call: Call, name: str) -> str:
    if ":key/" in name:
        return name
    short = name.rpartition(":")[2]
    keys = backend("kms", call.account, call.region)
    if short.startswith("alias/") and keys is not None:
        short = next((key for key, kept in list(keys.keys.items()) if short in kept.aliases), short)
    return _here(call, "kms", short if short.startswith("alias/") else f"key/{short}")


def _logs(call: Call) -> Iterable[str]:
    groups = call.texts("logGroupName", "logGroupIdentifier", "logGroupNames", "resourceArn", "logGroupNamePrefix")
    plain = [one.split(":log-group:")[-1].removesuffix(":*") for one in groups]
    if _TAGS_OF_LOGS.match(call.operation):
        return [_here(call, "logs", f"log-group:{name}") for name in plain]
    stream = call.text("logStreamName")
    return [_here(call, "logs", f"log-group:{name}:log-stream:{stream}") for name in plain or [""]]


def _iam(call: Call) -> Iterable[str]:
    accounts = getattr(sys.modules.get("moto.iam.models"), "iam_backends", {})
    iam = accounts[call.account]["aws"] if call.account in accounts else None
    found = list(call.texts("PolicyArn", "PolicySourceArn"))
    for parameter, kind, things in _IAM_THINGS:
        if parameter == "PolicyName" and call.operation != "CreatePolicy":
            continue  # the name of an inline policy, which is no resource
        for name in call.texts(parameter):
            known = next((one for one in _list(iam, things) if one.name == name), None)
            new = f"arn:aws:iam::{call.account}:{kind}{call.text('Path') or '/'}{name}"
            found.append(known.arn if known is not None else new)
    if call.operation in {"AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"}:
        return [one for one in found if ":instance-profile/" in one]  # the role is what is passed
    if call.operation.startswith(("Attach", "Detach")):
        return [one for one in found if ":policy/" not in one]
    return found


_IAM_THINGS = (
    ("RoleName", "role", "roles"),
    ("UserName", "user", "users"),
    ("GroupName", "group", "groups"),
    ("InstanceProfileName", "instance-profile", "instance_profiles"),
    ("PolicyName", "policy", "managed_policies"),
)


def _list(iam: Any, things: str) -> list[Any]:
    return list(getattr(iam, things).values()) if iam is not None else []


def _s3(call: Call) -> Iterable[str]:
    if call.operation == "ListBuckets":
        return ["*"]
    bucket, _, key = call.path.lstrip("/").partition("/")
    if not _S3_OBJECT.match(call.path):
        if call.operation == "DeleteObjects":
            return [f"arn:aws:s3:::{bucket}/*"]  # the keys are in the body: every one must be allowed
        return [f"arn:aws:s3:::{bucket}"]
    return [f"arn:aws:s3:::{bucket}/{key}"]


def _sns(call: Call) -> Iterable[str]:
    named = call.texts("TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn")
    topics = [":".join(one.split(":")[:6]) for one in named]
    return [*topics, *(_here(call, "sns", one) for one in _created(call, "CreateTopic"))]


def _sqs(call: Call) -> Iterable[str]:
    return [_here(call, "sqs", one.rstrip("/").rpartition("/")[2]) for one in call.texts("QueueUrl", "QueueName")]


def _route53(call: Call) -> Iterable[str]:
    zones = [f"arn:aws:route53:::hostedzone/{one.rpartition('/')[2]}" for one in call.texts("HostedZoneId")]
    if "hostedzone/" in call.path:
        zones += [f"arn:aws:route53:::hostedzone/{call.path.partition('hostedzone/')[2].split('/')[0]}"]
    if "tags/" in call.path:
        kind, _, name = call.path.partition("tags/")[2].partition("/")
        return [f"arn:aws:route53:::{kind}/{name}"]
    if "/change/" in call.path:
        return [f"arn:aws:route53:::change/{call.path.rpartition('/')[2]}"]
    return zones


def _autoscaling(call: Call) -> Iterable[str]:
    if call.operation.startswith("Describe"):
        return ["*"]
    names = call.texts("AutoScalingGroupName", "Tags.ResourceId")
    return [_here(call, "autoscaling", f"autoScalingGroup:*:autoScalingGroupName/{one}") for one in names]


def _of_kind(service: str, kind: str, *parameters: str) -> Callable[[Call], Iterable[str]]:
    def find(call: Call) -> Iterable[str]:
        if call.operation.startswith(("Describe", "List")) and not call.texts(*parameters):
            return _named(call)
        names = call.texts(*parameters)
        return [one if one.startswith("arn:") else _here(call, service, f"{kind}{one}") for one in names] or _named(
            call
        )

    return find


_FINDERS: dict[str, Callable[[Call], Iterable[str]]] = {
    "ec2": resources_ec2.resources,
    "ssm": _ssm,
    "secretsmanager": _secrets,
    "kms": _kms,
    "logs": _logs,
    "iam": _iam,
    "s3": _s3,
    "sns": _sns,
    "sqs": _sqs,
    "route53": _route53,
    "autoscaling": _autoscaling,
    "sts": lambda call: call.texts("RoleArn"),
    "dynamodb": _of_kind("dynamodb", "table/", "TableName"),
    "lambda": _of_kind("lambda", "function:", "FunctionName"),
    "events": _of_kind("events", "rule/", "Rule", "Name"),
    "monitoring": _of_kind("cloudwatch", "alarm:", "AlarmName", "AlarmNames"),
    "ecr": _of_kind("ecr", "repository/", "repositoryName"),
    "elasticfilesystem": _of_kind("elasticfilesystem", "file-system/", "FileSystemId"),
    "states": _of_kind("states", "stateMachine:", "stateMachineArn"),
}


def of_stack(call: Call, find_stack: Callable[[str], str | None]) -> list[str]:
    """Those of a call of CloudFormation; `find_stack` gives the id of a stack by its name, or by the id of a change set."""
    if call.operation in _STACKLESS:
        return ["*"]
    change_set = call.text("ChangeSetName")
    name = call.text("StackName") or (change_set if change_set.startswith("arn:") else "")
    if not name:
        return ["*"]
    known = find_stack(name)
    if known is None and name.startswith("arn:"):
        return [name]
    return [known or _here(call, "cloudformation", f"stack/{name}/*")]
