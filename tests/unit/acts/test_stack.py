"""The stack act against a CloudFormation of few words: the states that a real one gets into, and what is asked of it.

Every request is checked against the service's own model; a call that the test did not provide for fails it.
"""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.errors import StackFailed
from bootstrap.values import Change, ChangeKind
from tests.recorder import Recorder
from tests.unit.acts.scripted_cloudformation import SAME, TAGS, TEMPLATE, UPDATED, Cloud, altered, apply

CREATED = [("it", "CREATE_IN_PROGRESS"), ("Group", "CREATE_COMPLETE"), ("it", "CREATE_COMPLETE")]
DELETED = [("it", "DELETE_IN_PROGRESS"), ("Disk", "DELETE_SKIPPED"), ("it", "DELETE_COMPLETE")]


def tags_of(request: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in request["Tags"]}


def test_a_stack_that_is_not_there_is_none() -> None:
    assert None is stack.read(Cloud(), "it")


def test_a_new_stack_is_made_by_change_set(wished: StackTemplate) -> None:
    cloud, told = Cloud(proposals=[[altered(action="Add")]], operations=[CREATED]), Recorder()

    made = apply(cloud, wished, told)

    assert ("it", "CREATE_COMPLETE", {"Id": "x"}) == (made.name, made.status, made.outputs)
    assert [Change("stack", ChangeKind.ADD, "it/Group", "Type::Group")] == told.changes
    assert ["it CREATE_IN_PROGRESS", "Group CREATE_COMPLETE", "it CREATE_COMPLETE"] == told.lines
    assert TAGS == tags_of(cloud.asked("create_change_set")[0])


def test_what_a_killed_run_left_under_review_is_used(wished: StackTemplate) -> None:
    cloud = Cloud("REVIEW_IN_PROGRESS", proposals=[[altered(action="Add")]], operations=[CREATED])

    assert "CREATE_COMPLETE" == apply(cloud, wished).status


def test_a_second_run_changes_nothing(wished: StackTemplate) -> None:
    cloud, told = Cloud("CREATE_COMPLETE", proposals=[SAME], Project="p", Commit="old", Run="r1"), Recorder()

    apply(cloud, wished, told)

    assert {"Project": "p", "Commit": "old", "Run": "r1"} == tags_of(cloud.asked("create_change_set")[0])
    assert ([], {}, []) == (told.changes, cloud.sets, cloud.asked("execute_change_set"))


def test_a_change_brings_the_new_tags(wished: StackTemplate) -> None:
    details = [
        {"Target": {"Attribute": "Properties", "Name": "Rules"}},
        {"Target": {"Attribute": "Properties", "Name": "Rules"}},
    ]
    everything = [altered(), altered("Other", Details=[{"Target": {"Attribute": "Tags"}}])]
    cloud = Cloud(
        "UPDATE_COMPLETE", proposals=[[altered(Details=details)], everything], operations=[UPDATED], Commit="old"
    )
    told = Recorder()

    apply(cloud, wished, told)

    assert [Change("stack", ChangeKind.ALTER, "it/Group", "Type::Group: Rules")] == told.changes
    assert ["old", "new"] == [tags_of(request)["Commit"] for request in cloud.asked("create_change_set")]
    assert {} == cloud.sets


def test_where_a_resource_cannot_take_new_tags_an_update_brings_none(wished: StackTemplate) -> None:
    wished.path.write_text(TEMPLATE.replace("Metadata: {", "Metadata: {KeepsTags: true, "))
    cloud = Cloud("UPDATE_COMPLETE", proposals=[[altered()]], operations=[UPDATED], Commit="old")

    apply(cloud, wished)

    assert ["old"] == [tags_of(request)["Commit"] for request in cloud.asked("create_change_set")]
    assert 1 == len(cloud.asked("execute_change_set"))


def test_a_failed_update_tells_the_first_resource_that_failed_by_itself(wished: StackTemplate) -> None:
    events = [
        ("it", "UPDATE_IN_PROGRESS"),
        ("Other", "UPDATE_FAILED", "Resource update cancelled"),
        ("Group", "UPDATE_FAILED", "no such port"),
        ("it", "UPDATE_ROLLBACK_IN_PROGRESS", "The following resource(s) failed to update: [Group]."),
        ("it", "UPDATE_ROLLBACK_COMPLETE"),
    ]
    cloud = Cloud("CREATE_COMPLETE", proposals=[[altered()], [altered()]], operations=[events])

    with pytest.raises(StackFailed) as caught:
        apply(cloud, wished)

    assert "UPDATE_ROLLBACK_COMPLETE: Group (Type::Group): no such port" == caught.value.found


