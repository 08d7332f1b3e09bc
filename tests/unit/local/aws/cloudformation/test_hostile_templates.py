"""Templates that nobody should write are refused in words, at validation, in a change set and at the creation of a stack."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from in_process import Cloud

from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN
from tests.unit.local.aws.cloudformation.random_templates import TEMPLATES, WELL_FORMED

EXAMPLES = int(os.environ.get("TEMPLATES", "60"))
ONE = "Resources: {A: {Type: AWS::SNS::Topic}}\n"
EXTENDED = "Transform: AWS::LanguageExtensions\n"
OF_PYTHON = re.compile(r"\wError:|Traceback|NoneType|object has no|<class|unhashable|Internal|must be str")


def with_name(value: str) -> str:
    """A topic with the name `value`."""
    return f"Resources: {{A: {{Type: AWS::SNS::Topic, Properties: {{TopicName: {value}}}}}}}\n"


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(tmp_path / "stacks", monkeypatch)


def refusals(cloud: Cloud, text: str) -> list[str]:
    """The refusals of validation, change set and creation."""
    return [
        cloud.refusal("ValidateTemplate", TemplateBody=text),
        cloud.refusal(
            "CreateChangeSet", StackName="reviewed", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=text
        ),
        cloud.refusal("CreateStack", StackName="made", TemplateBody=text, Capabilities="CAPABILITY_AUTO_EXPAND"),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            ONE + "Outputs: {O: {Value: x, Condition: Nope}}",
            "Unresolved condition dependency Nope in the Outputs block",
        ),
        (ONE + "Outputs: {O: {Value: x, Condition: [a]}}", "Every Condition member must be a string"),
        (ONE + "Outputs: {O: {Value: {a: b}}}", "must evaluate to a String"),
        (ONE + "Outputs: {O: {Value: a, Export: x}}", "The Name field of Export must be specified"),
        (ONE + "Conditions: {A: !Condition B, B: !Condition A}", r"circular condition dependency: \[A, B\]"),
        (ONE + "Conditions: {A: !Not [!Condition A]}", r"circular condition dependency: \[A\]"),
        (ONE + "Conditions: {A: hello}", "Conditions can only be boolean operations"),
        (ONE + "Conditions: {C: !Equals [!Ref A, x]}", r"Unresolved dependencies \[A\]. Cannot reference resources"),
        (
            ONE + "Conditions: {C: !Equals [!Sub '${A}', x]}",
            r"Unresolved dependencies \[A\]. Cannot reference resources",
        ),
        (ONE + "Conditions: {C: !Equals [!ImportValue a, x]}", "Cannot use Fn::ImportValue in Conditions"),
        (ONE + "Conditions: {C: !Equals x}", "Fn::Equals object requires a list of 2 string parameters"),
        (ONE + "Conditions: {C: !And [x, y]}", "at least 2 and at most 10 boolean parameters"),
        (with_name("!If [Nope, a, b]"), "unresolved condition dependency Nope in Fn::If"),
        (with_name("!Cidr x"), "every Fn::Cidr object requires"),
        (with_name("!Select [0, !Cidr [hello, 2, 8]]"), "requires an IP block such as 10.0.0.0/16, not hello"),
        (with_name("!Select [0, !Cidr [10.0.0.0/8, 0, 8]]"), "requires a count from 1 to 256, not 0"),
        (with_name("!Select [0, !Cidr [10.0.0.0/8, 257, 8]]"), "requires a count from 1 to 256, not 257"),
        (with_name("!Select [0, !Cidr [10.0.0.0/8, two, 8]]"), "every Fn::Cidr object requires"),
        (with_name("!Select [0, !Cidr [10.0.0.0/8, 2, 40]]"), "cannot split 10.0.0.0/8"),
        (with_name("!Select [one, [a, b]]"), "Fn::Select requires a list argument with two elements"),
        (with_name("!Select [0]"), "Fn::Select requires a list argument with two elements"),
        (with_name("!Split ['', abc]"), "every Fn::Split object requires two parameters"),
        (with_name("!Split [',', [a]]"), "every Fn::Split object requires two parameters"),
        (with_name("!GetAZs [a]"), "every Fn::GetAZs object requires the name of a region"),
        (with_name("!Join [a, [{x: y}]]"), "every Fn::Join object requires two parameters"),
        (with_name("!Sub [a]"), "Fn::Sub intrinsic functions don't specify expected arguments"),
        (with_name("!Sub '${A-b}'"), "variable names in Fn::Sub syntax"),
        (with_name("!Ref [a]"), "every Ref object must have a single String value"),
        (with_name("!GetAtt A"), "every Fn::GetAtt object requires two non-empty parameters"),
        (with_name("!GetAtt [A, b, c]"), "every Fn::GetAtt object requires two non-empty parameters"),
        (with_name("!ImportValue {a: b}"), "the attribute in Fn::ImportValue must be a string"),
        (with_name("!ImportValue [!GetAZs '']"), "the attribute in Fn::ImportValue must be a string"),
        (with_name("!ImportValue {'Fn::Select': [0, !GetAZs '']}"), "must not depend on any resources"),
        (with_name("!Ref A"), r"Circular dependency between resources: \[A\]"),
        (with_name("!Sub '${A.TopicArn}'"), r"Circular dependency between resources: \[A\]"),
        ("Resources: {A: {Type: AWS::SNS::Topic, DependsOn: A}}", r"Circular dependency between resources: \[A\]"),
        ("Resources: {A: {Type: AWS::SNS::Topic, DependsOn: {x: y}}}", "DependsOn must be a string or list of strings"),
        ("Resources: {A: {Type: [x]}}", "Every Type member must be a string"),
        ("Resources: {A: {Type: AWS::SNS::Topic, Properties: [x]}}", "Every Properties member must be an object"),
        ("Resources: {A: [x]}", "Any Resources member must be an object"),
        (
            "Resources: {A: {Type: AWS::SNS::Topic, Properties: }}",
            "[/Resources/A/Properties] 'null' values are not allowed",
        ),
        ("Mappings: {M: [a]}\n" + ONE, "Every Mappings member M must be a map"),
        ("Mappings: {M: {a: {b: {c: d}}}}\n" + ONE, "Every Mappings attribute must be a String or a List"),
        ("Parameters: {P: x}\n" + ONE, "Every Parameters object must be an object"),
        ("Parameters: {P: {Type: Foo}}\n" + ONE, "Unrecognized parameter type: Foo"),
        ("Parameters: {P: {Type: String, Default: {a: b}}}\n" + ONE, "Every Default member must be a string"),
        (
            "Parameters: {P: {Type: String, AllowedPattern: '('}}\n" + ONE,
            "cannot read the AllowedPattern of parameter P",
        ),
        ("Parameters: {P: {Type: String, AllowedValues: 5}}\n" + ONE, "must be a list of strings"),
        ("Rules: x\n" + ONE, "Rules must be an object"),
        ("Rules: {R: {Assertions: [x]}}\n" + ONE, "must contain an Assert member"),
        ("Rules: {R: {Assertions: [Assert: !Equals [!Ref A, x]]}}\n" + ONE, r"Unresolved dependencies \[A\]"),
        ("Description: [a]\n" + ONE, "'Description' field must be a string"),
        ("[a]: b\n" + ONE, "YAML not well-formed"),
        (with_name("!!binary aGFsbG8="), "the YAML tag binary is not supported"),
        (with_name("!!int abc"), "YAML not well-formed"),
        ("Resources: {A: {Type: AWS::SNS::Topic, <<: {DeletionPolicy: Retain}}}", r"merge keys \(<<\) are not allowed"),
        (with_name('"a\\u0001b"'), r"the character U\+0001 is not allowed"),
        ('{"Description": "\\ud800", "Resources": {"A": {"Type": "AWS::SNS::Topic"}}}', r"the character U\+D800"),
        ('{"Outputs": {"O": {"Value": NaN}}, "Resources": {"A": {"Type": "AWS::SNS::Topic"}}}', "JSON not well-formed"),
        (with_name("'{{changeSet:KNOWN_AFTER_APPLY}}'"), "stands for unknown values"),
        (EXTENDED + with_name("!Length 5"), "every Fn::Length object requires a list"),
        (
            EXTENDED + "Resources: {'Fn::ForEach::X': [a, [[b]], {'T${a}': {Type: AWS::SNS::Topic}}]}",
            "must have a list",
        ),
        (
            EXTENDED + "Resources: {'Fn::ForEach::X': [a, [b, c], {T: {Type: AWS::SNS::Topic}}]}",
            "the name T a second time",
        ),
    ],
)
def test_refused_each_time_in_the_same_words(cloud: Cloud, text: str, words: str) -> None:
    answers = refusals(cloud, text)
    assert answers[0] == answers[1] == answers[2]
    with pytest.raises(ValueError, match=words.replace("[/", r"\[/").replace("s] '", r"s\] '")):
        raise ValueError(answers[0])


@pytest.mark.parametrize(
    "text",
    [
        with_name("[" * 25_000 + "]" * 25_000),
        with_name("!Join ['', [" * 100 + "a" + "]]" * 100),
        json.dumps({"Resources": {"A": {"Type": "AWS::SNS::Topic"}}})[:-1]
        + ', "Metadata": '
        + "[" * 9000
        + "]" * 9000
        + "}",
    ],
    ids=["lists", "functions", "json"],
)
def test_deep_templates_end_neither_the_request_nor_the_server(cloud: Cloud, text: str) -> None:
    assert {"Template format error: the local cloud reads templates of 100 levels at most"} == set(
        refusals(cloud, text)
    )


def test_a_loop_in_a_loop_is_refused_before_it_has_filled_the_memory(cloud: Cloud) -> None:
    piece: Any = {"T${a}x${b}x${c}x${d}x${e}": {"Type": "AWS::SNS::Topic"}}
    for name in "abcde":
        piece = {f"Fn::ForEach::{name}": [name, [f"{number}" for number in range(100)], piece]}
    text = json.dumps({"Transform": "AWS::LanguageExtensions", "Resources": piece})
    assert "more than 2000 pieces" in refusals(cloud, text)[0]


@pytest.mark.parametrize(
    ("tags", "words"),
    [
        ("x", "#/Tags: expected type: JSONArray, found: String"),
        ("[x]", "#/Tags/0: expected type: JSONObject, found: String"),
        ("[{Value: x}]", "#/Tags/0: required key [Key] not found"),
        ("[{Key: a, Value: x}, {Key: a, Value: y}]", "Duplicate tag keys found: [a]"),
        ("[{Key: 'aws:a', Value: x}]", "aws: prefixed tag key names are not allowed for external use."),
        (
            json.dumps([{"Key": f"k{number}", "Value": "v"} for number in range(51)]),
            "The number of tags, 51, is greater",
        ),
    ],
)
def test_wrong_tags_are_the_reason_of_the_failed_resource(cloud: Cloud, tags: str, words: str) -> None:
    name = cloud.create(f"Resources: {{A: {{Type: AWS::SNS::Topic, Properties: {{Tags: {tags}}}}}}}")
    assert "ROLLBACK_COMPLETE" in cloud.settle(name)
    assert any(words in reason for reason in cloud.reasons(name))
    assert cloud.given == []


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("TopicName: [a, b]", "#/TopicName: expected type: String, found: JSONArray"),
        ("TopicName: {a: b}", "#/TopicName: expected type: String, found: JSONObject"),
        ("FifoTopic: maybe", "#/FifoTopic: expected type: Boolean, found: String"),
        ("Subscription: x", "#/Subscription: expected type: JSONArray, found: String"),
    ],
)
def test_a_value_of_a_wrong_type_is_the_reason_of_the_failed_resource(cloud: Cloud, written: str, words: str) -> None:
    name = cloud.create(f"Resources: {{A: {{Type: AWS::SNS::Topic, Properties: {{{written}}}}}}}")
    assert any(words in reason for reason in cloud.reasons(name))


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"Tags.member.1.Key": "aws:a", "Tags.member.1.Value": "b"}, "aws: prefixed tag key names"),
        ({f"Tags.member.{place}.{part}": "a" for place in (1, 2) for part in ("Key", "Value")}, "Duplicate tag keys"),
        ({"Tags.member.1.Key": "a"}, "Value null at 'tags.member.1.Value'"),
        ({"TimeoutInMinutes": "soon"}, "Value 'soon' at 'timeoutInMinutes'"),
        ({"StackName": ""}, "at 'stackName' failed to satisfy constraint"),
    ],
)
def test_wrong_requests_are_refused(cloud: Cloud, form: dict[str, str], words: str) -> None:
    assert words in cloud.refusal("CreateStack", **{"StackName": "made", "TemplateBody": ONE, **form})


def test_a_request_without_a_name_is_refused(cloud: Cloud) -> None:
    assert "Value null at 'stackName'" in cloud.refusal("CreateStack", TemplateBody=ONE)
    assert "NextToken" in cloud.refusal("DescribeStackEvents", StackName=cloud.create(ONE), NextToken="x")


def judge(cloud: Cloud, text: str) -> None:
    """Every answer about the template is in words of CloudFormation, and a stack that is begun comes to an end."""
    answers = refusals(cloud, text)
    change_set = cloud.ask("DescribeChangeSet", StackName="reviewed", ChangeSetName="c")[1]
    made = "" if answers[2] else " ".join([cloud.settle("made"), *cloud.reasons("made")])
    assert UNKNOWN not in made + json.dumps(cloud.given)
    for answer in [*answers, change_set, made]:
        assert OF_PYTHON.search(answer) is None, answer
    for name in ("reviewed", "made"):
        cloud.refusal("DeleteStack", StackName=name)
        cloud.refusal("DeleteChangeSet", StackName=name, ChangeSetName="c")


@pytest.fixture
def hostile(cloud: Cloud) -> Callable[[str], None]:
    return lambda text: judge(cloud, text)


SETTINGS = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    derandomize=EXAMPLES < 1000,  # the same templates each time, unless many are asked for
)


@SETTINGS
@given(template=TEMPLATES)
def test_no_template_makes_an_exception(hostile: Callable[[str], None], template: dict[str, Any]) -> None:
    hostile(json.dumps(template))


@SETTINGS
@given(template=WELL_FORMED)
def test_no_value_makes_an_exception(hostile: Callable[[str], None], template: dict[str, Any]) -> None:
    hostile(json.dumps(template))
