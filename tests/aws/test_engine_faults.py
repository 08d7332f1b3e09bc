"""Faults on demand: calls of a service that fail, are late or lose their answers, and what the engine does about them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError
from faulty_stacks import PARAMETER, Stack, lend, quick, template


@pytest.fixture
def stack(module_cloud: Any) -> Iterator[Stack]:
    yield from lend(module_cloud)


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
