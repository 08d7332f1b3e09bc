"""The optional stacks of the network against the local cloud, composed as the launch composes them.

What they make is read back through the API of the service that has it.
"""

import ipaddress
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.environment import settings
from bootstrap.environment.models import Settings
from bootstrap.network import planned_interfaces, snapshot
from bootstrap.network.intentions import parse
from bootstrap.network.proof import judge
from bootstrap.stacks import parameters
from bootstrap.values import Change, ChangeKind, Stack

TEMPLATES = Path(__file__).resolve().parents[2] / "cloudformation"
Client = Callable[[str], Any]


class Told:
    """A reporter that remembers the changes."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None:
        pass

    def notice(self, text: str) -> None:
        pass


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
        chosen, told = self.settings(options), Told()
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
        return stack.destroy(self.client("cloudformation"), f"options-{self.path.stem}-{name}", Told())

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


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="module")
def network(client: Client, folder: Path) -> Iterator[Network]:
    """A network with its ACLs, to which each test adds one option and takes it away again."""
    made = Network(client, folder, "options", "10.81.0.0/16")
    made.apply("network")
    made.apply("acls")
    yield made


def test_a_third_zone_moves_no_subnet_and_its_own_overlap_with_none(client: Client, folder: Path) -> None:
    network = Network(client, folder, "wider", "10.82.0.0/24")
    network.apply("network")
    network.apply("acls")
    two = network.subnets()

    network.apply("network", "zones: 3")
    network.apply("acls", "zones: 3")

    three = network.subnets()
    blocks = [ipaddress.ip_network(it) for it in three.values()]
    assert (6, 9) == (len(two), len(three))
    assert two.items() <= three.items()
    assert [] == [(a, b) for a in blocks for b in blocks if a != b and a.overlaps(b)]
    assert {"acls", "network"} == set(network.made)
    assert () == network.destroy("acls") == network.destroy("network")


def test_every_subnet_has_the_acl_of_its_tier(network: Network) -> None:
    asked = [{"Name": "vpc-id", "Values": [network.output("VpcId")]}, {"Name": "default", "Values": ["false"]}]
    acls = network.client("ec2").describe_network_acls(Filters=asked)["NetworkAcls"]

    held = {it["NetworkAclId"]: {one["SubnetId"] for one in it["Associations"]} for it in acls}

    assert set(network.output("PublicSubnetIds").split(",")) == held.pop(network.output("PublicAclId"))
    assert set(network.output("PrivateSubnetIds").split(",")) == held.pop(network.output("PrivateAclId"))
    assert [set(network.output("DataSubnetIds").split(","))] == list(held.values())


def test_the_isolated_tier_leads_nowhere(network: Network) -> None:
    subnets = network.output("DataSubnetIds").split(",")
    asked = [{"Name": "association.subnet-id", "Values": subnets}]
    tables = network.client("ec2").describe_route_tables(Filters=asked)["RouteTables"]

    assert [["local"]] == [[route["GatewayId"] for route in table["Routes"]] for table in tables]


def test_interface_endpoints_stand_in_every_private_subnet(network: Network) -> None:
    network.apply("endpoints", "endpoints: [ssm, secretsmanager]")
    asked = [{"Name": "vpc-id", "Values": [network.output("VpcId")]}]

    found = network.client("ec2").describe_vpc_endpoints(Filters=asked)["VpcEndpoints"]

    interfaces = [it for it in found if it["VpcEndpointType"] == "Interface"]
    assert {"com.amazonaws.eu-central-1.ssm", "com.amazonaws.eu-central-1.secretsmanager"} == {
        it["ServiceName"] for it in interfaces
    }
    private = set(network.output("PrivateSubnetIds").split(","))
    assert [private, private] == [set(it["SubnetIds"]) for it in interfaces]
    assert () == network.destroy("endpoints")


def test_flow_logs_tell_all_and_are_kept_as_long_as_is_said(network: Network) -> None:
    network.apply("traffic-logs", "flow_logs:\n  retention_days: 90")
    asked = [{"Name": "resource-id", "Values": [network.output("VpcId")]}]

    (log,) = network.client("ec2").describe_flow_logs(Filters=asked)["FlowLogs"]
    group = network.output("FlowLogGroupName")
    (kept,) = network.client("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]

    assert ("ALL", "cloud-watch-logs", 90) == (log["TrafficType"], log["LogDestinationType"], kept["retentionInDays"])
    assert () == network.destroy("traffic-logs")


def test_the_names_that_are_asked_for_are_logged_on_demand(network: Network) -> None:
    network.apply("traffic-logs", "flow_logs: {queries: true}")
    resolver, vpc = network.client("route53resolver"), network.output("VpcId")

    (config,) = resolver.list_resolver_query_log_configs()["ResolverQueryLogConfigs"]
    (joined,) = resolver.list_resolver_query_log_config_associations()["ResolverQueryLogConfigAssociations"]

    group = network.output("QueryLogGroupName")
    assert (True, 1, "CREATED") == (
        f":{group}" in config["DestinationArn"],
        config["AssociationCount"],
        config["Status"],
    )
    assert (config["Id"], vpc, "ACTIVE") == (joined["ResolverQueryLogConfigId"], joined["ResourceId"], joined["Status"])

    network.apply("traffic-logs", "flow_logs: {queries: false}")
    assert [] == resolver.list_resolver_query_log_configs()["ResolverQueryLogConfigs"]
    assert [] == resolver.list_resolver_query_log_config_associations()["ResolverQueryLogConfigAssociations"]
    assert () == network.destroy("traffic-logs")


def test_a_private_zone_answers_with_the_controllers_name_and_follows_its_address(network: Network) -> None:
    network.made["controller"] = Stack("controller", "CREATE_COMPLETE", {"PrivateIp": "10.81.3.9"})
    network.apply("names", "private_zone: ci.internal")
    network.made["controller"] = Stack("controller", "CREATE_COMPLETE", {"PrivateIp": "10.81.3.10"})
    changes = network.apply("names", "private_zone: ci.internal")
    route53, zone = network.client("route53"), network.output("ZoneId")

    records = route53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    found = route53.get_hosted_zone(Id=zone)

    (address,) = [it for it in records if it["Type"] == "A"]
    assert ("options.ci.internal.", [{"Value": "10.81.3.10"}]) == (address["Name"], address["ResourceRecords"])
    assert [network.output("VpcId")] == [it["VPCId"] for it in found["VPCs"]]
    assert ["options-options-names/ControllerRecord"] == [it.name for it in changes]
    assert () == network.destroy("names")


def test_the_zones_name_is_searched_by_the_machines(network: Network) -> None:
    network.apply("network", "private_zone: ci.internal")
    ec2 = network.client("ec2")
    vpc = ec2.describe_vpcs(VpcIds=[network.output("VpcId")])["Vpcs"][0]
    options = ec2.describe_dhcp_options(DhcpOptionsIds=[vpc["DhcpOptionsId"]])["DhcpOptions"][0]

    told = {it["Key"]: [one["Value"] for one in it["Values"]] for it in options["DhcpConfigurations"]}
    network.apply("network")

    assert {"domain-name": ["ci.internal"], "domain-name-servers": ["AmazonProvidedDNS"]} == told


def ssh_into(network: Network) -> list[str]:
    groups = network.client("ec2").describe_security_groups(GroupIds=[network.output("BastionSecurityGroupId")])
    rules = groups["SecurityGroups"][0]["IpPermissions"]
    return sorted(block["CidrIp"] for rule in rules for block in rule["IpRanges"])


def test_a_bastion_for_nobody_is_private_and_closed_and_opens_to_whom_it_is_told(network: Network) -> None:
    network.made["data"] = Stack("data", "CREATE_COMPLETE", {"KeyName": "options"})
    network.client("ec2").create_key_pair(KeyName="options")
    before = network.acl("PublicAclId")
    scaling = network.client("autoscaling")

    def subnets() -> set[str]:
        (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[network.output("BastionGroupName")])[
            "AutoScalingGroups"
        ]
        assert (1, 1, 1) == (group["MinSize"], group["MaxSize"], len(group["Instances"]))
        return set(group["VPCZoneIdentifier"].split(","))

    def card() -> tuple[str, list[str], bool]:
        """Subnet and groups of its machine's interface, and whether it has a public address."""
        group = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[network.output("BastionGroupName")])
        (member,) = group["AutoScalingGroups"][0]["Instances"]
        found = network.client("ec2").describe_instances(InstanceIds=[member["InstanceId"]])["Reservations"][0]
        (only,) = found["Instances"][0]["NetworkInterfaces"]
        return (
            only["SubnetId"],
            [it["GroupId"] for it in only["Groups"]],
            bool(only.get("Association", {}).get("PublicIp")),
        )

    network.apply("bastion", f"bastion:\n  image: {IMAGE}")
    closed, private = (ssh_into(network), network.acl("PublicAclId")), subnets()
    subnet, groups, is_public = card()
    assert (True, [network.output("BastionSecurityGroupId")], False) == (subnet in private, groups, is_public)
    assert [] == network.apply("bastion", f"bastion:\n  image: {IMAGE}\n  allow: []")
    there = snapshot.read(network.client("ec2"), network.output("VpcId"), "options-options-", ["10.9.0.0/16"])
    for end in ("internet", "operators", "controller", "agents"):
        found = judge(
            planned_interfaces.add_planned_interfaces(there, network.made["network"].outputs, ()),
            (),
            (parse(f"{end} -> bastion:*"),),
        )
        assert ["holds"] * 2 == [it.outcome for it in found], found
    network.apply("bastion", f"bastion:\n  image: {IMAGE}\n  allow: [198.51.100.0/24]")
    opened, public = ssh_into(network), subnets()
    entries = set(network.acl("PublicAclId")) - set(before)

    assert ([], before) == closed
    assert set(network.output("PrivateSubnetIds").split(",")) == private
    assert (["198.51.100.0/24"], set(network.output("PublicSubnetIds").split(","))) == (opened, public)
    assert {(False, 200, "198.51.100.0/24", "22"), (True, 200, "198.51.100.0/24", "1024")} == entries
    assert () == network.destroy("bastion")
    assert ([], before) == (ssh_into(network), network.acl("PublicAclId"))


