"""The analyser on the network's own templates, as the local cloud tells of them; what is changed there, it sees."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.environment import models, settings
from bootstrap.errors import StackMissing
from bootstrap.network import picture, proof, snapshot
from bootstrap.network.intentions import parse
from bootstrap.network.model import Network
from bootstrap.network.path_explanation import Traffic, explain
from bootstrap.network.surroundings import Surroundings
from bootstrap.stacks import parameters
from bootstrap.values import Change, Stack
from bootstrap.views import network_diagram

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("network", "acls", "endpoints")
ENVIRONMENT = """\
environment: reached
cloud: local
owner: tests
cost_center: none
network:
  cidr: 10.97.0.0/16
  zones: 3
  nat: per-zone
  endpoints: [ssm, logs]
access:
  operator_cidrs: [10.97.0.0/16]
"""


class Silence:
    """A reporter that nobody listens to."""

    def change(self, change: Change) -> None:
        """Nothing."""

    def progress(self, text: str) -> None:
        """Nothing."""

    def notice(self, text: str) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def made(client: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Stack]]:
    """The network's stacks, with interfaces where machines would be."""
    path = tmp_path_factory.mktemp("environments") / "reached.yaml"
    path.write_text(ENVIRONMENT)
    wished, stacks = settings.load(path), dict[str, Stack]()
    for name in NAMES:
        template = StackTemplate(
            name=wished.name_stack(name),
            path=ROOT / "cloudformation" / f"{name}.yaml",
            parameters=parameters.make_parameters(wished, name, stacks),
            tags={},
            protect=False,
        )
        stacks[name] = stack.apply(client("cloudformation"), template, Silence())
    yield stacks


@pytest.fixture(scope="module")
def interfaces(made: dict[str, Stack], client: Callable[[str], Any]) -> dict[str, str]:
    """An interface for the controller and one for an agent, in the first private subnet; by role."""
    outputs = made["network"].outputs
    groups = client("ec2").describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [outputs["VpcId"]]}])
    named = {
        tag["Value"]: it["GroupId"] for it in groups["SecurityGroups"] for tag in it["Tags"] if tag["Key"] == "Name"
    }
    found = {}
    for role in ("controller", "agents"):
        asked = {"SubnetId": outputs["PrivateSubnetIds"].split(",")[0], "Groups": [named[f"jenkins-reached-{role}"]]}
        found[role] = client("ec2").create_network_interface(**asked)["NetworkInterface"]["NetworkInterfaceId"]
    return found


@pytest.fixture
def read(made: dict[str, Stack], client: Callable[[str], Any], interfaces: dict[str, str]) -> Callable[[], Network]:
    """Reads the network afresh."""
    vpc = made["network"].outputs["VpcId"]
    return lambda: snapshot.read(client("ec2"), vpc, "jenkins-reached-", ["10.97.0.0/16"])


def test_everything_of_the_network_is_read(read: Callable[[], Network]) -> None:
    found = read()

    assert 9 == len(found.subnets)
    assert {"jenkins-reached-public", "jenkins-reached-private", "jenkins-reached-data"} == {
        found.nacls[it.nacl_id].name for it in found.subnets.values()
    }
    assert 3 == len(found.nats)
    assert {"controller": 1, "agents": 1, "endpoints": 6} == {
        role: sum(role in it.roles for it in found.interfaces.values())
        for role in ("controller", "agents", "endpoints")
    }
    assert 3 == sum(it.kind == "nat_gateway" for it in found.interfaces.values())
    assert all(found.prefix_lists.values())


def test_another_vpc_of_the_account_is_left_out(read: Callable[[], Network], client: Callable[[str], Any]) -> None:
    assert len(client("ec2").describe_vpcs()["Vpcs"]) > 1
    assert 1 == len(read().vpcs)


def test_a_vpc_that_is_gone_is_told(client: Callable[[str], Any]) -> None:
    with pytest.raises(StackMissing):
        snapshot.read(client("ec2"), "vpc-0", "jenkins-reached-", ())


@pytest.mark.parametrize(
    ("source", "destination", "port", "verdict"),
    [
        ("operators", "controller", 443, "open"),
        ("operators", "controller", 8080, "closed"),
        ("agents", "controller", 443, "open"),
        ("controller", "agents", 22, "open"),
        ("agents", "controller", 22, "closed"),
        ("internet", "controller", 443, "closed"),
        ("controller", "8.8.8.8/32", 443, "open"),
        ("controller", "8.8.8.8/32", 22, "closed"),
    ],
)
def test_the_templates_open_what_they_are_meant_to(
    read: Callable[[], Network], source: str, destination: str, port: int, verdict: str
) -> None:
    found = explain(read(), source, destination, Traffic(port))

    assert verdict == found.verdict, found.hops


def test_the_defaults_hold_on_the_templates(read: Callable[[], Network]) -> None:
    wished = models.Network().intentions

    assert () == proof.prove(read(), wished.list_allowed(operators=["10.97.0.0/16"]), wished.list_denied())


def test_a_rule_that_somebody_adds_is_seen_and_gone_again(
    read: Callable[[], Network], made: dict[str, Stack], client: Callable[[str], Any]
) -> None:
    rule = {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    opened = {"GroupId": made["network"].outputs["ControllerSecurityGroupId"], "IpPermissions": [rule]}
    ban = parse("operators -> controller:8080")
    assert proof.judge_deny(read(), ban) is None

    client("ec2").authorize_security_group_ingress(**opened)
    found = proof.judge_deny(read(), ban)
    client("ec2").revoke_security_group_ingress(**opened)

    assert found is not None
    assert proof.judge_deny(read(), ban) is None


def test_an_entry_that_somebody_adds_stops_the_path(
    read: Callable[[], Network], client: Callable[[str], Any], made: dict[str, Stack]
) -> None:
    acl = made["acls"].outputs["PrivateAclId"]
    entry = {"NetworkAclId": acl, "RuleNumber": 1, "Egress": True}
    client("ec2").create_network_acl_entry(
        **entry, Protocol="6", RuleAction="deny", CidrBlock="10.97.0.0/16", PortRange={"From": 40000, "To": 40000}
    )
    found = explain(read(), "10.97.0.0/24", "controller", Traffic(443))
    client("ec2").delete_network_acl_entry(**entry)

    assert ("closed", "of replies out of jenkins-reached-private-1") == (
        found.verdict,
        found.hops[-1].says[: len("of replies out of jenkins-reached-private-1")],
    )
    assert "open" == explain(read(), "10.97.0.0/24", "controller", Traffic(443)).verdict


def test_the_picture_is_drawn_by_graphviz_and_names_everything(read: Callable[[], Network]) -> None:
    assert shutil.which("dot"), "graphviz is one of the tests' own packages"

    drawn = picture.draw(read(), Surroundings("eu-central-1"), "jenkins-reached", network_diagram.run_graphviz)

    words = " ".join(it.strip() for it in ElementTree.fromstring(drawn).itertext() if it.strip())
    for zone in "abc":
        assert f"eu-central-1{zone}" in words
    for name in ("public-1", "private-2", "data-3", "NAT gateway", "Internet gateway", "controller", "operators"):
        assert name in words
