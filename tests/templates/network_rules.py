"""House rules of what comes in and goes out: security groups, ACLs, routes, public addresses, endpoints."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.templates.template_reading import Template, resources, several, walk


def no_way_in_from_everywhere(template: Template) -> Iterator[str]:
    """No ingress from the world: neither written down, nor by a parameter that would take it."""
    for logical, resource in resources(template, "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress"):
        properties = resource["Properties"]
        ingress = properties.get("SecurityGroupIngress", []) if resource["Type"].endswith("Group") else properties
        for key, value in walk(ingress):
            if key not in {"CidrIp", "CidrIpv6"} or not isinstance(value, str | dict):
                continue
            if value in ("0.0.0.0/0", "::/0"):
                yield f"{logical} lets everybody in"
            if isinstance(value, dict) and "Ref" in value:
                pattern = template["Parameters"][value["Ref"]].get("AllowedPattern", ".*")
                if re.fullmatch(pattern, "0.0.0.0/0"):
                    yield f"{logical} lets in whom {value['Ref']} names, which may be everybody"


def ways_in(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every rule by which something comes in: those within a group, and those that stand alone."""
    for logical, resource in resources(template, "AWS::EC2::SecurityGroup"):
        for _, rule in walk(resource["Properties"].get("SecurityGroupIngress", [])):
            if isinstance(rule, dict) and "IpProtocol" in rule:
                yield logical, rule
    for logical, resource in resources(template, "AWS::EC2::SecurityGroupIngress"):
        yield logical, resource["Properties"]


def only_ssh_and_https_come_in(template: Template) -> Iterator[str]:
    """From outside; what holds data takes its own ports too, from a group that is named."""
    for logical, rule in ways_in(template):
        ports = (rule["IpProtocol"], rule.get("FromPort"), rule.get("ToPort"))
        to_data = rule.get("GroupId") == {"Ref": "DataSecurityGroup"} and "SourceSecurityGroupId" in rule
        if ports not in {("tcp", 22, 22), ("tcp", 443, 443)} | (
            {("tcp", 2049, 2049), ("tcp", 5432, 5432)} if to_data else set()
        ):
            yield f"{logical} opens {ports}"


def roles_name_each_other(template: Template) -> Iterator[str]:
    """An address stands in a rule for the way in only where it is that of people; machines are named by their group."""
    for logical, rule in ways_in(template):
        people = {*(f"OperatorCidr{place}" for place in ("", 2, 3, 4)), *(f"Allowed{place}" for place in range(1, 5))}
        if "CidrIp" in rule and not (isinstance(rule["CidrIp"], dict) and rule["CidrIp"].get("Ref") in people):
            yield f"{logical} lets in {rule['CidrIp']}, which is no group"


def every_group_names_its_ways_out(template: Template) -> Iterator[str]:
    """A group without a rule for the way out gets EC2's, to everywhere; and no rule may say the same."""
    for logical, resource in resources(template, "AWS::EC2::SecurityGroup"):
        rules = resource["Properties"].get("SecurityGroupEgress")
        if not rules:
            yield f"{logical} lets everything out, as EC2 does where nothing is said"
        for written in rules or []:
            rule = written["Fn::If"][1] if "Fn::If" in written else written
            if rule["IpProtocol"] == "-1" and rule.get("CidrIp") != "127.0.0.1/32":
                yield f"{logical} lets everything out"


# A router's word that a packet is too large: of ICMP (RFC 792, RFC 1191) and of ICMPv6 (RFC 4443).
_TOO_LARGE = {1: {"Type": 3, "Code": 4}, 58: {"Type": 2, "Code": 0}}


def acls_open_no_more_than_replies(template: Template) -> Iterator[str]:
    """From everywhere come only replies, to the ports that callers choose, and a router's word about sizes."""
    for logical, resource in resources(template, "AWS::EC2::NetworkAclEntry"):
        entry = resource["Properties"]
        if entry["Protocol"] not in {1, 6, 17, 58}:
            yield f"{logical} does not say which protocol"
        elif entry.get("Icmp") != _TOO_LARGE.get(entry["Protocol"]):
            yield f"{logical} opens more of ICMP than path MTU discovery needs"
        block = entry.get("CidrBlock", entry.get("Ipv6CidrBlock"))
        is_from_everywhere = not entry.get("Egress") and block in ("0.0.0.0/0", "::/0")
        if is_from_everywhere and entry.get("PortRange", {"From": 1024, "To": 65535}) != {"From": 1024, "To": 65535}:
            yield f"{logical} lets everybody in"


def acl_numbers_are_unique(template: Template) -> Iterator[str]:
    seen = set()
    for logical, resource in resources(template, "AWS::EC2::NetworkAclEntry"):
        entry = resource["Properties"]
        place = (json.dumps(entry["NetworkAclId"]), bool(entry.get("Egress")), entry["RuleNumber"])
        if place in seen:
            yield f"{logical} has the number of another entry"
        seen.add(place)


def the_isolated_tier_has_no_way_out(template: Template) -> Iterator[str]:
    tables = [("AWS::EC2::Route", "RouteTableId"), ("AWS::EC2::VPCEndpoint", "RouteTableIds")]
    for kind, key in tables:
        for logical, resource in resources(template, kind):
            if {"Ref": "DataRoutes"} in several(resource["Properties"].get(key, [])):
                yield f"{logical} leads out of the isolated subnets"
    for logical, resource in resources(template, "AWS::EC2::SubnetRouteTableAssociation"):
        is_data = resource["Properties"]["SubnetId"]["Ref"].startswith("Data")
        if is_data != (resource["Properties"]["RouteTableId"] == {"Ref": "DataRoutes"}):
            yield f"{logical} mixes the tiers"


def no_subnet_hands_out_public_addresses(template: Template) -> Iterator[str]:
    for logical, resource in resources(template, "AWS::EC2::Subnet"):
        if resource["Properties"].get("MapPublicIpOnLaunch") is not False:
            yield f"{logical} gives every machine a public address"
    for logical, resource in resources(template, "AWS::EC2::LaunchTemplate"):
        for key, value in walk(resource["Properties"]):
            if key == "AssociatePublicIpAddress" and value is True:
                yield f"{logical} gives its machines public addresses, asked or not"


def endpoints_serve_this_account_alone(template: Template) -> Iterator[str]:
    for logical, resource in resources(template, "AWS::EC2::VPCEndpoint"):
        properties = resource["Properties"]
        bound = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
        listed = properties.get("PolicyDocument", {}).get("Statement", [{}])
        if any(it.get("Condition") != bound and not downloads_of_amazons_agent(it) for it in listed):
            yield f"{logical} lets the principals of other accounts through"
        if properties["VpcEndpointType"] != "Interface":
            continue
        if properties.get("PrivateDnsEnabled") is not True or not properties.get("SecurityGroupIds"):
            yield f"{logical} is not found under the service's name, or has the default group"


def downloads_of_amazons_agent(statement: dict[str, Any]) -> bool:
    """Whether a statement lets through no more than downloads from named buckets of Amazon's, which nobody signs."""
    texts = [it.get("Fn::Sub", "") if isinstance(it, dict) else it for it in several(statement.get("Resource", "*"))]
    bucket = re.compile(r"arn:\$\{AWS::Partition\}:s3:::(amazon|aws)-ssm(-packages)?-\$\{AWS::Region\}/\*")
    return statement.get("Action") == "s3:GetObject" and all(bucket.fullmatch(text) for text in texts)
