"""The resources of EC2's calls: what their ids are of, what a call makes, and what it is asked for beside."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from bootstrap.local.aws.access.policies import created_resources
from bootstrap.local.aws.access.policies.parameters import Call

# Calls that name more than they are asked for: a route's target, an attribute's new value.
_ASKED_FOR = {
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
_NAME_KEYS = frozenset({"RunInstances", "DeleteKeyPair", "ImportKeyPair", "CreateKeyPair"})
_LOOKS = re.compile(r"(Describe|List|Search)|Get(?!Console|Password|LaunchTemplateData|ManagedPrefixList)")


def resources(call: Call) -> list[str]:
    """The ARNs that a call of EC2 needs a permission for, each; '*' for what knows no resources."""
    if _LOOKS.match(call.operation):
        return ["*"]
    names = _ASKED_FOR.get(call.operation) or [name for name in call.given if "." not in name or name in _NESTED]
    found = [arn(call, one) for one in _resolved(call, call.texts(*names)) if created_resources.kind_of(one)]
    found += [_arn(call, kind, "*") for kind in created_resources.kinds(call.operation)]
    if call.operation in _NAME_KEYS and call.text("KeyName"):
        found.append(_arn(call, "key-pair", call.text("KeyName")))
    return list(dict.fromkeys(found)) or ["*"]


def arn(call: Call, identifier: str) -> str:
    """The ARN of a thing by its id."""
    return _arn(call, created_resources.kind_of(identifier), identifier)


def _arn(call: Call, kind: str, name: str) -> str:
    owner = "" if kind in {"image", "snapshot"} else call.account
    if kind == "prefix-list":
        owner = _owner_of_prefix_list(call, name)
    return f"arn:aws:ec2:{call.region}:{owner}:{kind}/{name}"


def _owner_of_prefix_list(call: Call, identifier: str) -> str:
    ec2 = backend(call)
    found = ec2.managed_prefix_lists.get(identifier) if ec2 else None
    return "aws" if found is not None and str(found.owner_id).upper() == "AWS" else call.account


def tags(call: Call, identifier: str) -> dict[str, str]:
    """The tags of a thing."""
    ec2 = backend(call)
    return dict(ec2.tags.get(identifier, {})) if ec2 else {}


def backend(call: Call) -> Any | None:
    """moto's EC2 of the call's account and region, where it was used."""
    accounts = getattr(sys.modules.get("moto.ec2.models"), "ec2_backends", {})
    return dict.get(accounts[call.account], call.region) if call.account in accounts else None


def _resolved(call: Call, values: Iterable[str]) -> Iterator[str]:
    """The ids, and for an association's those of what it associates."""
    ec2 = backend(call)
    for value in values:
        yield value
        if ec2 is None or "assoc-" not in value:
            continue
        for table in list(ec2.route_tables.values()):
            if value in table._associations:
                yield from (table.id, table._associations[value])
        for acl in list(ec2.network_acls.values()):
            if value in acl._associations:  # the ACL that the subnet had is not asked for
                yield acl._associations[value].subnet_id
        for address in list(ec2.addresses):
            if address.association_id == value:
                yield str(address.allocation_id)