def test_a_bastion_that_died_is_replaced_by_its_group(network: Network) -> None:
    ec2, scaling = network.client("ec2"), network.client("autoscaling")
    network.made["data"] = Stack("data", "CREATE_COMPLETE", {"KeyName": "options"})
    network.apply("bastion", f"bastion:\n  image: {IMAGE}\n  allow: []")

    def member() -> str:
        """The group's one machine that lives, or ''."""
        name = network.output("BastionGroupName")
        (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        ids = [it["InstanceId"] for it in group["Instances"] if it["LifecycleState"] == "InService"]
        told = ec2.describe_instances(InstanceIds=ids)["Reservations"] if ids else []
        states = {it["InstanceId"]: it["State"]["Name"] for each in told for it in each["Instances"]}
        return next((name for name, state in states.items() if state in {"pending", "running"}), "")

    dead = member()
    ec2.terminate_instances(InstanceIds=[dead])
    end = time.monotonic() + 120
    while member() in {"", dead} and time.monotonic() < end:
        time.sleep(0.5)
    (again,) = [
        it for each in ec2.describe_instances(InstanceIds=[member()])["Reservations"] for it in each["Instances"]
    ]

    assert dead and again["InstanceId"] != dead
    assert again["SubnetId"] in network.output("PrivateSubnetIds").split(",")
    (card,) = again["NetworkInterfaces"]
    assert [network.output("BastionSecurityGroupId")] == [it["GroupId"] for it in card["Groups"]]
    assert not card.get("Association")
    assert () == network.destroy("bastion")


# The local cloud knows the images of Debian.
IMAGE = "/aws/service/debian/release/13/latest/amd64"


def test_a_vpn_gateway_is_attached_and_its_connection_speaks_bgp(network: Network) -> None:
    options = "vpn:\n  gateway_asn: 64513\n  customer_address: 198.51.100.7\n  customer_asn: 65010"
    network.apply("vpn", options)
    ec2 = network.client("ec2")

    gateway = ec2.describe_vpn_gateways(VpnGatewayIds=[network.output("VpnGatewayId")])["VpnGateways"][0]
    connection = ec2.describe_vpn_connections(VpnConnectionIds=[network.output("VpnConnectionId")])["VpnConnections"][0]
    customer = ec2.describe_customer_gateways(CustomerGatewayIds=[connection["CustomerGatewayId"]])

    (attached,) = gateway["VpcAttachments"]
    assert (network.output("VpcId"), "attached") == (attached["VpcId"], attached["State"])
    assert ("65010", "198.51.100.7") == tuple(customer["CustomerGateways"][0][key] for key in ("BgpAsn", "IpAddress"))
    assert "<customer_gateway>" in connection["CustomerGatewayConfiguration"]
    assert () == network.destroy("vpn")


def test_static_routes_of_a_vpn_reach_the_private_subnets_alone_and_go_with_it(network: Network) -> None:
    ec2, private = network.client("ec2"), network.output("PrivateRouteTableIds").split(",")

    def propagated() -> dict[str, set[tuple[str, str]]]:
        asked = [{"Name": "vpc-id", "Values": [network.output("VpcId")]}]
        return {
            table["RouteTableId"]: {
                (route["DestinationCidrBlock"], route["GatewayId"])
                for route in table["Routes"]
                if route["Origin"] == "EnableVgwRoutePropagation"
            }
            for table in ec2.describe_route_tables(Filters=asked)["RouteTables"]
        }

    options = "vpn:\n  customer_address: 198.51.100.7\n  routes: [10.9.0.0/16, 10.8.0.0/16]"
    network.apply("vpn", options)
    gateway = network.output("VpnGatewayId")
    found = propagated()
    connection = ec2.describe_vpn_connections(VpnConnectionIds=[network.output("VpnConnectionId")])["VpnConnections"][0]
    tables = ec2.describe_route_tables(RouteTableIds=private)["RouteTables"]

    assert [{("10.9.0.0/16", gateway), ("10.8.0.0/16", gateway)}] * len(private) == [found.pop(one) for one in private]
    assert found and not any(found.values())
    assert [[{"GatewayId": gateway}]] * len(private) == [table["PropagatingVgws"] for table in tables]
    assert connection["Options"]["StaticRoutesOnly"] is True
    assert {"10.9.0.0/16", "10.8.0.0/16"} == {one["DestinationCidrBlock"] for one in connection["Routes"]}
    configuration = connection["CustomerGatewayConfiguration"]
    for tunnel in connection["Options"]["TunnelOptions"]:
        assert tunnel["OutsideIpAddress"] in configuration and tunnel["PreSharedKey"] in configuration
    assert (2, 0) == (configuration.count("<ipsec_tunnel>"), configuration.count("<bgp>"))

    network.apply("vpn", "vpn:\n  customer_address: 198.51.100.7\n  routes: [10.9.0.0/16]")
    assert {("10.9.0.0/16", gateway)} == propagated()[private[0]]
    assert () == network.destroy("vpn")
    assert not any(propagated().values())
    assert [] == ec2.describe_route_tables(RouteTableIds=private)["RouteTables"][0]["PropagatingVgws"]


def test_a_vpc_takes_one_vpn_gateway_at_a_time(network: Network) -> None:
    network.apply("vpn", "vpn: {customer_address: 198.51.100.7}")
    ec2 = network.client("ec2")
    second = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]

    with pytest.raises(ec2.exceptions.ClientError) as caught:
        ec2.attach_vpn_gateway(VpcId=network.output("VpcId"), VpnGatewayId=second)

    assert "InvalidVpcState" == caught.value.response["Error"]["Code"]
    ec2.delete_vpn_gateway(VpnGatewayId=second)
    network.destroy("vpn")


