"""The stack act with the project's own templates against the local cloud: made, altered, rolled back, deleted.

Whatever is claimed is read back through the API of the service that has it, never from CloudFormation's word alone.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.cloud import images, tag_repair
from bootstrap.cloud.world import World
from bootstrap.errors import StackFailed
from bootstrap.stacks import composition
from bootstrap.values import Change, ChangeKind, Stack
from bootstrap.views.drift import stacks as drifted

TEMPLATES = Path(__file__).resolve().parents[2] / "cloudformation"
SEVEN = ("Project", "Environment", "Owner", "CostCenter", "ManagedBy", "Commit", "Run")
OF_THE_FILE = {"Team": "build", "cost:code": "4711 / Größe"}
# Types that CloudFormation gives no stack tags.
TAGLESS = {
    "AWS::EC2::LaunchTemplate",
    "AWS::EC2::NetworkAclEntry",
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetNetworkAclAssociation",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EC2::VolumeAttachment",
    "AWS::IAM::InstanceProfile",
    "AWS::IAM::ManagedPolicy",
}
Client = Callable[[str], Any]
STACKS = ("network", "acls", "data", "controller")
# A subnet over another's addresses, which only EC2 itself refuses, once the security group has been altered.
OVERLAPPING = """Resources:
  Overlapping:
    Type: AWS::EC2::Subnet
    DependsOn: [PublicSubnet1, ControllerSecurityGroup]
    Properties: {VpcId: !Ref Vpc, CidrBlock: !GetAtt PublicSubnet1.CidrBlock}
