"""A network to which tests add options and take them away again, composed as the launch composes it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.environment import settings
from bootstrap.environment.models import Settings
from bootstrap.stacks import parameters
from bootstrap.values import Change, Stack
from tests.recorder import Recorder

TEMPLATES = Path(__file__).resolve().parents[2] / "cloudformation"
Client = Callable[[str], Any]


class Network:
    """The stacks of one environment, made from settings that a test writes."""

    def __init__(self, client: Client, folder: Path, name: str, cidr: str) -> None:
        self.client = client
        self.path = folder / f"{name}.yaml"
        self.cidr = cidr
        self.made: dict[str, Stack] = {}

    def settings(self, options: str = "") -> Settings:
        head = f"environment: {self.path.stem}\nproject: options\ncloud: local\nowner: somebody\ncost_center: none\n"
        indented = "".join(f"  {line}\n" for line in options.splitlines())
        operators = "access:\n  operator_cidrs: [10.9.0.0/16]\n"
        self.path.write_text(f"{head}{operators}network:\n  cidr: {self.cidr}\n{indented}")
        return settings.load(self.path)

    def apply(self, name: str, options: str = "", **more: str) -> list[Change]:
        chosen, told = self.settings(options), Recorder()
        given = parameters.make_parameters(chosen, name, self.made) | more
        wished = StackTemplate(chosen.name_stack(name), TEMPLATES / f"{name}.yaml", given, {"Project": "options"})
        self.made[name] = stack.apply(self.client("cloudformation"), wished, told)
        assert {} == self.drifted(wished.name), "what was just made counts as drifted"
        return told.changes

    def drifted(self, name: str) -> dict[str, Any]:
        """What differs from the template, by logical id."""
        api = self.client("cloudformation")
        api.detect_stack_drift(StackName=name)
        found = api.describe_stack_resource_drifts(
            StackName=name, StackResourceDriftStatusFilters=["MODIFIED", "DELETED"]
        )
        return {it["LogicalResourceId"]: it.get("PropertyDifferences") for it in found["StackResourceDrifts"]}

    def destroy(self, name: str) -> tuple[str, ...]:
        del self.made[name]
        return stack.destroy(self.client("cloudformation"), f"options-{self.path.stem}-{name}", Recorder())

    def output(self, name: str) -> str:
        return next(it.outputs[name] for it in self.made.values() if name in it.outputs)

    def subnets(self) -> dict[str, str]:
        """Block by id, as EC2 tells."""
        asked = [{"Name": "vpc-id", "Values": [self.output("VpcId")]}]
        return {it["SubnetId"]: it["CidrBlock"] for it in self.client("ec2").describe_subnets(Filters=asked)["Subnets"]}

    def acl(self, output: str) -> list[tuple[bool, int, str, str]]:
        """The entries of an ACL but the last, which refuses: way, number, block, ports."""
        found = self.client("ec2").describe_network_acls(NetworkAclIds=[self.output(output)])["NetworkAcls"][0]
        return sorted(
            (it["Egress"], it["RuleNumber"], it["CidrBlock"], f"{it.get('PortRange', {}).get('From', '')}")
            for it in found["Entries"]
            if it["RuleNumber"] < 32767
        )


# The local cloud knows the images of Debian.
IMAGE = "/aws/service/debian/release/13/latest/amd64"


def make_network(client: Client, folder: Path, name: str) -> Network:
    """A network with its ACLs, to which each test adds one option and takes it away again."""
    made = Network(client, folder, name, "10.81.0.0/16")
    made.apply("network")
    made.apply("acls")
    return made
