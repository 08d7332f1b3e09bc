"""The stack act with the project's own templates against the local cloud: made, altered, rolled back, deleted.

Whatever is claimed is read back through the API of the service that has it, never from CloudFormation's word alone.
"""

from types import SimpleNamespace
from typing import cast

import pytest
from stack_environment import OF_THE_FILE, SEVEN, STACKS, Client, Environment, tags_of, untagged

from bootstrap.acts import stack
from bootstrap.cloud import tag_repair
from bootstrap.cloud.world import World
from bootstrap.values import Change, ChangeKind
from bootstrap.views.drift import stacks as drifted
from tests.recorder import Recorder


@pytest.fixture(scope="module")
def standing(client: Client) -> Environment:
    """An environment that tests only look at, or bring back to where it was."""
    made = Environment(client, "standing")
    for name in STACKS:
        made.apply(name)
    return made


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

    def launch(self, run: str) -> Recorder:
        told, made, tags = Recorder(), self.environment.made, self.environment.all_tags(run)
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


def test_the_data_is_protected_against_a_deletion_by_others(standing: Environment) -> None:
    cloudformation = standing.client("cloudformation")

    with pytest.raises(cloudformation.exceptions.ClientError, match="TerminationProtection"):
        cloudformation.delete_stack(StackName="acts-standing-data")
