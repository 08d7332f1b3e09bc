"""The optional stacks of the network against the local cloud, composed as the launch composes them.

What they make is read back through the API of the service that has it.
"""

import ipaddress
import time
from pathlib import Path

import pytest
from optional_network import IMAGE, Client, Network, make_network

from bootstrap.network import planned_interfaces, snapshot
from bootstrap.network.intentions import parse
from bootstrap.network.proof import judge
from bootstrap.values import Stack


@pytest.fixture(scope="module")
def network(client: Client, folder: Path) -> Network:
    return make_network(client, folder, "options")


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
