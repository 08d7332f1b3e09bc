"""Instances of the whole local cloud: the server with real machines, killed at bad moments; and an Auto Scaling group's.

Needs root and podman. The cloud is the tests' own: no environment is launched, only the API server runs over the machines.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from instance_cloud import NAME, PREFIX, Cloud, containers, inside, wait_until

from bootstrap.local.machines import Machines

TRUSTED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    made = Cloud(tmp_path_factory.mktemp("instances"))
    made.start()
    try:
        yield made
    finally:
        made.end()
        Machines(NAME, made.state).remove_all(with_volumes=True)
        assert containers() == {}


@pytest.fixture(scope="module")
def subnet(cloud: Cloud) -> str:
    ec2 = cloud.client("ec2")
    vpc = ec2.create_vpc(CidrBlock=f"{PREFIX}.0.0/16")["Vpc"]["VpcId"]
    made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{PREFIX}.9.0/24", AvailabilityZone="eu-central-1a")
    return str(made["Subnet"]["SubnetId"])


def run(cloud: Cloud, subnet: str, **wanted: Any) -> str:
    """One instance by plain RunInstances, with user data."""
    image = cloud.client("ec2").describe_images(Owners=["136693071363"])["Images"][0]["ImageId"]
    asked = {"ImageId": image, "InstanceType": "t3.small", "SubnetId": subnet, "MinCount": 1, "MaxCount": 1, **wanted}
    made = cloud.client("ec2").run_instances(**asked, UserData="#!/bin/sh\necho once >> /var/made\n")
    assert made["Instances"][0]["State"]["Name"] == "pending"
    return str(made["Instances"][0]["InstanceId"])


def test_machines_survive_the_killing_of_the_server(cloud: Cloud, subnet: str) -> None:
    running, stopped = run(cloud, subnet), run(cloud, subnet)
    cloud.await_state("running", running, stopped)
    cloud.client("ec2").stop_instances(InstanceIds=[stopped])
    cloud.await_state("stopped", stopped)
    before = containers()
    booting = run(cloud, subnet)
    wait_until(lambda: booting in containers())
    cloud.kill()
    cloud.start()
    cloud.await_state("running", running, booting)
    after = containers()
    assert cloud.states() == {running: "running", stopped: "stopped", booting: "running"}
    assert after[running] == before[running]
    assert after[stopped][:2] == before[stopped][:2]
    assert after.keys() == {running, stopped, booting}
    assert inside(booting, "cat /var/made") == "once"

    cloud.kill()
    subprocess.run(["podman", "stop", f"bootstrap-{NAME}-{running}"], check=True, capture_output=True)
    cloud.start()  # the machine went down while nobody looked: it is brought up again
    cloud.client("ec2").start_instances(InstanceIds=[stopped])
    cloud.await_state("running", running, stopped, booting)
    assert {one: found[0] for one, found in containers().items()} == {one: found[0] for one, found in after.items()}
    assert inside(running, "cat /var/made") == "once"

    cloud.client("ec2").terminate_instances(InstanceIds=[running, stopped, booting])
    cloud.kill()
    cloud.start()
    wait_until(lambda: cloud.states() == {} and containers() == {})


def reason(cloud: Cloud, instance: str) -> str:
    found = cloud.client("ec2").describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]
    return str(found["StateReason"]["Code"])


def test_instances_whose_machines_go_down_by_themselves(cloud: Cloud, subnet: str) -> None:
    ended = {"InstanceInitiatedShutdownBehavior": "terminate"}
    robbed, halted = run(cloud, subnet), run(cloud, subnet, **ended)
    cloud.await_state("running", robbed, halted)
    made = containers()[robbed][0]

    subprocess.run(["podman", "kill", "--signal=KILL", f"bootstrap-{NAME}-{robbed}"], check=True, capture_output=True)
    inside(halted, "systemctl poweroff --no-block")
    wait_until(lambda: cloud.states() == {robbed: "stopped"} and halted not in containers())
    assert reason(cloud, robbed) == reason(cloud, halted) == "Client.InstanceInitiatedShutdown"
    cloud.kill()
    cloud.start()
    assert (cloud.states(), reason(cloud, robbed)) == ({robbed: "stopped"}, "Client.InstanceInitiatedShutdown")

    cloud.client("ec2").start_instances(InstanceIds=[robbed])
    cloud.await_state("running", robbed)
    cloud.client("ec2").reboot_instances(InstanceIds=[robbed])
    cloud.client("ec2").stop_instances(InstanceIds=[robbed])
    cloud.await_state("stopped", robbed)
    assert reason(cloud, robbed) == "Client.UserInitiatedShutdown"
    assert containers()[robbed][0] == made
    cloud.client("ec2").terminate_instances(InstanceIds=[robbed])
    wait_until(lambda: cloud.states() == {} and containers() == {})


def reboot(instance: str) -> None:
    """Reboot a machine from inside; podman's answer is lost where the machine ends before it."""
    command = ["podman", "exec", f"bootstrap-{NAME}-{instance}", "systemctl", "reboot", "--no-block"]
    assert subprocess.run(command, capture_output=True).returncode in {0, 137, 255}


