"""Security groups with their rules, and network ACLs with their entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at, is_true
from bootstrap.local.aws.cloudformation.errors import Gone

Rule = dict[str, Any]


def make_permission(rule: Rule, side: str) -> Rule:
    """Return a template's rule as EC2's IpPermission; `side` is 'Source' (of an ingress rule) or 'Destination'."""
    entry: Rule = {"IpProtocol": str(rule.get("IpProtocol", "-1"))}
    for name in ("FromPort", "ToPort"):
        if name in rule:
            entry[name] = int(rule[name])
    description = {"Description": rule["Description"]} if "Description" in rule else {}
    if "CidrIp" in rule:
        entry["IpRanges"] = [{"CidrIp": rule["CidrIp"], **description}]
    if "CidrIpv6" in rule:
        entry["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **description}]
    prefix = rule.get(f"{side}PrefixListId")
    if prefix:
        entry["PrefixListIds"] = [{"PrefixListId": prefix, **description}]
    group = rule.get(f"{side}SecurityGroupId")
    if group:
        entry["UserIdGroupPairs"] = [{"GroupId": group, **description}]
    elif rule.get("SourceSecurityGroupName"):
        entry["UserIdGroupPairs"] = [{"GroupName": rule["SourceSecurityGroupName"], **description}]
    return entry


class SecurityGroup(Ec2):
    """AWS::EC2::SecurityGroup; Ref is its id."""

    type = "AWS::EC2::SecurityGroup"

    def create(self, to: To) -> str:
        """Create the group with its rules. Egress rules of the template replace those that EC2 creates, which allow all."""
        name = to.get("GroupName") or to.generate_name()
        answer = to.call(
            "ec2", "create_security_group", GroupName=name, Description=to.get("GroupDescription"), **to.pick("VpcId")
        )
        to.physical_id = str(answer["GroupId"])
        self._set_rules(to, "ingress", [], to.get("SecurityGroupIngress") or [])
        if to.get("SecurityGroupEgress"):
            self._set_rules(to, "egress", list(self._list_default_rules(to)), to.get("SecurityGroupEgress"))
        return to.physical_id

    def update(self, to: To) -> None:
        """Remove the rules that the template no longer has, then add the new ones."""
        self._set_rules(to, "ingress", to.old.get("SecurityGroupIngress") or [], to.get("SecurityGroupIngress") or [])
        allow_all = [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
        before, after = to.old.get("SecurityGroupEgress") or allow_all, to.get("SecurityGroupEgress") or allow_all
        self._set_rules(to, "egress", before, after)

    def delete(self, to: To) -> None:
        """Delete the group. EC2 refuses that while it is used."""
        to.call("ec2", "delete_security_group", GroupId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return id and VPC."""
        group = to.call("ec2", "describe_security_groups", GroupIds=[to.physical_id])["SecurityGroups"][0]
        return {"GroupId": to.physical_id, "Id": to.physical_id, "VpcId": group.get("VpcId")}

    def _list_default_rules(self, to: To) -> Iterator[Rule]:
        """The egress rules that EC2 created with the group: one for IPv4, and one for IPv6 if the VPC has a block."""
        group = to.call("ec2", "describe_security_groups", GroupIds=[to.physical_id])["SecurityGroups"][0]
        for egress_rule in group["IpPermissionsEgress"]:
            yield from ({"IpProtocol": "-1", "CidrIp": one["CidrIp"]} for one in egress_rule.get("IpRanges", ()))
            yield from ({"IpProtocol": "-1", "CidrIpv6": one["CidrIpv6"]} for one in egress_rule.get("Ipv6Ranges", ()))

    def _set_rules(self, to: To, direction: str, before: list[Rule], after: list[Rule]) -> None:
        side = "Source" if direction == "ingress" else "Destination"
        for verb, rules in (
            ("revoke", [rule for rule in before if rule not in after]),
            ("authorize", [rule for rule in after if rule not in before]),
        ):
            if rules:
                permissions = [make_permission(rule, side) for rule in rules]
                to.call("ec2", f"{verb}_security_group_{direction}", GroupId=to.physical_id, IpPermissions=permissions)


