"""What may happen to a network that lives: each change is planned, made, and no subnet gets another id or block by it."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap import interruptions, launch, network_removal, network_view, settings
from bootstrap.context import Context
from bootstrap.network import proof
from bootstrap.network.reach import explain
from bootstrap.run import Run, start
from bootstrap.values import Change, ChangeKind

HEAD = """\
environment: living
project: changing
cloud: local
owner: somebody
cost_center: none
network:
  cidr: 10.86.0.0/16
"""
Open = Callable[[str], tuple[Context, Run]]


@pytest.fixture(scope="module")
def opened(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Opens the one environment of this module with the options below 'network'."""
    folder = tmp_path_factory.mktemp("environments")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(launch, "snapshot", lambda _: SimpleNamespace(label="commit"))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "local")

        def run(options: str) -> tuple[Context, Run]:
            path = folder / "living.yaml"
            path.write_text(HEAD + options)
            made = Context(path, settings.load(path), endpoint)
            return made, start(folder / "runs", as_json=False, is_verbose=False)

        context, first = run("")
        launch.stacks(context, first, launch.network_of(context))
        yield run
        context, last = run("")
        network_removal.destroy(context, last)


def subnets(context: Context) -> dict[str, tuple[str, str]]:
    """Block and zone of every subnet, by id."""
    asked = [{"Name": "vpc-id", "Values": [context.outputs("network")["VpcId"]]}]
    found = context.world.aws("ec2").describe_subnets(Filters=asked)["Subnets"]
    return {it["SubnetId"]: (it["CidrBlock"], it["AvailabilityZone"]) for it in found}


def go(opened: Open, options: str) -> tuple[Context, tuple[Change, ...]]:
    """Plan, apply, see that nothing is left to do; the plan, and the context afterwards."""
    context, run = opened(options)
    before = subnets(context)
    planned = launch.plan_stacks(context, run, launch.network_of(context))
    launch.stacks(context, run, launch.network_of(context))
    context.forget()
    assert before.items() <= subnets(context).items() or len(before) > len(subnets(context))
    assert () == launch.plan_stacks(context, run, launch.network_of(context))
    return context, planned


def replaced(planned: tuple[Change, ...]) -> list[str]:
    return [it.name for it in planned if it.kind is ChangeKind.REPLACE]


def told(planned: tuple[Change, ...]) -> str:
    return "\n".join(interruptions.of(planned))


def test_a_third_zone_replaces_and_interrupts_nothing(opened: Open) -> None:
    two, _ = go(opened, "")
    before = subnets(two)

    three, planned = go(opened, "  zones: 3\n")

    assert [] == replaced(planned)
    assert "" == told(planned)
    assert (6, 9) == (len(before), len(subnets(three)))
    assert before.items() <= subnets(three).items()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("  zones: 3\n  nat: one\n", ""),
        ("  zones: 3\n  nat: per-zone\n", "private subnets 2, 3: outbound connections through NAT drop"),
        ("  zones: 3\n  nat: one\n", "private subnets 2, 3: outbound connections through NAT drop"),
        ("  zones: 3\n", "private subnets 1, 2, 3: no way out to the Internet from then on"),
    ],
    ids=["none to one", "one to per zone", "per zone to one", "one to none"],
)
def test_another_way_out_moves_routes_and_no_subnet(opened: Open, options: str, words: str) -> None:
    _, planned = go(opened, options)

    assert [] == replaced(planned)
    assert words in told(planned)
    assert bool(words) == bool(told(planned))


def test_ipv6_comes_to_what_is_there_and_goes_again(opened: Open) -> None:
    before, _ = go(opened, "  zones: 3\n")
    kept = subnets(before)
    context, planned = go(opened, "  zones: 3\n  ipv6: true\n")
    network = network_view.with_everybody(context, network_view.read(context))

    assert ([], "", kept) == (replaced(planned), told(planned), subnets(context))
    (whole,) = [it for it in network.vpcs[network.vpc_id].blocks if it.version == 6]
    pieces = {
        it.name.removeprefix("changing-living-"): block
        for it in network.subnets.values()
        for block in it.blocks
        if block.version == 6
    }
    places = [f"{tier}-{zone}" for tier in ("public", "private", "data") for zone in (1, 2, 3)]
    assert isinstance(whole, ipaddress.IPv6Network)
    assert dict(zip(places, whole.subnets(new_prefix=64), strict=False)) == pieces
    assert "open" == explain(network, "controller", "2001:db8::1/128", 443).verdict
    assert "egress-only gateway" == explain(network, "2001:db8::1/128", "controller", 443).hops[-1].kind
    assert "closed" == explain(network, "data", "2001:db8::1/128", 443).verdict
    intentions = settings.Network().intentions
    assert () == proof.prove(network, intentions.allowed(operators=None), intentions.denied())

    context, planned = go(opened, "  zones: 3\n")
    network = network_view.read(context)
    assert kept == subnets(context)
    assert "IPv6" in told(planned)
    assert not [block for it in network.subnets.values() for block in it.blocks if block.version == 6]


def test_ipv6_that_is_opened_to_the_internet_is_found(opened: Open) -> None:
    context, _ = go(opened, "  zones: 3\n  ipv6: true\n")
    ec2, outputs = context.world.aws("ec2"), context.outputs("network")
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    acl = next(
        it["NetworkAclId"]
        for it in ec2.describe_network_acls(
            Filters=[{"Name": "association.subnet-id", "Values": [outputs["PublicSubnetIds"].split(",")[0]]}]
        )["NetworkAcls"]
    )
    entry: dict[str, Any] = {"NetworkAclId": acl, "RuleAction": "allow", "Protocol": "6", "Ipv6CidrBlock": "::/0"}
    ec2.authorize_security_group_ingress(GroupId=outputs["EdgeSecurityGroupId"], IpPermissions=[rule])
    ec2.create_network_acl_entry(**entry, RuleNumber=1, Egress=False, PortRange={"From": 443, "To": 443})
    ec2.create_network_acl_entry(**entry, RuleNumber=1, Egress=True, PortRange={"From": 1024, "To": 65535})

    network = network_view.with_everybody(context, network_view.read(context))
    found = [str(it) for it in proof.exposed(network, ())]
    for egress in (False, True):
        ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Egress=egress)
    ec2.revoke_security_group_ingress(GroupId=outputs["EdgeSecurityGroupId"], IpPermissions=[rule])

    assert ["edge (planned): the Internet reaches it, which no intention allows: tcp 443"] == found


def test_a_vpn_and_endpoints_come_beside_what_is_there(opened: Open) -> None:
    before, _ = go(opened, "  zones: 3\n")
    kept = subnets(before)

    context, planned = go(
        opened, "  zones: 3\n  endpoints: [ssm]\n  vpn: {customer_address: 198.51.100.7}\n  flow_logs: {}\n"
    )

    assert ([], "", kept) == (replaced(planned), told(planned), subnets(context))
    assert {"network", "acls", "endpoints", "vpn", "traffic-logs"} == set(context.stacks)
    context, planned = go(opened, "")
    assert "connections over the VPN" in told(planned)


def test_going_back_to_two_zones_takes_the_third_alone(opened: Open) -> None:
    three, _ = go(opened, "  zones: 3\n")
    before = subnets(three)

    two, planned = go(opened, "")

    assert subnets(two).items() <= before.items()
    assert 6 == len(subnets(two))
    assert "subnets of a zone go" in told(planned)
