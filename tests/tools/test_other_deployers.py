"""Further programs that deploy by change sets: SAM's and formica's."""

from __future__ import annotations

import json
from typing import Any

TEMPLATE = """
Parameters: {Word: {Type: String, Default: one}}
Resources: {Topic: {Type: AWS::SNS::Topic, Properties: {DisplayName: !Ref Word}}}
Outputs: {Topic: {Value: !GetAtt Topic.TopicName}}
"""


def statuses(tools: Any) -> dict[str, str]:
    """The status of every stack by its name."""
    printed = tools.aws("cloudformation describe-stacks --query Stacks[].[StackName,StackStatus]")
    return dict(json.loads(printed))


def test_sam_deploys_updates_and_deletes(tools: Any) -> None:
    tools.write(template__yaml=TEMPLATE)
    deploy = ["sam", "deploy", "--stack-name", "sam", "--no-confirm-changeset", "--region", "eu-central-1"]
    assert "Successfully created/updated stack - sam" in tools.run(*deploy)
    assert "No changes to deploy. Stack sam is up to date" in tools.run(*deploy, "--no-fail-on-empty-changeset")
    tools.run(*deploy, "--parameter-overrides", "Word=two")
    assert "UPDATE_COMPLETE" == statuses(tools)["sam"]
    tools.run("sam", "delete", "--stack-name", "sam", "--no-prompts", "--region", "eu-central-1")
    assert "sam" not in statuses(tools)


def test_formica_proposes_deploys_and_removes(tools: Any) -> None:
    tools.write(stack__template__yaml=TEMPLATE)
    assert "Add" in tools.run("formica", "new", "--stack", "formica")
    assert "REVIEW_IN_PROGRESS" == statuses(tools)["formica"]
    assert "CREATE_COMPLETE" in tools.run("formica", "deploy", "--stack", "formica")
    assert "Modify" in tools.run("formica", "change", "--stack", "formica", "--parameters", "Word=two")
    assert "UPDATE_COMPLETE" in tools.run("formica", "deploy", "--stack", "formica")
    tools.run("formica", "remove", "--stack", "formica")
    assert "formica" not in statuses(tools)
