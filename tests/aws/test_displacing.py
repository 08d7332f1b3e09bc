"""Associations of which a subnet, VPC or address has one: a replacement ends the old one, and a rollback makes it again."""

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

IMPOSSIBLE = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x", "Name": "/aws/reserved"}}


def make_template(which: int, *, fails: bool = False) -> str:
    """Each association leads to the first or the second of two; what cannot be made comes last."""
    vpc, subnet = {"Ref": "Vpc"}, {"Ref": "Subnet"}
    interface = {"Type": "AWS::EC2::NetworkInterface", "Properties": {"SubnetId": subnet}}
    resources: dict[str, Any] = {
        "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.0.0.0/16"}},
        "Subnet": {"Type": "AWS::EC2::Subnet", "Properties": {"VpcId": vpc, "CidrBlock": "10.0.1.0/24"}},
        "Address": {"Type": "AWS::EC2::EIP", "Properties": {"Domain": "vpc"}},
    }
    for number in (1, 2):
        resources[f"Options{number}"] = {
            "Type": "AWS::EC2::DHCPOptions",
            "Properties": {"DomainName": f"d{number}.org"},
        }
        resources[f"Table{number}"] = {"Type": "AWS::EC2::RouteTable", "Properties": {"VpcId": vpc}}
        resources[f"Acl{number}"] = {"Type": "AWS::EC2::NetworkAcl", "Properties": {"VpcId": vpc}}
        resources[f"Interface{number}"] = interface
    associations = {
        "ToOptions": ("VPCDHCPOptionsAssociation", {"VpcId": vpc, "DhcpOptionsId": {"Ref": f"Options{which}"}}),
        "ToTable": ("SubnetRouteTableAssociation", {"SubnetId": subnet, "RouteTableId": {"Ref": f"Table{which}"}}),
        "ToAcl": ("SubnetNetworkAclAssociation", {"SubnetId": subnet, "NetworkAclId": {"Ref": f"Acl{which}"}}),
        "ToInterface": (
            "EIPAssociation",
            {
                "AllocationId": {"Fn::GetAtt": ["Address", "AllocationId"]},
                "NetworkInterfaceId": {"Ref": f"Interface{which}"},
            },
        ),
    }
    for name, (kind, properties) in associations.items():
        resources[name] = {"Type": f"AWS::EC2::{kind}", "Properties": properties}
    if fails:
        resources["Last"] = {**IMPOSSIBLE, "DependsOn": list(associations)}
    return json.dumps({"Resources": resources})


class Network:
    """A stack of them, and what EC2 says about it."""

    def __init__(self, client: Any) -> None:
        self.api, self.ec2 = client("cloudformation"), client("ec2")
        self.id = str(
            self.api.create_stack(StackName=f"d{uuid.uuid4().hex[:6]}", TemplateBody=make_template(1))["StackId"]
        )

    def settle(self) -> str:
        end = time.monotonic() + 60
        while (status := str(self.api.describe_stacks(StackName=self.id)["Stacks"][0]["StackStatus"])).endswith(
            "PROGRESS"
        ):
            assert time.monotonic() < end, status
            time.sleep(0.05)
        return status

    def update(self, which: int, *, fails: bool = False) -> str:
        self.api.update_stack(StackName=self.id, TemplateBody=make_template(which, fails=fails))
        return self.settle()

    def read(self) -> tuple[set[str], set[str]]:
        """What the associations lead to, by logical id; and which of them do not have the id that the stack has."""
        listed = self.api.list_stack_resources(StackName=self.id)["StackResourceSummaries"]
        ids = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in listed}
        names = {value: name for name, value in ids.items()}
        subnet = [{"Name": "association.subnet-id", "Values": [ids["Subnet"]]}]
        tables = self.ec2.describe_route_tables(Filters=subnet)["RouteTables"]
        acls = self.ec2.describe_network_acls(Filters=subnet)["NetworkAcls"]
        (address,) = self.ec2.describe_addresses(PublicIps=[ids["Address"]])["Addresses"]
        (vpc,) = self.ec2.describe_vpcs(VpcIds=[ids["Vpc"]])["Vpcs"]
        made = {one["RouteTableAssociationId"] for it in tables for one in it["Associations"]}
        made |= {one["NetworkAclAssociationId"] for it in acls for one in it["Associations"]}
        made |= {str(address.get("AssociationId")), f"{vpc['DhcpOptionsId']}|{ids['Vpc']}"}
        targets = [it["RouteTableId"] for it in tables] + [it["NetworkAclId"] for it in acls]
        targets += [str(address.get("NetworkInterfaceId")), vpc["DhcpOptionsId"]]
        lost = {name for name in ("ToOptions", "ToTable", "ToAcl", "ToInterface") if ids[name] not in made}
        return {names.get(target, target) for target in targets}, lost


@pytest.fixture(scope="module")
def network(client: Any) -> Iterator[Network]:
    made = Network(client)
    assert "CREATE_COMPLETE" == made.settle()
    yield made
    made.api.delete_stack(StackName=made.id)
    assert "DELETE_COMPLETE" == made.settle()


FIRST = {"Options1", "Table1", "Acl1", "Interface1"}
SECOND = {"Options2", "Table2", "Acl2", "Interface2"}


def test_a_rollback_gives_everything_its_first_association_again(network: Network) -> None:
    assert (FIRST, set()) == network.read()
    assert "UPDATE_ROLLBACK_COMPLETE" == network.update(2, fails=True)
    assert (FIRST, set()) == network.read()


def test_a_replacement_stays_when_the_old_association_is_cleaned_up(network: Network) -> None:
    assert "UPDATE_COMPLETE" == network.update(2)
    assert (SECOND, set()) == network.read()
    assert "UPDATE_ROLLBACK_COMPLETE" == network.update(1, fails=True)
    assert (SECOND, set()) == network.read()
