"""Finds the request context of a call: the values of the condition keys that policies test."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping

from bootstrap.local.aws.access.identities import ROLE, Principal, find_role, find_user
from bootstrap.local.aws.access.policies import resources_autoscaling, resources_ec2
from bootstrap.local.aws.access.policies.attached import find_backend
from bootstrap.local.aws.access.policies.parameters import Call

CLOUDFORMATION = "cloudformation.amazonaws.com"
Tags = Mapping[str, str]
_TAG_KEYS = (
    ("Tags.Key", "Tags.Value"),
    ("Tag.Key", "Tag.Value"),
    ("TagSpecification.Tag.Key", "TagSpecification.Tag.Value"),
    ("TagList.Key", "TagList.Value"),
)


def describe_caller(principal: Principal, address: str, agent: str) -> dict[str, tuple[str, ...]]:
    """The condition keys of the caller."""
    now = time.time()
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    context = {
        "aws:principalarn": principal.source_arn,
        "aws:principalaccount": principal.account,
        "aws:principaltype": "AssumedRole" if principal.kind == ROLE else "User",
        "aws:userid": principal.user_id,
        "aws:sourceip": address,
        "aws:useragent": agent,
        # The local cloud takes the place of AWS behind HTTPS, and has no other door: a policy that demands TLS is fulfilled.
        "aws:securetransport": "true",
        "aws:currenttime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now)),
    }
    if principal.kind != ROLE:
        context["aws:username"] = principal.name
    tags = {f"aws:principaltag/{name}".lower(): value for name, value in principal.tags.items()}
    return {name: (value,) for name, value in {**context, **tags}.items()}


def describe_call(call: Call, resource: str, resource_tags: Tags) -> dict[str, tuple[str, ...]]:
    """The condition keys of the call and of the resource."""
    context: dict[str, tuple[str, ...]] = {"aws:requestedregion": (call.region,)}
    parts = resource.split(":")
    if len(parts) > 5:
        context["aws:resourceaccount"] = (parts[4] or call.account,)
    for name, value in resource_tags.items():
        for prefix in ("aws", "ec2", "ssm", "secretsmanager", "iam", "autoscaling"):
            key = "ResourceTag" if prefix != "ssm" else "resourceTag"
            context[f"{prefix}:{key}/{name}".lower()] = (value,)
    request_tags = dict(_list_request_tags(call))
    if request_tags:
        context["aws:tagkeys"] = tuple(request_tags)
        context |= {f"aws:requesttag/{name}".lower(): (value,) for name, value in request_tags.items()}
    if call.service == "s3":
        context |= {f"s3:{name}": call.list_texts(name) for name in ("prefix", "delimiter") if call.list_texts(name)}
    if call.service == "secretsmanager":
        versions = {name: call.list_texts(name) for name in ("VersionId", "VersionStage")}
        context |= {f"secretsmanager:{name}".lower(): values for name, values in versions.items() if values}
    if call.service == "iam" and (boundary := _find_boundary(call, resource)):
        context["iam:permissionsboundary"] = (boundary,)
    if call.service == "autoscaling":
        context |= resources_autoscaling.describe_call(call)
    if call.service == "ssm" and call.operation == "StartSession":
        context["ssm:sessiondocumentaccesscheck"] = ("true",)
    return context


def _find_boundary(call: Call, resource: str) -> str:
    """The permissions boundary that the call gives to a user or a role, or else the one that it has."""
    holder = find_role(resource) or find_user(resource)
    return call.find_text("PermissionsBoundary") or str(getattr(holder, "permissions_boundary_arn", None) or "")


def describe_calling_services(*services: str) -> dict[str, tuple[str, ...]]:
    """The condition keys of a call that services make in the name of the caller."""
    first, last = services[0], services[-1]
    return {
        "aws:calledvia": services,
        "aws:calledviafirst": (first,),
        "aws:calledvialast": (last,),
        "aws:viaawsservice": ("true",),
    }


def _list_request_tags(call: Call) -> Iterator[tuple[str, str]]:
    for keys, values in _TAG_KEYS:
        yield from zip(call.list_texts(keys), call.list_texts(values), strict=False)
    for name, texts in call.parameters.items():
        if name.startswith(("Tags.", "tags.")) and name.count(".") == 1 and name not in {"Tags.Key", "Tags.Value"}:
            yield name.partition(".")[2], texts[0]


def find_resource_tags(call: Call, resource: str, stack_tags: Callable[[str], Tags]) -> Tags:
    """The tags that a resource has now."""
    service = resource.split(":")[2] if resource.count(":") > 4 else ""
    if service == "cloudformation":
        return stack_tags(resource)
    if service == "ec2":
        return resources_ec2.find_tags(call, resource.rpartition("/")[2])
    if service == "autoscaling":
        return resources_autoscaling.find_tags(call, resource)
    if service == "secretsmanager":
        backend = find_backend("secretsmanager", call.account, call.region)
        secrets = [secret for secret in list(backend.secrets.values()) if secret.arn == resource] if backend else []
        return {tag["Key"]: tag["Value"] for secret in secrets for tag in secret.tags or ()}
    if service == "ssm" and ":parameter/" in resource:
        ssm = find_backend("ssm", call.account, call.region)
        name = resource.partition(":parameter")[2]
        tags_by_name = getattr(ssm, "_resource_tags", {}).get("Parameter", {}) if ssm else {}
        return dict(tags_by_name.get(name) or tags_by_name.get(name.lstrip("/")) or {})
    return {}
