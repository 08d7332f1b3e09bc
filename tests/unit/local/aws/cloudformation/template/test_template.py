"""How a template is read: short forms, dates, references and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.parsing import read
from bootstrap.local.aws.cloudformation.template.template import find_dependencies, find_names

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
    assert long == read(text).read_section("Metadata")["X"]


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
    } == set(find_names(value))


def test_dependencies_are_explicit_and_implicit_ones_among_what_is_present() -> None:
    template = read(
        "Resources:\n"
        "  A: {Type: AWS::SNS::Topic}\n"
        "  B: {Type: AWS::SNS::Topic, DependsOn: A}\n"
        "  C: {Type: AWS::SNS::Topic, Properties: {TopicName: !Sub '${B.TopicName}', DisplayName: !Ref A}}\n"
    )
    assert {"A": set(), "B": {"A"}, "C": {"A", "B"}} == find_dependencies(template, frozenset("ABC"))
    assert {"A": set(), "C": {"A"}} == find_dependencies(template, frozenset("AC"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "unsupported structure"),
        ("- a", "unsupported structure"),
        ("A: 1\nA: 2\n" + ONE, "YAML not well-formed"),
        ("AWSTemplateFormatVersion: '2000-01-01'\n" + ONE, "AWSTemplateFormatVersion"),
        ("Transform: AWS::Other\n" + ONE, "No transform named AWS::Other found"),
        (
            "Transform: AWS::Serverless-2016-10-31\nGlobals: {Function: {Timeout: 3}}\n" + ONE,
            "which the section Globals needs",
        ),
        (
            "Transform: AWS::Serverless-2016-10-31\nResources: {F: {Type: AWS::Serverless::Function}}",
            "does not carry out the transform AWS::Serverless-2016-10-31, which resource F of type AWS::Serverless::Function",
        ),
        ("Resources: {A: {Type: AWS::SNS::Topic, Proprties: {}}}", "Invalid template resource property 'Proprties'"),
        ("Resources: {A: {Properties: {}}}", "must contain a Type member"),
        ("Resources: {A-B: {Type: AWS::SNS::Topic}}", "non alphanumeric"),
        ("Resources: {A: {Type: AWS::SNS::Topic, DeletionPolicy: Keep}}", "Unrecognized DeletionPolicy Keep"),
        ("Resources: {A: {Type: AWS::SNS::Topic, Condition: Nope}}", "Unresolved condition"),
        ("Resources: {A: {Type: AWS::SNS::Topic, Condition: No}}", "Every Condition member must be a string"),
        ("Resources: {A: {Type: AWS::SNS::Topic, DependsOn: B}}", r"Unresolved resource dependencies \[B\]"),
        (ONE + "\nOutputs: {O: {Value: !Ref B}}", r"\[B\] in the Outputs block"),
        (ONE + "\nOutputs: {O: {Description: d}}", "must contain a Value"),
    ],
)
def test_wrong_templates_are_refused(text: str, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(text)


def test_the_serverless_transform_changes_nothing_where_nothing_serverless_is_used() -> None:
    text = f"Transform: AWS::Serverless-2016-10-31\n{ONE}"
    assert read(ONE).resources == read(text).resources


ALIAS = "Resources:\n  A: &one {Type: AWS::SNS::Topic}\n  B: *one\n"
LAUGHS = "Metadata:\n  a0: &a0 [x, x]\n" + "".join(
    f"  a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]\n" for number in range(1, 30)
)


@pytest.mark.parametrize(
    "text",
    [
        ALIAS,
        f"{LAUGHS}{ONE}\n",
        f"Metadata: &all {{it: *all}}\n{ONE}\n",
        f"Metadata: {{<<: &m {{a: b}}, c: *m}}\n{ONE}\n",
    ],
    ids=["shared", "a billion", "itself", "merged"],
)
def test_an_alias_is_refused_before_anything_is_built_from_it(text: str) -> None:
    with pytest.raises(Refused, match=r"^Template error: YAML aliases are not allowed in CloudFormation templates$"):
        read(text)


def test_a_star_that_is_no_alias_and_an_anchor_that_nobody_names_are_taken() -> None:
    found = read(
        "Description: &named '*it'\nMetadata: {a: '*', b: \"*b\", c: a*c}\nResources: {A: {Type: AWS::SNS::Topic}}"
    )
    assert found.document["Metadata"] == {"a": "*", "b": "*b", "c": "a*c"}


def test_what_a_reader_changes_is_not_what_the_next_one_reads() -> None:
    text = f"{ONE}\nMetadata: {{X: [1, 2]}}"
    read(text).read_section("Metadata")["X"].append(3)

    assert [1, 2] == read(text).read_section("Metadata")["X"]


def test_a_template_with_loops_is_read_for_its_parameters_each_time() -> None:
    text = (
        "Transform: AWS::LanguageExtensions\n"
        "Parameters: {Names: {Type: CommaDelimitedList}}\n"
        "Resources: {'Fn::ForEach::Each': [Name, !Ref Names, {'Topic${Name}': {Type: AWS::SNS::Topic}}]}\n"
    )
    for names in ("A,B", "C", "A,B"):
        assert [f"Topic{name}" for name in names.split(",")] == list(read(text, {"Names": names}).resources)


def test_a_template_that_was_refused_is_refused_again() -> None:
    for _ in "12":
        with pytest.raises(Refused, match="Unresolved resource dependencies"):
            read(f"{ONE}\nOutputs: {{X: {{Value: !Ref Missing}}}}")
