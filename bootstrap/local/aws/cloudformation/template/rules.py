"""The Rules section: assertions on parameters, with functions of their own; some look up the resources in parameters.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference-rules.html
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import forms
from bootstrap.local.aws.cloudformation.template.intrinsics import FUNCTIONS, UNKNOWN, Function, Scope, format_text
from bootstrap.local.aws.cloudformation.template.structure import PSEUDO
from bootstrap.local.aws.cloudformation.template.template import Template, find_names

# The calls that read the resources for Fn::ValueOf; all of them have the attribute Tags.<key>, too.
SOURCES = {
    "AWS::EC2::VPC::Id": ("describe_vpcs", "VpcIds", "Vpcs"),
    "AWS::EC2::Subnet::Id": ("describe_subnets", "SubnetIds", "Subnets"),
    "AWS::EC2::SecurityGroup::Id": ("describe_security_groups", "GroupIds", "SecurityGroups"),
}
ATTRIBUTES = {
    "AWS::EC2::VPC::Id": ("DefaultNetworkAcl", "DefaultSecurityGroup"),
    "AWS::EC2::Subnet::Id": ("AvailabilityZone", "VpcId"),
    "AWS::EC2::SecurityGroup::Id": (),
}
# Types for Fn::RefAll, which lists all ids in the account's region: call, member of the answer, member with the id.
LISTS = {
    "AWS::EC2::AvailabilityZone::Name": ("describe_availability_zones", "AvailabilityZones", "ZoneName"),
    "AWS::EC2::KeyPair::KeyName": ("describe_key_pairs", "KeyPairs", "KeyName"),
    "AWS::EC2::SecurityGroup::Id": ("describe_security_groups", "SecurityGroups", "GroupId"),
    "AWS::EC2::Subnet::Id": ("describe_subnets", "Subnets", "SubnetId"),
    "AWS::EC2::VPC::Id": ("describe_vpcs", "Vpcs", "VpcId"),
    "AWS::EC2::Volume::Id": ("describe_volumes", "Volumes", "VolumeId"),
}
MEMBERS = frozenset(("Assertions", "RuleCondition"))
ASSERTION = frozenset(("Assert", "AssertDescription"))
# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
ALLOWED = frozenset(
    (
        "Fn::And",
        "Fn::Contains",
        "Fn::EachMemberEquals",
        "Fn::EachMemberIn",
        "Fn::Equals",
        "Fn::Not",
        "Fn::Or",
        "Fn::RefAll",
        "Fn::ValueOf",
        "Fn::ValueOfAll",
    )
)


def check(scope: Scope, client: Callable[[], Any]) -> None:
    """Apply the rules to the parameters of a scope; raises Refused. `client` returns EC2's client, only if a rule needs it.

    If parameters depend on the parent's resources and are not known yet, nothing is checked now.
    """
    rules = scope.template.read_section("Rules")
    if not rules or UNKNOWN in scope.parameters.values():
        return
    lookup = _Lookup(scope, client)
    rule_scope = dataclasses.replace(
        scope, functions={**FUNCTIONS, **MEMBERSHIP, **lookup.make_functions()}, decided={}, undecided=set()
    )
    for name, rule in rules.items():
        if "RuleCondition" in rule and not rule_scope.evaluate(rule["RuleCondition"]):
            continue
        for assertion in rule.get("Assertions", []):
            if not rule_scope.evaluate(assertion["Assert"]):
                description = assertion.get("AssertDescription", "")
                raise Refused(f"Template validation failed. Rule {name} is not satisfied: {description}")


def check_form(template: Template, functions: Callable[[Any], Iterator[tuple[str, Any]]]) -> None:
    """Raise Refused for rules that are invalid for all parameters; `functions` finds the functions in a value."""
    values = set(template.read_section("Parameters")) | PSEUDO
    for name, rule in template.read_section("Rules").items():
        if not isinstance(rule, dict) or set(rule) - MEMBERS or not isinstance(rule.get("Assertions"), list):
            raise Refused(f"Template format error: Rule {name} must have Assertions, and may have a RuleCondition")
        conditions = [rule["RuleCondition"]] if "RuleCondition" in rule else []
        for assertion in rule["Assertions"]:
            if not (isinstance(assertion, dict) and set(assertion) <= ASSERTION and "Assert" in assertion):
                raise Refused(f"Template format error: Every assertion of rule {name} must contain an Assert member")
            if not forms.is_text(assertion.get("AssertDescription", "")):
                raise Refused(f"Template format error: Every AssertDescription of rule {name} must be a string")
            conditions.append(assertion["Assert"])
        if not all(map(forms.is_function, conditions)):
            raise Refused(
                f"Template format error: Conditions of rule {name} can only be boolean operations on parameters"
            )
        unknown = sorted({one for _, one in find_names(rule) if one not in values})
        if unknown:
            raise Refused(
                f"Template format error: Unresolved dependencies [{', '.join(unknown)}]. Cannot reference resources in the "
                "Rules block of the template"
            )
        for function, argument in functions(rule):
            if function not in ALLOWED:
                raise Refused(f"Template validation error: {function} is not supported in Rules ({name})")
            _check_argument(template, name, function, argument)


def _check_argument(template: Template, rule: str, function: str, argument: Any) -> None:
    if function in {"Fn::ValueOf", *MEMBERSHIP, "Fn::ValueOfAll"} and not (
        isinstance(argument, list) and len(argument) == 2
    ):
        raise Refused(f"Template error: {function} takes a list of 2 (rule {rule})")
    if function == "Fn::RefAll" and not (isinstance(argument, str) and argument in LISTS):
        raise Refused(f"Template error: the local cloud cannot list {argument} for Fn::RefAll (rule {rule})")
    if function.startswith("Fn::ValueOf") and not all(isinstance(one, str) for one in argument):
        raise Refused(f"Template error: {function} takes no other function (rule {rule})")
    if function == "Fn::ValueOf":
        parameter, attribute = argument
        declaration = template.read_section("Parameters").get(parameter)
        if declaration is None:
            raise Refused(
                f"Template error: {function} names the parameter {parameter}, which is not there (rule {rule})"
            )
        _check_attribute(rule, _name_kind(declaration), attribute)
    if function == "Fn::ValueOfAll":
        _check_attribute(rule, *argument)


def _check_attribute(rule: str, kind: str, attribute: str) -> None:
    if kind not in SOURCES or not (attribute in ATTRIBUTES[kind] or attribute.startswith("Tags.")):
        raise Refused(
            f"Template error: {attribute} of {kind} cannot be had by Fn::ValueOf or Fn::ValueOfAll (rule {rule})"
        )


class _Lookup:
    """The values of parameters, and attributes of the resources that they name."""

    def __init__(self, scope: Scope, client: Callable[[], Any]) -> None:
        self._values = scope.parameters
        self._declared = scope.template.read_section("Parameters")
        self._client = client

    def make_functions(self) -> dict[str, Function]:
        """Return the functions that read values of parameters and resources, by name."""
        return {
            "Fn::RefAll": lambda _, kind: self._list_ids(str(kind)),
            "Fn::ValueOf": lambda _, argument: self._find_value(*argument),
            "Fn::ValueOfAll": lambda _, argument: self._list_values(*argument),
        }

    def _list_ids(self, kind: str) -> list[str]:
        call, path, member = LISTS[kind]
        pages = self._client().get_paginator(call).paginate() if self._client().can_paginate(call) else None
        answer = pages.build_full_result() if pages else getattr(self._client(), call)()
        return [str(item[member]) for item in answer[path]]

    def _list_values(self, kind: str, attribute: str) -> list[str]:
        """Return an attribute of all resources in parameters of a type; resources without the tag are left out."""
        named = [name for name, declaration in self._declared.items() if _name_kind(declaration) == kind]
        values = [value for name in named for value in _make_list(self._values[name])]
        return [text for value in values if (text := self._read_attribute(kind, value, attribute))]

    def _find_value(self, parameter: str, attribute: str) -> Any:
        kind, value = _name_kind(self._declared[parameter]), self._values[parameter]
        values = [self._read_attribute(kind, item, attribute) for item in _make_list(value)]
        return values if isinstance(value, list) else values[0]

    def _read_attribute(self, kind: str, value: str, attribute: str) -> str:
        """Return one attribute of one resource; '' for a tag that it does not have."""
        resource = self._describe(kind, value)
        if attribute.startswith("Tags."):
            return str({tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}.get(attribute[5:], ""))
        if attribute == "DefaultNetworkAcl":
            filters = [{"Name": "vpc-id", "Values": [value]}, {"Name": "default", "Values": ["true"]}]
            return str(self._client().describe_network_acls(Filters=filters)["NetworkAcls"][0]["NetworkAclId"])
        if attribute == "DefaultSecurityGroup":
            filters = [{"Name": "vpc-id", "Values": [value]}, {"Name": "group-name", "Values": ["default"]}]
            return str(self._client().describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"])
        return str(resource[attribute])

    def _describe(self, kind: str, value: str) -> dict[str, Any]:
        from botocore.exceptions import ClientError

        call, key, path = SOURCES[kind]
        try:
            resource: dict[str, Any] = getattr(self._client(), call)(**{key: [value]})[path][0]
        except ClientError:
            raise Refused(
                f"Parameter validation failed: parameter value {value} of type {kind} does not exist"
            ) from None
        return resource


def _name_kind(declaration: dict[str, Any]) -> str:
    return str(declaration.get("Type", "String")).removeprefix("List<").removesuffix(">")


def _make_list(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else [str(value)]


def _list_texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise Refused("Template error: a function in a rule takes a list of strings and got something else")
    return [format_text(one) for one in value]


MEMBERSHIP: dict[str, Function] = {
    "Fn::Contains": lambda _, argument: format_text(argument[1]) in _list_texts(argument[0]),
    "Fn::EachMemberEquals": lambda _, argument: all(
        one == format_text(argument[1]) for one in _list_texts(argument[0])
    ),
    "Fn::EachMemberIn": lambda _, argument: set(_list_texts(argument[0])) <= set(_list_texts(argument[1])),
}
