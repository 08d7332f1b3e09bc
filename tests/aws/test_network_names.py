"""Public hosted zones, zones by name and peers' ways, against the local cloud: made, refused, changed and taken away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap import launch
from bootstrap.acts import stack
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.errors import SettingsInvalid, ZoneInUse
from bootstrap.planning import look
from bootstrap.preconditions import account, host_inputs, hosted_zones, network_removal, stack_inputs
from bootstrap.runs.journal import Run, start
from bootstrap.values import ChangeKind, Stack
from bootstrap.views import network_diagram, network_reading
from tests.aws.conftest import Cloud

WHOLE = "environment: {}\nproject: named\ncloud: local\nregion: {}\nowner: somebody\ncost_center: none\nnetwork:\n  cidr: {}\n"
Open = Callable[..., tuple[Context, Run]]


@pytest.fixture
def opened(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """A context over the local cloud's APIs: environment, block, the options below 'network', and the region."""
    monkeypatch.setattr(host_inputs, "take_snapshot", lambda _: SimpleNamespace(label="commit"))
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)

    def run(name: str, cidr: str, options: str = "", region: str = "eu-central-1") -> tuple[Context, Run]:
        path = tmp_path / f"{name}.yaml"
        path.write_text(WHOLE.format(name, region, cidr) + options)
        return Context(path, settings.load(path), cloud.endpoint), start(
            tmp_path / "runs", as_json=False, is_verbose=False
        )

    return run


def apply(context: Context, run: Run) -> None:
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))


def refusal(context: Context, run: Run) -> str:
    """What is refused, which is the same of a plan and of an application; nothing is made by either."""
    before = dict(context.stacks)
    told = []
    for act in (look.plan_stacks, launch.launch_stacks):
        with pytest.raises(SettingsInvalid) as caught:
            act(context, run, stack_inputs.list_network_stacks(context))
        told.append(caught.value.found)
    context.forget()
    assert before == context.stacks
    assert told[0] == told[1]
    assert [str(it) for it in account.find_faults(context, context.wanted)] == told[0].splitlines()
    return told[0]


@pytest.fixture
def parent(client: Callable[[str], Any]) -> Iterator[str]:
    """A public hosted zone example.net that somebody else has."""
    made = client("route53").create_hosted_zone(Name="example.net", CallerReference="parent")["HostedZone"]["Id"]
    yield made.rpartition("/")[2]
    client("route53").delete_hosted_zone(Id=made)


def named(context: Context, address: str, run: Run) -> None:
    """The stack of the names, with a controller at an address."""
    made = {**context.stacks, "controller": Stack("controller", "CREATE_COMPLETE", {"PrivateIp": address})}
    wished = stack_inputs.make_template(context, "names", made, context.make_tags("commit", run.run_id))
    stack.apply(context.world.aws("cloudformation"), wished, run)
    context.forget()


def test_a_zone_is_delegated_answers_with_the_private_address_and_goes_with_its_delegation(
    opened: Open, parent: str
) -> None:
    options = "  public_zone: {domain: ci.example.net, parent: example.net, authorities: [ca.example.org]}\n"
    context, run = opened("below", "10.71.0.0/16", options)
    route53 = context.world.aws("route53")
    apply(context, run)
    named(context, "10.71.3.9", run)
    named(context, "10.71.3.10", run)
    outputs = context.outputs("public-zone")
    own = {(it.name, it.type): it for it in hosted_zones.list_records(route53, outputs["PublicZoneId"])}
    above = {(it.name, it.type): it for it in hosted_zones.list_records(route53, parent)}

    assert ("10.71.3.10",) == own["named.ci.example.net", "A"].values
    assert ('0 issue "ca.example.org"',) == own["ci.example.net", "CAA"].values
    assert hosted_zones.list_name_servers(above["ci.example.net", "NS"]) == hosted_zones.list_name_servers(
        own["ci.example.net", "NS"]
    )
    assert set(outputs["NameServers"].split(",")) == hosted_zones.list_name_servers(own["ci.example.net", "NS"])
    assert hosted_zones.list_name_servers(above["example.net", "NS"]).isdisjoint(outputs["NameServers"].split(","))
    assert [] == [*look.plan_stacks(context, run, ("public-zone",))]
    assert "https://named.ci.example.net/" == context.url
    drawn = network_diagram.draw_svg(context, network_reading.read(context))
    assert "public hosted zone ci.example.net" in drawn
    assert "named.ci.example.net = 10.71.3.10" in drawn
    network_removal.destroy(context, run)
    assert {("example.net", "NS"), ("example.net", "SOA")} == {
        (it.name, it.type) for it in hosted_zones.list_records(route53, parent)
    }