def test_machine_that_reboots_itself_comes_back_and_its_instance_runs_on(cloud: Cloud, subnet: str) -> None:
    instance = run(cloud, subnet)
    cloud.await_state("running", instance)
    made, _, begun = containers()[instance]
    reboot(instance)
    wait_until(lambda: containers()[instance][2] != begun and containers()[instance][1] == "running")
    cloud.await_state("running", instance)

    begun = containers()[instance][2]
    cloud.kill()
    reboot(instance)
    wait_until(lambda: containers()[instance][1] == "exited")
    cloud.start()  # nobody was there to start it again: it is made up for
    wait_until(lambda: containers()[instance][2] != begun and containers()[instance][1] == "running")
    cloud.await_state("running", instance)
    assert containers()[instance][0] == made
    assert inside(instance, "cat /var/made") == "once"
    cloud.client("ec2").terminate_instances(InstanceIds=[instance])
    wait_until(lambda: cloud.states() == {} and containers() == {})


def metadata(path: str, gateway: str = f"{PREFIX}.9.1") -> str:
    """A line of shell that asks the metadata service as cloud-aware programs do."""
    return (
        f"u=http://{gateway}:$PORT/latest; "
        'h=X-aws-ec2-metadata-token; t=$(curl -sf -X PUT -H "$h-ttl-seconds: 60" $u/api/token); '
        f'curl -s -H "$h: ${{TOKEN:-$t}}" $u/{path}'
    )


def template(cloud: Cloud) -> str:
    """A launch template whose second version has profile and user data; its default version stays the first."""
    iam, ec2 = cloud.client("iam"), cloud.client("ec2")
    iam.create_role(RoleName="machine", AssumeRolePolicyDocument=json.dumps(TRUSTED))
    iam.create_instance_profile(InstanceProfileName="machine")
    iam.add_role_to_instance_profile(InstanceProfileName="machine", RoleName="machine")
    image = ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"]
    data = {"ImageId": image, "InstanceType": "t3.small"}
    made = ec2.create_launch_template(LaunchTemplateName="controller", LaunchTemplateData=data)
    encoded = base64.b64encode(b"#!/bin/sh\necho version 2 > /var/made\n").decode()
    second = {**data, "UserData": encoded, "IamInstanceProfile": {"Name": "machine"}}
    identity = str(made["LaunchTemplate"]["LaunchTemplateId"])
    ec2.create_launch_template_version(LaunchTemplateId=identity, LaunchTemplateData=second)
    return identity


def test_group_boots_replaces_and_ends_machines(cloud: Cloud, subnet: str) -> None:
    scaling = cloud.client("autoscaling")
    named = {"AutoScalingGroupName": "controllers"}

    def members() -> list[str]:
        found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["controllers"])["AutoScalingGroups"][0]
        return [one["InstanceId"] for one in found["Instances"]]

    def settled(count: int) -> bool:
        return len(members()) == count and cloud.states() == dict.fromkeys(members(), "running")

    chosen = {"LaunchTemplateId": template(cloud), "Version": "$Latest"}
    scaling.create_auto_scaling_group(
        **named, LaunchTemplate=chosen, MinSize=0, MaxSize=2, DesiredCapacity=1, VPCZoneIdentifier=subnet
    )
    (first,) = members()
    wait_until(lambda: settled(1))
    port = f"PORT={cloud.port}; "
    assert inside(first, "cat /var/made") == "version 2"
    assert inside(first, port + metadata("meta-data/instance-id")) == first
    assert inside(first, port + metadata("meta-data/iam/security-credentials/")) == "machine"
    console = cloud.client("ec2").get_console_output(InstanceId=first, Latest=True)["Output"]
    assert "BEGIN SSH HOST KEY KEYS" in console

    scaling.set_desired_capacity(**named, DesiredCapacity=2)
    wait_until(lambda: settled(2))
    (second,) = set(members()) - {first}
    assert inside(second, port + metadata("meta-data/instance-id")) == second
    token = inside(first, port + metadata("api/token; echo $t")).splitlines()[-1]
    assert "required" in inside(second, f"{port} TOKEN={token}; " + metadata("meta-data/instance-id"))

    scaling.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    wait_until(lambda: first not in members() and settled(2))
    cloud.client("ec2").terminate_instances(InstanceIds=[second])
    wait_until(lambda: second not in members() and settled(2))
    assert {inside(one, "cat /var/made") for one in members()} == {"version 2"}
    assert not {first, second} & containers().keys()

    scaling.set_desired_capacity(**named, DesiredCapacity=0)
    wait_until(lambda: containers() == {} and members() == [])
    scaling.delete_auto_scaling_group(**named)


