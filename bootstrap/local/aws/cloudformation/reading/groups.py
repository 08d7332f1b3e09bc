"""A security group's rules as the template writes them."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.reading.rules import Reading

SOURCES = {
    "IpRanges": {"CidrIp": "CidrIp"},
    "Ipv6Ranges": {"CidrIpv6": "CidrIpv6"},
    "UserIdGroupPairs": {"GroupId": "SourceSecurityGroupId"},
    "PrefixListIds": {"PrefixListId": "SourcePrefixListId"},
}


def group_rules(path: str, direction: str) -> Reading:
    """A security group's rules one by one, less those that resources of their own in this stack added."""

    def read(found: Any, to: Context) -> list[dict[str, Any]]:
        rules = [rule for permission in at(found, path) or [] for rule in _split(permission, direction)]
        for other in _separate(to, f"AWS::EC2::SecurityGroup{direction}"):
            rules = [rule for rule in rules if not _is_of(rule, other)]
        return rules

    return read


def _split(permission: dict[str, Any], direction: str) -> list[dict[str, Any]]:
    base: dict[str, Any] = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
    rules = []
    for source, names in SOURCES.items():
        for one in permission.get(source, []):
            rule: dict[str, Any] = {names[key]: value for key, value in one.items() if key in names}
            if direction == "Egress":
                rule = {key.replace("Source", "Destination"): value for key, value in rule.items()}
            if one.get("Description"):
                rule["Description"] = one["Description"]
            rules.append(base | rule)
    return rules


def _separate(to: Context, kind: str) -> list[dict[str, Any]]:
    stack = to.stacks.store.find(to.stack_id, to.region)
    others = stack.resources.values() if stack else ()
    return [one.properties for one in others if one.type == kind and one.properties.get("GroupId") == to.physical_id]


def _is_of(rule: dict[str, Any], properties: dict[str, Any]) -> bool:
    return all(str(properties.get(key)) == str(value) for key, value in rule.items() if key != "Description")
