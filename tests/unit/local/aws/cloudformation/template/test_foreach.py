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


MAPS = {
    "Lists": {
        "live": {"Names": ["A", "B"]},
        "test": {"Names": ["C"], "None": []},
        "123456789012": {"eu-central-1": ["D"]},
        "of": {"texts": "E"},
    }
}


def mapped(*keys: Any) -> dict[str, str]:
    """The loop over the list of a mapping, in a template with a parameter that has a default and one that has none."""
    parameters = {"Stage": {"Type": "String", "Default": "live"}, "Other": {"Type": "String"}}
    loop = ["Name", {"Fn::FindInMap": ["Lists", *keys]}, TOPIC]
    return names(template(loop, Mappings=MAPS, Parameters=parameters))


def test_list_may_be_in_a_mapping_whose_keys_depend_on_parameters() -> None:
    assert {"TopicA": "A", "TopicB": "B"} == mapped({"Ref": "Stage"}, "Names")
    text = template(
        ["Name", {"Fn::FindInMap": ["Lists", {"Fn::Sub": "${Stage}"}, "Names"]}, TOPIC],
        Mappings=MAPS,
        Parameters={"Stage": {"Type": "String"}},
    )
    assert {"TopicC": "C"} == names(text, {"Stage": "test"})
    assert {"TopicStage": "Stage"} == names(text)
    by_place = ["Name", {"Fn::FindInMap": ["Lists", {"Ref": "AWS::AccountId"}, {"Ref": "AWS::Region"}]}, TOPIC]
    found = read(template(by_place, Mappings=MAPS), {}, "eu-central-1").resources
    assert {"TopicD"} == found.keys()


def test_list_of_a_mapping_may_stand_beside_others_and_have_a_default() -> None:
    both = ["Name", [{"Fn::FindInMap": ["Lists", "live", "Names"]}, "Z"], TOPIC]
    assert {"TopicA": "A", "TopicB": "B", "TopicZ": "Z"} == names(template(both, Mappings=MAPS))
    assert {"TopicX": "X"} == mapped("no", "such", {"DefaultValue": ["X"]})
    inner = {"Fn::ForEach::Inner": ["Name", {"Fn::FindInMap": ["Lists", {"Ref": "S"}, "Names"]}, TOPIC]}
    assert {"TopicA", "TopicB", "TopicC"} == names(template(["S", ["live", "test"], inner], Mappings=MAPS)).keys()


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("live", "Missing"), "Unable to get mapping for Lists::live::Missing"),
        (("of", "texts"), "must have a list"),
        (("live",), "FindInMap"),
        (({"Ref": "AWS::StackName"}, "Names"), "the list of Fn::ForEach::Topics cannot depend on AWS::StackName"),
    ],
)
def test_list_that_no_mapping_has_is_refused(keys: Any, words: str) -> None:
    with pytest.raises(Refused, match=words):
        mapped(*keys)


def test_list_that_depends_on_a_looked_up_parameter_is_refused_in_the_name_of_the_local_cloud() -> None:
    loop = ["Name", {"Fn::FindInMap": ["Lists", {"Ref": "P"}, "Names"]}, TOPIC]
    text = template(loop, Mappings=MAPS, Parameters={"P": {"Type": "AWS::SSM::Parameter::Value<String>"}})
    with pytest.raises(Refused, match="The local cloud does not know P, a parameter of SSM"):
        read(text, {"P": "/stage"})


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
