"""Faults on demand, and what stacks do about them: the states that only a failure reaches, and the ways out of them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

PARAMETER = "AWS::SSM::Parameter"
GATEWAY = {"Type": "AWS::EC2::InternetGateway"}


def template(values: dict[str, str], **more: Any) -> str:
    """A template of SSM parameters, each of which depends on the previous one."""
    resources: dict[str, Any] = dict(more)
    before = ""
    for name, value in values.items():
        resources[name] = {"Type": PARAMETER, "Properties": {"Type": "String", "Value": value}}
        if before:
            resources[name]["DependsOn"] = before
        before = name
    return json.dumps({"Resources": resources})


class Stack:
    """One stack of a cloud, and the faults of that cloud."""

    def __init__(self, own_cloud: Any, name: str = "faulty") -> None:
        self.cloud = own_cloud
        self.name = name
        self.api = own_cloud.client("cloudformation")
        self.id = ""

    def arm(self, asked: Any) -> Any:
        return self.cloud.control("faults", asked)

    def armed(self) -> list[dict[str, Any]]:
        return list(self.cloud.control("faults")["faults"])

    def create(self, body: str, **more: Any) -> str:
        self.id = self.api.create_stack(StackName=self.name, TemplateBody=body, **more)["StackId"]
        return self.settle()

    def update(self, body: str, **more: Any) -> str:
        self.api.update_stack(StackName=self.name, TemplateBody=body, **more)
        return self.settle()

    def delete(self, **more: Any) -> str:
        self.api.delete_stack(StackName=self.name, **more)
        return self.settle()

    def settle(self) -> str:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            status = self.status()
            if not status.endswith("_IN_PROGRESS"):
                return status
            time.sleep(0.02)
        raise AssertionError("still in progress")

    def status(self) -> str:
        return str(self.api.describe_stacks(StackName=self.id)["Stacks"][0]["StackStatus"])

    def reach(self, status: str) -> None:
        end = time.monotonic() + 30
        while status != self.status():
            assert time.monotonic() < end
            time.sleep(0.02)

    def reasons(self, status: str) -> dict[str, str]:
        events = self.api.describe_stack_events(StackName=self.id)["StackEvents"]
        found = [one for one in events if one["ResourceStatus"] == status]
        return {one["LogicalResourceId"]: one.get("ResourceStatusReason", "") for one in found}

    def value(self, logical: str) -> str:
        listed = self.api.list_stack_resources(StackName=self.name)["StackResourceSummaries"]
        name = next(one["PhysicalResourceId"] for one in listed if one["LogicalResourceId"] == logical)
        return str(self.cloud.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


@pytest.fixture(scope="module")
def faulty_cloud(tmp_path_factory: pytest.TempPathFactory, new_cloud: Any) -> Iterator[Any]:
    """A cloud of this module alone, so that its tests can kill and restart it and inject faults."""
    with new_cloud(tmp_path_factory.mktemp("faulty")) as made:
        yield made


@pytest.fixture
def stack(faulty_cloud: Any) -> Iterator[Stack]:
    made = Stack(faulty_cloud, f"faulty-{uuid.uuid4().hex[:6]}")
    yield made
    made.arm({})


def on(step: str, **more: Any) -> dict[str, Any]:
    return {"faults": [{"resource": PARAMETER, "on": step, **more}]}


def quick(stack: Stack, service: str, **config: Any) -> Any:
    return stack.cloud.new_client(service, Config(**config))


def test_nth_call_fails_with_the_injected_code_and_message(stack: Stack) -> None:
    fault = {"call": "ec2.CreateVpc", "nth": 2, "code": "VpcLimitExceeded", "message": "The maximum is reached."}
    stack.arm({"faults": [fault]})
    ec2 = stack.cloud.client("ec2")
    ec2.create_vpc(CidrBlock="10.1.0.0/16")
    with pytest.raises(ClientError, match=r"VpcLimitExceeded.*The maximum is reached"):
        ec2.create_vpc(CidrBlock="10.2.0.0/16")
    ec2.create_vpc(CidrBlock="10.3.0.0/16")
    assert (3, "ec2.CreateVpc") == (stack.armed()[0]["met"], stack.armed()[0]["call"])
    stack.arm({})
    assert [] == stack.armed()


@pytest.mark.parametrize("kind", ["throttle", "error"])
def test_throttled_call_succeeds_if_the_client_retries_and_fails_otherwise(stack: Stack, kind: str) -> None:
    stack.arm({"faults": [{"call": "ssm.PutParameter", "do": kind, "times": 2}]})
    patient = quick(stack, "ssm", retries={"total_max_attempts": 4, "mode": "legacy"})
    answer = patient.put_parameter(Name=stack.name + kind, Value="1", Type="String")
    assert 2 == answer["ResponseMetadata"]["RetryAttempts"]
    stack.arm({"faults": [{"call": "ssm.PutParameter", "do": kind}]})
    with pytest.raises(ClientError, match=r"ThrottlingException|InternalFailure"):
        quick(stack, "ssm", retries={"total_max_attempts": 1}).put_parameter(Name="b", Value="1", Type="String")


def test_delayed_call_answers_late_and_timed_out_call_does_not_answer(stack: Stack) -> None:
    s3 = {"addressing_style": "path"}
    hasty = quick(stack, "s3", retries={"total_max_attempts": 1}, s3=s3)
    stack.arm({"faults": [{"call": "s3.CreateBucket", "do": "slow", "seconds": 0.4}]})
    began = time.monotonic()
    hasty.create_bucket(Bucket="slow", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    assert time.monotonic() - began >= 0.4
    stack.arm({"faults": [{"call": "s3.PutObject", "do": "timeout", "seconds": 2}]})
    with pytest.raises(ReadTimeoutError):
        quick(stack, "s3", retries={"total_max_attempts": 1}, read_timeout=1, s3=s3).put_object(
            Bucket="slow", Key="a", Body=b"a"
        )
    assert "Contents" not in hasty.list_objects_v2(Bucket="slow")


def test_call_whose_answer_is_lost_is_carried_out(stack: Stack) -> None:
    hasty = quick(stack, "ec2", retries={"total_max_attempts": 1})
    stack.arm({"faults": [{"call": "ec2.CreateVpc", "do": "lost"}]})
    with pytest.raises(ConnectionClosedError):
        hasty.create_vpc(CidrBlock="10.77.0.0/16")
    assert 1 == len(hasty.describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.77.0.0/16"]}])["Vpcs"])


@pytest.mark.parametrize(
    "asked",
    [
        {"faults": [{"call": "ec2.NoSuchCall"}]},
        {"faults": [{"call": "nowhere.Call"}]},
        {"faults": [{"call": "ec2.CreateVpc", "do": "explode"}]},
        {"faults": [{"call": "ec2.CreateVpc", "resource": PARAMETER}]},
        {"faults": [{"resource": PARAMETER, "on": "sunday"}]},
        {"faults": [{"resource": PARAMETER, "wrong": 1}]},
        {"faults": [{"resource": PARAMETER, "nth": 0}]},
    ],
)
def test_invalid_fault_is_refused(stack: Stack, asked: Any) -> None:
    with pytest.raises(urllib.error.HTTPError, match="400"):
        stack.arm(asked)


def test_engine_retries_throttled_calls_as_cloudformation_does(stack: Stack) -> None:
    stack.arm({"faults": [{"call": "ssm.PutParameter", "do": "throttle", "times": 2}]})
    assert "CREATE_COMPLETE" == stack.create(template({"A": "1"}))
    assert 3 == stack.armed()[0]["met"]


def test_creation_whose_second_call_fails_leaves_no_resource(stack: Stack) -> None:
    stack.arm({"faults": [{"call": "ec2.ModifyVpcAttribute"}]})
    vpc = {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.78.0.0/16"}}
    assert "ROLLBACK_COMPLETE" == stack.create(template({}, Vpc=vpc))
    found = stack.cloud.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.78.0.0/16"]}])
    assert [] == found["Vpcs"]


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


def test_same_request_token_begins_no_second_operation(stack: Stack) -> None:
    body = template({"A": "1"})
    first = stack.api.create_stack(StackName=stack.name, TemplateBody=body, ClientRequestToken="one")["StackId"]
    assert first == stack.api.create_stack(StackName=stack.name, TemplateBody=body, ClientRequestToken="one")["StackId"]
    stack.id = first
    stack.settle()
    with pytest.raises(ClientError, match="TokenAlreadyExistsException"):
        stack.api.delete_stack(StackName=stack.name, ClientRequestToken="one")
    stack.update(template({"A": "2"}), ClientRequestToken="two")
    stack.cloud.end(signal.SIGKILL)
    stack.cloud.start()
    assert "UPDATE_COMPLETE" == stack.update(template({"A": "2"}), ClientRequestToken="two")
    made = stack.api.create_change_set(
        StackName=stack.name, ChangeSetName="c", TemplateBody=template({"A": "3"}), ClientToken="three"
    )
    same = stack.api.create_change_set(
        StackName=stack.name, ChangeSetName="c", TemplateBody=template({"A": "3"}), ClientToken="three"
    )
    assert made["Id"] == same["Id"]
    for _ in range(2):
        stack.api.execute_change_set(ChangeSetName=made["Id"], ClientRequestToken="four")
    assert "UPDATE_COMPLETE" == stack.settle()
    assert "3" == stack.value("A")


def test_state_of_another_format_is_refused_with_a_remedy(own_cloud: Any) -> None:
    own_cloud.end()
    path = own_cloud.state / "format.json"
    path.write_text(json.dumps({"format": 99, "moto": "9"}))
    command = [
        sys.executable,
        "-m",
        "bootstrap.local.aws",
        "--state",
        str(own_cloud.state),
        "--port",
        str(own_cloud.port),
    ]
    done = subprocess.run(
        [*command, "--environment", "tests", "--no-machines"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[2],
        timeout=60,
    )
    assert 1 == done.returncode
    assert "it was written by another version of the local cloud (format 99, moto 9" in done.stderr
    assert "launch anew" in done.stderr
    assert "Traceback" not in done.stderr


def test_volume_is_detached_without_naming_its_instance(stack: Stack) -> None:
    own_cloud = stack.cloud
    ec2 = own_cloud.client("ec2")
    image = own_cloud.client("ssm").get_parameter(Name="/aws/service/debian/release/13/latest/amd64")["Parameter"][
        "Value"
    ]
    made = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.small")["Instances"][0]
    zone = made["Placement"]["AvailabilityZone"]
    volume = ec2.create_volume(AvailabilityZone=zone, Size=1)["VolumeId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[made["InstanceId"]], WaiterConfig={"Delay": 1})
    ec2.attach_volume(VolumeId=volume, InstanceId=made["InstanceId"], Device="/dev/sdf")
    answer = ec2.detach_volume(VolumeId=volume)
    assert (made["InstanceId"], "/dev/sdf") == (answer["InstanceId"], answer["Device"])
    assert "available" == ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"]
    with pytest.raises(ClientError, match="IncorrectState"):
        ec2.detach_volume(VolumeId=volume)
