"""The stack act on stacks that change: altered, replaced, rolled back, destroyed."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from stack_environment import TEMPLATES, Client, Environment, secrets_of, tags_of, ways_in

from bootstrap.acts import stack
from bootstrap.errors import StackFailed
from bootstrap.values import ChangeKind, Stack
from tests.recorder import Recorder

# A subnet over another's addresses, which only EC2 itself refuses, once the security group has been altered.
OVERLAPPING = """Resources:
  Overlapping:
    Type: AWS::EC2::Subnet
    DependsOn: [PublicSubnet1, ControllerSecurityGroup]
    Properties: {VpcId: !Ref Vpc, CidrBlock: !GetAtt PublicSubnet1.CidrBlock}
"""


def test_a_plan_of_a_new_stack_leaves_no_stack(client: Client) -> None:
    planned = stack.plan(client("cloudformation"), Environment(client, "unmade").wished("network"))

    assert {ChangeKind.ADD} == {change.kind for change in planned}
    assert None is stack.read(client("cloudformation"), "acts-unmade-network")
    assert "acts-unmade-network" not in {
        it["StackName"]
        for it in client("cloudformation").list_stacks()["StackSummaries"]
        if it["StackStatus"] != "DELETE_COMPLETE"
    }


def test_closing_the_doors_keeps_the_group(client: Client) -> None:
    network = Environment(client, "doors")
    network.apply("network")
    group = network.outputs["ControllerSecurityGroupId"]
    assert [(22, "10.77.0.0/16"), (443, "10.77.0.0/16")] == ways_in(client, group)

    told = network.apply("network", "r2", OperatorCidr="")

    assert (group, []) == (network.outputs["ControllerSecurityGroupId"], ways_in(client, group))
    assert ["acts-doors-network/ControllerSecurityGroup", "acts-doors-network/EdgeSecurityGroup"] == sorted(
        change.name for change in told.changes
    )
    assert "r2" == tags_of(client, "AWS::EC2::VPC", network.outputs["VpcId"])["Run"]
    assert () == network.destroy("network")


@pytest.mark.parametrize(("nat", "zones", "gateways"), [("none", 2, 0), ("one", 3, 1), ("per-zone", 3, 3)])
def test_each_private_subnet_has_the_way_out_that_was_chosen(
    client: Client, nat: str, zones: int, gateways: int
) -> None:
    network = Environment(client, f"way-{nat}")
    network.apply("network", Nat=nat, Zones=str(zones))
    subnets = network.outputs["PrivateSubnetIds"].split(",")
    tables = [
        client("ec2").describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [it]}])["RouteTables"]
        for it in subnets
    ]

    ways = [route["NatGatewayId"] for table in tables for route in table[0]["Routes"] if route.get("NatGatewayId")]

    assert (zones, gateways, zones if gateways else 0) == (len(subnets), len(set(ways)), len(ways))
    assert () == network.destroy("network")


def test_a_failing_update_is_rolled_back_and_explained(client: Client, tmp_path: Path) -> None:
    network = Environment(client, "failing")
    network.apply("network")
    group = network.outputs["ControllerSecurityGroupId"]
    mistake = tmp_path / "network.yaml"
    mistake.write_text((TEMPLATES / "network.yaml").read_text().replace("Resources:\n", OVERLAPPING, 1))
    wished = replace(network.wished("network", "r2", OperatorCidr=""), path=mistake)

    with pytest.raises(StackFailed) as caught:
        stack.apply(client("cloudformation"), wished, Recorder())

    assert caught.value.found.startswith("UPDATE_ROLLBACK_COMPLETE: Overlapping (AWS::EC2::Subnet): ")
    assert [(22, "10.77.0.0/16"), (443, "10.77.0.0/16")] == ways_in(client, group)
    assert ["acts-failing-network/ControllerSecurityGroup", "acts-failing-network/EdgeSecurityGroup"] == sorted(
        it.name for it in network.apply("network", "r3", OperatorCidr="").changes
    )
    assert () == network.destroy("network")


def test_a_failing_creation_leaves_nothing_and_the_next_launch_gets_through(client: Client) -> None:
    environment = Environment(client, "begun")
    environment.apply("network")

    client("ec2").create_key_pair(KeyName="acts-begun")

    with pytest.raises(StackFailed) as caught:
        environment.apply("data")

    client("ec2").delete_key_pair(KeyName="acts-begun")
    assert caught.value.found.startswith("ROLLBACK_COMPLETE: KeyPair (AWS::EC2::KeyPair): ")
    assert [] == client("ec2").describe_volumes(Filters=[{"Name": "tag:Environment", "Values": ["begun"]}])["Volumes"]
    assert [] == secrets_of(client, "begun")
    told = environment.apply("data", "r2")
    assert 1 == len(told.notices)
    assert "CREATE_COMPLETE" == environment.made["data"].status
    environment.destroy("data")
    environment.destroy("network")


def test_an_update_of_the_data_keeps_what_was_filled_in(client: Client) -> None:
    environment = Environment(client, "filled")
    environment.apply("network")
    environment.apply("data")
    secrets = client("secretsmanager")
    outputs = environment.outputs
    secrets.put_secret_value(SecretId=outputs["CertificatesSecret"], SecretString=json.dumps({"a": "b"}))
    password = secrets.get_secret_value(SecretId=outputs["AdminPasswordSecret"])["SecretString"]

    environment.apply("data", "r2", DataGib="30")

    assert outputs == environment.outputs
    assert '{"a": "b"}' == secrets.get_secret_value(SecretId=outputs["CertificatesSecret"])["SecretString"]
    assert password == secrets.get_secret_value(SecretId=outputs["AdminPasswordSecret"])["SecretString"]
    assert "r1" == tags_of(client, "AWS::EC2::KeyPair", outputs["KeyName"])["Run"]
    assert 30 == client("ec2").describe_volumes(VolumeIds=[outputs["DataVolumeId"]])["Volumes"][0]["Size"]


def test_a_new_kind_of_machine_replaces_it_and_keeps_the_volume(client: Client) -> None:
    environment = Environment(client, "replaced")
    for name in ("network", "data", "controller"):
        environment.apply(name)
    before = environment.outputs
    removed: list[Stack] = []
    told = Recorder()

    made = stack.apply(
        client("cloudformation"),
        environment.wished("controller", "r2", InstanceType="t3.xlarge"),
        told,
        before_removal=removed.append,
    )

    volume = client("ec2").describe_volumes(VolumeIds=[before["DataVolumeId"]])["Volumes"][0]
    assert made.outputs["InstanceId"] != before["InstanceId"]
    assert [made.outputs["InstanceId"]] == [it["InstanceId"] for it in volume["Attachments"]]
    assert [before["InstanceId"]] == [it.outputs["InstanceId"] for it in removed]
    kinds = [change.kind for change in told.changes if change.name.endswith("/Instance")]
    assert [ChangeKind.REMOVE, ChangeKind.ADD] == kinds


def test_destroying_keeps_the_volume_and_the_secrets(client: Client) -> None:
    environment = Environment(client, "ended")
    for name in ("network", "data", "controller"):
        environment.apply(name)
    outputs = environment.outputs

    kept = [environment.destroy(name) for name in ("controller", "data", "network")]

    secrets = [outputs[key] for key in outputs if key.endswith("Secret")]
    expected = {f"AWS::SecretsManager::Secret {arn}" for arn in secrets} | {
        f"AWS::EC2::Volume {outputs['DataVolumeId']}"
    }
    assert [set(), expected, set()] == [set(it) for it in kept]
    assert "available" == client("ec2").describe_volumes(VolumeIds=[outputs["DataVolumeId"]])["Volumes"][0]["State"]
    assert sorted(secrets) == sorted(secrets_of(client, "ended"))
    assert [] == client("ec2").describe_vpcs(Filters=[{"Name": "tag:Environment", "Values": ["ended"]}])["Vpcs"]
    assert [] == client("ec2").describe_key_pairs(Filters=[{"Name": "key-name", "Values": ["acts-ended"]}])["KeyPairs"]
