"""The stacks of one environment, made as the launch makes them, and what is read back of them through the services' APIs."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.cloud import images
from bootstrap.stacks import composition
from bootstrap.values import Stack
from tests.recorder import Recorder

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

    def apply(self, name: str, run: str = "r1", **parameters: str) -> Recorder:
        told = Recorder()
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
        return stack.destroy(self.client("cloudformation"), f"acts-{self.name}-{name}", Recorder())


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


def ways_in(client: Client, group: str) -> list[tuple[int, str]]:
    found = client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    return sorted((rule["FromPort"], block["CidrIp"]) for rule in found for block in rule["IpRanges"])


def secrets_of(client: Client, environment: str) -> list[str]:
    found = client("secretsmanager").list_secrets(Filters=[{"Key": "tag-value", "Values": [environment]}])["SecretList"]
    return [it["ARN"] for it in found]
