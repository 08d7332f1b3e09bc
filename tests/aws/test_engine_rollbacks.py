"""What stacks do about faults, kills and deletions in between: rollbacks that fail, go on, or are asked for."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from faulty_stacks import GATEWAY, PARAMETER, Stack, lend, on, template


@pytest.fixture
def stack(module_cloud: Any) -> Iterator[Stack]:
    yield from lend(module_cloud)


def test_failed_deletion_keeps_the_stack_until_the_resource_is_retained(stack: Stack) -> None:
    stack.create(template({"A": "1", "B": "1"}))
    stack.arm(on("delete", logical_id="A", times=0, message="it will not go"))
    assert "DELETE_FAILED" == stack.delete()
    assert {"A": "Resource handler returned message: it will not go"}.items() <= stack.reasons("DELETE_FAILED").items()
    assert "DELETE_FAILED" == stack.delete()
    name = stack.api.list_stack_resources(StackName=stack.name)["StackResourceSummaries"][0]["PhysicalResourceId"]
    assert "DELETE_COMPLETE" == stack.delete(RetainResources=["A"])
    assert "1" == stack.cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]


def test_failed_creation_whose_rollback_fails_is_reported_and_can_be_deleted(stack: Stack) -> None:
    stack.arm({"faults": [{"resource": PARAMETER, "nth": 2}, {"resource": PARAMETER, "on": "delete"}]})
    assert "ROLLBACK_FAILED" == stack.create(template({"A": "1", "B": "1"}))
    assert "DELETE_COMPLETE" == stack.delete()


def failed_rollback(stack: Stack) -> None:
    """Make an update fail at the second resource, and its rollback fail at the first one."""
    stack.create(template({"A": "1", "B": "1"}))
    faults = [{"resource": PARAMETER, "on": "update", "logical_id": "B"}]
    stack.arm({"faults": [*faults, {"resource": PARAMETER, "on": "update", "logical_id": "A", "nth": 2, "times": 0}]})
    assert "UPDATE_ROLLBACK_FAILED" == stack.update(template({"A": "2", "B": "2"}))


def test_failed_rollback_can_be_continued(stack: Stack) -> None:
    failed_rollback(stack)
    assert "2" == stack.value("A")
    with pytest.raises(ClientError, match="is in UPDATE_ROLLBACK_FAILED state and can not be updated"):
        stack.update(template({"A": "3", "B": "3"}))
    stack.arm({})
    stack.api.continue_update_rollback(StackName=stack.name, ClientRequestToken="again")
    stack.api.continue_update_rollback(StackName=stack.name, ClientRequestToken="again")
    assert "UPDATE_ROLLBACK_COMPLETE" == stack.settle()
    assert ("1", "1") == (stack.value("A"), stack.value("B"))
    assert "UPDATE_COMPLETE" == stack.update(template({"A": "3", "B": "3"}))


def test_continued_rollback_skips_the_named_resources(stack: Stack) -> None:
    failed_rollback(stack)
    stack.api.continue_update_rollback(StackName=stack.name, ResourcesToSkip=["A"])
    assert "UPDATE_ROLLBACK_COMPLETE" == stack.settle()
    assert "2" == stack.value("A")


def test_failed_rollback_of_a_replacement_keeps_the_old_resource(stack: Stack) -> None:
    def vpc(cidr: str) -> dict[str, Any]:
        return {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": cidr}}

    stack.create(template({"A": "1"}, Vpc=vpc("10.80.0.0/16")))
    faults = [{"resource": PARAMETER, "on": "update", "logical_id": "A", "nth": 2}]
    stack.arm({"faults": [*faults, {"resource": "AWS::EC2::InternetGateway"}]})
    late = {**GATEWAY, "DependsOn": ["A", "Vpc"]}
    body = template({"A": "2"}, Vpc=vpc("10.81.0.0/16"), Late=late)
    assert "UPDATE_ROLLBACK_FAILED" == stack.update(body)
    stack.cloud.end(signal.SIGKILL)
    stack.cloud.start()
    stack.api.continue_update_rollback(StackName=stack.name)
    assert "UPDATE_ROLLBACK_COMPLETE" == stack.settle()
    blocks = [one["CidrBlock"] for one in stack.cloud.client("ec2").describe_vpcs()["Vpcs"]]
    assert ["10.80.0.0/16"] == [block for block in blocks if block in {"10.80.0.0/16", "10.81.0.0/16"}]


def test_cancelled_update_is_rolled_back(stack: Stack) -> None:
    stack.create(template({"A": "1", "B": "1"}))
    stack.arm({"faults": [{"call": "ssm.PutParameter", "do": "slow", "seconds": 1}]})
    stack.api.update_stack(StackName=stack.name, TemplateBody=template({"A": "2", "B": "2"}))
    stack.api.cancel_update_stack(StackName=stack.name)
    assert "UPDATE_ROLLBACK_COMPLETE" == stack.settle()
    assert ("1", "1") == (stack.value("A"), stack.value("B"))
    assert "Resource update cancelled" in stack.reasons("UPDATE_FAILED").values()
    with pytest.raises(ClientError, match="cannot be called from current stack status"):
        stack.api.cancel_update_stack(StackName=stack.name)


def test_failed_update_without_rollback_is_rolled_back_on_request(stack: Stack) -> None:
    stack.create(template({"A": "1", "B": "1"}))
    stack.arm(on("update", logical_id="B", times=0))
    assert "UPDATE_FAILED" == stack.update(template({"A": "2", "B": "2"}), DisableRollback=True)
    assert "UPDATE_FAILED" == stack.update(template({"A": "3", "B": "3"}), DisableRollback=True)
    assert ("3", "1") == (stack.value("A"), stack.value("B"))
    stack.api.rollback_stack(StackName=stack.name, ClientRequestToken="back")
    assert {"StackId"} <= stack.api.rollback_stack(StackName=stack.name, ClientRequestToken="back").keys()
    assert "UPDATE_ROLLBACK_COMPLETE" == stack.settle()
    assert ("1", "1") == (stack.value("A"), stack.value("B"))
    with pytest.raises(ClientError, match="UPDATE_ROLLBACK_COMPLETE"):
        stack.api.rollback_stack(StackName=stack.name)


def test_failed_creation_without_rollback_can_be_updated_or_rolled_back(stack: Stack) -> None:
    stack.arm(on("create", logical_id="B"))
    assert "CREATE_FAILED" == stack.create(template({"A": "1", "B": "1"}), OnFailure="DO_NOTHING")
    assert "UPDATE_COMPLETE" == stack.update(template({"A": "1", "B": "2"}))
    assert ("1", "2") == (stack.value("A"), stack.value("B"))
    other = Stack(stack.cloud, f"{stack.name}-other")
    other.arm(on("create", logical_id="B"))
    assert "CREATE_FAILED" == other.create(template({"A": "1", "B": "1"}), DisableRollback=True)
    other.api.rollback_stack(StackName=other.name)
    assert "ROLLBACK_COMPLETE" == other.settle()


def test_named_resource_whose_creation_failed_in_between_is_created_again(stack: Stack) -> None:
    named = {"Type": PARAMETER, "Properties": {"Type": "String", "Value": "1", "Name": stack.name}}
    stack.arm({"faults": [{"call": "ssm.AddTagsToResource"}]})
    assert "CREATE_FAILED" == stack.create(template({}, A=named), OnFailure="DO_NOTHING")
    altered = {**named, "Properties": {**named["Properties"], "Value": "2"}}
    assert "UPDATE_COMPLETE" == stack.update(template({}, A=altered))
    assert "2" == stack.value("A")
    assert "DELETE_COMPLETE" == stack.delete()


def test_deletion_of_two_resources_that_a_kill_interrupts_deletes_both(stack: Stack) -> None:
    pair = {"Type": "AWS::EC2::KeyPair", "Properties": {"KeyName": stack.name, "KeyType": "ed25519"}}
    assert "CREATE_COMPLETE" == stack.create(template({}, Pair=pair))
    ec2, ssm = stack.cloud.client("ec2"), stack.cloud.client("ssm")
    made = ec2.describe_key_pairs(KeyNames=[stack.name])["KeyPairs"][0]["KeyPairId"]
    stack.arm({"faults": [{"call": "ssm.DeleteParameter", "do": "slow", "seconds": 60}]})
    stack.api.delete_stack(StackName=stack.name)
    end = time.monotonic() + 30
    while stack.name in [one["KeyName"] for one in ec2.describe_key_pairs()["KeyPairs"]] and time.monotonic() < end:
        time.sleep(0.02)
    assert ssm.get_parameter(Name=f"/ec2/keypair/{made}")["Parameter"]["Name"]
    stack.cloud.end(signal.SIGKILL)
    stack.cloud.start()
    assert "DELETE_COMPLETE" == stack.settle()
    with pytest.raises(ClientError, match="ParameterNotFound"):
        ssm.get_parameter(Name=f"/ec2/keypair/{made}")


def test_creation_that_a_deletion_stops_leaves_nothing_after_a_kill(stack: Stack) -> None:
    pair = {"Type": "AWS::EC2::KeyPair", "Properties": {"KeyName": stack.name, "KeyType": "ed25519"}}
    ec2 = stack.cloud.client("ec2")
    stack.arm({"faults": [{"call": "ssm.PutParameter", "do": "slow", "seconds": 60}]})
    stack.id = stack.api.create_stack(StackName=stack.name, TemplateBody=template({}, Pair=pair))["StackId"]
    end = time.monotonic() + 30
    while stack.name not in {one["KeyName"] for one in ec2.describe_key_pairs()["KeyPairs"]}:
        assert time.monotonic() < end
        time.sleep(0.02)
    stack.api.delete_stack(StackName=stack.name)
    stack.cloud.end(signal.SIGKILL)
    stack.cloud.start()
    assert "DELETE_COMPLETE" == stack.settle()
    assert stack.name not in {one["KeyName"] for one in ec2.describe_key_pairs()["KeyPairs"]}


@pytest.mark.parametrize("killed", [False, True])
def test_a_deletion_during_the_rollback_of_a_creation_takes_it_over(stack: Stack, *, killed: bool) -> None:
    """The stack is being deleted at once; what the rollback has begun is ended, and nothing stays, nor does the stack."""
    slow = {"call": "ssm.DeleteParameter", "do": "slow", "seconds": 60 if killed else 2}
    stack.arm({"faults": [{"resource": PARAMETER, "logical_id": "B"}, slow]})
    body = template({"A": "1", "B": "2"})
    stack.id = stack.api.create_stack(StackName=stack.name, TemplateBody=body)["StackId"]
    stack.reach("ROLLBACK_IN_PROGRESS")
    made = stack.api.describe_stack_resource(StackName=stack.name, LogicalResourceId="A")["StackResourceDetail"]
    stack.api.delete_stack(StackName=stack.name, ClientRequestToken="one")
    assert "DELETE_IN_PROGRESS" == stack.status()
    stack.api.delete_stack(StackName=stack.name, ClientRequestToken="one")
    if killed:
        stack.cloud.end(signal.SIGKILL)
        stack.cloud.start()
    assert "DELETE_COMPLETE" == stack.settle()
    with pytest.raises(ClientError, match="ParameterNotFound"):
        stack.cloud.client("ssm").get_parameter(Name=made["PhysicalResourceId"])
    events = stack.api.describe_stack_events(StackName=stack.id)["StackEvents"]
    statuses = [one["ResourceStatus"] for one in events if one.get("PhysicalResourceId") == stack.id]
    assert ["DELETE_COMPLETE", "DELETE_IN_PROGRESS", "ROLLBACK_IN_PROGRESS", "CREATE_IN_PROGRESS"] == statuses
    assert [] == [it for it in stack.api.describe_stacks()["Stacks"] if it["StackName"] == stack.name]


def test_a_rollback_that_fails_after_a_deletion_was_asked_for_is_tried_again_by_it(stack: Stack) -> None:
    failing = {"resource": PARAMETER, "on": "delete", "logical_id": "A"}
    slow = {"call": "ssm.DeleteParameter", "do": "slow", "seconds": 2}
    stack.arm({"faults": [{"resource": PARAMETER, "logical_id": "C"}, failing, slow]})
    body = template({"A": "1", "B": "2", "C": "3"})
    stack.id = stack.api.create_stack(StackName=stack.name, TemplateBody=body)["StackId"]
    stack.reach("ROLLBACK_IN_PROGRESS")
    stack.api.delete_stack(StackName=stack.name)
    assert "DELETE_COMPLETE" == stack.settle()
