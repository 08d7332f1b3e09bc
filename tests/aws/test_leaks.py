"""After a rollback or a deletion, the services hold what they held before; only what the stack retains stays.

The cases are the templates of the other modules, one resource more that cannot be made, and updates that replace much.
"""

from __future__ import annotations

import json
import re
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.local.aws.cloudformation.template import documents
from tests.aws import inventory
from tests.aws.test_properties import prepare

Client = Callable[[str], Any]
HERE = Path(__file__).parent
FILES = sorted((HERE / "types").glob("*.yaml"))
ALTERED = sorted((HERE / "properties").glob("*.yaml"))
NAMED = ["CAPABILITY_NAMED_IAM"]


class Stack:
    """A stack of a name of its own."""

    def __init__(self, client: Client) -> None:
        self._api = client("cloudformation")
        self._id = f"leak-{uuid.uuid4().hex[:6]}"

    def create(self, **sections: Any) -> str:
        body = json.dumps(sections, default=str)
        self._id = self._api.create_stack(StackName=self._id, TemplateBody=body, Capabilities=NAMED)["StackId"]
        return self._settle()

    def update(self, resources: dict[str, Any], parameters: Any = None) -> str:
        body = json.dumps({"Resources": resources, "Parameters": parameters or {}}, default=str)
        self._api.update_stack(StackName=self._id, TemplateBody=body, Capabilities=NAMED)
        return self._settle()

    def delete(self) -> str:
        self._api.delete_stack(StackName=self._id)
        return self._settle()

    def failures(self) -> list[str]:
        events = self._api.describe_stack_events(StackName=self._id)["StackEvents"]
        return [str(one.get("ResourceStatusReason")) for one in events if "FAILED" in one["ResourceStatus"]]

    def _settle(self) -> str:
        end = time.monotonic() + 120
        while (status := self.status()).endswith("_IN_PROGRESS"):
            assert time.monotonic() < end, status
            time.sleep(0.05)
        return status

    def status(self) -> str:
        return str(self._api.describe_stacks(StackName=self._id)["Stacks"][0]["StackStatus"])


def wrong(after: dict[str, Any]) -> dict[str, Any]:
    """A resource that cannot be made, after all the others."""
    return {"Type": "AWS::SSM::Parameter", "DependsOn": sorted(after), "Properties": {"Type": "Nothing", "Value": "x"}}


def network(octet: int) -> dict[str, Any]:
    vpc, subnet = {"Ref": "Vpc"}, {"Ref": "Subnet"}
    return {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": f"10.{octet}.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": vpc, "CidrBlock": f"10.{octet}.1.0/24"}},
        "Routes": {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": vpc}},
        "Uses": {
            "Type": "AWS::EC2::SubnetRouteTableAssociation",
            "Properties": {"SubnetId": subnet, "RouteTableId": {"Ref": "Routes"}},
        },
        "Acl": {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": vpc}},
        "Guards": {
            "Type": "AWS::EC2::SubnetNetworkAclAssociation",
            "Properties": {"SubnetId": subnet, "NetworkAclId": {"Ref": "Acl"}},
        },
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "g", "VpcId": vpc}},
        "Interface": {
            "Type": "AWS::EC2::NetworkInterface",
            "Properties": {"SubnetId": subnet, "GroupSet": [{"Ref": "Group"}]},
        },
        "Endpoint": {
            "Type": "AWS::EC2::VPCEndpoint",
            "Properties": {
                "VpcId": vpc,
                "ServiceName": "com.amazonaws.eu-central-1.s3",
                "RouteTableIds": [{"Ref": "Routes"}],
            },
        },
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
        "Nat": {
            "Type": "AWS::EC2::NatGateway",
            "Properties": {"SubnetId": subnet, "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]}},
        },
    }


def role(name: str) -> dict[str, Any]:
    def policy(**more: Any) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **more}]}

    trust = policy(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")
    rights = policy(Action="s3:*", Resource="*")
    roles = [{"Ref": "Role"}]
    return {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": name, "AssumeRolePolicyDocument": trust}},
        "Profile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": roles}},
        "Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {"PolicyDocument": rights, "Roles": roles}},
        "Inline": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "p", "PolicyDocument": rights, "Roles": roles},
        },
    }


