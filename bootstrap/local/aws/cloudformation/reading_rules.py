"""Those properties whose form in a service's answer is another one than in the template."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Context, at

Reading = Callable[[Any, Context], Any]
SOURCES = {
    "IpRanges": {"CidrIp": "CidrIp"},
    "Ipv6Ranges": {"CidrIpv6": "CidrIpv6"},
    "UserIdGroupPairs": {"GroupId": "SourceSecurityGroupId"},
    "PrefixListIds": {"PrefixListId": "SourcePrefixListId"},
}


def ids(path: str, key: str) -> Reading:
    """A list of things, of which the template names only one member."""
    return lambda found, _: [one[key] for one in at(found, path) or []]


def state_is(path: str, state: str) -> Reading:
    """A flag that the service tells as a state."""
    return lambda found, _: at(found, path) == state


def from_arn(path: str) -> Reading:
    """A name that the service tells as an ARN."""
    return lambda found, _: str(at(found, path)).rpartition("/")[2] if at(found, path) else None


def attached(found: Any, _: Context) -> list[str]:
    """The ARNs of attached policies."""
    return [one["PolicyArn"] for one in found["AttachedPolicies"]]


def inline(found: Any, to: Context) -> list[dict[str, Any]]:
    """The inline policies that the role itself names; others belong to resources of their own."""
    own = {one["PolicyName"] for one in to.get("Policies") or []}
    policies = []
    for name in found["PolicyNames"]:
        if name in own:
            answer = to.call("iam", "get_role_policy", RoleName=to.physical_id, PolicyName=name)
            policies.append({"PolicyName": name, "PolicyDocument": answer["PolicyDocument"]})
    return policies


def sse_rules(found: Any, _: Context) -> dict[str, Any] | None:
    """S3's encryption rules under the name that the template has for them."""
    rules = at(found, "ServerSideEncryptionConfiguration.Rules")
    if rules is None:
        return None
    names = {"ApplyServerSideEncryptionByDefault": "ServerSideEncryptionByDefault"}
    renamed = [{names.get(key, key): value for key, value in rule.items()} for rule in rules]
    return {"ServerSideEncryptionConfiguration": renamed}


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
    stack = to.nested.store.find(to.stack_id, to.region)
    others = stack.resources.values() if stack else ()
    return [one.properties for one in others if one.type == kind and one.properties.get("GroupId") == to.physical_id]


def _is_of(rule: dict[str, Any], properties: dict[str, Any]) -> bool:
    return all(str(properties.get(key)) == str(value) for key, value in rule.items() if key != "Description")