def test_a_transit_gateway_that_is_not_there_is_refused_at_its_place_and_one_that_is_joins(opened: Open) -> None:
    context, run = opened(
        "joined", "10.70.0.0/16", "  transit_gateway: {id: tgw-0123456789abcdef0, routes: [10.9.0.0/16]}\n"
    )
    told = refusal(context, run)
    there = context.world.aws("ec2").create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    context, run = opened("joined", "10.70.0.0/16", f"  transit_gateway: {{id: {there}, routes: [10.9.0.0/16]}}\n")
    apply(context, run)
    network = network_reading.read(context)

    assert "joined.yaml:9:25: network.transit_gateway.id: tgw-0123456789abcdef0 is absent" in told
    assert [there] == list(network.transit_gateways)
    assert ">transit<" in network_diagram.draw_svg(context, network)
    assert (
        "transit gateway to beyond (other networks, not read), for 10.9.0.0/16 from private"
        in network_diagram.draw_svg(context, network)
    )
    network_removal.destroy(context, run)
    context.world.aws("ec2").delete_transit_gateway(TransitGatewayId=there)


def test_without_the_parent_zone_the_servers_to_enter_are_told_once(
    opened: Open, capsys: pytest.CaptureFixture[str]
) -> None:
    context, run = opened("alone", "10.72.0.0/16", "  public_zone: {domain: alone.example.org}\n")
    apply(context, run)
    first = capsys.readouterr().out
    apply(context, run)

    servers = context.outputs("public-zone")["NameServers"].replace(",", ", ")
    assert f"enter in the parent zone of alone.example.org, as its NS record: {servers}" in first
    assert "enter in the parent zone" not in capsys.readouterr().out
    network_removal.destroy(context, run)


def test_records_of_others_keep_a_zone_and_all_that_is_made(opened: Open) -> None:
    context, run = opened("kept", "10.73.0.0/16", "  public_zone: {domain: kept.example.org}\n")
    apply(context, run)
    route53, zone = context.world.aws("route53"), context.outputs("public-zone")["PublicZoneId"]
    record = {
        "Name": "www.kept.example.org",
        "Type": "NS",
        "TTL": 60,
        "ResourceRecords": [{"Value": "ns.example.net."}],
    }

    def change(action: str) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)

    change("CREATE")
    before = set(context.stacks)
    for act in (launch.destroy, network_removal.destroy):
        with pytest.raises(ZoneInUse, match=r"www\.kept\.example\.org NS ns\.example\.net"):
            act(context, run)
    for options in ("", "  public_zone: {domain: other.example.org}\n"):
        without, other = opened("kept", "10.73.0.0/16", options)
        with pytest.raises(ZoneInUse, match=r"www\.kept\.example\.org"):
            apply(without, other)
    context.forget()
    assert before == set(context.stacks)
    with pytest.raises(route53.exceptions.HostedZoneNotEmpty, match="contains non-required resource record sets"):
        route53.delete_hosted_zone(Id=zone)

    change("DELETE")
    network_removal.destroy(context, run)
    assert {} == context.stacks


def test_queries_are_logged_in_the_one_region_that_can(opened: Open) -> None:
    options = "  public_zone: {domain: asked.example.org, queries: {retention_days: 7}}\n"
    with pytest.raises(SettingsInvalid, match="query logs of a public hosted zone to us-east-1"):
        opened("asked", "10.74.0.0/16", options)
    context, run = opened("asked", "10.74.0.0/16", options, "us-east-1")
    apply(context, run)

    outputs = context.outputs("public-zone")
    logged = context.world.aws("route53").list_query_logging_configs()["QueryLoggingConfigs"]
    (found,) = [it for it in logged if it["HostedZoneId"].endswith(outputs["PublicZoneId"])]
    assert outputs["ZoneLogGroupName"] in found["CloudWatchLogsLogGroupArn"]
    network_removal.destroy(context, run)


@pytest.mark.parametrize(
    ("parent_zone", "domain", "words"),
    [
        ("nobody.example", "ci.nobody.example", "has no public hosted zone 'nobody.example'"),
        ("Z00000000000000000000", "ci.example.net", "has no public hosted zone 'Z00000000000000000000'"),
        ("{parent}", "ci.example.org", "'ci.example.org' does not lie below it"),
        (
            "{parent}",
            "taken.example.net",
            "delegates 'taken.example.net' to ns.example.com., and no stack of this environment did that",
        ),
    ],
)
def test_a_parent_zone_that_is_not_fit_is_refused(
    opened: Open, client: Callable[[str], Any], parent: str, parent_zone: str, domain: str, words: str
) -> None:
    record = {"Name": "taken.example.net", "Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.example.com."}]}

    def change(action: str) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        client("route53").change_resource_record_sets(HostedZoneId=parent, ChangeBatch=batch)

    change("CREATE")
    text = f"  public_zone:\n    domain: {domain}\n    parent: {parent_zone.format(parent=parent)}\n"
    told = refusal(*opened("unfit", "10.75.0.0/16", text))
    change("DELETE")

    assert words in told
    assert "unfit.yaml:11:13: network.public_zone.parent: " in told