def spot_template(cloud: Cloud, user_data: str = "#!/bin/sh\necho up\n") -> dict[str, str]:
    """A launch template of Spot Instances; a second call adds a version with other user data, which a group then uses."""
    ec2 = cloud.client("ec2")
    image = ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"]
    encoded = base64.b64encode(user_data.encode()).decode()
    data = {"ImageId": image, "InstanceType": "t3.small", "UserData": encoded}
    data |= {"InstanceMarketOptions": {"MarketType": "spot"}, "InstanceInitiatedShutdownBehavior": "terminate"}
    named = {"LaunchTemplateName": "spot"}
    if ec2.describe_launch_templates(Filters=[{"Name": "launch-template-name", "Values": ["spot"]}])["LaunchTemplates"]:
        ec2.create_launch_template_version(**named, LaunchTemplateData=data)
    else:
        ec2.create_launch_template(**named, LaunchTemplateData=data)
    return {**named, "Version": "$Latest"}


def network(address: str) -> str:
    """The first three numbers of an address."""
    return address.rpartition(".")[0]


def test_group_replaces_what_is_killed_interrupted_or_does_not_boot(cloud: Cloud, subnet: str) -> None:
    ec2, scaling, named = cloud.client("ec2"), cloud.client("autoscaling"), {"AutoScalingGroupName": "agents"}
    vpc = ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["VpcId"]
    other = ec2.create_subnet(VpcId=vpc, CidrBlock=f"{PREFIX}.10.0/24", AvailabilityZone="eu-central-1b")["Subnet"]
    sizes = {"MinSize": 0, "MaxSize": 3, "DesiredCapacity": 2, "NewInstancesProtectedFromScaleIn": True}
    places = {"VPCZoneIdentifier": f"{subnet},{other['SubnetId']}"}
    scaling.create_auto_scaling_group(**named, **sizes, **places, LaunchTemplate=spot_template(cloud))

    def states() -> dict[str, str]:
        found = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["agents"])["AutoScalingGroups"]
        return {one["InstanceId"]: one["LifecycleState"] for group in found for one in group["Instances"]}

    def await_members(count: int, *gone: str) -> list[str]:
        wait_until(lambda: list(states().values()) == ["InService"] * count and not states().keys() & set(gone))
        return list(states())

    def address(instance: str) -> str:
        return str(
            ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
        )

    assert {"Pending"} == set(states().values())
    killed, interrupted = await_members(2)
    assert {f"{PREFIX}.9", f"{PREFIX}.10"} == {network(address(one)) for one in (killed, interrupted)}

    look = f"PORT={cloud.port}; " + metadata("meta-data/spot/instance-action", network(address(interrupted)) + ".1")
    assert "" == inside(interrupted, look)
    cloud.control("spot", {"interrupt": interrupted, "seconds": 8})
    assert "terminate" == json.loads(inside(interrupted, look))["action"]

    subprocess.run(["podman", "kill", "--signal=KILL", f"bootstrap-{NAME}-{killed}"], check=True, capture_output=True)
    wait_until(lambda: killed not in states() and len(states()) == 2)
    cloud.kill()  # the replacement boots
    cloud.start()
    await_members(2, interrupted)
    assert containers().keys() == states().keys()

    spot_template(cloud, "#!/bin/sh\nexit 1\n")
    scaling.set_desired_capacity(**named, DesiredCapacity=3)

    def is_cancelled() -> bool:
        last = scaling.describe_scaling_activities(**named)["Activities"]
        return any(
            one["StatusCode"] == "Cancelled" and "Termination Reason: Server.InternalError" in one["StatusMessage"]
            for one in last
        )

    wait_until(is_cancelled)
    spot_template(cloud)
    await_members(3)
    scaling.delete_auto_scaling_group(**named, ForceDelete=True)
    wait_until(lambda: containers() == {} and states() == {})