def test_the_remains_of_a_failed_creation_are_replaced(wished: StackTemplate) -> None:
    cloud = Cloud(
        "ROLLBACK_COMPLETE", proposals=[[altered(action="Add")]], operations=[DELETED, CREATED], protected=True
    )
    cloud.on_delete_stack = lambda _: (cloud.operate(), cloud.stack.clear())  # type: ignore[method-assign]
    told = Recorder()

    assert "CREATE_COMPLETE" == apply(cloud, wished, told).status
    assert [ChangeKind.REMOVE, ChangeKind.ADD] == [change.kind for change in told.changes]
    assert 1 == len(told.notices)


@pytest.mark.parametrize("status", ["DELETE_FAILED", "IMPORT_ROLLBACK_FAILED"])
def test_a_stuck_stack_is_left_alone(status: str, wished: StackTemplate) -> None:
    """States that only a person can lead out of; of DELETE_FAILED, where the stack holds what must be kept."""
    cloud = Cloud(status)

    with pytest.raises(StackFailed) as caught:
        apply(cloud, replace(wished, protect=True))

    assert f"it is {status}" == caught.value.found
    assert ["describe_stacks"] == [name for name, _ in cloud.calls]


@pytest.mark.parametrize("status", ["IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE"])
def test_a_stack_that_was_imported_into_is_as_good_as_any(status: str, wished: StackTemplate) -> None:
    assert status == apply(Cloud(status, proposals=[SAME], **TAGS), wished).status


def test_an_operation_of_somebody_else_is_waited_for(wished: StackTemplate) -> None:
    cloud, told = Cloud("UPDATE_IN_PROGRESS", proposals=[SAME], **TAGS), Recorder()

    stack.apply(cloud, wished, told, sleep=lambda _: cloud.tell("it", "UPDATE_COMPLETE"))

    assert ["waiting for it, which is UPDATE_IN_PROGRESS", "it UPDATE_COMPLETE"] == told.lines


def test_destroy_returns_what_is_kept_also_of_a_protected_stack() -> None:
    cloud, told = Cloud("CREATE_COMPLETE", operations=[DELETED], protected=True), Recorder()

    assert ("Type::Disk Disk-1",) == stack.destroy(cloud, "it", told, sleep=lambda _: None)
    assert [Change("stack", ChangeKind.REMOVE, "it")] == told.changes


def test_destroying_what_is_not_there_does_nothing() -> None:
    cloud = Cloud()

    assert () == stack.destroy(cloud, "it", Recorder())
    assert ["describe_stacks"] == [name for name, _ in cloud.calls]


def test_destroying_what_was_only_planned_leaves_nothing() -> None:
    cloud = Cloud("REVIEW_IN_PROGRESS")

    assert () == stack.destroy(cloud, "it", Recorder())
    assert {} == cloud.stack


def test_a_deletion_that_fails_says_what_stands_in_its_way() -> None:
    events = [("Group", "DELETE_FAILED", "has a dependent object"), ("it", "DELETE_FAILED")]

    with pytest.raises(StackFailed, match=r"Group \(Type::Group\): has a dependent object"):
        stack.destroy(Cloud("CREATE_COMPLETE", operations=[events]), "it", Recorder(), sleep=lambda _: None)


def test_what_aws_refuses_is_an_expected_failure(wished: StackTemplate) -> None:
    cloud = Cloud()
    told = {"Error": {"Code": "AccessDenied", "Message": "not you"}}

    def refuse(_: dict[str, Any]) -> None:
        raise ClientError(told, "DescribeStacks")

    cloud.on_describe_stacks = refuse  # type: ignore[method-assign]

    with pytest.raises(StackFailed, match="AccessDenied: not you"):
        apply(cloud, wished)


def test_a_cloud_that_cannot_be_reached_is_an_expected_failure(wished: StackTemplate) -> None:
    cloud = Cloud()

    def refuse(_: dict[str, Any]) -> None:
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:9")

    cloud.on_describe_stacks = refuse  # type: ignore[method-assign]

    with pytest.raises(StackFailed, match="can be reached"):
        apply(cloud, wished)
