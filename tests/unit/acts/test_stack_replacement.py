"""A machine that is replaced: when it is removed first, and what the replacement costs."""

from dataclasses import replace
from typing import Any

import pytest

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.values import ChangeKind
from tests.recorder import Recorder
from tests.unit.acts.scripted_cloudformation import TAGS, UPDATED, Cloud, altered, apply


def test_a_machine_is_replaced_by_way_of_its_absence(wished: StackTemplate) -> None:
    replaced = altered("Machine", Replacement="Conditional", Scope=["Properties"])
    proposals = [[replaced], [altered("Machine", "Remove")], [altered("Machine", "Add")]]
    cloud = Cloud("CREATE_COMPLETE", proposals=proposals, operations=[UPDATED, UPDATED], **TAGS)
    told, stopped = Recorder(), []

    apply(cloud, wished, told, before_removal=stopped.append)

    presences = [
        {it["ParameterKey"]: it["ParameterValue"] for it in request["Parameters"]}.get("Presence")
        for request in cloud.asked("create_change_set")
    ]
    assert [None, "absent", None] == presences
    assert [(ChangeKind.REMOVE, "it/Machine"), (ChangeKind.ADD, "it/Machine")] == [
        (it.kind, it.name) for it in told.changes
    ]
    assert ["CREATE_COMPLETE"] == [it.status for it in stopped]


NAMED = """
Metadata: {Replacement: {Of: [Machine, Disk], ByWayOf: {Presence: absent}}}
Parameters:
  Size: {Type: Number}
  Image: {Type: String}
  Presence: {Type: String, Default: present}
Resources:
  Template:
    Type: AWS::EC2::LaunchTemplate
    Properties: {LaunchTemplateData: {ImageId: !Ref Image, Text: a, Size: !Ref Size}}
  Machine: {Type: "AWS::EC2::Instance", Properties: {LaunchTemplate: {Version: !GetAtt Template.LatestVersionNumber}}}
  Disk: {Type: "AWS::EC2::VolumeAttachment", Properties: {InstanceId: !Ref Machine}}
"""
OLDER = NAMED.replace(
    "Image: {Type: String}", "Image: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /the/image}"
)


def caused(logical: str, name: str, recreation: str, *entities: str, **more: Any) -> dict[str, Any]:
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    details = [{"Target": target} | ({"CausingEntity": it} if it else {}) for it in entities]
    return altered(logical, Details=details, **more)


def propose_named(*entities: str) -> list[dict[str, Any]]:
    """What CloudFormation may say of another form of the same image; the entities cause the launch template's change."""
    return [
        caused("Disk", "InstanceId", "Always", "Machine", Replacement="Conditional"),
        caused("Machine", "LaunchTemplate", "Conditionally", "Template.LatestVersionNumber", Replacement="Conditional"),
        caused("Template", "LaunchTemplateData", "Never", *entities, Replacement="False"),
    ]


def apply_named(
    wished: StackTemplate, *entities: str, image: str = "ami-1", before: str = OLDER
) -> tuple[Cloud, Recorder, list[Any]]:
    """Apply over a stack whose image was a name, which CloudFormation found to be ami-1."""
    wished.path.write_text(NAMED)
    proposals = [propose_named(*entities) for _ in range(3)]
    cloud = Cloud("CREATE_COMPLETE", proposals=proposals, operations=[UPDATED, UPDATED], **TAGS)
    cloud.stack["Parameters"] = [
        {"ParameterKey": "Size", "ParameterValue": "1"},
        {"ParameterKey": "Image", "ParameterValue": "/the/image", "ResolvedValue": "ami-1"},
    ]
    cloud.on_get_template = lambda _: {"TemplateBody": before}  # type: ignore[attr-defined]
    told, stopped = Recorder(), list[Any]()
    apply(cloud, replace(wished, parameters={"Size": "1", "Image": image}), told, before_removal=stopped.append)
    return cloud, told, stopped


@pytest.mark.parametrize("entities", [["Image"], ["", "Image"]])
def test_a_machine_is_not_removed_for_the_same_value_in_another_form(
    entities: list[str], wished: StackTemplate
) -> None:
    cloud, told, stopped = apply_named(wished, *entities)

    presences = ["Presence" in str(request["Parameters"]) for request in cloud.asked("create_change_set")]
    assert ([False, False], [], 1) == (presences, stopped, len(cloud.asked("execute_change_set")))
    (notice,) = told.notices
    assert "because of Image, whose value stays the same; nothing is removed" in notice


@pytest.mark.parametrize(
    ("entities", "more"),
    [
        (["Image"], {"image": "ami-2"}),
        (["Image", "Size"], {}),
        (["", "Image"], {"before": OLDER.replace("Text: a", "Text: b")}),
        (["", "Image"], {"before": OLDER.replace("Size: !Ref", "Size: !Sub")}),
        ([], {}),
    ],
    ids=["another value", "another parameter", "another text", "another function", "no cause"],
)
def test_a_machine_is_removed_where_anything_else_replaces_it(
    entities: list[str], more: dict[str, str], wished: StackTemplate
) -> None:
    cloud, told, stopped = apply_named(wished, *entities, **more)

    presences = ["absent" in str(request["Parameters"]) for request in cloud.asked("create_change_set")]
    assert ([False, True, False], 1, []) == (presences, len(stopped), told.notices)


def test_any_other_replacement_is_left_to_cloudformation(wished: StackTemplate) -> None:
    replaced = altered(Replacement="True")
    cloud, told = Cloud("CREATE_COMPLETE", proposals=[[replaced], [replaced]], operations=[UPDATED]), Recorder()

    apply(cloud, wished, told)

    assert [ChangeKind.REPLACE] == [change.kind for change in told.changes]


@pytest.mark.parametrize(
    ("kind", "policy", "words"),
    [
        ("AWS::EC2::Instance", "", "Jenkins is down for minutes"),
        ("AWS::EC2::Volume", "ReplaceAndRetain", "DATA: the new volume is empty"),
        ("AWS::Any::Thing", "", "no data; no downtime"),
    ],
)
def test_a_replacement_says_what_it_costs(wished: StackTemplate, kind: str, policy: str, words: str) -> None:
    change = altered("It", Replacement="True") | {"ResourceType": kind} | ({"PolicyAction": policy} if policy else {})

    (found,) = stack.plan(Cloud("CREATE_COMPLETE", proposals=[[change]], **TAGS), wished, sleep=lambda _: None)

    assert ChangeKind.REPLACE == found.kind
    assert words in found.detail
    assert bool(policy) == found.detail.endswith("; the old one is retained")
