"""What each function of a template gives."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.intrinsics import NOTHING, UNKNOWN, Scope, resolve_dynamic
from bootstrap.local.aws.cloudformation.template.parsing import read

TEMPLATE = """
Parameters: {Word: {Type: String}, Words: {Type: CommaDelimitedList}}
Mappings: {Sizes: {eu: {small: 8}}}
Conditions: {Holds: !Equals [1, "1"], Fails: !Not [!Condition Holds], Both: !And [!Condition Holds, !Condition Fails]}
Resources: {A: {Type: AWS::SNS::Topic}}
"""


@pytest.fixture
def scope() -> Scope:
    return Scope(
        read(TEMPLATE),
        {"Word": "hello", "Words": ["a", "b"]},
        {"AWS::Region": "eu-central-1", "AWS::StackName": "stack"},
        lambda name: f"id-{name}",
        lambda name, attribute: UNKNOWN if attribute == "Later" else f"{name}.{attribute}",
        lambda name: f"import-{name}",
        lambda region: [f"{region}a", f"{region}b"],
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"Ref": "Word"}, "hello"),
        ({"Ref": "A"}, "id-A"),
        ({"Ref": "AWS::Region"}, "eu-central-1"),
        ({"Ref": "AWS::NoValue"}, NOTHING),
        ({"a": 1, "b": {"Ref": "AWS::NoValue"}}, {"a": 1}),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
        ({"Fn::GetAtt": ["A", "Arn"]}, "A.Arn"),
        ({"Fn::Sub": "${Word} ${A} ${A.Arn} ${!Word} ${AWS::StackName}"}, "hello id-A A.Arn ${Word} stack"),
        ({"Fn::Sub": ["${V}", {"V": True}]}, "true"),
        ({"Fn::Join": ["-", {"Ref": "Words"}]}, "a-b"),
        ({"Fn::Select": ["1", {"Ref": "Words"}]}, "b"),
        ({"Fn::Split": [",", "x,y"]}, ["x", "y"]),
        ({"Fn::FindInMap": ["Sizes", "eu", "small"]}, 8),
        ({"Fn::FindInMap": ["Sizes", "us", "small", {"DefaultValue": 9}]}, 9),
        ({"Fn::If": ["Holds", 1, 2]}, 1),
        ({"Fn::If": ["Fails", 1, 2]}, 2),
        ({"Condition": "Both"}, False),
        ({"Fn::Or": [{"Condition": "Fails"}, {"Condition": "Holds"}]}, True),
        ({"Fn::Base64": "hello"}, "aGVsbG8="),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::GetAZs": ""}, ["eu-central-1a", "eu-central-1b"]),
        ({"Fn::GetAZs": {"Ref": "AWS::Region"}}, ["eu-central-1a", "eu-central-1b"]),
        ({"Fn::ImportValue": {"Fn::Sub": "${Word}-x"}}, "import-hello-x"),
        ({"Fn::ToJsonString": {"a": [1]}}, '{"a":[1]}'),
        ({"Fn::Length": [1, 2]}, 2),
        ({"Fn::Select": [0, {"Fn::Split": [",", {"Fn::GetAtt": ["A", "Later"]}]}]}, UNKNOWN),
    ],
)
def test_function_gives(scope: Scope, value: Any, expected: Any) -> None:
    assert expected == scope.evaluate(value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"Fn::Select": [5, ["a"]]}, "nonexistent value at index 5"),
        ({"Fn::FindInMap": ["Sizes", "us", "small"]}, "Unable to get mapping for Sizes::us::small"),
        ({"Fn::Cidr": ["10.0.0.0/24", 5, 8]}, "cannot split"),
        ({"Fn::Nothing": 1}, "Fn::Nothing is not a function"),
        ({"Fn::Join": [",", "text"]}, "every Fn::Join object requires"),
    ],
)
def test_wrong_use_is_refused(scope: Scope, value: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        scope.evaluate(value)


def test_dynamic_references_are_replaced_inside_text() -> None:
    value = {"a": ["x{{resolve:ssm:/name:2}}y", 3]}
    assert {"a": ["x[ssm /name:2]y", 3]} == resolve_dynamic(value, lambda service, what: f"[{service} {what}]")
