"""The rules of a security group in the form of a template."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.reading.rules import Reading
from bootstrap.local.aws.cloudformation.reading.spelling import spell_rule

SOURCES = {
    "IpRanges": {"CidrIp": "CidrIp"},
    "Ipv6Ranges": {"CidrIpv6": "CidrIpv6"},
    "UserIdGroupPairs": {"GroupId": "SourceSecurityGroupId"},
    "PrefixListIds": {"PrefixListId": "SourcePrefixListId"},
}


def read_group_rules(path: str, direction: str) -> Reading:
    """Reads the rules of a security group one by one, without those that are resources of their own in this stack."""

    def read(part: Any, to: Context) -> list[dict[str, Any]]:
        rules = [rule for permission in find_at(part, path) or [] for rule in _split(permission, direction)]
        for other in _separate(to, f"AWS::EC2::SecurityGroup{direction}"):
            rules = [rule for rule in rules if not _is_of(rule, other)]
        given = [(spell_rule(rule), rule) for rule in to.get(f"SecurityGroup{direction}") or []]
        return [_spell(rule, given) for rule in rules]

    return read


def _spell(rule: dict[str, Any], given: list[tuple[dict[str, str], dict[str, Any]]]) -> dict[str, Any]:
    """A rule in the spelling of the template's rule that means the same, if there is one."""
    canonical = spell_rule(rule)
    other = next((written for form, written in given if form == canonical), {})
    return {name: value if name == "Description" else other.get(name, value) for name, value in rule.items()}


def _split(permission: dict[str, Any], direction: str) -> list[dict[str, Any]]:
    base: dict[str, Any] = {key: permission[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in permission}
    rules = []
    for source, names in SOURCES.items():
        for source_entry in permission.get(source, []):
            rule: dict[str, Any] = {names[key]: value for key, value in source_entry.items() if key in names}
            if direction == "Egress":
                rule = {key.replace("Source", "Destination"): value for key, value in rule.items()}
            if source_entry.get("Description"):
                rule["Description"] = source_entry["Description"]
            rules.append(base | rule)
    return rules


def _separate(to: Context, kind: str) -> list[dict[str, Any]]:
    stack = to.stacks.store.find(to.stack_id, to.region)
    resources = list(stack.resources.values()) if stack else []  # other steps add resources meanwhile
    return [
        resource.properties
        for resource in resources
        if resource.type == kind and resource.properties.get("GroupId") == to.physical_id
    ]


def _is_of(rule: dict[str, Any], properties: dict[str, Any]) -> bool:
    other = spell_rule(properties)
    return all(other.get(key) == value for key, value in spell_rule(rule).items())
