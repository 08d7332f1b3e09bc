"""Nested stacks in trouble: cancelled, failing on the way and on the way back, left as they are, killed; up to three deep."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from stack_families import FORBIDDEN, LEAF, PARAMETER, SLOW, Family, parameter, template, topic, until


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory, new_cloud: Any) -> Iterator[Any]:
    with new_cloud(tmp_path_factory.mktemp("troubled")) as made:
        yield made


@pytest.fixture
def family(troubled: Any) -> Iterator[Family]:
    made = Family(troubled)
    yield made
    made.arm()


def refused(call: Callable[..., Any], words: str, **given: Any) -> None:
    with pytest.raises(ClientError, match=words):
        call(**given)


def deep(family: Family, name: Any = None) -> str:
    """Root, middle and leaf; after them in the root a topic, then a parameter (of a name that may be refused)."""
    last = parameter("v", DependsOn="Later")
    if name:
        last["Properties"]["Name"] = name
    leaf = family.nested(LEAF)
    middle = template({"Leaf": leaf, "Own": parameter({"Ref": "Word"})}, {"Fn::GetAtt": ["Leaf", "Outputs.Name"]})
    later = topic({"Ref": "Word"}, DependsOn="Middle")
    resources = {"Middle": family.nested(middle), "Later": later, "Last": last}
    return template(resources, {"Fn::GetAtt": ["Middle", "Outputs.Name"]})


def test_a_cancelled_update_is_cancelled_in_the_nested_stack_that_it_has_reached(family: Family) -> None:
    inner = {"A": topic({"Ref": "Word"}), "P": parameter({"Ref": "Word"}, DependsOn="A")}
    body = template({"Child": family.nested(template(inner, {"Ref": "P"}))}, "x")
    assert "CREATE_COMPLETE" == family.play(body)
    child = family.child("Child")
    family.arm(SLOW)
    family.begin(body, "two")
    family.until(child, "A", "UPDATE_IN_PROGRESS")
    family.api.cancel_update_stack(StackName=family.name)
    assert "UPDATE_ROLLBACK_COMPLETE" == family.settle()
    assert {"UPDATE_ROLLBACK_COMPLETE"} == family.states()
    assert "one" == family.value(child)
    assert any("cancelled" in reason for reason in family.reasons(child, "UPDATE_FAILED"))


def test_a_deletion_stops_the_creation_of_nested_stacks_too(family: Family) -> None:
    handle = {"Type": "AWS::CloudFormation::WaitConditionHandle"}
    waiting = {"Handle": {"Ref": "H"}, "Timeout": 600}
    inner = {"H": handle, "P": parameter({"Ref": "Word"}), "W": {"Type": "AWS::CloudFormation::WaitCondition"}}
    inner["W"]["Properties"] = waiting
    body = template({"Child": family.nested(template(inner, {"Ref": "P"})), "Own": topic("t")}, "x")
    family.begin(body)
    for _ in until():
        listed = family.api.list_stack_resources(StackName=family.id)["StackResourceSummaries"]
        children = [one.get("PhysicalResourceId", "") for one in listed if one["LogicalResourceId"] == "Child"]
        if any(children):
            break
    for _ in until():
        waiting_resources = family.api.list_stack_resources(StackName=children[0])["StackResourceSummaries"]
        if {"W"} <= {one["LogicalResourceId"] for one in waiting_resources}:
            break
    family.api.delete_stack(StackName=family.id)
    assert "DELETE_COMPLETE" == family.settle()
    assert {"DELETE_COMPLETE"} == family.states()
    assert ["Resource creation cancelled"] == family.reasons(family.id, "CREATE_FAILED")


def test_an_update_that_is_cancelled_at_its_last_resource_goes_back_all_the_same(family: Family) -> None:
    body = template({"A": topic({"Ref": "Word"})}, "x")
    family.play(body)
    family.arm(SLOW)
    family.begin(body, "two")
    family.until(family.id, "A", "UPDATE_IN_PROGRESS")
    family.api.cancel_update_stack(StackName=family.name)
    assert "UPDATE_ROLLBACK_COMPLETE" == family.settle()
    arn = family.child("A")
    found = family.cloud.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]["DisplayName"]
    assert "one" == found
    refused(family.api.cancel_update_stack, "cannot be called from current stack status", StackName=family.name)


def test_a_rollback_that_failed_in_a_nested_stack_is_continued_from_the_root_and_skips_there(family: Family) -> None:
    resources = {"Child": family.nested(LEAF), "Z": parameter({"Ref": "Word"}, DependsOn="Child")}
    body = template(resources, "x")
    family.play(body)
    child = family.child("Child")
    family.arm(
        {"resource": PARAMETER, "on": "update", "logical_id": "Z"},
        {"resource": PARAMETER, "on": "update", "logical_id": "P", "nth": 2, "times": 0},
    )
    assert "UPDATE_ROLLBACK_FAILED" == family.play(body, "two")
    assert {"UPDATE_ROLLBACK_FAILED"} == family.states()
    again = family.api.continue_update_rollback
    refused(again, "cannot be invoked on child stacks", StackName=child)
    refused(again, r"Stack \[Child\] does not exist", StackName=family.name, ResourcesToSkip=["Child.P"])
    refused(again, "Nested stacks could not be skipped", StackName=family.name, ResourcesToSkip=["Child"])
    refused(again, "does not belong to stack", StackName=family.name, ResourcesToSkip=["P"])
    refused(again, "Only the resources failed", StackName=family.name, ResourcesToSkip=["Z"])
    again(StackName=family.name)
    assert "UPDATE_ROLLBACK_FAILED" == family.settle()
    name = child.split("/")[1]
    again(StackName=family.name, ResourcesToSkip=[f"{name}.P"])
    assert "UPDATE_ROLLBACK_COMPLETE" == family.settle()
    assert {"UPDATE_ROLLBACK_COMPLETE"} == family.states()
    assert "two" == family.value(child)  # as it was skipped
    family.arm()
    assert "UPDATE_COMPLETE" == family.play(body, "three")
    assert "three" == family.value(child)


def test_three_stacks_deep_live_change_go_back_and_end_together(family: Family) -> None:
    body = deep(family)
    assert "CREATE_COMPLETE" == family.play(body)
    leaf = family.child("Middle", "Leaf")
    shown = family.api.describe_stacks(StackName=leaf)["Stacks"][0]
    assert (family.child("Middle"), family.id) == (shown["ParentId"], shown["RootId"])
    assert "UPDATE_COMPLETE" == family.play(body, "two")
    assert "two" == family.value(leaf)
    assert {"UPDATE_COMPLETE"} == family.states()
    assert "UPDATE_ROLLBACK_COMPLETE" == family.play(deep(family, FORBIDDEN), "three")
    assert {"UPDATE_ROLLBACK_COMPLETE"} == family.states()
    assert ("two", leaf) == (family.value(leaf), family.child("Middle", "Leaf"))
    family.api.delete_stack(StackName=family.name)
    assert "DELETE_COMPLETE" == family.settle()
    assert {"DELETE_COMPLETE"} == family.states()


def test_what_a_nested_stack_failed_at_is_left_and_rolled_back_when_asked(family: Family) -> None:
    other = template({"B": parameter({"Ref": "Word"})}, "x")
    resources = {"Good": family.nested(LEAF), "Bad": family.nested(other, DependsOn="Good")}
    body = template(resources, "x")
    family.play(body)
    good, bad = family.child("Good"), family.child("Bad")
    family.arm({"resource": PARAMETER, "on": "update", "logical_id": "B"})
    assert "UPDATE_FAILED" == family.play(body, "two", DisableRollback=True)
    assert "UPDATE_FAILED" == family.status(bad)
    assert ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "two") == (family.status(good), family.value(good))
    family.api.rollback_stack(StackName=family.name)
    assert "UPDATE_ROLLBACK_COMPLETE" == family.settle()
    assert {"UPDATE_ROLLBACK_COMPLETE"} == family.states()
    assert ("one", "one") == (family.value(good), family.value(bad, "B"))


@pytest.mark.parametrize("way", ["updated", "deleted"])
def test_a_root_that_was_left_as_it_failed_is_gone_on_with(family: Family, way: str) -> None:
    resources = {"Good": family.nested(LEAF), "B": parameter({"Ref": "Word"}, DependsOn="Good")}
    body = template(resources, "x")
    family.play(body)
    good = family.child("Good")
    family.arm({"resource": PARAMETER, "on": "update", "logical_id": "B"})
    assert "UPDATE_FAILED" == family.play(body, "two", DisableRollback=True)
    if way == "updated":
        assert "UPDATE_COMPLETE" == family.play(body, "three")
        assert {"UPDATE_COMPLETE"} == family.states()
        assert "three" == family.value(good)
    else:
        family.api.delete_stack(StackName=family.name)
        assert "DELETE_COMPLETE" == family.settle()
        assert {"DELETE_COMPLETE"} == family.states()


def test_what_is_done_to_a_nested_stack_alone_and_what_its_parent_does_exclude_each_other(family: Family) -> None:
    inner = template({"A": topic({"Ref": "Word"})}, "x")
    body = template({"Child": family.nested(inner)}, "x")
    family.play(body)
    child = family.child("Child")
    alone = {"StackName": child, "TemplateBody": inner}
    family.arm(SLOW)
    family.api.update_stack(**alone, Parameters=[{"ParameterKey": "Word", "ParameterValue": "own"}])
    assert "UPDATE_ROLLBACK_COMPLETE" == family.play(body, "two")
    assert any("can not be updated" in reason for reason in family.reasons(family.id, "UPDATE_FAILED"))
    assert "UPDATE_COMPLETE" == family.status(child)
    family.arm(SLOW)
    family.api.update_stack(**alone, Parameters=[{"ParameterKey": "Word", "ParameterValue": "again"}])
    family.api.delete_stack(StackName=family.name)
    assert "DELETE_COMPLETE" == family.settle()
    assert {"DELETE_COMPLETE"} == family.states()


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_a_kill_while_nested_stacks_wait_for_the_root_changes_nothing_of_the_end(own_cloud: Any, ends: str) -> None:
    family = Family(own_cloud)
    assert "CREATE_COMPLETE" == family.play(deep(family))
    middle, leaf = family.child("Middle"), family.child("Middle", "Leaf")
    family.arm({**SLOW, "seconds": 20})
    family.begin(deep(family, FORBIDDEN if ends == "badly" else None), "two")
    family.until(family.id, "Later", "UPDATE_IN_PROGRESS")
    assert {"UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"} == {family.status(middle), family.status(leaf)}
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    status, value = ("UPDATE_COMPLETE", "two") if ends == "well" else ("UPDATE_ROLLBACK_COMPLETE", "one")
    assert status == family.settle()
    assert {status} == family.states()
    assert (value, value) == (family.value(leaf), family.value(middle, "Own"))


def test_a_kill_of_a_root_that_was_left_as_it_failed_is_deleted_with_those_that_wait_for_it(own_cloud: Any) -> None:
    family = Family(own_cloud)
    body = template({"Good": family.nested(LEAF), "B": parameter({"Ref": "Word"}, DependsOn="Good")}, "x")
    family.play(body)
    good = family.child("Good")
    family.arm({"resource": PARAMETER, "on": "update", "logical_id": "B"})
    assert "UPDATE_FAILED" == family.play(body, "two", DisableRollback=True)
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    assert "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" == family.status(good)
    family.api.delete_stack(StackName=family.name)
    assert "DELETE_COMPLETE" == family.settle()
    assert {"DELETE_COMPLETE"} == family.states()
