"""Drift of security groups: the rules that were meant, and those that are there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.views.drift import groups
from bootstrap.views.drift.groups import Deployed, Rule

ROOT = Path(__file__).resolve().parents[4]
BODY = """
Conditions:
  HasOperators: !Not [!Equals [!Ref OperatorCidr, ""]]
Resources:
  Group:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: !Sub "of ${Project}"
      SecurityGroupIngress:
        - !If
          - HasOperators
          - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: !Ref OperatorCidr}
          - !Ref AWS::NoValue
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, SourceSecurityGroupId: !GetAtt Other.GroupId}
      SecurityGroupEgress:
        - {IpProtocol: tcp, FromPort: !Ref SmtpPort, ToPort: !Ref SmtpPort, CidrIp: 0.0.0.0/0}
  Other:
    Type: AWS::EC2::SecurityGroup
    Properties: {GroupDescription: x}
  Alone:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Other, IpProtocol: "-1", CidrIp: 10.0.0.0/8}
  Absent:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !Ref Other, IpProtocol: "-1", CidrIp: 11.0.0.0/8}
"""
IDS = {"Group": "sg-1", "Other": "sg-2", "Alone": "sgr-1"}


def deployed(operators: str, body: str = BODY) -> Deployed:
    return Deployed(body, {"OperatorCidr": operators, "SmtpPort": "2525", "Project": "p"}, IDS)


def test_the_meant_rules_are_those_of_the_template_with_its_parameters_and_ids() -> None:
    found = groups.list_expected_rules([deployed("10.1.0.0/16")])

    smtp, web = Rule(True, "tcp", 2525, 2525, "0.0.0.0/0"), Rule(False, "tcp", 443, 443, "sg-2")
    assert {Rule(False, "tcp", 22, 22, "10.1.0.0/16"), web, smtp} == found["sg-1"]


def test_what_a_condition_leaves_out_is_not_meant() -> None:
    assert {443, 2525} == {rule.first for rule in groups.list_expected_rules([deployed("")])["sg-1"]}


def test_a_rule_that_stands_alone_counts_for_its_group_and_one_that_was_not_made_does_not() -> None:
    everywhere = Rule(True, "-1", -1, -1, "0.0.0.0/0")

    assert {everywhere, Rule(False, "-1", -1, -1, "10.0.0.0/8")} == groups.list_expected_rules([deployed("")])["sg-2"]


def test_a_rule_that_cannot_be_read_is_never_guessed() -> None:
    with pytest.raises(BootstrapError, match="security groups"):
        groups.list_expected_rules([deployed("", BODY.replace("!Ref SmtpPort", "!Select [0, [1]]"))])


def test_the_projects_own_templates_can_be_read() -> None:
    body = (ROOT / "cloudformation" / "network.yaml").read_text()
    loaded = Deployed(body, {}, {})._document
    names = [name for name, it in loaded["Resources"].items() if it["Type"] == groups.GROUP]
    ids = {name: f"sg-{name}" for name in names}
    parameters = {name: str(it.get("Default", "x")) for name, it in loaded["Parameters"].items()}

    found = groups.list_expected_rules(
        [Deployed(body, parameters | {"OperatorCidr": "10.1.0.0/16", "SmtpPort": "25"}, ids)]
    )

    assert Rule(False, "tcp", 443, 443, "10.1.0.0/16") in found["sg-ControllerSecurityGroup"]
    assert ids.keys() == {group.removeprefix("sg-") for group in found}


class Ec2:
    """A group with the rules that it is given."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules

    def get_paginator(self, _: str) -> "Ec2":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        for number, rule in enumerate(self.rules):
            peer = {"ReferencedGroupInfo": {"GroupId": rule.peer}} if rule.peer[0] == "s" else {"CidrIpv4": rule.peer}
            ports = {"FromPort": rule.first, "ToPort": rule.last, "IpProtocol": rule.protocol}
            yield {
                "SecurityGroupRules": [
                    peer | ports | {"IsEgress": rule.is_egress, "SecurityGroupRuleId": f"sgr-{number}"}
                ]
            }


SSH = Rule(False, "tcp", 22, 22, "sg-2")


def test_an_opened_port_and_a_closed_one_are_told_with_the_commands() -> None:
    world = Rule(False, "-1", -1, -1, "0.0.0.0/0")

    added, missing = groups.find_group_drift(Ec2(world), "sg-1", frozenset({SSH}), None)

    assert "added: ingress from 0.0.0.0/0, everything" == added.found
    assert "aws ec2 revoke-security-group-ingress --group-id sg-1 --security-group-rule-ids sgr-0" == added.remedy
    assert "missing: ingress from sg-2, tcp 22" == missing.found
    assert "FromPort=22,ToPort=22,UserIdGroupPairs=[{GroupId=sg-2}]" in missing.remedy


def test_a_group_as_meant_has_no_line() -> None:
    assert [] == list(groups.find_group_drift(Ec2(SSH), "sg-1", frozenset({SSH}), None))
