"""What lets traffic through: security groups with their rules, network ACLs with their entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter, Ec2
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import at, is_true
from bootstrap.local.aws.cloudformation.errors import Gone

Rule = dict[str, Any]


def permission(rule: Rule, other: str) -> Rule:
    """A rule of a template as EC2's IpPermission; `other` is 'Source' or 'Destination'."""
    made: Rule = {"IpProtocol": str(rule.get("IpProtocol", "-1"))}
    for name in ("FromPort", "ToPort"):
        if name in rule:
            made[name] = int(rule[name])
    described = {"Description": rule["Description"]} if "Description" in rule else {}
    if "CidrIp" in rule:
        made["IpRanges"] = [{"CidrIp": rule["CidrIp"], **described}]
    if "CidrIpv6" in rule:
        made["Ipv6Ranges"] = [{"CidrIpv6": rule["CidrIpv6"], **described}]
    prefix = rule.get(f"{other}PrefixListId")
    if prefix:
        made["PrefixListIds"] = [{"PrefixListId": prefix, **described}]
    group = rule.get(f"{other}SecurityGroupId")
    if group:
        made["UserIdGroupPairs"] = [{"GroupId": group, **described}]
    elif rule.get("SourceSecurityGroupName"):
        made["UserIdGroupPairs"] = [{"GroupName": rule["SourceSecurityGroupName"], **described}]
    return made


class SecurityGroup(Ec2):
    """AWS::EC2::SecurityGroup; Ref is its id."""

    type = "AWS::EC2::SecurityGroup"

    def create(self, to: To) -> str:
        """Rules of its own replace those that let everything out: EC2 makes one, and one for IPv6 where the VPC has it."""
        name = to.get("GroupName") or to.name(255)
        made = to.call(
            "ec2", "create_security_group", GroupName=name, Description=to.get("GroupDescription"), **to.pick("VpcId")
        )
        to.physical_id = str(made["GroupId"])
        self._set(to, "ingress", [], to.get("SecurityGroupIngress") or [])
        if to.get("SecurityGroupEgress"):
            self._set(to, "egress", list(self._everything(to)), to.get("SecurityGroupEgress"))
        return to.physical_id

    def update(self, to: To) -> None:
        """Take away the rules that are gone, then add the new ones."""
        self._set(to, "ingress", to.old.get("SecurityGroupIngress") or [], to.get("SecurityGroupIngress") or [])
        everything = [{"IpProtocol": "-1", "CidrIp": "0.0.0.0/0"}]
        before, after = to.old.get("SecurityGroupEgress") or everything, to.get("SecurityGroupEgress") or everything
        self._set(to, "egress", before, after)

    def delete(self, to: To) -> None:
        """EC2 refuses while it is used."""
        to.call("ec2", "delete_security_group", GroupId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Id and VPC."""
        found = to.call("ec2", "describe_security_groups", GroupIds=[to.physical_id])["SecurityGroups"][0]
        return {"GroupId": to.physical_id, "Id": to.physical_id, "VpcId": found.get("VpcId")}

    def _everything(self, to: To) -> Iterator[Rule]:
        """The rules that EC2 made along with the group."""
        found = to.call("ec2", "describe_security_groups", GroupIds=[to.physical_id])["SecurityGroups"][0]
        for it in found["IpPermissionsEgress"]:
            yield from ({"IpProtocol": "-1", "CidrIp": one["CidrIp"]} for one in it.get("IpRanges", ()))
            yield from ({"IpProtocol": "-1", "CidrIpv6": one["CidrIpv6"]} for one in it.get("Ipv6Ranges", ()))

    def _set(self, to: To, way: str, before: list[Rule], after: list[Rule]) -> None:
        other = "Source" if way == "ingress" else "Destination"
        for verb, rules in (
            ("revoke", [rule for rule in before if rule not in after]),
            ("authorize", [rule for rule in after if rule not in before]),
        ):
            if rules:
                wanted = [permission(rule, other) for rule in rules]
                to.call("ec2", f"{verb}_security_group_{way}", GroupId=to.physical_id, IpPermissions=wanted)


class GroupRule(Adapter):
    """AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress; Ref is the rule's id."""

    def __init__(self, kind: str, way: str, other: str) -> None:
        self.type = kind
        self._way = way
        self._other = other

    def create(self, to: To) -> str:
        """One permission on a group that exists."""
        wanted = permission(to.properties, self._other)
        answer = to.call(
            "ec2", f"authorize_security_group_{self._way}", GroupId=to.get("GroupId"), IpPermissions=[wanted]
        )
        return str(at(answer, "SecurityGroupRules.0.SecurityGroupRuleId") or to.name(64))

    def update(self, to: To) -> None:
        """Only the description changes in place."""
        wanted = permission(to.properties, self._other)
        method = f"update_security_group_rule_descriptions_{self._way}"
        to.call("ec2", method, GroupId=to.get("GroupId"), IpPermissions=[wanted])

    def delete(self, to: To) -> None:
        """Take the permission away."""
        wanted = permission(to.properties, self._other)
        to.call("ec2", f"revoke_security_group_{self._way}", GroupId=to.get("GroupId"), IpPermissions=[wanted])

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"Id": to.physical_id}


