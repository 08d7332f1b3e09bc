"""The circumstances of a call, as the condition keys of policies name them."""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Iterator, Mapping

from bootstrap.local.aws.access.identities import ROLE, Principal, find_role, find_user
from bootstrap.local.aws.access.policies import resources_ec2
from bootstrap.local.aws.access.policies.attached import backend
from bootstrap.local.aws.access.policies.parameters import Call

CLOUDFORMATION = "cloudformation.amazonaws.com"
Tags = Mapping[str, str]
_TAG_KEYS = (
    ("Tags.Key", "Tags.Value"),
    ("Tag.Key", "Tag.Value"),
    ("TagSpecification.Tag.Key", "TagSpecification.Tag.Value"),
    ("TagList.Key", "TagList.Value"),
)


def of_caller(principal: Principal, address: str, agent: str) -> dict[str, tuple[str, ...]]:
    """What is known of whoever calls."""
    now = time.time()
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    found = {
        "aws:principalarn": principal.source_arn,
        "aws:principalaccount": principal.account,
        "aws:principaltype": "AssumedRole" if principal.kind == ROLE else "User",
        "aws:userid": principal.user_id,
        "aws:sourceip": address,
        "aws:useragent": agent,
        "aws:securetransport": "false",
        "aws:currenttime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "aws:epochtime": str(int(now)),
    }
    if principal.kind != ROLE:
        found["aws:username"] = principal.name
    tags = {f"aws:principaltag/{name}".lower(): value for name, value in principal.tags.items()}
    return {name: (value,) for name, value in {**found, **tags}.items()}


def of_call(call: Call, resource: str, resource_tags: Tags) -> dict[str, tuple[str, ...]]:
    """What is known of the call and of the resource."""
    found: dict[str, tuple[str, ...]] = {"aws:requestedregion": (call.region,)}
    parts = resource.split(":")
    if len(parts) > 5:
        found["aws:resourceaccount"] = (parts[4] or call.account,)
    for name, value in resource_tags.items():
        for prefix in ("aws", "ec2", "ssm", "secretsmanager", "iam"):
            key = "ResourceTag" if prefix != "ssm" else "resourceTag"
            found[f"{prefix}:{key}/{name}".lower()] = (value,)
    asked = dict(_request_tags(call))
    if asked:
        found["aws:tagkeys"] = tuple(asked)
        found |= {f"aws:requesttag/{name}".lower(): (value,) for name, value in asked.items()}
    if call.service == "s3":
        found |= {f"s3:{name}": call.texts(name) for name in ("prefix", "delimiter") if call.texts(name)}
    if call.service == "secretsmanager":
        asked_for = {name: call.texts(name) for name in ("VersionId", "VersionStage")}
        found |= {f"secretsmanager:{name}".lower(): values for name, values in asked_for.items() if values}
    if call.service == "iam" and (boundary := _boundary(call, resource)):
        found["iam:permissionsboundary"] = (boundary,)
    if call.service == "ssm" and call.operation == "StartSession":
        found["ssm:sessiondocumentaccesscheck"] = ("true",)
    return found


def _boundary(call: Call, resource: str) -> str:
    """The boundary that a user or role gets by the call, else the one that it has."""
    holder = find_role(resource) or find_user(resource)
    return call.text("PermissionsBoundary") or str(getattr(holder, "permissions_boundary_arn", None) or "")


def through(*services: str) -> dict[str, tuple[str, ...]]:
    """That a service calls in the caller's name."""
    first, last = services[0], services[-1]
    return {
        "aws:calledvia": services,
        "aws:calledviafirst": (first,),
        "aws:calledvialast": (last,),
        "aws:viaawsservice": ("true",),
    }


def _request_tags(call: Call) -> Iterator[tuple[str, str]]:
    for keys, values in _TAG_KEYS:
        yield from zip(call.texts(keys), call.texts(values), strict=False)
    for name, given in call.given.items():
        if name.startswith(("Tags.", "tags.")) and name.count(".") == 1 and name not in {"Tags.Key", "Tags.Value"}:
            yield name.partition(".")[2], given[0]


def tags_of(call: Call, resource: str, stack_tags: Callable[[str], Tags]) -> Tags:
    """The tags that a resource has now."""
    service = resource.split(":")[2] if resource.count(":") > 4 else ""
    if service == "cloudformation":
        return stack_tags(resource)
    if service == "ec2":
        return resources_ec2.tags(call, resource.rpartition("/")[2])
    if service == "secretsmanager":
        secrets = backend("secretsmanager", call.account, call.region)
        found = [one for one in list(secrets.secrets.values()) if one.arn == resource] if secrets else []
        return {tag["Key"]: tag["Value"] for one in found for tag in one.tags or ()}
    if service == "ssm" and ":parameter/" in resource:
        ssm = backend("ssm", call.account, call.region)
        name = resource.partition(":parameter")[2]
        kept = getattr(ssm, "_resource_tags", {}).get("Parameter", {}) if ssm else {}
        return dict(kept.get(name) or kept.get(name.lstrip("/")) or {})
    return {}