@pytest.mark.parametrize(
    ("before", "after", "asn", "goes"),
    [
        ("gateway_asn: 64513", "gateway_asn: 64514", 64514, {"GatewayAttachment", "Propagation", "Connection"}),
        ("routes: [10.9.0.0/16]", "customer_asn: 65000", 64512, {"ConnectionRoute1"}),
        ("customer_asn: 65000", "routes: [10.9.0.0/16]", 64512, set()),
    ],
    ids=["another number", "static to BGP", "BGP to static"],
)
def test_another_vpn_gateway_comes_after_the_old_one_has_gone_and_another_routing_leaves_it(
    network: Network, before: str, after: str, asn: int, goes: set[str]
) -> None:
    def there() -> tuple[Any, Any]:
        vpc = {"Name": "attachment.vpc-id", "Values": [network.output("VpcId")]}
        living = {"Name": "state", "Values": ["available"]}
        (gateway,) = ec2.describe_vpn_gateways(Filters=[vpc, living])["VpnGateways"]
        found = ec2.describe_vpn_connections(Filters=[{"Name": "state", "Values": ["available"]}])["VpnConnections"]
        (connection,) = [it for it in found if it["VpnGatewayId"] == gateway["VpnGatewayId"]]
        return gateway, connection

    ec2 = network.client("ec2")
    network.apply("vpn", f"vpn:\n  customer_address: 198.51.100.7\n  {before}")
    old, connection = there()

    changes = network.apply("vpn", f"vpn:\n  customer_address: 198.51.100.7\n  {after}")

    gateway, again = there()
    tables = ec2.describe_route_tables(RouteTableIds=network.output("PrivateRouteTableIds").split(","))["RouteTables"]
    assert connection["VpnConnectionId"] != again["VpnConnectionId"]
    assert ("gateway" in before) == (old["VpnGatewayId"] != gateway["VpnGatewayId"])
    assert (network.output("VpnGatewayId"), asn) == (gateway["VpnGatewayId"], int(gateway["AmazonSideAsn"]))
    assert after.startswith("routes") == again["Options"]["StaticRoutesOnly"]
    assert [[{"GatewayId": gateway["VpnGatewayId"]}]] * len(tables) == [it["PropagatingVgws"] for it in tables]
    assert goes == {it.name.partition("/")[2] for it in changes if it.kind is ChangeKind.REMOVE}
    assert [] == network.apply("vpn", f"vpn:\n  customer_address: 198.51.100.7\n  {after}")
    assert () == network.destroy("vpn")


