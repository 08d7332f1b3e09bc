"""Finds the resources of a call as ARNs; each must be allowed. A call without resources, or with unknown ones, has '*'.

Only statements for all resources match '*'. So a statement that names resources does not match a call that this module does
not know: an allow has no effect, and the call is refused. A deny that names resources has no effect either.
"""

from __future__ import annotations

import base64
import binascii
import re
import sys
from collections.abc import Callable, Iterable
from typing import Any

from bootstrap.local.aws.access.policies import actions, resources_autoscaling, resources_ec2
from bootstrap.local.aws.access.policies.attached import find_backend
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


def find_resources(call: Call) -> list[str]:
    """The ARNs of the resources of a call; '*' if there are none."""
    finder = _FINDERS.get(call.service, _find_named_arns)
    arns = list(dict.fromkeys(arn for arn in finder(call) if arn))
    return arns or ["*"]


def _make_arn(call: Call, service: str, path: str, account: str | None = None) -> str:
    return f"arn:aws:{service}:{call.region}:{call.account if account is None else account}:{path}"


def _find_named_arns(call: Call) -> Iterable[str]:
    """For other services: the ARNs of the service in the top-level parameters of the call."""
    texts = [value for name, values in call.parameters.items() if "." not in name for value in values]
    prefix = {"monitoring": "cloudwatch", "tagging": "tag"}.get(call.service, call.service)
    return [value for value in texts if value.startswith(f"arn:aws:{prefix}:")]


def _find_ssm_resources(call: Call) -> Iterable[str]:
    if call.operation in {"StartSession", "SendCommand"}:
        document = call.find_text("DocumentName") or "SSM-SessionManagerRunShell"
        owner = "" if document.startswith("AWS") else call.account
        machines = [_make_arn(call, "ec2", f"instance/{name}") for name in call.list_texts("Target", "InstanceIds")]
        return [*machines, _make_arn(call, "ssm", f"document/{document}", owner)]
    if call.operation in {"TerminateSession", "ResumeSession"}:
        return [_make_arn(call, "ssm", f"session/{name}") for name in call.list_texts("SessionId")]
    if call.operation == "UpdateInstanceInformation":
        return [_make_arn(call, "ec2", f"instance/{name}") for name in call.list_texts("InstanceId")]
    if call.find_text("ResourceType") == "Parameter":
        return [_make_parameter_arn(call, name) for name in call.list_texts("ResourceId")]
    if "Parameter" not in call.operation or call.operation.startswith("Describe"):
        return [
            _make_arn(call, "ssm", f"document/{name}")
            for name in call.list_texts("Name")
            if "Document" in call.operation
        ]
    return [_make_parameter_arn(call, name) for name in call.list_texts("Name", "Names", "Path")]


def _make_parameter_arn(call: Call, name: str) -> str:
    if name.startswith("arn:"):
        return name
    plain = name.split(":")[0].lstrip("/")
    return _make_arn(call, "ssm", f"parameter/{plain}", "" if plain.startswith("aws/service/") else None)


def _find_secrets(call: Call) -> Iterable[str]:
    backend = find_backend("secretsmanager", call.account, call.region)
    known_arns: list[str] = [arn.arn for arn in list(backend.secrets.values())] if backend else []
    arns = []
    for name in call.list_texts("SecretId", "SecretIdList"):
        start = name if name.startswith("arn:") else _make_arn(call, "secretsmanager", f"secret:{name}")
        matches = (arn for arn in known_arns if arn == start or re.fullmatch(re.escape(start) + "-[A-Za-z0-9]{6}", arn))
        arns.append(next(matches, start))
    return [
        *arns,
        *(_make_arn(call, "secretsmanager", f"secret:{name}") for name in _list_created_names(call, "CreateSecret")),
    ]


def _list_created_names(call: Call, operation: str, name: str = "Name") -> tuple[str, ...]:
    return call.list_texts(name) if call.operation == operation else ()


def _find_kms_resources(call: Call) -> Iterable[str]:
    keys = call.list_texts("KeyId", "TargetKeyId", "SourceKeyId", "DestinationKeyId")
    if not keys and call.operation == "Decrypt":
        keys = tuple(_read_key_id(text) for text in call.list_texts("CiphertextBlob"))
    aliases = [_make_arn(call, "kms", one) for one in call.list_texts("AliasName")]
    return [*(_find_key(call, one) for one in keys if one), *aliases]


def _read_key_id(ciphertext: str) -> str:
    """The id of the key that encrypted a text; moto writes it at the beginning of the text."""
    try:
        return base64.b64decode(ciphertext)[:36].decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _find_key(call: Call, name: str) -> str:
    if ":key/" in name:
        return name
    short = name.rpartition(":")[2]
    kms = find_backend("kms", call.account, call.region)
    if short.startswith("alias/") and kms is not None:
        short = next((key for key, description in list(kms.keys.items()) if short in description.aliases), short)
    return _make_arn(call, "kms", short if short.startswith("alias/") else f"key/{short}")


def _find_log_resources(call: Call) -> Iterable[str]:
    groups = call.list_texts("logGroupName", "logGroupIdentifier", "logGroupNames", "resourceArn", "logGroupNamePrefix")
    names = [one.split(":log-group:")[-1].removesuffix(":*") for one in groups]
    if _TAGS_OF_LOGS.match(call.operation):
        return [_make_arn(call, "logs", f"log-group:{name}") for name in names]
    stream = call.find_text("logStreamName")
    return [_make_arn(call, "logs", f"log-group:{name}:log-stream:{stream}") for name in names or [""]]


