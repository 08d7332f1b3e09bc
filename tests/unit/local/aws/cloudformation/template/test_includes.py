"""AWS::Include puts the snippet of an object into a template, wherever it stands."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import includes

SNIPPETS = {
    "b/topic.yaml": "Topic:\n  Type: AWS::SNS::Topic\n  Properties:\n    DisplayName:\n      Ref: Name\n",
    "b/dir/queue.json": '{"Queue": {"Type": "AWS::SQS::Queue"}}',
    "b/short": "Topic: {Type: 'AWS::SNS::Topic', Properties: {DisplayName: !Ref Name}}",
    "b/list": "[1, 2]",
    "b/broken": "{",
    "b/more": '{"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://b/topic.yaml"}}}',
    "b/outputs": '{"Outputs": {"O": {"Value": "v"}}}',
}


def fetch(bucket: str, key: str) -> str:
    return SNIPPETS[f"{bucket}/{key}"]


def include(location: Any) -> dict[str, Any]:
    return {"Name": "AWS::Include", "Parameters": {"Location": location}}


def expand(given_values: dict[str, str] | None = None, **sections: Any) -> dict[str, Any]:
    text = includes.expand(json.dumps(sections), given_values or {}, "eu-central-1", fetch)
    document: dict[str, Any] = json.loads(text)
    return document


def test_members_come_beside_those_that_stand_there() -> None:
    own = {"Own": {"Type": "AWS::SQS::Queue"}}
    document = expand(Resources={**own, "Fn::Transform": include("s3://b/topic.yaml")})
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Name"}}}
    assert {"Resources": {**own, "Topic": topic}} == document


def test_several_snippets_at_any_depth() -> None:
    both = [include("s3://b/topic.yaml"), include("s3://b/dir/queue.json")]
    document = expand(Resources={"A": {"Metadata": [{"Fn::Transform": both}]}}, Mappings={"Fn::Transform": both[1]})
    assert {"Topic", "Queue"} == document["Resources"]["A"]["Metadata"][0].keys()
    assert {"Queue"} == document["Mappings"].keys()


def test_the_section_transform_adds_sections_and_keeps_other_transforms() -> None:
    transforms = ["AWS::LanguageExtensions", include("s3://b/outputs")]
    document = expand(Transform=transforms, Resources={"A": {}})
    assert {
        "Transform": ["AWS::LanguageExtensions"],
        "Resources": {"A": {}},
        "Outputs": {"O": {"Value": "v"}},
    } == document
    assert "Transform" not in expand(Transform=include("s3://b/outputs"), Resources={"A": {}})


def test_a_location_may_depend_on_parameters() -> None:
    declared = {"Bucket": {"Type": "String", "Default": "b"}, "Dir": {"Type": "String"}}
    location = {"Fn::Sub": "s3://${Bucket}/${Dir}/queue.json"}
    sections = {"Parameters": declared, "Resources": {"Fn::Transform": include(location)}}
    assert {"Queue"} == expand({"Dir": "dir"}, **sections)["Resources"].keys()
    with pytest.raises(Refused, match=r"Parameters: \[Dir\] must have values"):
        expand(**sections)


def test_a_template_without_the_transform_is_left_as_it_is() -> None:
    text = "Resources:\n  A: {Type: AWS::SNS::Topic}  # AWS::Include\n"
    assert text == includes.expand(text, {}, "eu-central-1", fetch)


FAILED = "Transform AWS::Include failed with: "


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("../topic.yaml", FAILED + "The location parameter is not a valid S3 uri."),
        ("https://b.s3.amazonaws.com/topic.yaml", FAILED + "The location parameter is not a valid S3 uri."),
        (None, FAILED + "The location parameter is not a valid S3 uri."),
        ("s3://b/short", FAILED + "The specified S3 object's content should be valid Yaml/JSON"),
        ("s3://b/list", FAILED + "The specified S3 object's content should be valid Yaml/JSON"),
        ("s3://b/broken", FAILED + "The specified S3 object's content should be valid Yaml/JSON"),
        ("s3://b/more", FAILED + "The specified S3 object's content should be valid Yaml/JSON"),
    ],
)
def test_what_cannot_be_included_is_refused(location: Any, words: str) -> None:
    with pytest.raises(Refused) as refusal:
        expand(Resources={"Fn::Transform": include(location)})
    assert words == refusal.value.message


def test_other_transforms_forbidden_sections_and_members_of_both_are_refused() -> None:
    with pytest.raises(Refused, match="No transform named Mine found"):
        expand(Resources={"Fn::Transform": {"Name": "Mine"}})
    with pytest.raises(Refused, match="cannot be used in the section Parameters"):
        expand(Parameters={"Fn::Transform": include("s3://b/topic.yaml")})
    with pytest.raises(Refused, match="The local cloud cannot include a snippet that has Topic"):
        expand(Resources={"Topic": {}, "Fn::Transform": include("s3://b/topic.yaml")})
    with pytest.raises(Refused, match="must have a Name and Parameters"):
        expand(Resources={"Fn::Transform": "AWS::Include"})