def attached(network: Network) -> list[tuple[str, str, set[str]]]:
    """The VPC's attachments: transit gateway, state, subnets."""
    asked = [{"Name": "vpc-id", "Values": [network.output("VpcId")]}]
    found = network.client("ec2").describe_transit_gateway_vpc_attachments(Filters=asked)
    return [(it["TransitGatewayId"], it["State"], set(it["SubnetIds"])) for it in found["TransitGatewayVpcAttachments"]]


def led(network: Network) -> dict[str, set[tuple[str, str]]]:
    """By route table of the VPC, the blocks that lead to a transit gateway."""
    asked = [{"Name": "vpc-id", "Values": [network.output("VpcId")]}]
    return {
        table["RouteTableId"]: {
            (it["DestinationCidrBlock"], it["TransitGatewayId"]) for it in table["Routes"] if it.get("TransitGatewayId")
        }
        for table in network.client("ec2").describe_route_tables(Filters=asked)["RouteTables"]
    }


GATEWAY = "00000000-0000-0000-0000-000000000001"


def test_a_transit_gateway_joins_the_private_subnets_alone_and_goes_with_its_routes(network: Network) -> None:
    ec2 = network.client("ec2")
    private = set(network.output("PrivateSubnetIds").split(","))
    tables = network.output("PrivateRouteTableIds").split(",")
    options = f"  routes: [10.9.0.0/16, 10.8.0.0/16]\n  direct_connect_gateway: {GATEWAY}"

    network.apply("transit-gateway", f"transit_gateway:\n  asn: 64514\n{options}")

    gateway = network.output("TransitGatewayId")
    (made,) = ec2.describe_transit_gateways(TransitGatewayIds=[gateway])["TransitGateways"]
    ways = led(network)
    assert ("64514", "disable") == tuple(
        str(made["Options"][it]) for it in ("AmazonSideAsn", "AutoAcceptSharedAttachments")
    )
    assert [(gateway, "available", private)] == attached(network)
    assert [{("10.9.0.0/16", gateway), ("10.8.0.0/16", gateway)}] * len(tables) == [ways.pop(it) for it in tables]
    assert ways and not any(ways.values())
    assert [] == network.apply("transit-gateway", f"transit_gateway:\n  asn: 64514\n{options}")

    network.apply("transit-gateway", "transit_gateway:\n  asn: 64514\n  routes: [10.9.0.0/16]")
    assert {("10.9.0.0/16", gateway)} == led(network)[tables[0]]
    assert () == network.destroy("transit-gateway")
    assert ([], False) == (attached(network), any(led(network).values()))
    assert [] == ec2.describe_transit_gateways(Filters=[{"Name": "state", "Values": ["available"]}])["TransitGateways"]


