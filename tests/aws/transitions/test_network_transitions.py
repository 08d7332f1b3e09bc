"""What may happen to a network that lives: each change is planned, made, and no subnet gets another id or block by it.

By default the options that come and go are tried in few rounds. TRANSITIONS=all tries each one alone, too:

    TRANSITIONS=all .venv/bin/python -m pytest -q tests/aws/transitions
"""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from living_network import IS_ALL, Open, everything, go, replaced, subnets, told

from bootstrap import launch
from bootstrap.environment import models
from bootstrap.errors import NetworkInUse
from bootstrap.network import proof
from bootstrap.network.path_explanation import Traffic, explain
from bootstrap.planning import look
from bootstrap.preconditions import stack_inputs
from bootstrap.views import network_reading


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
        ("  zones: 3\n", "private subnets 1, 2, 3: no access to the Internet from then on"),
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
    network = network_reading.add_planned_interfaces(context, network_reading.read(context))

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
    assert "open" == explain(network, "controller", "2001:db8::1/128", Traffic(443)).verdict
    assert "egress-only gateway" == explain(network, "2001:db8::1/128", "controller", Traffic(443)).hops[-1].kind
    assert "closed" == explain(network, "data", "2001:db8::1/128", Traffic(443)).verdict
    intentions = models.Network().intentions
    assert () == proof.prove(network, intentions.list_allowed(operators=()), intentions.list_denied())

    context, planned = go(opened, "  zones: 3\n")
    network = network_reading.read(context)
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

    network = network_reading.add_planned_interfaces(context, network_reading.read(context))
    found = [str(it) for it in proof.find_exposed(network, ())]
    for egress in (False, True):
        ec2.delete_network_acl_entry(NetworkAclId=acl, RuleNumber=1, Egress=egress)
    ec2.revoke_security_group_ingress(GroupId=outputs["EdgeSecurityGroupId"], IpPermissions=[rule])

    assert ["edge (planned): reachable from the Internet, which no intention allows: tcp 443"] == found


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
    assert "subnets of a zone are deleted" in told(planned)


NATS = {it: f"  zones: 3\n  nat: {it}\n" for it in ("none", "one", "per-zone")}
# All: every ordered pair of ways out. The short walk has the two pairs that no other test of this module has.
WALK = ("none", "one", "per-zone", "none", "per-zone", "one", "none") if IS_ALL else ("none", "per-zone", "one", "none")


def test_what_is_there_depends_on_the_settings_and_not_on_what_was_there_before(opened: Open) -> None:
    known: dict[str, dict[str, Any]] = {}
    for nat in WALK:
        context, _ = go(opened, NATS[nat])
        found = everything(context)

        assert known.setdefault(nat, found) == found


ROUND_TRIPS = {
    "a zone": "  zones: 3\n",
    "IPv6": "  ipv6: true\n",
    "endpoints": "  endpoints: [ssm, logs]\n",
    "flow logs": "  flow_logs: {retention_days: 7, queries: true}\n",
    "a VPN by BGP": "  vpn: {customer_address: 198.51.100.7}\n",
    "a VPN with routes": "  vpn: {customer_address: 198.51.100.7, routes: [10.9.0.0/16]}\n",
    "a transit gateway": "  transit_gateway: {routes: [10.8.0.0/16]}\n",
    "a private hosted zone": "  private_zone: ci.internal\n",
    "everything": (
        "  zones: 3\n  nat: per-zone\n  ipv6: true\n  endpoints: [ssm]\n  private_zone: ci.internal\n"
        "  flow_logs: {retention_days: 7, queries: true}\n"
        "  vpn: {customer_address: 198.51.100.7, routes: [10.9.0.0/16]}\n  transit_gateway: {routes: [10.8.0.0/16]}\n"
    ),
}
# "everything" has all of them but what excludes another option.
FEW = ("a VPN by BGP", "everything")


@pytest.mark.parametrize("option", ROUND_TRIPS if IS_ALL else FEW)
def test_what_came_goes_again_and_leaves_nothing(opened: Open, option: str) -> None:
    before = everything(go(opened, "")[0])

    come = everything(go(opened, ROUND_TRIPS[option])[0])
    after = everything(go(opened, "")[0])

    assert before != come
    assert before == after
    assert before["subnets"].items() <= come["subnets"].items()


def test_a_zone_that_goes_is_let_go_of_before_the_network_takes_it(opened: Open) -> None:
    go(opened, "  zones: 3\n  endpoints: [ssm]\n")
    context, run = opened("  endpoints: [ssm]\n")

    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))

    order = [it.name.split("/")[0] for it in run.changes]
    assert ["changing-living-acls", "changing-living-endpoints", "changing-living-network"] == list(
        dict.fromkeys(order)
    )
    context.forget()
    events = context.world.aws("cloudformation").describe_stack_events(StackName="changing-living-network")
    assert [] == [it for it in events["StackEvents"] if it["ResourceStatus"].endswith("_FAILED")]
    asked = [{"Name": "vpc-id", "Values": [context.outputs("network")["VpcId"]]}]
    interfaces = context.world.aws("ec2").describe_network_interfaces(Filters=asked)["NetworkInterfaces"]
    assert {it["SubnetId"] for it in interfaces} <= set(subnets(context))
    go(opened, "")


def test_what_stands_in_a_zone_that_goes_is_named_and_nothing_is_touched(
    opened: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    three, _ = go(opened, "  zones: 3\n  endpoints: [ssm]\n")
    before, ec2 = everything(three), three.world.aws("ec2")
    subnet = three.outputs("network")["DataSubnetIds"].split(",")[2]
    loose = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    context, run = opened("")

    look.plan_stacks(context, run, stack_inputs.list_network_stacks(context))
    told = capsys.readouterr().out
    with pytest.raises(NetworkInUse, match=f"the interface {loose} in changing-living-data-3"):
        launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    ec2.delete_network_interface(NetworkInterfaceId=loose)
    context.forget()

    assert f"will be refused: in use by the interface {loose}" in told
    assert before == everything(context)
    go(opened, "")