def test_zones_by_name_are_where_the_subnets_stand(opened: Open) -> None:
    context, run = opened("placed", "10.76.0.0/16", "  zones: [eu-central-1c, eu-central-1a]\n")
    apply(context, run)

    assert ["eu-central-1c", "eu-central-1a"] == stands(context)
    for options, words in (
        ("  zones: [eu-central-1a, eu-central-1c]\n", "placed.yaml:9:11: network.zones.0: 'eu-central-1a': subnet 1"),
        ("  zones: [eu-central-1c, eu-central-1b]\n", "placed.yaml:9:26: network.zones.1: 'eu-central-1b': subnet 2"),
        ("  zones: 3\n", "placed.yaml:9:10: network.zones: the subnets are in eu-central-1c, eu-central-1a"),
    ):
        assert words in refusal(*opened("placed", "10.76.0.0/16", options))
    wider, run = opened("placed", "10.76.0.0/16", "  zones: [eu-central-1c, eu-central-1a, eu-central-1b]\n")
    kinds = {it.kind for it in look.plan_stacks(wider, run, ("network",))}
    apply(wider, run)
    assert ChangeKind.REPLACE not in kinds
    assert ["eu-central-1c", "eu-central-1a", "eu-central-1b"] == stands(wider)
    back, run = opened("placed", "10.76.0.0/16", "  zones: 2\n")
    apply(back, run)
    assert ["eu-central-1c", "eu-central-1a"] == stands(back)
    network_removal.destroy(back, run)


def stands(context: Context) -> list[str]:
    """The private subnets' zones in their order, as EC2 tells; each tier's are the same."""
    ec2, outputs = context.world.aws("ec2"), context.outputs("network")
    found = []
    for tier in ("PublicSubnetIds", "PrivateSubnetIds", "DataSubnetIds"):
        ids = outputs[tier].split(",")
        told = {it["SubnetId"]: it["AvailabilityZone"] for it in ec2.describe_subnets(SubnetIds=ids)["Subnets"]}
        found.append([told[it] for it in ids])
    assert found[0] == found[1] == found[2]
    return found[0]


def test_a_zone_that_the_account_does_not_have_is_refused(opened: Open) -> None:
    told = refusal(*opened("missing", "10.79.0.0/16", "  zones: [eu-central-1a, eu-central-1x]\n"))
    many = refusal(*opened("missing", "10.79.0.0/16", "  zones: 3\n", "us-west-1"))

    assert "missing.yaml:9:26: network.zones.1: 'eu-central-1x' is not an available zone; the account has 3" in told
    assert "missing.yaml:9:10: network.zones: 3 zones are needed; the account has 2 in us-west-1" in many


def test_a_way_of_the_peers_own_that_would_take_the_replies_is_refused(opened: Open) -> None:
    other, run = opened("led", "10.69.0.0/16")
    apply(other, run)
    ec2, outputs = other.world.aws("ec2"), other.outputs("network")
    table = outputs["PrivateRouteTableIds"].split(",")[0]
    gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    ec2.attach_vpn_gateway(VpcId=outputs["VpcId"], VpnGatewayId=gateway)
    for block in ("10.0.0.0/8", "10.70.128.0/17"):
        ec2.create_route(RouteTableId=table, DestinationCidrBlock=block, GatewayId=gateway)
    text = "  peering:\n    environment: led\n"

    told = refusal(*opened("asking", "10.70.0.0/16", text))

    assert told.endswith(
        f"asking.yaml:10:18: network.peering.environment: in the network of 'led', 10.70.128.0/17 leads to {gateway}, "
        "which would receive the replies to 10.70.0.0/16"
    )
    assert 1 == len(told.splitlines())
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="10.70.128.0/17")
    context, run = opened("asking", "10.70.0.0/16", text)
    apply(context, run)
    apply(context, run)
    assert "peering" in context.stacks
    network_removal.destroy(context, run)
    ec2.delete_route(RouteTableId=table, DestinationCidrBlock="10.0.0.0/8")
    ec2.detach_vpn_gateway(VpcId=outputs["VpcId"], VpnGatewayId=gateway)
    network_removal.destroy(other, run)