def test_a_transit_gateway_that_is_there_is_joined_and_stays(network: Network) -> None:
    ec2 = network.client("ec2")
    there = ec2.create_transit_gateway(Description="a company's")["TransitGateway"]["TransitGatewayId"]
    tables = network.output("PrivateRouteTableIds").split(",")
    network.apply("transit-gateway", f"transit_gateway:\n  routes: [10.9.0.0/16]\n  direct_connect_gateway: {GATEWAY}")
    own = network.output("TransitGatewayId")

    changes = network.apply(
        "transit-gateway",
        f"transit_gateway:\n  id: {there}\n  routes: [10.9.0.0/16]\n  direct_connect_gateway: {GATEWAY}",
    )

    kinds = [(it.kind, it.name.partition("/")[2]) for it in changes]
    assert kinds.index((ChangeKind.REMOVE, "DirectConnect")) < kinds.index((ChangeKind.ADD, "DirectConnect"))
    assert [there] == [it[0] for it in attached(network)]
    assert [{("10.9.0.0/16", there)}] * len(tables) == [led(network)[it] for it in tables]
    assert own not in {it["TransitGatewayId"] for it in ec2.describe_transit_gateways()["TransitGateways"]}
    assert () == network.destroy("transit-gateway")
    assert there in {it["TransitGatewayId"] for it in ec2.describe_transit_gateways()["TransitGateways"]}
    ec2.delete_transit_gateway(TransitGatewayId=there)


