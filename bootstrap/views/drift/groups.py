"""Drift of security groups, rule by rule: rules that somebody added or removed by hand.

The expected rules are those of the templates as they were deployed, with their parameters and the ids of their resources: the
rules inside a group, and those that are resources of their own. A template can use functions that are not read here. Then the
groups cannot be compared, and a BootstrapError says so; nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import yaml

from bootstrap.errors import BootstrapError
from bootstrap.views.drift.values import Drifted

GROUP = "AWS::EC2::SecurityGroup"
_ALONE = {"AWS::EC2::SecurityGroupIngress": False, "AWS::EC2::SecurityGroupEgress": True}
_PEERS = ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId", "SourcePrefixListId")
_NOTHING = object()  # AWS::NoValue


@dataclass(frozen=True, order=True)
class Rule:
    """A rule of a security group, without its description.

    Ports are -1 for all; `peer` is a block, a group or a prefix list.
    """

    is_egress: bool
    protocol: str
    first: int
    last: int
    peer: str

    def __str__(self) -> str:
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        way = "egress to" if self.is_egress else "ingress from"
        protocol = "everything" if self.protocol == "-1" else self.protocol
        return f"{way} {self.peer}, {protocol}" + ("" if self.first < 0 else f" {ports}")


_EVERYWHERE = Rule(True, "-1", -1, -1, "0.0.0.0/0")  # the rule of EC2 for a group without egress rules


@dataclass(frozen=True)
class Deployed:
    """A stack as it was deployed: the text of its template, its parameters, and physical ids by logical ids."""

    body: str
    parameters: Mapping[str, str]
    ids: Mapping[str, str]

    def list_groups(self) -> dict[str, set[Rule]]:
        """The groups of the stack by id, with the rules inside of them."""
        rules_by_group = {}
        for name, resource in self._list_resources(GROUP):
            properties = self._resolve_value(resource.get("Properties", {}))
            rules = {_parse_template_rule(it, is_egress=False) for it in properties.get("SecurityGroupIngress", ())}
            out = {_parse_template_rule(it, is_egress=True) for it in properties.get("SecurityGroupEgress", ())}
            rules_by_group[self.ids[name]] = rules | (out or {_EVERYWHERE})
        return rules_by_group

    def list_single_rules(self) -> Iterator[tuple[str, Rule]]:
        """The rules that are resources of their own, each with the id of its group."""
        for kind, is_egress in _ALONE.items():
            for _, resource in self._list_resources(kind):
                properties = self._resolve_value(resource["Properties"])
                yield str(properties["GroupId"]), _parse_template_rule(properties, is_egress=is_egress)

    def _list_resources(self, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        resources = self._document.get("Resources", {})
        return ((name, it) for name, it in resources.items() if it.get("Type") == kind and name in self.ids)

    @cached_property
    def _document(self) -> Mapping[str, Any]:
        document: Mapping[str, Any] = yaml.load(self.body, _Loader)  # noqa: S506 -- a SafeLoader of our own
        return document

    def _resolve_value(self, node: Any) -> Any:
        """A node with the results of its functions; AWS::NoValue is removed from lists and mappings."""
        if isinstance(node, list):
            return [value for value in map(self._resolve_value, node) if value is not _NOTHING]
        if not isinstance(node, Mapping):
            return node
        if len(node) == 1:
            name, argument = next(iter(node.items()))
            if name in {"Ref", "Condition"} or str(name).startswith("Fn::"):
                return self._resolve_function(str(name), argument)
        values = {key: self._resolve_value(value) for key, value in node.items()}
        return {key: value for key, value in values.items() if value is not _NOTHING}

    def _resolve_function(self, name: str, argument: Any) -> Any:
        match name:
            case "Ref" if argument == "AWS::NoValue":
                return _NOTHING
            case "Ref" if argument in self.parameters:
                return self.parameters[argument]
            case "Ref" if argument in self.ids:
                return self.ids[argument]
            case "Fn::GetAtt" if str(_join_by_dots(argument)).endswith(".GroupId"):
                return self.ids[_join_by_dots(argument).partition(".")[0]]
            case "Fn::If":
                return self._resolve_value(argument[1] if self._holds({"Condition": argument[0]}) else argument[2])
            case "Fn::Sub" if isinstance(argument, str):
                return argument  # only descriptions and names use it, and these are not compared
            case _:
                return f"{name} {argument}" if name in {"Ref", "Fn::GetAtt"} else _explain_unreadable(name)

    def _holds(self, node: Any) -> bool:
        name, argument = next(iter(node.items()))
        match name:
            case "Condition":
                return self._holds(self._document["Conditions"][argument])
            case "Fn::Equals":
                first, second = (str(self._resolve_value(it)) for it in argument)
                return first == second
            case "Fn::Not":
                return not self._holds(argument[0])
            case "Fn::And":
                return all(map(self._holds, argument))
            case "Fn::Or":
                return any(map(self._holds, argument))
            case _:
                return bool(_explain_unreadable(str(name)))


def _explain_unreadable(name: str) -> str:
    raise BootstrapError(
        "reading the rules of security groups", f"the toolkit does not read {name}", "Compare the rules by hand."
    )


def _join_by_dots(argument: Any) -> str:
    return argument if isinstance(argument, str) else ".".join(map(str, argument))


class _Loader(yaml.CSafeLoader):
    """YAML in which the short forms (!Ref, !If ...) become the long ones."""


def _construct_long_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True) if isinstance(node, yaml.MappingNode) else None}


_Loader.add_multi_constructor("!", _construct_long_form)


def _parse_template_rule(properties: Mapping[str, Any], *, is_egress: bool) -> Rule:
    peer = next((str(properties[key]) for key in _PEERS if key in properties), "unknown")
    protocol = str(properties["IpProtocol"])
    first, last = (int(properties.get(key, -1)) if protocol != "-1" else -1 for key in ("FromPort", "ToPort"))
    return Rule(is_egress, protocol, first, last, peer)


def list_expected_rules(stacks: Iterable[Deployed]) -> dict[str, frozenset[Rule]]:
    """The rules that each group of these stacks should have, by the id of the group.

    BootstrapError if a template uses a function that is not read here.
    """
    stacks = list(stacks)
    rules_by_group: dict[str, set[Rule]] = {}
    for stack in stacks:
        rules_by_group |= stack.list_groups()
    for stack in stacks:
        for group, rule in stack.list_single_rules():
            rules_by_group.setdefault(group, set()).add(rule)
    return {group: frozenset(rules) for group, rules in rules_by_group.items()}


def find_group_drift(ec2: Any, group: str, expected: frozenset[Rule], endpoint: str | None) -> Iterator[Drifted]:
    """A line for each rule that was added to a security group, or removed from it."""
    filters = [{"Name": "group-id", "Values": [group]}]
    pages = ec2.get_paginator("describe_security_group_rules").paginate(Filters=filters)
    actual = {_parse_ec2_rule(it): it["SecurityGroupRuleId"] for page in pages for it in page["SecurityGroupRules"]}
    aws = "aws ec2" if endpoint is None else f"aws --endpoint-url {endpoint} ec2"
    for rule in sorted(actual.keys() - expected):
        verb = f"revoke-security-group-{'egress' if rule.is_egress else 'ingress'}"
        remedy = f"{aws} {verb} --group-id {group} --security-group-rule-ids {actual[rule]}"
        yield Drifted("security group", group, f"added: {rule}", remedy)
    for rule in sorted(expected - actual.keys()):
        verb = f"authorize-security-group-{'egress' if rule.is_egress else 'ingress'}"
        yield Drifted(
            "security group", group, f"missing: {rule}", f"{aws} {verb} --group-id {group} {_format_permission(rule)}"
        )


def _format_permission(rule: Rule) -> str:
    """The rule as an argument of the AWS CLI."""
    ports = "" if rule.first < 0 else f",FromPort={rule.first},ToPort={rule.last}"
    peer = (
        f"UserIdGroupPairs=[{{GroupId={rule.peer}}}]"
        if rule.peer.startswith("sg-")
        else f"IpRanges=[{{CidrIp={rule.peer}}}]"
    )
    return f"--ip-permissions 'IpProtocol={rule.protocol}{ports},{peer}'"


def _parse_ec2_rule(answer: Mapping[str, Any]) -> Rule:
    peer = answer.get("CidrIpv4") or answer.get("CidrIpv6") or answer.get("PrefixListId")
    peer = peer or answer.get("ReferencedGroupInfo", {}).get("GroupId", "unknown")
    protocol = str(answer["IpProtocol"])
    first, last = (int(answer.get(key) or -1) if protocol != "-1" else -1 for key in ("FromPort", "ToPort"))
    return Rule(bool(answer["IsEgress"]), protocol, first, last, str(peer))
