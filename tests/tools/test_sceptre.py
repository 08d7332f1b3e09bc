"""Sceptre as it is: a group of two stacks, one fed by the other's output, through its whole life."""

from __future__ import annotations

import json
from typing import Any

NETWORK = """
Parameters: {Block: {Type: String}}
Resources: {Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: !Ref Block}}}
Outputs: {Vpc: {Value: !Ref Vpc}}
"""
SERVICE = """
Parameters: {Vpc: {Type: AWS::EC2::VPC::Id}, Word: {Type: String}}
Resources:
  Group: {Type: AWS::EC2::SecurityGroup, Properties: {GroupDescription: a group, VpcId: !Ref Vpc}}
  Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Word}}
Outputs: {Topic: {Value: !Ref Topic}}
"""
CONFIGURED = (
    "template: {path: service.yaml, type: file}\nparameters: {Vpc: !stack_output dev/network.yaml::Vpc, Word: %s}\n"
)


def sceptre(tools: Any, command: str, exits: int = 0) -> str:
    """Run one of Sceptre's commands."""
    printed: str = tools.run("sceptre", "--no-colour", *command.split(), exits=exits)
    return printed


def status(tools: Any) -> dict[str, str]:
    """The status of every stack of the group."""
    found: dict[str, str] = json.loads(sceptre(tools, "--output json status dev"))
    return found


def test_group_is_launched_compared_updated_checked_for_drift_and_deleted(tools: Any) -> None:
    tools.write(
        config___config__yaml="project_code: sceptre\nregion: eu-central-1\n",
        config___dev___config__yaml="stack_tags: {Group: dev}\n",
        config___dev___network__yaml="template: {path: network.yaml, type: file}\nparameters: {Block: 10.9.0.0/16}\n",
        config___dev___service__yaml=CONFIGURED % "one",
        templates___network__yaml=NETWORK,
        templates___service__yaml=SERVICE,
    )
    sceptre(tools, "launch -y dev")
    assert {"dev/network": "CREATE_COMPLETE", "dev/service": "CREATE_COMPLETE"} == status(tools)
    described = json.loads(tools.aws("cloudformation describe-stacks --stack-name sceptre-dev-service"))
    assert [{"Key": "Group", "Value": "dev"}] == described["Stacks"][0]["Tags"]
    assert "No difference to deployed stack sceptre-dev-service" in sceptre(tools, "diff dev")

    tools.write(config___dev___service__yaml=CONFIGURED % "two")
    assert "Difference detected for stack sceptre-dev-service" in sceptre(tools, "diff dev")
    sceptre(tools, "update -y dev/service.yaml")
    assert "UPDATE_COMPLETE" == status(tools)["dev/service"]
    assert "No updates to perform" in sceptre(tools, "launch -y dev")

    assert "StackResourceDriftStatus: IN_SYNC" in sceptre(tools, "drift show dev")
    topic = described["Stacks"][0]["Outputs"][0]["OutputValue"]
    change = ["--attribute-name", "DisplayName", "--attribute-value", "by hand"]
    tools.run("aws", "sns", "set-topic-attributes", "--topic-arn", topic, *change)
    assert "StackDriftStatus: DRIFTED" in sceptre(tools, "drift detect dev/service.yaml")

    sceptre(tools, "delete -y dev")
    left = json.loads(tools.aws("cloudformation describe-stacks --query Stacks[].StackName"))
    assert [] == [name for name in left if name.startswith("sceptre-")]
