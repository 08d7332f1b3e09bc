"""Finds the resources of calls of EC2: those with ids in the parameters, those that the call creates, and key pairs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from bootstrap.local.aws.access.policies import created_resources
from bootstrap.local.aws.access.policies.parameters import Call

# Calls that need a permission only for some ids in their parameters, not for a route's target or an attribute's new value.
_NEEDING_PERMISSION = {
    **dict.fromkeys(("CreateRoute", "ReplaceRoute", "DeleteRoute"), ("RouteTableId",)),
    "ModifyInstanceAttribute": ("InstanceId",),
    "ModifyNetworkInterfaceAttribute": ("NetworkInterfaceId",),
    "CreateTags": ("ResourceId",),
    "DeleteTags": ("ResourceId",),
}
_NESTED = (
    "NetworkInterface.SubnetId",
    "NetworkInterface.SecurityGroupId",
    "NetworkInterface.NetworkInterfaceId",
    "LaunchTemplate.LaunchTemplateId",
    "BlockDeviceMapping.Ebs.SnapshotId",
)
_WITH_KEY_NAME = frozenset({"RunInstances", "DeleteKeyPair", "ImportKeyPair", "CreateKeyPair"})
_READS = re.compile(r"(Describe|List|Search)|Get(?!Console|Password|LaunchTemplateData|ManagedPrefixList)")


def find_resources(call: Call) -> list[str]:
    """The ARNs of the resources that a call needs a permission for; '*' for calls without resource-level permissions."""
    if _READS.match(call.operation):
        return ["*"]
    names = _NEEDING_PERMISSION.get(call.operation) or [
        name for name in call.parameters if "." not in name or name in _NESTED
    ]
    arns = [
        make_arn(call, identifier)
        for identifier in _resolve_associations(call, call.list_texts(*names))
        if created_resources.find_kind(identifier)
    ]
    arns += [_make_arn(call, kind, "*") for kind in created_resources.list_created_kinds(call.operation)]
    if call.operation in _WITH_KEY_NAME and call.find_text("KeyName"):
        arns.append(_make_arn(call, "key-pair", call.find_text("KeyName")))
    return list(dict.fromkeys(arns)) or ["*"]


def make_arn(call: Call, identifier: str) -> str:
    """The ARN of the resource with this id."""
    return _make_arn(call, created_resources.find_kind(identifier), identifier)


def _make_arn(call: Call, kind: str, name: str) -> str:
    owner = "" if kind in {"image", "snapshot"} else call.account
    if kind == "prefix-list":
        owner = _find_owner_of_prefix_list(call, name)
    return f"arn:aws:ec2:{call.region}:{owner}:{kind}/{name}"


def _find_owner_of_prefix_list(call: Call, identifier: str) -> str:
    ec2 = find_backend(call)
    prefix_list = ec2.managed_prefix_lists.get(identifier) if ec2 else None
    return "aws" if prefix_list is not None and str(prefix_list.owner_id).upper() == "AWS" else call.account


def find_tags(call: Call, identifier: str) -> dict[str, str]:
    """The tags of the resource with this id."""
    ec2 = find_backend(call)
    return dict(ec2.tags.get(identifier, {})) if ec2 else {}


def find_backend(call: Call) -> Any | None:
    """moto's EC2 backend of the call's account and region; None if it was not used."""
    accounts = getattr(sys.modules.get("moto.ec2.models"), "ec2_backends", {})
    return dict.get(accounts[call.account], call.region) if call.account in accounts else None


def _resolve_associations(call: Call, values: Iterable[str]) -> Iterator[str]:
    """The ids; after the id of an association, also the ids of the resources that it associates."""
    ec2 = find_backend(call)
    for value in values:
        yield value
        if ec2 is None or "assoc-" not in value:
            continue
        for table in list(ec2.route_tables.values()):
            if value in table._associations:
                yield from (table.id, table._associations[value])
        for acl in list(ec2.network_acls.values()):
            if value in acl._associations:  # the ACL that the subnet had needs no permission
                yield acl._associations[value].subnet_id
        for address in list(ec2.addresses):
            if address.association_id == value:
                yield str(address.allocation_id)
