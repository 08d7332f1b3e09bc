"""What the local cloud remembers when it is killed, and how it starts and ends."""

from __future__ import annotations

import json
import signal
import stat
import time
from typing import Any

from server_machine import QUICK, Client, deploy, wait_until_running


def snapshot_of(client: Client, made: dict[str, str]) -> dict[str, Any]:
    """Everything that must be the same after a restart."""
    ec2 = client("ec2")
    cloudformation = client("cloudformation")
    return {
        "stack": cloudformation.describe_stacks(StackName=made["Stack"])["Stacks"],
        "resources": cloudformation.list_stack_resources(StackName=made["Stack"])["StackResourceSummaries"],
        "events": cloudformation.describe_stack_events(StackName=made["Stack"])["StackEvents"],
        "instances": ec2.describe_instances()["Reservations"],
        "volumes": ec2.describe_volumes()["Volumes"],
        "networks": [
            ec2.describe_vpcs()["Vpcs"],
            ec2.describe_subnets()["Subnets"],
            ec2.describe_network_acls()["NetworkAcls"],
        ],
        "groups": ec2.describe_security_groups()["SecurityGroups"],
        "role": client("iam").get_role(RoleName=made["Role"])["Role"],
        "password": client("secretsmanager").get_secret_value(SecretId=made["Password"])["SecretString"],
        "parameters": client("ssm").describe_parameters()["Parameters"],
        "key": client("ssm").get_parameter(Name=f"/ec2/keypair/{made['KeyPairId']}", WithDecryption=True)["Parameter"],
    }


def test_killed_cloud_comes_back_the_same(own_cloud: Any) -> None:
    made = deploy(own_cloud.client, "127.33", "lasting")
    kms = own_cloud.client("kms")
    sealed = kms.encrypt(KeyId=made["Encryption"], Plaintext=b"kept")["CiphertextBlob"]
    before = snapshot_of(own_cloud.client, made)
    for number in (signal.SIGKILL, signal.SIGTERM):
        own_cloud.end(number)
        own_cloud.start()
        wait_until_running(own_cloud.client, made["Machine"])
        assert before == snapshot_of(own_cloud.client, made)
        assert b"kept" == kms.decrypt(CiphertextBlob=sealed)["Plaintext"]


def test_torn_last_line_of_the_journal_is_dropped(own_cloud: Any) -> None:
    own_cloud.client("ssm").put_parameter(Name="kept", Value="1", Type="String")
    own_cloud.end(signal.SIGKILL)
    with (own_cloud.state / "journal.jsonl").open("ab") as journal:
        journal.write(b'{"seed": "torn')
    own_cloud.start()
    own_cloud.client("ssm").put_parameter(Name="later", Value="2", Type="String")
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    names = [one["Name"] for one in own_cloud.client("ssm").describe_parameters()["Parameters"]]
    assert ["kept", "later"] == sorted(names)


def test_operation_that_a_kill_interrupted_is_taken_up_again(own_cloud: Any) -> None:
    cloudformation = own_cloud.client("cloudformation")
    parameter = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "x"}}
    chain = {f"P{n}": parameter if n == 0 else {**parameter, "DependsOn": f"P{n - 1}"} for n in range(40)}
    resources = {"Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.1.0.0/16"}}, **chain}
    made = cloudformation.create_stack(StackName="long", TemplateBody=json.dumps({"Resources": resources}))
    end = time.monotonic() + 30
    while len(own_cloud.client("ssm").describe_parameters()["Parameters"]) < 3 and time.monotonic() < end:
        time.sleep(0.01)
    own_cloud.end(signal.SIGKILL)
    own_cloud.start()
    cloudformation.get_waiter("stack_create_complete").wait(StackName=made["StackId"], WaiterConfig=QUICK)
    listed = own_cloud.client("ssm").get_paginator("describe_parameters").paginate().build_full_result()["Parameters"]
    assert 40 == len(listed)
    vpcs = own_cloud.client("ec2").describe_vpcs(Filters=[{"Name": "cidr", "Values": ["10.1.0.0/16"]}])["Vpcs"]
    assert 1 == len(vpcs)


def test_what_the_cloud_remembers_is_for_its_owner_alone(own_cloud: Any) -> None:
    own_cloud.client("ssm").put_parameter(Name="secret", Value="1", Type="SecureString")
    own_cloud.client("cloudformation").create_stack(
        StackName="any", TemplateBody='{"Resources":{"A":{"Type":"AWS::EC2::InternetGateway"}}}'
    )
    assert 0o700 == stat.S_IMODE(own_cloud.state.stat().st_mode)
    for path in [own_cloud.state / "journal.jsonl", own_cloud.state / "salt", *(own_cloud.state / "stacks").iterdir()]:
        assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_start_is_quick_and_the_end_is_clean(own_cloud: Any) -> None:
    assert 0 == own_cloud.end()
    assert not (own_cloud.state / "endpoint.json").exists()
    assert own_cloud.start() < 10.0
