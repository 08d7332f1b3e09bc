"""How a template is read: short forms, dates, references and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.template import dependencies, names_in

ONE = "Resources: {A: {Type: AWS::SNS::Topic}}"


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("!Ref A", {"Ref": "A"}),
        ("!GetAtt A.Arn", {"Fn::GetAtt": ["A", "Arn"]}),
        ("!GetAtt A.Outputs.Name", {"Fn::GetAtt": ["A", "Outputs.Name"]}),
        ("!GetAtt [A, Arn]", {"Fn::GetAtt": ["A", "Arn"]}),
        ('!Sub "${A}-x"', {"Fn::Sub": "${A}-x"}),
        ('!Sub ["${V}", {V: !Ref A}]', {"Fn::Sub": ["${V}", {"V": {"Ref": "A"}}]}),
        ('!Join ["-", [a, !Ref A]]', {"Fn::Join": ["-", ["a", {"Ref": "A"}]]}),
        ('!GetAZs ""', {"Fn::GetAZs": ""}),
        ("2012-10-17", "2012-10-17"),
    ],
)
def test_short_forms_are_their_long_forms(short: str, long: Any) -> None:
    text = f"{ONE}\nMetadata: {{X: {short}}}"
    assert long == read(text).section("Metadata")["X"]


def test_names_are_found_wherever_they_are_used() -> None:
    value = {
        "a": [{"Fn::Sub": ["${B}${C.Arn}${V}${!Lit}", {"V": {"Ref": "D"}}]}],
        "b": {"Fn::If": ["Cond", {"Ref": "E"}, 1]},
    }
    assert {
        ("Ref", "B"),
        ("Fn::GetAtt", "C"),
        ("Ref", "D"),
        ("Condition", "Cond"),
        ("Ref", "E"),
    } == set(names_in(value))


def test_dependencies_are_explicit_and_implicit_ones_among_what_is_present() -> None:
    template = read(
        "Resources:\n"
        "  A: {Type: AWS::SNS::Topic}\n"
        "  B: {Type: AWS::SNS::Topic, DependsOn: A}\n"
        "  C: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub '${B.TopicName}', DisplayName: !Ref A}}\n"
    )
    assert {"A": set(), "B": {"A"}, "C": {"A", "B"}} == dependencies(template, frozenset("ABC"))
    assert {"A": set(), "C": {"A"}} == dependencies(template, frozenset("AC"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unsupported structure"),
        ("- a", "unsupported structure"),
        ("A: 1\nA: 2\n" + ONE, "YAML not well-formed"),
        ("AWSTemplateFormatVersion: '2000-01-01'\n" + ONE, "AWSTemplateFormatVersion"),
        ("Transform: AWS::Serverless-2016-10-31\n" + ONE, "No transform named AWS::Serverless-2016-10-31 found"),
        ("Resources: {A: {Type: AWS::SNS::Topic, Proprties: {}}}", "Invalid template resource property 'Proprties'"),
        ("Resources: {A: {Properties: {}}}", "must contain a Type member"),
        ("Resources: {A-B: {Type: AWS::SNS::Topic}}", "non alphanumeric"),
        ("Resources: {A: {Type: AWS::SNS::Topic, DeletionPolicy: Keep}}", "Unrecognized DeletionPolicy Keep"),
        ("Resources: {A: {Type: AWS::SNS::Topic, Condition: No}}", "Unresolved condition"),
        ("Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}}", r"Unresolved resource dependencies \[B\]"),
        (ONE + "\nOutputs: {O: {Value: !Ref B}}", r"\[B\] in the Outputs block"),
        (ONE + "\nOutputs: {O: {Description: d}}", "must contain a Value"),
    ],
)
def test_wrong_templates_are_refused(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(text)