class GroupRule(Adapter):
    """AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress; Ref is the rule's id."""

    def __init__(self, kind: str, direction: str, side: str) -> None:
        self.type = kind
        self._direction = direction
        self._side = side

    def create(self, to: To) -> str:
        """Add the rule to a group that exists; return the rule's id."""
        entry = make_permission(to.properties, self._side)
        answer = to.call(
            "ec2", f"authorize_security_group_{self._direction}", GroupId=to.get("GroupId"), IpPermissions=[entry]
        )
        return str(find_at(answer, "SecurityGroupRules.0.SecurityGroupRuleId") or to.make_token())

    def update(self, to: To) -> None:
        """Set the description: nothing else changes in place."""
        entry = make_permission(to.properties, self._side)
        method = f"update_security_group_rule_descriptions_{self._direction}"
        to.call("ec2", method, GroupId=to.get("GroupId"), IpPermissions=[entry])

    def delete(self, to: To) -> None:
        """Remove the rule from the group."""
        entry = make_permission(to.properties, self._side)
        to.call("ec2", f"revoke_security_group_{self._direction}", GroupId=to.get("GroupId"), IpPermissions=[entry])

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}


class NetworkAcl(Ec2):
    """AWS::EC2::NetworkAcl; Ref is its id."""

    type = "AWS::EC2::NetworkAcl"

    def create(self, to: To) -> str:
        """Create the ACL. Without entries it denies all traffic."""
        return str(to.call("ec2", "create_network_acl", **to.pick("VpcId"))["NetworkAcl"]["NetworkAclId"])

    def delete(self, to: To) -> None:
        """Delete the ACL. EC2 refuses that while a subnet uses it."""
        to.call("ec2", "delete_network_acl", NetworkAclId=to.physical_id)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}


class AclEntry(Adapter):
    """AWS::EC2::NetworkAclEntry; Ref is the ACL, the number and whether it is an egress entry."""

    type = "AWS::EC2::NetworkAclEntry"

    def create(self, to: To) -> str:
        """Create the entry."""
        to.call("ec2", "create_network_acl_entry", **self._make_parameters(to))
        return f"{to.get('NetworkAclId')}|{to.get('RuleNumber')}|{str(is_true(to.get('Egress'))).lower()}"

    def update(self, to: To) -> None:
        """Replace the entry with this number."""
        to.call("ec2", "replace_network_acl_entry", **self._make_parameters(to))

    def delete(self, to: To) -> None:
        """Delete the entry by its number and direction."""
        parameters = to.pick("NetworkAclId", "RuleNumber")
        to.call("ec2", "delete_network_acl_entry", Egress=is_true(to.get("Egress")), **parameters)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"Id": to.physical_id}

    def _make_parameters(self, to: To) -> dict[str, Any]:
        parameters = to.pick("NetworkAclId", "RuleNumber", "RuleAction", "CidrBlock", "Ipv6CidrBlock", "PortRange")
        parameters["Protocol"] = str(to.get("Protocol"))
        parameters["Egress"] = is_true(to.get("Egress"))
        icmp = to.get("Icmp")
        return parameters | ({"IcmpTypeCode": icmp} if icmp else {})


class AclAssociation(Adapter):
    """AWS::EC2::SubnetNetworkAclAssociation; Ref is the association's id."""

    type = "AWS::EC2::SubnetNetworkAclAssociation"
    displaces = True

    def create(self, to: To) -> str:
        """Replace the subnet's ACL: a subnet always has one. Return the id of the new association."""
        answer = to.call(
            "ec2",
            "replace_network_acl_association",
            AssociationId=self._find_current(to, str(to.get("SubnetId"))),
            NetworkAclId=to.get("NetworkAclId"),
        )
        return str(answer["NewAssociationId"])

    def delete(self, to: To) -> None:
        """Give the subnet the VPC's default ACL again, unless it has another association by now."""
        current = self._find_current(to, str(to.get("SubnetId")))
        if current != to.physical_id:
            raise Gone(f"The association {to.physical_id} was replaced by {current}")
        subnets = to.call("ec2", "describe_subnets", SubnetIds=[to.get("SubnetId")])["Subnets"]
        filters = [{"Name": "vpc-id", "Values": [subnets[0]["VpcId"]]}, {"Name": "default", "Values": ["true"]}]
        default = find_at(to.call("ec2", "describe_network_acls", Filters=filters), "NetworkAcls.0.NetworkAclId")
        to.call("ec2", "replace_network_acl_association", AssociationId=current, NetworkAclId=default)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id."""
        return {"AssociationId": to.physical_id}

    def _find_current(self, to: To, subnet: str) -> str:
        filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
        acls = to.call("ec2", "describe_network_acls", Filters=filters)["NetworkAcls"]
        for acl in acls:
            for association in acl["Associations"]:
                if association["SubnetId"] == subnet:
                    return str(association["NetworkAclAssociationId"])
        raise Gone(f"The subnet {subnet} has no network ACL")


ADAPTERS = (
    SecurityGroup(),
    GroupRule("AWS::EC2::SecurityGroupIngress", "ingress", "Source"),
    GroupRule("AWS::EC2::SecurityGroupEgress", "egress", "Destination"),
    NetworkAcl(),
    AclEntry(),
    AclAssociation(),
)
