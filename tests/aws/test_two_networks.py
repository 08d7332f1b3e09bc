"""Two networks of one account, both really there: what intentions by name say of them, peered or not, and what is left.

`left` and `right` are made by the play's first act as `network apply` makes them. Each gets an interface of its controller's
role: an end that has an address, as a machine's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap import launch
from bootstrap.cloud import deleted
from bootstrap.cloud import tags as tagged
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.network import proof
from bootstrap.preconditions import host_inputs, network_removal, stack_inputs
from bootstrap.runs.journal import Run, start
from bootstrap.views import leftovers, network_reading
from tests.aws.conftest import Cloud

HEAD = "environment: {}\nproject: pair\ncloud: local\nowner: somebody\ncost_center: none\nnetwork:\n  cidr: {}\n"
BLOCKS = {"left": "10.64.0.0/16", "right": "10.65.0.0/16"}
# An environment that is let in by one port, and one that is kept out: either may be wished, not both at once.
LET_IN = '  intentions: {allow: ["left -> right:443"], deny: ["left -> right:22", "right -> left:*"]}\n'
KEPT_OUT = '  intentions: {deny: ["left -> right:*", "right -> left:*"]}\n'
PEERING = "  peering: {environment: left}\n"
EVERYTHING = """\
  zones: 3
  nat: per-zone
  ipv6: true
  endpoints: [ssm, logs]
  flow_logs: {queries: true}
  private_zone: pair.internal
  public_zone: {domain: pair.example.org}
  vpn: {customer_address: 198.51.100.7, routes: [10.9.0.0/16]}
  transit_gateway: {routes: [10.8.0.0/16]}
"""
Open = Callable[..., tuple[Context, Run]]


@pytest.fixture
def opened(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens one of the two with the options below 'network'; both files stand from the beginning, as one names the other."""
    monkeypatch.setattr(host_inputs, "take_snapshot", lambda _: SimpleNamespace(label="commit"))
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)
    for name, cidr in BLOCKS.items():
        (tmp_path / f"{name}.yaml").write_text(HEAD.format(name, cidr))

    def run(name: str, options: str = "") -> tuple[Context, Run]:
        path = tmp_path / f"{name}.yaml"
        path.write_text(HEAD.format(name, BLOCKS[name]) + options)
        return Context(path, settings.load(path), cloud.endpoint), start(
            tmp_path / "runs", as_json=False, is_verbose=False
        )

    return run


def made(opened: Open, name: str, options: str = "") -> Context:
    """That network as its settings say, made or changed."""
    context, run = opened(name, options)
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    context.forget()
    return context


@pytest.fixture
def controllers(opened: Open) -> Iterator[None]:
    """Both networks with an interface of the controller's role in each; taken away at the end."""
    contexts = [made(opened, name) for name in BLOCKS]
    ids = []
    for context in contexts:
        told = context.outputs("network")
        subnet, group = told["PrivateSubnetIds"].split(",")[0], told["ControllerSecurityGroupId"]
        card = context.world.aws("ec2").create_network_interface(SubnetId=subnet, Groups=[group])
        ids.append(card["NetworkInterface"]["NetworkInterfaceId"])
    yield
    for context, card in zip(contexts, ids, strict=True):
        context.world.aws("ec2").delete_network_interface(NetworkInterfaceId=card)
    for name in ("right", "left"):
        network_removal.destroy(*opened(name))


def outcomes(context: Context) -> dict[str, str]:
    """What `network verify` says of each intention by name."""
    found = proof.judge(network_reading.read(context), *network_reading.list_intentions(context.settings))
    return {it.about: it.outcome for it in found if "left" in it.about}


def test_environments_by_name_reach_each_other_exactly_while_they_are_peered(opened: Open, controllers: None) -> None:
    apart = outcomes(made(opened, "right", LET_IN)) | outcomes(made(opened, "right", KEPT_OUT))
    peered = outcomes(made(opened, "right", LET_IN + PEERING)) | outcomes(made(opened, "right", KEPT_OUT + PEERING))
    again = outcomes(made(opened, "right", LET_IN)) | outcomes(made(opened, "right", KEPT_OUT))

    always = {"deny left -> right:22": "holds", "deny right -> left:*": "holds"}
    assert {**always, "allow left -> right:443": "broken", "deny left -> right:*": "holds"} == apart == again
    assert {**always, "allow left -> right:443": "holds", "deny left -> right:*": "broken"} == peered


def test_of_a_network_with_everything_on_nothing_is_listed_after_its_destruction(opened: Open) -> None:
    made(opened, "left")
    whole = made(opened, "right", EVERYTHING + PEERING)
    before = tagged.list_resources(whole.world.aws, whole.settings)
    context, run = opened("right", EVERYTHING + PEERING)

    kept = launch.destroy(context, run, with_data=True)

    left = leftovers.find_leftovers(context)
    after = tagged.list_resources(context.world.aws, context.settings)
    over = deleted.find_deleted(context.world.aws("ec2"), after)
    kinds = {it.kind.partition(" ")[2] for it in before}
    # What this AWS lists by tag; endpoints and VPN gateways are not among it.
    fading = {"natgateway", "vpc-peering-connection", "vpn-connection", "customer-gateway", "transit-gateway"}
    assert fading | {"vpc", "subnet", "transit-gateway-attachment"} <= kinds
    assert ((), (), ()) == (kept, left.kept, left.stray)
    assert {it.arn for it in after} == over
    network_removal.destroy(*opened("left"))


@pytest.mark.parametrize("kind", ["NAT gateway", "transit gateway", "peering"])
def test_what_still_lives_is_listed(opened: Open, kind: str) -> None:
    context, _ = opened("left")
    ec2, tags = context.world.aws("ec2"), {"Project": "pair", "Environment": "left"}
    vpcs = [ec2.create_vpc(CidrBlock=block)["Vpc"]["VpcId"] for block in ("10.66.0.0/24", "10.67.0.0/24")]
    alive, end = LIVING[kind](ec2, vpcs)
    ec2.create_tags(Resources=[alive], Tags=[{"Key": key, "Value": value} for key, value in tags.items()])

    found = [it.identity for it in leftovers.find_leftovers(context).stray]
    end()
    after = [it.identity for it in leftovers.find_leftovers(context).stray]
    for vpc in vpcs:
        ec2.delete_vpc(VpcId=vpc)

    assert ([alive], []) == (found, after)


Ended = tuple[str, Callable[[], Any]]


def nat(ec2: Any, vpcs: list[str]) -> Ended:
    subnet = ec2.create_subnet(VpcId=vpcs[0], CidrBlock="10.66.0.0/25")["Subnet"]["SubnetId"]
    made = ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private")["NatGateway"]["NatGatewayId"]

    def end() -> None:
        ec2.delete_nat_gateway(NatGatewayId=made)
        ec2.delete_subnet(SubnetId=subnet)

    return made, end


def transit(ec2: Any, _: list[str]) -> Ended:
    made = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    return made, lambda: ec2.delete_transit_gateway(TransitGatewayId=made)


def peering(ec2: Any, vpcs: list[str]) -> Ended:
    asked = ec2.create_vpc_peering_connection(VpcId=vpcs[0], PeerVpcId=vpcs[1])["VpcPeeringConnection"]
    made = asked["VpcPeeringConnectionId"]
    return made, lambda: ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=made)


LIVING: dict[str, Callable[[Any, list[str]], Ended]] = {
    "NAT gateway": nat,
    "transit gateway": transit,
    "peering": peering,
}
