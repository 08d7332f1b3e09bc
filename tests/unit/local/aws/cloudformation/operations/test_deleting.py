"""A deletion that comes too early, that is refused, or that is forced: what becomes of the stack, and of its resources."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1]))
from in_process import Cloud, Recorded

BODY = "Resources:\n  Held: {Type: AWS::SNS::Topic}\n  Next: {Type: AWS::SNS::Topic, DependsOn: Held}\n"


class Held:
    """Holds the creation of the resource Held, until it is let go or the step is cancelled."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_creating, self.may_go = threading.Event(), threading.Event()
        create = Recorded.create

        def hold(adapter: Recorded, to: Any) -> str:
            physical_id = create(adapter, to)
            if to.logical_id == "Held":
                self.is_creating.set()
                while not (to.cancelled() or self.may_go.wait(0.01)):
                    pass
            return physical_id

        monkeypatch.setattr(Recorded, "create", hold)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    return Cloud(tmp_path / "stacks", monkeypatch)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    held = Held(monkeypatch)
    yield held
    held.may_go.set()


def begin(cloud: Cloud, name: str, body: str = BODY) -> str:
    """Begin to create a stack; return its id."""
    cloud.engine.prompt_seconds = 0.0
    assert "" == cloud.refusal("CreateStack", StackName=name, TemplateBody=body)
    return cloud.engine.store.list_stacks("us-east-1")[0].id


def end(cloud: Cloud, stack_id: str) -> str:
    return cloud.settle(stack_id).partition("<StackStatus>")[2].partition("<")[0]


def test_a_deletion_stops_the_creation_and_leaves_nothing(cloud: Cloud, held: Held) -> None:
    stack_id = begin(cloud, "early")
    assert held.is_creating.wait(10)
    assert "" == cloud.refusal("DeleteStack", StackName="early", ClientRequestToken="go")
    assert "" == cloud.refusal("DeleteStack", StackName="early")
    assert "DELETE_COMPLETE" == end(cloud, stack_id)
    assert {} == cloud.living
    stack = cloud.engine.store.stacks[stack_id]
    statuses = [event.status for event in stack.events if event.physical_id == stack_id]
    assert ["CREATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "DELETE_COMPLETE"] == statuses
    assert "Next" not in {event.logical_id for event in stack.events}
    assert {"go"} == {event.token for event in stack.events if event.status.startswith("DELETE_")}


def test_a_deletion_in_the_last_moment_of_a_creation_deletes_it(cloud: Cloud, held: Held) -> None:
    stack_id = begin(cloud, "late", "Resources: {Held: {Type: AWS::SNS::Topic}}")
    assert held.is_creating.wait(10)
    held.may_go.set()
    assert "" == cloud.refusal("DeleteStack", StackName="late")
    assert "DELETE_COMPLETE" == end(cloud, stack_id)
    assert {} == cloud.living


def test_an_update_is_not_deleted(cloud: Cloud) -> None:
    name = cloud.create("Resources: {A: {Type: AWS::SNS::Topic}}")
    stack = cloud.engine.store.list_stacks("us-east-1")[0]
    stack.status = "UPDATE_IN_PROGRESS"
    assert cloud.refusal("DeleteStack", StackName=name).endswith("cannot be deleted while in status UPDATE_IN_PROGRESS")


EXPORTER = "Resources: {A: {Type: AWS::SNS::Topic}}\nOutputs: {O: {Value: v, Export: {Name: shared}}}"
IMPORTER = "Resources: {B: {Type: AWS::SNS::Topic, Properties: {DisplayName: !ImportValue shared}}}"


def test_an_exporter_in_use_keeps_its_status_and_its_resources(cloud: Cloud) -> None:
    exporter = cloud.create(EXPORTER)
    importers = [cloud.create(IMPORTER), cloud.create(IMPORTER)]
    before = dict(cloud.living)
    assert "" == cloud.refusal("DeleteStack", StackName=exporter)
    assert "CREATE_COMPLETE" == end(cloud, exporter)
    assert before == cloud.living
    users = " and ".join(reversed(importers))
    assert f"Delete canceled. Cannot delete export shared as it is in use by {users}." in cloud.reasons(exporter)
    for name in importers:
        cloud.ask("DeleteStack", StackName=name)
        cloud.engine.wait(next(stack for stack in cloud.engine.store.stacks.values() if stack.name == name))
    exporter_id = cloud.engine.store.list_stacks("us-east-1")[-1].id
    assert "" == cloud.refusal("DeleteStack", StackName=exporter)
    assert "DELETE_COMPLETE" == end(cloud, exporter_id)


NETWORK = """Resources:
  Vpc: {Type: AWS::EC2::VPC, Properties: {CidrBlock: 10.1.0.0/16}}
  Net: {Type: AWS::EC2::Subnet, Properties: {VpcId: !Ref Vpc, CidrBlock: 10.1.0.0/24}}
  Free: {Type: AWS::SNS::Topic}
"""


def test_a_forced_deletion_leaves_behind_what_cannot_be_deleted_and_what_that_needs(cloud: Cloud) -> None:
    name = cloud.create(NETWORK)
    stack = cloud.engine.store.list_stacks("us-east-1")[0]
    cloud.living["foreign"] = '{"SubnetId": "net-1"}'
    assert "only when the stack is in the DELETE_FAILED state" in cloud.refusal(
        "DeleteStack", StackName=name, DeletionMode="FORCE_DELETE_STACK"
    )
    cloud.ask("DeleteStack", StackName=name)
    assert "DELETE_FAILED" == end(cloud, stack.id)
    assert "" == cloud.refusal("DeleteStack", StackName=name, DeletionMode="FORCE_DELETE_STACK")
    assert "DELETE_COMPLETE" == end(cloud, stack.id)
    assert {"vpc-1", "net-1", "foreign"} == cloud.living.keys()
    assert {"Vpc": "DELETE_SKIPPED", "Net": "DELETE_SKIPPED"} == {
        logical: resource.status for logical, resource in stack.resources.items()
    }
