"""The CDK's program as it is, on an assembly as an app synthesizes it: diff, deploy, a failure, destroy, bootstrap."""

from __future__ import annotations

import json
from typing import Any


def assembly(tools: Any, template: dict[str, Any]) -> None:
    """Write a cloud assembly with one stack."""
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://123456789012/eu-central-1",
        "properties": {"templateFile": "Demo.template.json", "stackName": "Demo"},
    }
    manifest = {"version": "36.0.0", "artifacts": {"Demo": stack}}
    tools.write(
        cdk__out___manifest__json=json.dumps(manifest),
        cdk__out___Demo__template__json=json.dumps(template),
    )


def topic(word: str, **more: Any) -> dict[str, Any]:
    """A template with a topic."""
    made = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": word}}, **more}
    return {"Resources": made, "Outputs": {"Name": {"Value": {"Fn::GetAtt": ["Topic", "TopicName"]}}}}


def cdk(tools: Any, *command: str, exits: int = 0) -> str:
    """Run one of the CDK's commands without colours and questions."""
    printed: str = tools.run("cdk", "--no-color", "--app", "cdk.out", *command, exits=exits)
    return printed


def test_stack_is_deployed_compared_updated_and_destroyed(node_tools: Any) -> None:
    deploy = ("deploy", "--require-approval", "never")
    assembly(node_tools, topic("one"))
    assert "Demo.Name = Demo-Topic-" in cdk(node_tools, *deploy)
    assert "There were no differences" in cdk(node_tools, "diff")
    assert "(no changes)" in cdk(node_tools, *deploy)

    assembly(node_tools, topic("two"))
    assert "[~] AWS::SNS::Topic Topic" in cdk(node_tools, "diff")
    cdk(node_tools, *deploy)

    broken = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/aws/no", "Type": "String", "Value": "v"}}
    assembly(node_tools, topic("three", Broken=broken))
    assert "No access to reserved parameter name" in cdk(node_tools, *deploy, exits=1)
    stack = json.loads(node_tools.aws("cloudformation describe-stacks --stack-name Demo"))["Stacks"][0]
    assert "UPDATE_ROLLBACK_COMPLETE" == stack["StackStatus"]
    cdk(node_tools, "destroy", "--force")


def test_account_is_bootstrapped(node_tools: Any) -> None:
    printed = node_tools.run("cdk", "--no-color", "bootstrap", "aws://123456789012/eu-central-1")
    assert "Environment aws://123456789012/eu-central-1 bootstrapped" in printed