class NetworkAcl(Ec2):
    """AWS::EC2::NetworkAcl"""

    type = "AWS::EC2::NetworkAcl"

    def create(self, to: To) -> str:
        """Without entries it denies everything."""
        return str(to.call("ec2", "create_network_acl", **to.pick("VpcId"))["NetworkAcl"]["NetworkAclId"])

    def delete(self, to: To) -> None:
        """Refused while a subnet uses it."""
        to.call("ec2", "delete_network_acl", NetworkAclId=to.physical_id)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"Id": to.physical_id}


class AclEntry(Adapter):
    """AWS::EC2::NetworkAclEntry"""

    type = "AWS::EC2::NetworkAclEntry"

    def create(self, to: To) -> str:
        """Ref is ACL, number and direction."""
        to.call("ec2", "create_network_acl_entry", **self._wanted(to))
        return f"{to.get('NetworkAclId')}|{to.get('RuleNumber')}|{str(is_true(to.get('Egress'))).lower()}"

    def update(self, to: To) -> None:
        """The entry of that number is replaced."""
        to.call("ec2", "replace_network_acl_entry", **self._wanted(to))

    def delete(self, to: To) -> None:
        """By number and direction."""
        given = to.pick("NetworkAclId", "RuleNumber")
        to.call("ec2", "delete_network_acl_entry", Egress=is_true(to.get("Egress")), **given)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"Id": to.physical_id}

    def _wanted(self, to: To) -> dict[str, Any]:
        given = to.pick("NetworkAclId", "RuleNumber", "RuleAction", "CidrBlock", "Ipv6CidrBlock", "PortRange")
        given["Protocol"] = str(to.get("Protocol"))
        given["Egress"] = is_true(to.get("Egress"))
        icmp = to.get("Icmp")
        return given | ({"IcmpTypeCode": icmp} if icmp else {})


class AclAssociation(Adapter):
    """AWS::EC2::SubnetNetworkAclAssociation; Ref is the association's id."""

    type = "AWS::EC2::SubnetNetworkAclAssociation"

    def create(self, to: To) -> str:
        """A subnet always has an ACL: its association is replaced."""
        answer = to.call(
            "ec2",
            "replace_network_acl_association",
            AssociationId=self._current(to, str(to.get("SubnetId"))),
            NetworkAclId=to.get("NetworkAclId"),
        )
        return str(answer["NewAssociationId"])

    def delete(self, to: To) -> None:
        """The subnet goes back to the VPC's default ACL."""
        subnets = to.call("ec2", "describe_subnets", SubnetIds=[to.get("SubnetId")])["Subnets"]
        asked = [{"Name": "vpc-id", "Values": [subnets[0]["VpcId"]]}, {"Name": "default", "Values": ["true"]}]
        default = at(to.call("ec2", "describe_network_acls", Filters=asked), "NetworkAcls.0.NetworkAclId")
        current = self._current(to, str(to.get("SubnetId")))
        to.call("ec2", "replace_network_acl_association", AssociationId=current, NetworkAclId=default)

    def attributes(self, to: To) -> dict[str, Any]:
        """Its id."""
        return {"AssociationId": to.physical_id}

    def _current(self, to: To, subnet: str) -> str:
        asked = [{"Name": "association.subnet-id", "Values": [subnet]}]
        acls = to.call("ec2", "describe_network_acls", Filters=asked)["NetworkAcls"]
        for acl in acls:
            for one in acl["Associations"]:
                if one["SubnetId"] == subnet:
                    return str(one["NetworkAclAssociationId"])
        raise Gone(f"The subnet {subnet} has no network ACL")


ADAPTERS = (
    SecurityGroup(),
    GroupRule("AWS::EC2::SecurityGroupIngress", "ingress", "Source"),
    GroupRule("AWS::EC2::SecurityGroupEgress", "egress", "Destination"),
    NetworkAcl(),
    AclEntry(),
    AclAssociation(),
)
