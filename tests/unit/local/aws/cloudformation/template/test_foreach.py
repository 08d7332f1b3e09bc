"""Loops of a template are written out when it is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.parsing import read

TOPIC = {"Topic${Name}": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": {"Ref": "Name"}}}}


def template(loop: Any, transform: Any = "AWS::LanguageExtensions", **sections: Any) -> str:
    return json.dumps({"Transform": transform, "Resources": {"Fn::ForEach::Topics": loop}, **sections})


def names(text: str, given: dict[str, str] | None = None) -> dict[str, str]:
    return {name: body["Properties"]["DisplayName"] for name, body in read(text, given).resources.items()}


def test_each_member_has_its_own_piece() -> None:
    assert {"TopicA": "A", "TopicB": "B"} == names(template(["Name", ["A", "B"], TOPIC]))


def test_list_may_be_a_parameter_given_or_by_default() -> None:
    declared = {"Names": {"Type": "CommaDelimitedList", "Default": "A, B"}}
    text = template(["Name", {"Ref": "Names"}, TOPIC], Parameters=declared)
    assert {"TopicA": "A", "TopicB": "B"} == names(text)
    assert {"TopicC": "C"} == names(text, {"Names": "C"})


def test_list_parameter_without_a_value_does_not_keep_the_template_from_being_read() -> None:
    declared = {"Names": {"Type": "CommaDelimitedList"}}
    assert {"TopicNames": "Names"} == names(template(["Name", {"Ref": "Names"}, TOPIC], Parameters=declared))


def test_loops_within_loops_and_names_without_signs() -> None:
    inner = {"Fn::ForEach::Inner": ["Kind", ["x", "y"], {"T&{Name}${Kind}": TOPIC["Topic${Name}"]}]}
    found = names(template(["Name", ["a.1", "b"], inner], ["AWS::LanguageExtensions"]))
    assert {"Ta1x": "a.1", "Ta1y": "a.1", "Tbx": "b", "Tby": "b"} == found


@pytest.mark.parametrize(
    ("loop", "words"),
    [
        (["Name", ["A"]], "must have an identifier"),
        (["Name", "A", TOPIC], "must have a list"),
        (["Name", {"Ref": "Nothing"}, TOPIC], "cannot resolve the list Nothing"),
    ],
)
def test_loop_that_is_none_is_refused(loop: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        read(template(loop))


def test_loop_without_its_transform_is_refused() -> None:
    with pytest.raises(Refused, match="Resource name Fn::ForEach::Topics is non alphanumeric"):
        read(template(["Name", ["A"], TOPIC], []))
