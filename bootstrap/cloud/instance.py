"""The environment's machine as its cloud knows it: where it is, how to log in, and which host keys it may show.

The private key comes from the parameter in which CloudFormation keeps a key pair's key, the host keys from the console, where
cloud-init prints them at first boot; neither is ever asked of the network between here and the machine.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from bootstrap.errors import Unreachable
from bootstrap.values import Machine, Reporter, Secret

GONE = frozenset({"absent", "terminated", "shutting-down"})
"""What `state` says of an instance that will not come back."""

_LOG_LINES = 15
LOGIN_USER = "admin"  # the user that cloud-init makes on Debian's images
_STOPPED = {"Delay": 2, "MaxAttempts": 300}  # ten minutes: EC2 lets an operating system shut down in peace
_KEYS = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
_KEY = re.compile(r"\b((?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/=]+)")


def host_keys(console: str) -> tuple[str, ...]:
    """The host keys that a console shows: those of the last block, for a machine prints them at each first boot."""
    blocks = _KEYS.findall(console)
    return tuple(_KEY.findall(blocks[-1])) if blocks else ()


def find(
    aws: Callable[[str], Any], controller: Mapping[str, str], data: Mapping[str, str], *, needs_login: bool = True
) -> Machine | None:
    """The machine that the stacks' outputs name, or None where the instance is not running.

    Without `needs_login` (on the machine itself) neither the key nor the host keys are asked for.
    """
    instance_id = controller["InstanceId"]
    instance = _instance(aws("ec2"), instance_id)
    if instance is None or instance["State"]["Name"] != "running":
        return None
    if not needs_login:
        return Machine(instance_id, instance["PrivateIpAddress"], LOGIN_USER, Secret(""), ())
    return _entered(aws, instance, instance["PrivateIpAddress"], LOGIN_USER, data)


def bastion(
    aws: Callable[[str], Any], group: str, user: str, data: Mapping[str, str], *, by_public: bool
) -> Machine | None:
    """The one machine of the bastion's group, or None where none runs yet; `by_public` asks for its public address."""
    found = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    members = [it for each in found for it in each["Instances"] if it["LifecycleState"] == "InService"]
    instance = _instance(aws("ec2"), members[0]["InstanceId"]) if members else None
    if instance is None or instance["State"]["Name"] != "running":
        return None
    public = instance.get("PublicIpAddress") if by_public else None
    return _entered(aws, instance, public or instance["PrivateIpAddress"], user, data)


def _entered(
    aws: Callable[[str], Any], instance: Mapping[str, Any], address: str, user: str, data: Mapping[str, str]
) -> Machine | None:
    """A running instance with what it takes to log in; None until its console shows the host keys."""
    keys = host_keys(console(aws("ec2"), instance["InstanceId"]))
    if not keys:
        return None
    name = f"/ec2/keypair/{data['KeyPairId']}"
    private_key = aws("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    return Machine(instance["InstanceId"], address, user, Secret(private_key), keys)


def console(ec2: Any, instance_id: str) -> str:
    """What the console shows.

    EC2 posts the output of an instance's first boot within minutes and keeps that; the latest is had at any time, but from
    Nitro instances alone (EC2 API reference, GetConsoleOutput). The latest is 64 KiB, out of which the keys have scrolled on a
    machine that has long run: then the kept one has them.
    """
    from botocore.exceptions import ClientError

    try:
        latest = str(ec2.get_console_output(InstanceId=instance_id, Latest=True).get("Output", ""))
    except ClientError as error:
        if error.response["Error"].get("Code") != "UnsupportedOperation":
            raise
        latest = ""
    if host_keys(latest):
        return latest
    return str(ec2.get_console_output(InstanceId=instance_id).get("Output", ""))


def wait(
    aws: Callable[[str], Any],
    controller: Mapping[str, str],
    data: Mapping[str, str],
    report: Reporter,
    *,
    deadline: float = 600,
    sleep: Callable[[float], None] = time.sleep,
) -> Machine:
    """The machine, once it runs and its console shows its host keys; Unreachable after `deadline` seconds.

    EC2 keeps the console of a booting machine back for some minutes, hence the patience.
    """
    begun = time.monotonic()
    pause = 0.5
    while True:
        machine = find(aws, controller, data)
        if machine is not None:
            return machine
        waited = time.monotonic() - begun
        if waited > deadline:
            now = state(aws("ec2"), controller["InstanceId"])
            found = f"after {waited:.0f} s it is {now} and its console shows no host key"
            raise Unreachable(
                f"waiting for the instance {controller['InstanceId']}",
                f"{found}\n{boot_log(aws('ec2'), controller['InstanceId'])}".rstrip(),
                "Correct the cause that its console shows; 'launch' continues from here.",
            )
        report.progress(f"waiting for the instance: {state(aws('ec2'), controller['InstanceId'])}")
        sleep(pause)
        pause = min(pause * 1.5, 15)


def image(ec2: Any, instance_id: str) -> dict[str, str]:
    """The image that the instance was made from: its id and, where the account may still see it, name and date."""
    instance = _instance(ec2, instance_id)
    if instance is None:
        return {}
    found = ec2.describe_images(Filters=[{"Name": "image-id", "Values": [instance["ImageId"]]}])["Images"]
    told = found[0] if found else {}
    return {"id": instance["ImageId"], "name": told.get("Name", ""), "created": told.get("CreationDate", "")}


def boot_log(ec2: Any, instance_id: str) -> str:
    """The last lines of an instance's console, under a heading; empty where it has said nothing, or cannot be asked."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        said = console(ec2, instance_id)
    except (BotoCoreError, ClientError):
        return ""  # it goes with an error, and must not take that one's place
    lines = [line.rstrip() for line in said.splitlines() if line.strip()][-_LOG_LINES:]
    return "\n".join(["boot log, last lines:", *(f"  {line}" for line in lines)]) if lines else ""


def boot_log_of(aws: Callable[[str], Any], stack: str) -> str:
    """The boot log of the controller stack's instance, also of a stack that never came to be; empty where there is none."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = aws("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId="Instance")
    except (BotoCoreError, ClientError):
        return ""
    instance_id = found["StackResourceDetail"].get("PhysicalResourceId")
    return boot_log(aws("ec2"), instance_id) if instance_id else ""


def start(ec2: Any, instance_id: str, report: Reporter) -> None:
    """Start an instance that somebody stopped; EC2 refuses while it is still stopping, so that is waited out."""
    if state(ec2, instance_id) not in {"stopped", "stopping"}:
        return
    report.notice(f"the instance {instance_id} was stopped: starting it")
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance_id], WaiterConfig=_STOPPED)
    ec2.start_instances(InstanceIds=[instance_id])


def stop(ec2: Any, instance_id: str) -> None:
    """Shut a running instance down in good order, and wait until it is."""
    if state(ec2, instance_id) in {"running", "pending", "stopping"}:
        ec2.stop_instances(InstanceIds=[instance_id])
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance_id], WaiterConfig=_STOPPED)


def state(ec2: Any, instance_id: str) -> str:
    """The instance's state as EC2 names it, or 'absent'."""
    instance = _instance(ec2, instance_id)
    return str(instance["State"]["Name"]) if instance else "absent"


def _instance(ec2: Any, instance_id: str) -> dict[str, Any] | None:
    found = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance_id]}])
    for reservation in found["Reservations"]:
        for instance in reservation["Instances"]:
            return dict(instance)
    return None