"""


@dataclass
class Told:
    """A reporter that remembers."""

    changes: list[Change] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None:
        self.lines.append(text)

    def notice(self, text: str) -> None:
        self.notices.append(text)


class Environment:
    """The three stacks of one environment, made as the launch makes them."""

    def __init__(self, client: Client, name: str) -> None:
        self.client = client
        self.name = name
        self.made: dict[str, Stack] = {}
        self.tags: Mapping[str, str] = OF_THE_FILE  # those of the environment file

    @property
    def outputs(self) -> dict[str, str]:
        return {key: value for it in self.made.values() for key, value in it.outputs.items()}

    def all_tags(self, run: str = "r1") -> dict[str, str]:
        values = ("acts", self.name, "somebody", "none", "jenkins-bootstrap", f"commit-{run}", run)
        return {**self.tags, **dict(zip(SEVEN, values, strict=True))}

    def wished(self, name: str, run: str = "r1", **parameters: str) -> StackTemplate:
        given = {"Project": "acts", "Environment": self.name} | self.inputs(name) | parameters
        return StackTemplate(
            f"acts-{self.name}-{name}",
            TEMPLATES / f"{name}.yaml",
            given,
            self.all_tags(run),
            name == "data",
        )

    def inputs(self, name: str) -> Mapping[str, str]:
        if name == "network":
            return {"Nat": "one", "OperatorCidr": "10.77.0.0/16"}
        if name == "data":
            return {"Zone": self.outputs["ControllerZone"]}
        if name == "acls":
            return self.taken(name) | {"OperatorCidr": "10.77.0.0/16"}
        if name == "bastion":
            return self.taken(name) | {"ImageId": "/aws/service/debian/release/13/latest/amd64"}
        if name == "controller":
            served = {"FirstNetwork": self.name, "SecondNetwork": self.name}
            return self.taken(name) | served | {"ImageId": images.read_newest(self.client)}
        return self.taken(name)

    def taken(self, name: str) -> dict[str, str]:
        return {key: self.outputs[key] for key in composition.TAKES[name]}

    def apply(self, name: str, run: str = "r1", **parameters: str) -> Told:
        told = Told()
        self.made[name] = stack.apply(self.client("cloudformation"), self.wished(name, run, **parameters), told)
        return told

    def resources(self) -> Iterator[dict[str, Any]]:
        for name in self.made:
            listed = self.client("cloudformation").describe_stack_resources(StackName=f"acts-{self.name}-{name}")
            yield from listed["StackResources"]

    def physical(self, logical: str) -> str:
        return next(str(it["PhysicalResourceId"]) for it in self.resources() if it["LogicalResourceId"] == logical)

    def destroy(self, name: str) -> tuple[str, ...]:
        self.made.pop(name, None)
        return stack.destroy(self.client("cloudformation"), f"acts-{self.name}-{name}", Told())


@pytest.fixture(scope="module")
def standing(client: Client) -> Environment:
    """An environment that tests only look at, or bring back to where it was."""
    made = Environment(client, "standing")
    for name in STACKS:
        made.apply(name)
    return made


def tags_of(client: Client, kind: str, physical_id: str) -> dict[str, str]:
    """A resource's tags as its own service tells them."""
    ec2 = client("ec2")
    match kind:
        case "AWS::IAM::Role":
            found = client("iam").list_role_tags(RoleName=physical_id)["Tags"]
        case "AWS::SecretsManager::Secret":
            found = client("secretsmanager").describe_secret(SecretId=physical_id).get("Tags", [])
        case "AWS::EC2::EIP":
            found = ec2.describe_addresses(PublicIps=[physical_id])["Addresses"][0].get("Tags", [])
        case "AWS::EC2::KeyPair":
            found = ec2.describe_key_pairs(KeyNames=[physical_id])["KeyPairs"][0].get("Tags", [])
        case "AWS::AutoScaling::AutoScalingGroup":
            own = {"Name": "auto-scaling-group", "Values": [physical_id]}
            found = client("autoscaling").describe_tags(Filters=[own])["Tags"]
        case _:
            assert kind.startswith("AWS::EC2::"), f"nothing here reads the tags of {kind}"
            found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [physical_id]}])["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def untagged(environment: Environment) -> list[str]:
    """Every resource that lacks one of the seven tags, or has not the values of those of the file."""
    found = []
    for resource in environment.resources():
        if resource["ResourceType"] not in TAGLESS:
            tags = tags_of(environment.client, resource["ResourceType"], resource["PhysicalResourceId"])
            missing = [key for key in SEVEN if not tags.get(key)]
            missing += [key for key, value in environment.tags.items() if tags.get(key) != value]
            found += [f"{resource['LogicalResourceId']} lacks {missing}"] if missing else []
    return found


def test_the_stacks_come_up_with_their_outputs(standing: Environment) -> None:
    outputs = standing.outputs
    instance = standing.client("ec2").describe_instances(InstanceIds=[outputs["InstanceId"]])["Reservations"][0][
        "Instances"
    ][0]

    assert {"CREATE_COMPLETE"} == {it.status for it in standing.made.values()}
    assert outputs["PrivateIp"] == instance["PrivateIpAddress"]
    assert (outputs["ControllerSubnetId"], outputs["KeyName"]) == (instance["SubnetId"], instance["KeyName"])
    assert [outputs["ControllerSecurityGroupId"]] == [group["GroupId"] for group in instance["SecurityGroups"]]
    assert outputs["DataVolumeId"] in {it["Ebs"]["VolumeId"] for it in instance["BlockDeviceMappings"]}


def test_every_resource_carries_the_seven_tags_and_those_of_the_file(standing: Environment) -> None:
    assert [] == untagged(standing)


def test_a_resource_without_a_tag_is_noticed(standing: Environment) -> None:
    role, table = standing.physical("Role"), standing.physical("PrivateRoutes1")
    iam, ec2 = standing.client("iam"), standing.client("ec2")
    owner = {"Key": "Owner", "Value": "somebody"}
    iam.untag_role(RoleName=role, TagKeys=["Owner"])
    ec2.delete_tags(Resources=[table], Tags=[owner])

    found = untagged(standing)

    iam.tag_role(RoleName=role, Tags=[owner])
    ec2.create_tags(Resources=[table], Tags=[owner])
    assert {"Role lacks ['Owner']", "PrivateRoutes1 lacks ['Owner']"} == set(found)
    assert [] == untagged(standing)


def test_a_resource_with_another_value_of_a_tag_of_the_file_is_noticed(standing: Environment) -> None:
    secret, manager = standing.outputs["AdminPasswordSecret"], standing.client("secretsmanager")
    manager.tag_resource(SecretId=secret, Tags=[{"Key": "Team", "Value": "other"}])

    found = untagged(standing)

    manager.tag_resource(SecretId=secret, Tags=[{"Key": "Team", "Value": OF_THE_FILE["Team"]}])
    assert ["AdminPassword lacks ['Team']"] == found
    assert [] == untagged(standing)


def test_the_root_volume_carries_all_tags_too(standing: Environment) -> None:
    mounted = {"Name": "attachment.instance-id", "Values": [standing.outputs["InstanceId"]]}
    volumes = standing.client("ec2").describe_volumes(Filters=[mounted])["Volumes"]

    tags = [{tag["Key"] for tag in volume.get("Tags", [])} for volume in volumes]

    assert 2 == len(tags)
    assert all({*SEVEN, *OF_THE_FILE} <= keys for keys in tags)


class Tagged:
    """An environment with everything that has tags which CloudFormation does not change."""

    names = ("network", "acls", "data", "bastion", "controller")

    def __init__(self, client: Client, name: str) -> None:
        self.environment = Environment(client, name)
        self.world = cast(World, SimpleNamespace(aws=client, is_on_machine=False))
        self.launch("r1")

    def launch(self, run: str) -> Told:
        told, made, tags = Told(), self.environment.made, self.environment.all_tags(run)
        tag_repair.apply(self.world, dict(made), self.names, tags, told)
        for name in self.names:
            told.changes += self.environment.apply(name, run).changes
        tag_repair.apply(self.world, made, self.names, tags)
        return told

    def plan(self) -> list[Change]:
        client = self.environment.client("cloudformation")
        planned = [it for name in self.names for it in stack.plan(client, self.environment.wished(name, "planned"))]
        late = tag_repair.plan(self.world, self.environment.made, self.names, self.environment.all_tags("planned"))
        return [*planned, *late]

    def late(self) -> dict[str, dict[str, str]]:
        """By their names, the tags of what CloudFormation does not tag, or not again."""
        ec2, own = self.environment.client("ec2"), {"Name": "tag:Environment", "Values": [self.environment.name]}
        instances = [it for one in ec2.describe_instances(Filters=[own])["Reservations"] for it in one["Instances"]]
        volumes = ec2.describe_volumes(Filters=[own])["Volumes"]
        templates = ec2.describe_launch_templates(Filters=[own])["LaunchTemplates"]
        pairs = ec2.describe_key_pairs(Filters=[own])["KeyPairs"]
        listed = {"InstanceId": instances, "VolumeId": volumes, "LaunchTemplateId": templates, "KeyPairId": pairs}
        ids = [str(it[key]) for key, them in listed.items() for it in them]
        return {it: tags_of(self.environment.client, "AWS::EC2::Any", it) for it in ids}


def test_a_changed_tag_reaches_everything_and_replaces_nothing(client: Client) -> None:
    tagged = Tagged(client, "tagged")
    environment = tagged.environment
    assert [] == tagged.plan()
    # Two instances, two launch templates, the key pair, the data volume, and the root volume of the controller.
    assert 7 == len(tagged.late())
    assert all(OF_THE_FILE.items() <= tags.items() for tags in tagged.late().values())
    before = {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in environment.resources()}
    volume = environment.outputs["DataVolumeId"]
    client("ec2").create_tags(Resources=[volume], Tags=[{"Key": "backup", "Value": "somebody else's"}])

    environment.tags = {"Team": "operations", "Level": "2"}
    planned = tagged.plan()
    told = tagged.launch("r2")

    assert {ChangeKind.ALTER} == {it.kind for it in [*planned, *told.changes]}
    assert {it.name for it in planned} == {it.name for it in told.changes}
    named = {it.name.removeprefix("acts-tagged-"): it.detail for it in planned}
    assert "AWS::EC2::Volume: Tags (Team, Level, without cost:code)" == named["data/DataVolume"]
    assert {"controller/Instance", "controller/Instance (root volume)", "controller/LaunchTemplate"} <= named.keys()
    assert {"bastion/Group (instance)", "data/KeyPair", "data/AdminPassword", "network/Vpc"} <= named.keys()
    assert before == {it["LogicalResourceId"]: it["PhysicalResourceId"] for it in environment.resources()}
    assert [] == untagged(environment)
    for tags in tagged.late().values():
        assert environment.tags.items() <= tags.items()
        assert "cost:code" not in tags
    assert "somebody else's" == tagged.late()[volume]["backup"]
    assert [] == tagged.plan()


def test_a_tag_that_the_toolkit_set_is_no_drift_but_anothers_is(client: Client) -> None:
    tagged = Tagged(client, "undrifted")
    environment = tagged.environment
    environment.tags = {"Team": "operations", "Level": "2"}
    tagged.launch("r2")

    def look() -> list[str]:
        told = client("cloudformation"), f"acts-{environment.name}-data", "launch", lambda _: None
        return [it.found for it in drifted.find_stack_drift(*told, environment.all_tags())]

    assert [] == look()
    volume, foreign = environment.outputs["DataVolumeId"], {"Key": "Level", "Value": "3"}
    client("ec2").create_tags(Resources=[volume], Tags=[foreign])
    (line,) = look()
    assert '{"Key": "Level", "Value": "3"}' in line


def test_a_second_run_touches_nothing(standing: Environment) -> None:
    before = list(standing.resources())

    told = [standing.apply(name, "r2") for name in STACKS]

    assert [] == [change for it in told for change in it.changes]
    assert before == list(standing.resources())
    assert "r1" == tags_of(standing.client, "AWS::EC2::VPC", standing.outputs["VpcId"])["Run"]


def test_a_plan_tells_the_change_and_makes_none(standing: Environment) -> None:
    group = {"GroupIds": [standing.outputs["ControllerSecurityGroupId"]]}
    before = standing.client("ec2").describe_security_groups(**group)["SecurityGroups"]

    planned = stack.plan(standing.client("cloudformation"), standing.wished("network", "r3", OperatorCidr=""))

    assert {
        (ChangeKind.ALTER, "acts-standing-network/ControllerSecurityGroup"),
        (ChangeKind.ALTER, "acts-standing-network/EdgeSecurityGroup"),
    } == {(it.kind, it.name) for it in planned}
    assert before == standing.client("ec2").describe_security_groups(**group)["SecurityGroups"]


def test_a_plan_of_a_new_stack_leaves_no_stack(client: Client) -> None:
    planned = stack.plan(client("cloudformation"), Environment(client, "unmade").wished("network"))

    assert {ChangeKind.ADD} == {change.kind for change in planned}
    assert None is stack.read(client("cloudformation"), "acts-unmade-network")
    assert "acts-unmade-network" not in {
        it["StackName"]
        for it in client("cloudformation").list_stacks()["StackSummaries"]
        if it["StackStatus"] != "DELETE_COMPLETE"
    }


def ways_in(client: Client, group: str) -> list[tuple[int, str]]:
    found = client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    return sorted((rule["FromPort"], block["CidrIp"]) for rule in found for block in rule["IpRanges"])


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
        stack.apply(client("cloudformation"), wished, Told())

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


def secrets_of(client: Client, environment: str) -> list[str]:
    found = client("secretsmanager").list_secrets(Filters=[{"Key": "tag-value", "Values": [environment]}])["SecretList"]
    return [it["ARN"] for it in found]


def test_the_secrets_are_what_jenkins_takes(standing: Environment) -> None:
    def read(output: str) -> str:
        return str(
            standing.client("secretsmanager").get_secret_value(SecretId=standing.outputs[output])["SecretString"]
        )

    password, token = read("AdminPasswordSecret"), read("ToolkitTokenSecret")

    assert (32, True, 32, set()) == (
        len(password),
        password.isalnum(),
        len(token),
        set(token) - set("0123456789abcdef"),
    )
    assert "{}" == read("CertificatesSecret")
    assert read("ToolkitPasswordSecret") != password


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
    told = Told()

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


def test_the_data_is_protected_against_a_deletion_by_others(standing: Environment) -> None:
    cloudformation = standing.client("cloudformation")

    with pytest.raises(cloudformation.exceptions.ClientError, match="TerminationProtection"):
        cloudformation.delete_stack(StackName="acts-standing-data")
