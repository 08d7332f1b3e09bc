"""After a rollback or a deletion, the services hold what they held before; only what the stack retains stays.

The cases are the templates of the other modules, one resource more that cannot be made, and updates that replace much.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bootstrap.local.aws.cloudformation.template import documents
from tests.aws import inventory

Client = Callable[[str], Any]
HERE = Path(__file__).parent
FILES = sorted((HERE / "types").glob("*.yaml"))
NAMED = ["CAPABILITY_NAMED_IAM"]


class Stack:
    """A stack of a name of its own."""

    def __init__(self, client: Client) -> None:
        self._api = client("cloudformation")
        self._id = f"leak-{uuid.uuid4().hex[:6]}"

    def create(self, **sections: Any) -> str:
        body = json.dumps(sections)
        self._id = self._api.create_stack(StackName=self._id, TemplateBody=body, Capabilities=NAMED)["StackId"]
        return self._settle()

    def update(self, resources: dict[str, Any]) -> str:
        body = json.dumps({"Resources": resources})
        self._api.update_stack(StackName=self._id, TemplateBody=body, Capabilities=NAMED)
        return self._settle()

    def delete(self) -> str:
        self._api.delete_stack(StackName=self._id)
        return self._settle()

    def _settle(self) -> str:
        end = time.monotonic() + 120
        while (status := self._status()).endswith("_IN_PROGRESS"):
            assert time.monotonic() < end, status
            time.sleep(0.05)
        return status

    def _status(self) -> str:
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


def test_creations_that_fail_at_their_end_leave_nothing(client: Client) -> None:
    before = inventory.count(client)
    for path in FILES:
        document = yaml.load(path.read_text(), documents._Loader)  # noqa: S506 (the engine's own, a safe one, for its aliases)
        resources = {name: {**body, "DeletionPolicy": "Delete"} for name, body in document["Resources"].items()}
        wanted = {**document, "Outputs": {}, "Resources": {**resources, "Wrong": wrong(resources)}}
        assert "ROLLBACK_COMPLETE" == Stack(client).create(**wanted), path.name
    assert before == inventory.count(client)


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
