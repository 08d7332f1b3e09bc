"""Launch, plan and destroy over a stack in every state that it can be in.

The local cloud gets into each of these states by itself here, by faults on demand or by another's operation: CREATE_FAILED,
ROLLBACK_COMPLETE, ROLLBACK_FAILED, REVIEW_IN_PROGRESS, UPDATE_FAILED, UPDATE_ROLLBACK_COMPLETE, UPDATE_ROLLBACK_FAILED,
DELETE_FAILED, CREATE_IN_PROGRESS, UPDATE_IN_PROGRESS, IMPORT_COMPLETE. What it does not get into by itself (the failed rollback
of an import, a deletion that is still under way) is in tests/unit/acts/test_stack.py, on answers that botocore's model checks.
"""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.acts import stack
from bootstrap.acts.stack import StackTemplate
from bootstrap.errors import StackFailed
from bootstrap.values import Change, ChangeKind
from tests.recorder import Recorder

PARAMETER = "AWS::SSM::Parameter"
ALWAYS = 0


def body(value: str) -> str:
    """Two parameters, the second after the first."""
    made = {"Type": PARAMETER, "Properties": {"Type": "String", "Value": value}}
    return json.dumps({"Resources": {"A": made, "B": {**made, "DependsOn": "A"}}})


class Scene:
    """One stack of a cloud of this module's own, and the faults of that cloud."""

    def __init__(self, cloud: Any, folder: Path) -> None:
        self.cloud, self.folder = cloud, folder
        self.name = f"state-{uuid.uuid4().hex[:6]}"
        self.api = cloud.client("cloudformation")

    def arm(self, *faults: dict[str, Any]) -> None:
        self.cloud.control("faults", {"faults": [{"resource": PARAMETER, **it} for it in faults]} if faults else {})

    def wished(self, value: str = "new", *, protect: bool = False) -> StackTemplate:
        path = self.folder / f"{value}.yaml"
        path.write_text(body(value))
        return StackTemplate(self.name, path, {}, {"Project": "p"}, protect=protect)

    def status(self) -> str:
        return str(self.api.describe_stacks(StackName=self.name)["Stacks"][0]["StackStatus"])

    def settle(self) -> str:
        end = time.monotonic() + 120
        while (status := self.status()).endswith("_IN_PROGRESS"):
            assert time.monotonic() < end, status
            time.sleep(0.05)
        return status

    def values(self) -> set[str]:
        listed = self.api.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        ssm = self.cloud.client("ssm")
        return {ssm.get_parameter(Name=it["PhysicalResourceId"])["Parameter"]["Value"] for it in listed}

    def plan(self, **more: Any) -> tuple[Change, ...]:
        return stack.plan(self.api, self.wished(**more))

    def apply(self, told: Recorder | None = None, **more: Any) -> str:
        return stack.apply(self.api, self.wished(**more), told or Recorder()).status

    def destroy(self, told: Recorder | None = None) -> tuple[str, ...]:
        return stack.destroy(self.api, self.name, told or Recorder())


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory, new_cloud: Any) -> Iterator[Any]:
    with new_cloud(tmp_path_factory.mktemp("states")) as made:
        yield made


@pytest.fixture
def scene(cloud: Any, tmp_path: Path) -> Iterator[Scene]:
    made = Scene(cloud, tmp_path)
    yield made
    made.arm()


def create(scene: Scene, **more: Any) -> str:
    scene.api.create_stack(StackName=scene.name, TemplateBody=body("old"), **more)
    return scene.settle()


def update(scene: Scene, **more: Any) -> str:
    scene.api.update_stack(StackName=scene.name, TemplateBody=body("half"), **more)
    return scene.settle()


def create_failed(scene: Scene) -> None:
    scene.arm({"on": "create", "logical_id": "B"})
    create(scene, OnFailure="DO_NOTHING")


def rollback_complete(scene: Scene) -> None:
    scene.arm({"on": "create", "logical_id": "B"})
    create(scene)


def rollback_failed(scene: Scene) -> None:
    scene.arm({"on": "create", "logical_id": "B"}, {"on": "delete", "logical_id": "A"})
    create(scene)


def review_in_progress(scene: Scene) -> None:
    asked = {"StackName": scene.name, "ChangeSetName": "another", "ChangeSetType": "CREATE"}
    scene.api.create_change_set(TemplateBody=body("old"), **asked)


def update_failed(scene: Scene) -> None:
    create(scene)
    scene.arm({"on": "update", "logical_id": "B"})
    update(scene, DisableRollback=True)


def update_rollback_complete(scene: Scene) -> None:
    create(scene)
    scene.arm({"on": "update", "logical_id": "B"})
    update(scene)


def update_rollback_failed(scene: Scene, times: int = 1) -> None:
    create(scene)
    scene.arm({"on": "update", "logical_id": "B"}, {"on": "update", "logical_id": "A", "nth": 2, "times": times})
    update(scene)


def delete_failed(scene: Scene, times: int = 1) -> None:
    create(scene)
    scene.arm({"on": "delete", "logical_id": "A", "times": times})
    scene.api.delete_stack(StackName=scene.name)
    scene.settle()