def _find_iam_resources(call: Call) -> Iterable[str]:
    accounts = getattr(sys.modules.get("moto.iam.models"), "iam_backends", {})
    iam = accounts[call.account]["aws"] if call.account in accounts else None
    arns = list(call.list_texts("PolicyArn", "PolicySourceArn"))
    for parameter, kind, attribute in _IAM_KINDS:
        if parameter == "PolicyName" and call.operation != "CreatePolicy":
            continue  # the name of an inline policy, which is no resource
        for name in call.list_texts(parameter):
            existing = next((arn for arn in _list_items(iam, attribute) if arn.name == name), None)
            new_arn = f"arn:aws:iam::{call.account}:{kind}{call.find_text('Path') or '/'}{name}"
            arns.append(existing.arn if existing is not None else new_arn)
    if call.operation in {"AddRoleToInstanceProfile", "RemoveRoleFromInstanceProfile"}:
        return [arn for arn in arns if ":instance-profile/" in arn]  # the role is what is passed
    if call.operation.startswith(("Attach", "Detach")):
        return [arn for arn in arns if ":policy/" not in arn]
    return arns


_IAM_KINDS = (
    ("RoleName", "role", "roles"),
    ("UserName", "user", "users"),
    ("GroupName", "group", "groups"),
    ("InstanceProfileName", "instance-profile", "instance_profiles"),
    ("PolicyName", "policy", "managed_policies"),
)


def _list_items(iam: Any, attribute: str) -> list[Any]:
    return list(getattr(iam, attribute).values()) if iam is not None else []


def _find_s3_resources(call: Call) -> Iterable[str]:
    if call.operation == "ListBuckets" or call.path == actions.ACCOUNT_BLOCK:
        return ["*"]
    bucket, _, key = call.path.lstrip("/").partition("/")
    if not _S3_OBJECT.match(call.path):
        if call.operation == "DeleteObjects":
            return [
                f"arn:aws:s3:::{bucket}/*"
            ]  # the keys are in the body, which is not read: all objects must be allowed
        return [f"arn:aws:s3:::{bucket}"]
    return [f"arn:aws:s3:::{bucket}/{key}"]


def _find_topics(call: Call) -> Iterable[str]:
    named = call.list_texts("TopicArn", "TargetArn", "ResourceArn", "SubscriptionArn")
    topics = [":".join(one.split(":")[:6]) for one in named]
    return [*topics, *(_make_arn(call, "sns", one) for one in _list_created_names(call, "CreateTopic"))]


def _find_queues(call: Call) -> Iterable[str]:
    return [
        _make_arn(call, "sqs", one.rstrip("/").rpartition("/")[2]) for one in call.list_texts("QueueUrl", "QueueName")
    ]


def _find_route53_resources(call: Call) -> Iterable[str]:
    zones = [f"arn:aws:route53:::hostedzone/{one.rpartition('/')[2]}" for one in call.list_texts("HostedZoneId")]
    if "hostedzone/" in call.path:
        zones += [f"arn:aws:route53:::hostedzone/{call.path.partition('hostedzone/')[2].split('/')[0]}"]
    if "tags/" in call.path:
        kind, _, name = call.path.partition("tags/")[2].partition("/")
        return [f"arn:aws:route53:::{kind}/{name}"]
    if "/change/" in call.path:
        return [f"arn:aws:route53:::change/{call.path.rpartition('/')[2]}"]
    return zones


def _make_finder(service: str, kind: str, *parameters: str) -> Callable[[Call], Iterable[str]]:
    def find(call: Call) -> Iterable[str]:
        if call.operation.startswith(("Describe", "List")) and not call.list_texts(*parameters):
            return _find_named_arns(call)
        names = call.list_texts(*parameters)
        return [
            one if one.startswith("arn:") else _make_arn(call, service, f"{kind}{one}") for one in names
        ] or _find_named_arns(call)

    return find


_FINDERS: dict[str, Callable[[Call], Iterable[str]]] = {
    "ec2": resources_ec2.find_resources,
    "ssm": _find_ssm_resources,
    "secretsmanager": _find_secrets,
    "kms": _find_kms_resources,
    "logs": _find_log_resources,
    "iam": _find_iam_resources,
    "s3": _find_s3_resources,
    "sns": _find_topics,
    "sqs": _find_queues,
    "route53": _find_route53_resources,
    "autoscaling": resources_autoscaling.find_resources,
    "sts": lambda call: call.list_texts("RoleArn"),
    "dynamodb": _make_finder("dynamodb", "table/", "TableName"),
    "lambda": _make_finder("lambda", "function:", "FunctionName"),
    "events": _make_finder("events", "rule/", "Rule", "Name"),
    "monitoring": _make_finder("cloudwatch", "alarm:", "AlarmName", "AlarmNames"),
    "ecr": _make_finder("ecr", "repository/", "repositoryName"),
    "elasticfilesystem": _make_finder("elasticfilesystem", "file-system/", "FileSystemId"),
    "states": _make_finder("states", "stateMachine:", "stateMachineArn"),
}


def find_stack_resources(call: Call, find_stack: Callable[[str], str | None]) -> list[str]:
    """The resources of a call of CloudFormation; `find_stack` finds the id of a stack by its name or a change set's id."""
    if call.operation in _STACKLESS:
        return ["*"]
    change_set = call.find_text("ChangeSetName")
    name = call.find_text("StackName") or (change_set if change_set.startswith("arn:") else "")
    if not name:
        return ["*"]
    stack_id = find_stack(name)
    if stack_id is None and name.startswith("arn:"):
        return [name]
    return [stack_id or _make_arn(call, "cloudformation", f"stack/{name}/*")]