def alter(resources: dict[str, Any]) -> dict[str, Any]:
    """The resources with all properties that the metadata of the samples alter, and one more that cannot be made."""
    altered = {}
    for name, body in resources.items():
        changes = body.get("Metadata", {}).get("Altered", {})
        altered[name] = {**body, "Properties": {**body.get("Properties", {}), **changes}}
    return {**altered, "Wrong": wrong(altered)}


def test_creations_that_fail_at_their_end_leave_nothing(client: Client) -> None:
    before = inventory.count(client)
    for path in FILES:
        document = yaml.load(path.read_text(), documents._Loader)  # noqa: S506 (the engine's own, a safe one, for its aliases)
        resources = {name: {**body, "DeletionPolicy": "Delete"} for name, body in document["Resources"].items()}
        wanted = {**document, "Outputs": {}, "Resources": {**resources, "Wrong": wrong(resources)}}
        assert "ROLLBACK_COMPLETE" == Stack(client).create(**wanted), path.name
    assert before == inventory.count(client)


def kinds(things: set[str]) -> Counter[str]:
    """How many things there are of each kind, which the start of their ids shows."""
    return Counter(match[0] for thing in things if (match := re.match(r"\w+ [a-z]+", thing)))


def kept_disks(client: Client) -> set[str]:
    """The disks that their machines leave behind (DeleteOnTermination)."""
    reservations = client("ec2").describe_instances()["Reservations"]
    machines = [machine for one in reservations for machine in one["Instances"]]
    disks = [disk["Ebs"] for machine in machines for disk in machine["BlockDeviceMappings"] if "Ebs" in disk]
    return {f"ec2 {disk['VolumeId']}" for disk in disks if not disk["DeleteOnTermination"]}


def empty_buckets(client: Client) -> None:
    s3 = client("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        for version in s3.list_object_versions(Bucket=bucket["Name"]).get("Versions", []):
            s3.delete_object(Bucket=bucket["Name"], Key=version["Key"], VersionId=version["VersionId"])


@pytest.mark.parametrize("path", ALTERED, ids=lambda path: path.stem)
def test_updates_that_alter_everything_and_fail_leave_what_was_there(
    new_cloud: Any, tmp_path: Path, path: Path
) -> None:
    """All alterations of the samples at once, and then a resource that cannot be made: everything goes back."""
    with new_cloud(tmp_path / "state") as cloud:
        prepare(cloud)
        text = path.read_text()
        document = yaml.load(text, documents._Loader)  # noqa: S506
        before = inventory.count(cloud.client)
        stack = Stack(cloud.client)
        assert "CREATE_COMPLETE" == stack.create(**document)
        held = inventory.count(cloud.client)
        assert "UPDATE_ROLLBACK_COMPLETE" == stack.update(alter(document["Resources"]), document.get("Parameters"))
        assert kinds(held) == kinds(inventory.count(cloud.client))  # a group may have launched its machines anew
        kept = kept_disks(cloud.client)
        for _ in range(3):
            empty_buckets(cloud.client)  # the services deliver logs, also while the stack is deleted
            if stack.delete() == "DELETE_COMPLETE":
                break
        assert "DELETE_COMPLETE" == stack.status(), stack.failures()
        after = inventory.count(cloud.client)
        assert (set(), set()) == (before - after, after - before - kept)


def test_updates_that_replace_leave_what_the_stack_has(client: Client) -> None:
    before = inventory.count(client)
    cases = [(Stack(client), network(61), network(62)), (Stack(client), role("old"), role("new"))]
    for stack, old, _ in cases:
        assert "CREATE_COMPLETE" == stack.create(Resources=old)
    held = inventory.count(client)
    for stack, _, new in cases:
        assert "UPDATE_ROLLBACK_COMPLETE" == stack.update({**new, "Wrong": wrong(new)})
    assert held == inventory.count(client)
    assert "UPDATE_COMPLETE" == cases[1][0].update(role("new"))
    assert len(held) == len(inventory.count(client))
    for stack, _, _ in cases:
        assert "DELETE_COMPLETE" == stack.delete()
    assert before == inventory.count(client)
