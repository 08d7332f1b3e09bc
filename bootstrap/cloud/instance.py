"""The environment's EC2 instance: its address, its login, and its SSH host keys.

The private key is in the parameter in which CloudFormation stores the key of a key pair. The host keys are read from the
console, where cloud-init prints them at the first boot. So neither is read over the network between this machine and the
instance.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from bootstrap.errors import Unreachable
from bootstrap.values import Machine, Reporter, Secret

GONE = frozenset({"absent", "terminated", "shutting-down"})
"""The values of `state` for an instance that is terminated or does not exist."""

_LOG_LINES = 15
LOGIN_USER = "admin"  # the user that cloud-init makes on Debian's images
_STOPPED = {"Delay": 2, "MaxAttempts": 300}  # wait at most ten minutes, because EC2 waits for the operating system
_KEYS = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)
_KEY = re.compile(r"\b((?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) [A-Za-z0-9+/=]+)")


def parse_host_keys(console: str) -> tuple[str, ...]:
    """The host keys in the text of a console: those of the last block, because each first boot prints a block."""
    blocks = _KEYS.findall(console)
    return tuple(_KEY.findall(blocks[-1])) if blocks else ()


def find(
    aws: Callable[[str], Any], controller: Mapping[str, str], data: Mapping[str, str], *, needs_login: bool = True
) -> Machine | None:
    """The machine that the outputs of the stacks name; None if the instance is not running, or has not printed its host keys.

    Without `needs_login` (on the machine itself) neither the private key nor the host keys are read.
    """
    instance_id = controller["InstanceId"]
    instance = _describe_instance(aws("ec2"), instance_id)
    if instance is None or instance["State"]["Name"] != "running":
        return None
    if not needs_login:
        return Machine(instance_id, instance["PrivateIpAddress"], LOGIN_USER, Secret(""), ())
    return _read_login(aws, instance, instance["PrivateIpAddress"], LOGIN_USER, data)


def find_bastion(
    aws: Callable[[str], Any], group: str, user: str, data: Mapping[str, str], *, by_public: bool
) -> Machine | None:
    """The machine of the bastion's group, with its public address if `by_public`; None if none runs yet."""
    groups = aws("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[group])["AutoScalingGroups"]
    members = [
        member
        for group_description in groups
        for member in group_description["Instances"]
        if member["LifecycleState"] == "InService"
    ]
    instance = _describe_instance(aws("ec2"), members[0]["InstanceId"]) if members else None
    if instance is None or instance["State"]["Name"] != "running":
        return None
    public = instance.get("PublicIpAddress") if by_public else None
    return _read_login(aws, instance, public or instance["PrivateIpAddress"], user, data)


def _read_login(
    aws: Callable[[str], Any], instance: Mapping[str, Any], address: str, user: str, data: Mapping[str, str]
) -> Machine | None:
    """A running instance with its login; None until its console shows the host keys."""
    keys = parse_host_keys(read_console(aws("ec2"), instance["InstanceId"]))
    if not keys:
        return None
    name = f"/ec2/keypair/{data['KeyPairId']}"
    private_key = aws("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    return Machine(instance["InstanceId"], address, user, Secret(private_key), keys)


def read_console(ec2: Any, instance_id: str) -> str:
    """The text of the console.

    EC2 stores the output of the first boot, some minutes after it. The latest output can be read at any time, but only of Nitro
    instances (EC2 API reference, GetConsoleOutput). The latest output is the last 64 KiB; on a machine that has run for long it
    does not contain the host keys any more. Then the stored output is returned.
    """
    from botocore.exceptions import ClientError

    try:
        latest = str(ec2.get_console_output(InstanceId=instance_id, Latest=True).get("Output", ""))
    except ClientError as error:
        if error.response["Error"].get("Code") != "UnsupportedOperation":
            raise
        latest = ""
    if parse_host_keys(latest):
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
    """Wait until the machine runs and its console shows its host keys; Unreachable after `deadline` seconds.

    The deadline is long because EC2 shows the console only some minutes after the boot.
    """
    begun = time.monotonic()
    pause = 0.5
    while True:
        machine = find(aws, controller, data)
        if machine is not None:
            return machine
        waited = time.monotonic() - begun
        if waited > deadline:
            now = read_state(aws("ec2"), controller["InstanceId"])
            reason = f"after {waited:.0f} s it is {now} and its console shows no host key"
            raise Unreachable(
                f"waiting for the instance {controller['InstanceId']}",
                f"{reason}\n{read_boot_log(aws('ec2'), controller['InstanceId'])}".rstrip(),
                "Correct the cause that its console shows; 'launch' continues from here.",
            )
        report.progress(f"waiting for the instance: {read_state(aws('ec2'), controller['InstanceId'])}")
        sleep(pause)
        pause = min(pause * 1.5, 15)


def read_boot_log(ec2: Any, instance_id: str) -> str:
    """The last lines of an instance's console, below a heading; '' if it is empty or cannot be read."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        console_text = read_console(ec2, instance_id)
    except (BotoCoreError, ClientError):
        return ""  # the log is a part of another error, which this one must not replace
    lines = [line.rstrip() for line in console_text.splitlines() if line.strip()][-_LOG_LINES:]
    return "\n".join(["boot log, last lines:", *(f"  {line}" for line in lines)]) if lines else ""


def read_boot_log_of(aws: Callable[[str], Any], stack: str) -> str:
    """The boot log of the controller stack's instance, also if the creation of the stack failed; '' if there is none."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        resource = aws("cloudformation").describe_stack_resource(StackName=stack, LogicalResourceId="Instance")
    except (BotoCoreError, ClientError):
        return ""
    instance_id = resource["StackResourceDetail"].get("PhysicalResourceId")
    return read_boot_log(aws("ec2"), instance_id) if instance_id else ""


def start(ec2: Any, instance_id: str, report: Reporter) -> None:
    """Start a stopped instance; if it is still stopping, wait for that first, because EC2 refuses to start it then."""
    if read_state(ec2, instance_id) not in {"stopped", "stopping"}:
        return
    report.notice(f"the instance {instance_id} was stopped: starting it")
    ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance_id], WaiterConfig=_STOPPED)
    ec2.start_instances(InstanceIds=[instance_id])


def stop(ec2: Any, instance_id: str) -> None:
    """Shut down a running instance, and wait until it is stopped: what it has in memory reaches the data volume.

    Nothing is done for an instance that does not exist, also if `instance_id` is ''.
    """
    if read_state(ec2, instance_id) in {"running", "pending", "stopping"}:
        ec2.stop_instances(InstanceIds=[instance_id])
        ec2.get_waiter("instance_stopped").wait(InstanceIds=[instance_id], WaiterConfig=_STOPPED)


def read_state(ec2: Any, instance_id: str) -> str:
    """The instance's state as EC2 names it, or 'absent'."""
    instance = _describe_instance(ec2, instance_id)
    return str(instance["State"]["Name"]) if instance else "absent"


def _describe_instance(ec2: Any, instance_id: str) -> dict[str, Any] | None:
    answer = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": [instance_id]}])
    for reservation in answer["Reservations"]:
        for instance in reservation["Instances"]:
            return dict(instance)
    return None
