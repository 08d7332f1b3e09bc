"""What an operation waits for outlives the server, and what requests and templates ask in vain is said, not passed over."""

from __future__ import annotations

import json
import signal
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

WAITING = {
    "Resources": {
        "W": {
            "Type": "AWS::CloudFormation::WaitCondition",
            "CreationPolicy": {"ResourceSignal": {"Count": 2, "Timeout": "PT10M"}},
        }
    }
}
IMAGE = "{{resolve:ssm:/aws/service/debian/release/13/latest/amd64}}"
GROUP = {
    "Resources": {
        "L": {
            "Type": "AWS::EC2::LaunchTemplate",
            "Properties": {"LaunchTemplateData": {"InstanceType": "t3.nano", "ImageId": IMAGE}},
        },
        "G": {
            "Type": "AWS::AutoScaling::AutoScalingGroup",
            "UpdatePolicy": {"UseOnlineResharding": True},
            "Properties": {
                "AvailabilityZones": ["eu-central-1a"],
                "MinSize": "0",
                "MaxSize": "1",
                "LaunchTemplate": {"LaunchTemplateId": {"Ref": "L"}, "Version": "1"},
            },
        },
    }
}


def soon(api: Any, stack: str, unique: str) -> None:
    """Signal W as soon as its creation begins."""
    end = time.monotonic() + 60
    while True:
        try:
            return api.signal_resource(StackName=stack, LogicalResourceId="W", UniqueId=unique, Status="SUCCESS")
        except ClientError:
            assert time.monotonic() < end
            time.sleep(0.05)


def settled(api: Any, stack: str) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        status = str(api.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"])
        if not status.endswith("_IN_PROGRESS"):
            return status
        time.sleep(0.05)
    raise AssertionError(f"{stack} is still in progress")


def events(api: Any, stack: str) -> list[dict[str, Any]]:
    return list(api.describe_stack_events(StackName=stack)["StackEvents"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_signals_before_a_restart_count_after_it(own_cloud: Any, number: int) -> None:
    api = own_cloud.client("cloudformation")
    api.create_stack(StackName="waiting", TemplateBody=json.dumps(WAITING))
    soon(api, "waiting", "one")
    own_cloud.end(number)
    own_cloud.start()
    assert "CREATE_IN_PROGRESS" == api.describe_stacks(StackName="waiting")["Stacks"][0]["StackStatus"]
    soon(api, "waiting", "two")
    assert "CREATE_COMPLETE" == settled(api, "waiting")
    assert [] == [one for one in events(api, "waiting") if "FAILED" in one["ResourceStatus"]]


def test_events_name_update_policies_that_are_not_carried_out(client: Any) -> None:
    api = client("cloudformation")
    api.create_stack(StackName="rolling", TemplateBody=json.dumps(GROUP))
    assert "CREATE_COMPLETE" == settled(api, "rolling")
    said = [
        one.get("ResourceStatusReason", "")
        for one in events(api, "rolling")
        if (one["LogicalResourceId"], one["ResourceStatus"]) == ("G", "CREATE_COMPLETE")
    ]
    assert ["NOT MODELLED: the local cloud does not carry UpdatePolicy UseOnlineResharding out"] == said


def test_changes_of_nested_stacks_can_be_included_if_there_are_none(client: Any) -> None:
    made = client("cloudformation").create_change_set(
        StackName="none-nested",
        ChangeSetName="c",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps(WAITING),
        IncludeNestedStacks=True,
        ImportExistingResources=True,
    )
    found = client("cloudformation").describe_change_set(ChangeSetName=made["Id"])
    assert "CREATE_COMPLETE" == found["Status"]
