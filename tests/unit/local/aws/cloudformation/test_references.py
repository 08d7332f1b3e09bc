"""What a template refers to exists when it is used: the placeholder of change sets is nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from in_process import Cloud

from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN

TOPIC = "{Type: AWS::SNS::Topic}"
NEVER = "Conditions: {Never: !Equals [a, b]}\nResources:\n  A: {Type: AWS::SNS::Topic, Condition: Never}\n"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(tmp_path / "stacks", monkeypatch)


def named(value: str) -> str:
    """Another topic, B, with the name `value`."""
    return f"  B: {{Type: AWS::SNS::Topic, Properties: {{TopicName: {value}}}}}\n"


@pytest.mark.parametrize(
    ("rest", "section"),
    [
        (named("!Ref A"), "Resources"),
        (named("!GetAtt A.TopicName"), "Resources"),
        (named("!Sub '${A}'"), "Resources"),
        (named("!If [Never, x, !Ref A]"), "Resources"),
        (named("x") + "Outputs: {O: {Value: !Ref A}}", "Outputs"),
        (named("x") + "Outputs: {O: {Value: !GetAtt A.TopicArn}}", "Outputs"),
    ],
)
def test_a_reference_to_a_resource_whose_condition_is_false_is_refused(cloud: Cloud, rest: str, section: str) -> None:
    words = f"Unresolved resource dependencies [A] in the {section} block of the template"
    body = NEVER + rest
    assert words == cloud.refusal("CreateStack", StackName="made", TemplateBody=body)
    assert words == cloud.refusal(
        "CreateChangeSet", StackName="made", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body
    )


@pytest.mark.parametrize(
    "rest",
    [
        named("!If [Never, !Ref A, x]"),
        "  B: {Type: AWS::SNS::Topic, DependsOn: A, Properties: {TopicName: x}}\n",
        named("x") + "Outputs: {O: {Value: !Ref A, Condition: Never}}",
    ],
)
def test_what_a_false_condition_leaves_out_is_not_judged(cloud: Cloud, rest: str) -> None:
    assert "CREATE_COMPLETE" in cloud.settle(cloud.create(NEVER + rest))
    assert cloud.given == [{"TopicName": "x"}]


def test_a_condition_that_becomes_false_is_refused_while_a_resource_refers_to_it(cloud: Cloud) -> None:
    body = (
        "Parameters: {Has: {Type: String, Default: 'yes'}}\nConditions: {Has: !Equals [!Ref Has, 'yes']}\n"
        f"Resources:\n  A: {{Type: AWS::SNS::Topic, Condition: Has}}\n{named('!Ref A')}"
    )
    name = cloud.create(body)
    parameter = {"Parameters.member.1.ParameterKey": "Has", "Parameters.member.1.ParameterValue": "no"}
    words = "Unresolved resource dependencies [A] in the Resources block of the template"
    assert words == cloud.refusal("UpdateStack", StackName=name, UsePreviousTemplate="true", **parameter)


def test_the_placeholder_is_in_change_sets_alone(cloud: Cloud) -> None:
    other = named("!Sub 'x-${A}'")
    body = f"Resources:\n  A: {TOPIC}\n{other}Outputs: {{O: {{Value: !Sub '${{B.TopicArn}}/${{A}}'}}}}"
    assert "" == cloud.refusal(
        "CreateChangeSet", StackName="made", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=body
    )
    shown = cloud.ask("DescribeChangeSet", StackName="made", ChangeSetName="c", IncludePropertyValues="true")[1]
    assert UNKNOWN in shown
    assert "" == cloud.refusal("ExecuteChangeSet", StackName="made", ChangeSetName="c")
    assert "<OutputValue>arn:b-1/a-1</OutputValue>" in cloud.settle("made")
    assert [{}, {"TopicName": "x-a-1"}] == cloud.given


def test_nobody_can_give_the_placeholder(cloud: Cloud) -> None:
    body = f"Parameters: {{P: {{Type: String}}}}\nResources: {{A: {TOPIC}}}"
    parameter = {"Parameters.member.1.ParameterKey": "P", "Parameters.member.1.ParameterValue": f"a{UNKNOWN}"}
    assert "stands for unknown values" in cloud.refusal("CreateStack", StackName="made", TemplateBody=body, **parameter)


@pytest.mark.parametrize("name", ["e", "!Sub '${AWS::StackName}-e'"])
def test_two_outputs_with_one_export_are_refused(cloud: Cloud, name: str) -> None:
    outputs = ", ".join(f"{one}: {{Value: {one}, Export: {{Name: {name}}}}}" for one in ("O", "P"))
    body = f"Resources: {{A: {TOPIC}}}\nOutputs: {{{outputs}}}"
    assert "more than one output exports the name" in cloud.refusal("CreateStack", StackName="made", TemplateBody=body)


def test_two_outputs_of_which_one_is_left_out_may_have_one_export(cloud: Cloud) -> None:
    body = (
        NEVER
        + named("x")
        + (
            "Outputs:\n  O: {Value: a, Export: {Name: e}, Condition: Never}\n"
            "  P: {Value: !Ref AWS::StackName, Export: {Name: e}}\n  Q: {Value: b, Export: {Name: !Ref AWS::StackId}}\n"
            "  R: {Value: b, Export: {Name: !Ref AWS::StackName}}"
        )
    )
    exports = re.findall("<ExportName>(.*?)<", cloud.settle(cloud.create(body)))
    assert 3 == len(exports)


def test_a_resource_of_another_stack_cannot_be_imported(cloud: Cloud) -> None:
    cloud.create(f"Resources: {{A: {TOPIC}}}")
    refusal = cloud.refusal(
        "CreateChangeSet",
        StackName="other",
        ChangeSetName="c",
        TemplateBody="Resources: {Mine: {Type: AWS::SNS::Topic, DeletionPolicy: Retain}}",
        **{
            "ChangeSetType": "IMPORT",
            "ResourcesToImport.member.1.LogicalResourceId": "Mine",
            "ResourcesToImport.member.1.ResourceType": "AWS::SNS::Topic",
            "ResourcesToImport.member.1.ResourceIdentifier.entry.1.key": "TopicArn",
            "ResourcesToImport.member.1.ResourceIdentifier.entry.1.value": "a-1",
        },
    )
    assert "Resources [Mine] passed in ResourceToImport are already in a stack and cannot be imported." == refusal


@pytest.mark.parametrize("kind", ["Custom::Thing", "AWS::CloudFormation::CustomResource"])
def test_custom_resources_are_refused_by_name(cloud: Cloud, kind: str) -> None:
    body = f"Resources: {{A: {{Type: {kind}, Properties: {{ServiceToken: x}}}}}}"
    expected = f"The local cloud has no custom resources: A ({kind})"
    assert expected == cloud.refusal("CreateStack", StackName="made", TemplateBody=body)