STATES: dict[str, Callable[[Scene], None]] = {
    "CREATE_FAILED": create_failed,
    "ROLLBACK_COMPLETE": rollback_complete,
    "ROLLBACK_FAILED": rollback_failed,
    "REVIEW_IN_PROGRESS": review_in_progress,
    "UPDATE_FAILED": update_failed,
    "UPDATE_ROLLBACK_COMPLETE": update_rollback_complete,
    "UPDATE_ROLLBACK_FAILED": update_rollback_failed,
    "DELETE_FAILED": delete_failed,
}
# What a plan says over each: the kind of its first change, and a part of what it says.
PLANNED = {
    "CREATE_FAILED": (ChangeKind.REPLACE, "created again"),
    "ROLLBACK_COMPLETE": (ChangeKind.REPLACE, "created again"),
    "ROLLBACK_FAILED": (ChangeKind.REPLACE, "created again"),
    "REVIEW_IN_PROGRESS": (ChangeKind.ADD, PARAMETER),
    "UPDATE_FAILED": (ChangeKind.ALTER, "rolled back first"),
    "UPDATE_ROLLBACK_COMPLETE": (ChangeKind.ALTER, "Value"),
    "UPDATE_ROLLBACK_FAILED": (ChangeKind.ALTER, "rolled back first"),
    "DELETE_FAILED": (ChangeKind.REPLACE, "created again"),
}


@pytest.mark.parametrize("status", STATES)
def test_a_launch_gets_through_and_says_what_it_found(scene: Scene, status: str) -> None:
    STATES[status](scene)
    assert status == scene.status()
    told = Recorder()

    assert scene.apply(told) in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}

    assert {"new"} == scene.values()
    assert (status in "REVIEW_IN_PROGRESS UPDATE_ROLLBACK_COMPLETE") or any(status in text for text in told.notices)
    assert () == scene.plan()


@pytest.mark.parametrize("status", STATES)
def test_a_plan_says_what_a_launch_would_do_and_touches_nothing(scene: Scene, status: str) -> None:
    STATES[status](scene)

    found = scene.plan()

    assert PLANNED[status][0] == found[0].kind
    assert PLANNED[status][1] in found[0].detail
    if status != "REVIEW_IN_PROGRESS":
        assert status == scene.status()


@pytest.mark.parametrize("status", STATES)
def test_destroy_takes_it_down(scene: Scene, status: str) -> None:
    STATES[status](scene)

    assert () == scene.destroy()

    assert None is stack.read(scene.api, scene.name)


def test_a_rollback_that_does_not_get_through_names_the_resource_and_how_to_leave_it_out(scene: Scene) -> None:
    update_rollback_failed(scene, ALWAYS)

    with pytest.raises(StackFailed) as caught:
        scene.apply()

    assert caught.value.found.startswith(f"UPDATE_ROLLBACK_FAILED: A ({PARAMETER}): ")
    assert f"continue-update-rollback --stack-name {scene.name} --resources-to-skip" in caught.value.remedy
    scene.arm()
    assert "UPDATE_COMPLETE" == scene.apply()


def test_a_deletion_that_fails_again_names_the_resource_and_how_to_give_it_up(scene: Scene) -> None:
    delete_failed(scene, ALWAYS)

    with pytest.raises(StackFailed) as caught:
        scene.destroy()

    assert caught.value.found.startswith(f"DELETE_FAILED: A ({PARAMETER}): ")
    assert f"delete-stack --stack-name {scene.name} --retain-resources" in caught.value.remedy


def test_what_must_be_kept_is_not_made_anew_over_a_deletion_that_failed(scene: Scene) -> None:
    delete_failed(scene)

    with pytest.raises(StackFailed, match="it is DELETE_FAILED"):
        scene.apply(protect=True)
    with pytest.raises(StackFailed, match="it is DELETE_FAILED"):
        scene.plan(protect=True)

    assert "DELETE_FAILED" == scene.status()


@pytest.mark.parametrize("begun", ["create", "update"])
def test_a_change_by_somebody_else_is_waited_for_and_a_plan_says_so(scene: Scene, begun: str) -> None:
    if begun == "update":
        create(scene)
    slow = {"call": "ssm.PutParameter", "do": "slow", "seconds": 3, "times": 1, "resource": ""}
    scene.arm(slow)
    getattr(scene.api, f"{begun}_stack")(StackName=scene.name, TemplateBody=body("theirs"))

    with pytest.raises(StackFailed, match="_IN_PROGRESS"):
        scene.plan()
    told = Recorder()
    assert "UPDATE_COMPLETE" == scene.apply(told)

    assert any(
        text.startswith(f"waiting for {scene.name}, which is {begun.upper()}_IN_PROGRESS") for text in told.lines
    )
    assert {"new"} == scene.values()


def test_a_stack_that_was_imported_into_is_changed_like_any(scene: Scene) -> None:
    name = f"/{scene.name}"
    scene.cloud.client("ssm").put_parameter(Name=name, Type="String", Value="old")
    kept = {
        "Type": PARAMETER,
        "DeletionPolicy": "Delete",
        "Properties": {"Name": name, "Type": "String", "Value": "old"},
    }
    scene.api.create_change_set(
        StackName=scene.name,
        ChangeSetName="take",
        ChangeSetType="IMPORT",
        TemplateBody=json.dumps({"Resources": {"A": kept}}),
        ResourcesToImport=[{"ResourceType": PARAMETER, "LogicalResourceId": "A", "ResourceIdentifier": {"Name": name}}],
    )
    scene.api.get_waiter("change_set_create_complete").wait(StackName=scene.name, ChangeSetName="take")
    scene.api.execute_change_set(StackName=scene.name, ChangeSetName="take")
    assert "IMPORT_COMPLETE" == scene.settle()

    assert "UPDATE_COMPLETE" == scene.apply()
    assert () == scene.destroy()