def test_a_third_zone_comes_to_the_attachment_in_place_and_goes(client: Client, folder: Path) -> None:
    network = Network(client, folder, "transit", "10.84.0.0/16")
    network.apply("network")
    option = "transit_gateway: {routes: [10.9.0.0/16]}"
    network.apply("transit-gateway", option)
    before = network.output("TransitGatewayAttachmentId")

    network.apply("network", f"zones: 3\n{option}")
    network.apply("transit-gateway", f"zones: 3\n{option}")

    assert [set(network.output("PrivateSubnetIds").split(","))] == [it[2] for it in attached(network)]
    assert 3 == len([it for it in led(network).values() if it])
    network.apply("transit-gateway", option)
    assert [set(network.output("PrivateSubnetIds").split(",")[:2])] == [it[2] for it in attached(network)]
    assert (before, 2) == (
        network.output("TransitGatewayAttachmentId"),
        len([it for it in led(network).values() if it]),
    )
    network.destroy("transit-gateway")
    network.destroy("network")


def test_peering_brings_the_routes_to_both_and_opens_the_one_that_asked(
    client: Client, folder: Path, network: Network
) -> None:
    peer = Network(client, folder, "peer", "10.83.0.0/16")
    peer.apply("network", "zones: 3")
    ours, theirs = network.output("ControllerSecurityGroupId"), peer.output("ControllerSecurityGroupId")
    entries = set(network.acl("PrivateAclId"))

    def ways(of: Network) -> list[tuple[str, bool]]:
        asked = [{"Name": "vpc-id", "Values": [of.output("VpcId")]}]
        tables = client("ec2").describe_route_tables(Filters=asked)["RouteTables"]
        private = of.output("PrivateRouteTableIds").split(",")
        return sorted(
            (route["DestinationCidrBlock"], table["RouteTableId"] in private)
            for table in tables
            for route in table["Routes"]
            if route.get("VpcPeeringConnectionId")
        )

    def let_in(group: str) -> set[tuple[int, str]]:
        found = client("ec2").describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        return {(rule["FromPort"], pair["GroupId"]) for rule in found for pair in rule["UserIdGroupPairs"]}

    before = let_in(ours), let_in(theirs)
    network.apply(
        "peering", "peering:\n  environment: peer", **parameters.make_peer_parameters(peer.made["network"].outputs)
    )

    assert [("10.83.0.0/16", True)] * 2 == ways(network)
    assert [("10.81.0.0/16", True)] * 3 == ways(peer)
    assert ({(443, theirs)}, set()) == (let_in(ours) - before[0], let_in(theirs) - before[1])
    assert {(False, 300, "10.83.0.0/16", "443"), (True, 300, "10.83.0.0/16", "1024")} == set(
        network.acl("PrivateAclId")
    ) - entries
    assert () == network.destroy("peering")
    assert ([], [], before) == (ways(network), ways(peer), (let_in(ours), let_in(theirs)))


def test_an_endpoints_interfaces_have_addresses_of_their_subnets(network: Network) -> None:
    network.apply("endpoints", "endpoints: [logs]")
    asked = [{"Name": "vpc-id", "Values": [network.output("VpcId")]}]

    found = network.client("ec2").describe_network_interfaces(Filters=asked)["NetworkInterfaces"]

    blocks = network.subnets()
    private = network.output("PrivateSubnetIds").split(",")
    placed = [it for it in found if it["SubnetId"] in private]
    assert 2 <= len(placed)
    assert all(
        ipaddress.ip_address(it["PrivateIpAddress"]) in ipaddress.ip_network(blocks[it["SubnetId"]]) for it in placed
    )
    assert () == network.destroy("endpoints")
