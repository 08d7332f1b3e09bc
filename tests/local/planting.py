"""Faults that tests plant in a launched environment: how each is planted and mended, and the checks that it turns red."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trial import Launched

from bootstrap.acts import verify
from bootstrap.jenkins.controller import waiting
from bootstrap.jenkins.controller.api import ask, expect

SUITE = Path(__file__).parents[1] / "acceptance"
CREDENTIAL = "/etc/jenkins/credentials/TOOLKIT_PASSWORD"
HARFBUZZ = "/usr/lib/x86_64-linux-gnu/libharfbuzz.so.0"
ANYBODY = {
    "IpProtocol": "tcp",
    "FromPort": 8080,
    "ToPort": 8080,
    "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "planted"}],
}
ANONYMOUS = """\
jenkins:
  authorizationStrategy:
    globalMatrix:
      entries:
        - group:
            name: anonymous
            permissions:
              - Overall/Read
"""


@dataclass(frozen=True)
class Fault:
    """A fault: how it comes, how it goes, and the checks that must find it: all of `groups`, and those of `red`."""

    name: str
    plant: Callable[[Launched], None]
    mend: Callable[[Launched], None]
    red: frozenset[str]
    groups: tuple[str, ...] = ()


def on_machine(*command: str) -> Callable[[Launched], None]:
    def run(launched: Launched) -> None:
        launched.context.shell.run(command, sudo=True)

    return run


def replace(path: str) -> Callable[[Launched], None]:
    """Put a new file in the place of one, as dpkg does at an upgrade."""
    return on_machine("sh", "-c", f"cp -p {path} {path}.new && mv {path}.new {path}")


def toolkit(*arguments: str) -> Callable[[Launched], None]:
    def run(launched: Launched) -> None:
        launched.done(*arguments)

    return run


def delete_a_job(launched: Launched) -> None:
    launched.context.jenkins.delete_job("network")


def wait_for_nobody(launched: Launched) -> None:
    """A build that asks for a label which no node has; it counts as in vain after some seconds."""
    jenkins = launched.context.jenkins
    jenkins.create_job("lonely", "<project><assignedNode>nobody</assignedNode><canRoam>false</canRoam></project>")
    jenkins.build_job("lonely")
    deadline = time.monotonic() + 60
    while not any(item.is_in_vain for item in waiting.read_queue(jenkins)):
        assert time.monotonic() < deadline, waiting.read_queue(jenkins)
        time.sleep(1)
    (row,) = [line for line in launched.done("status").splitlines() if "queue" in line]
    assert "lonely waits" in row and "There are no nodes with the label ‘nobody’" in row


def wait_no_more(launched: Launched) -> None:
    jenkins = launched.context.jenkins
    for item in jenkins.get_queue_info():
        if item["task"]["name"] == "lonely":
            jenkins.cancel_queue(item["id"])
    jenkins.delete_job("lonely")


def let_anybody_read(launched: Launched) -> None:
    launched.edit_settings(ANONYMOUS)


def loosen_settings(launched: Launched) -> None:
    edits = {
        "metrics": "s/useAuthenticatedEndpoint: true/useAuthenticatedEndpoint: false/",
        "security": "s/enforce: true/enforce: false/",
        "controller": "s/noUsageStatistics: true/noUsageStatistics: false/",
        "audit": "s/pattern: .*/pattern: none/",
    }
    for name, edit in edits.items():
        launched.context.shell.run(["sed", "-i", edit, f"/etc/jenkins/casc.d/{name}.yaml"], sudo=True)
    expect(ask(launched.context.jenkins, "POST", "configuration-as-code/reload"), "loading the edited files", 302)


def open_the_group(launched: Launched) -> None:
    group = launched.context.outputs("network")["ControllerSecurityGroupId"]
    ec2 = launched.context.world.aws("ec2")
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ANYBODY])


def close_the_group(launched: Launched) -> None:
    group = launched.context.outputs("network")["ControllerSecurityGroupId"]
    launched.context.world.aws("ec2").revoke_security_group_ingress(GroupId=group, IpPermissions=[ANYBODY])


def take_the_volume(launched: Launched) -> None:
    # Stopped first, so that nothing is written where the volume is missing.
    launched.context.shell.run(["systemctl", "stop", "jenkins"], sudo=True)
    ec2, context = launched.context.world.aws("ec2"), launched.context
    volume, instance = context.outputs("data")["DataVolumeId"], context.outputs("controller")["InstanceId"]
    ec2.detach_volume(VolumeId=volume, InstanceId=instance)
    ec2.get_waiter("volume_available").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})


def bring_the_volume(launched: Launched) -> None:
    ec2, context = launched.context.world.aws("ec2"), launched.context
    volume, instance = context.outputs("data")["DataVolumeId"], context.outputs("controller")["InstanceId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    ec2.get_waiter("volume_in_use").wait(VolumeIds=[volume], WaiterConfig={"Delay": 1})
    launched.done("host")


def _named(group: str, *sentences: str) -> frozenset[str]:
    return frozenset(f"{group}: {sentence}" for sentence in sentences)


WITHOUT_TLS = _named(
    "tls",
    "The environment's authority signed the certificate",
    "Jenkins answers at its URL",
    "The certificate is for the URL's host",
    "The certificate is valid for at least 30 more days",
    "TLS 1.2 and 1.3 are supported",
    "TLS 1.0 and 1.1 are refused",
    "Strict-Transport-Security is set for a year",
    "The web server does not disclose its version",
    "Session cookies are Secure and HttpOnly",
)
# The hardening that a stopped Jenkins cannot show: all but that of the units and of the proxy.
OF_A_RUNNING_JENKINS = {
    name.removeprefix("hardening: ") for name in verify.list_checks(SUITE) if "hardening: " in name
} - {
    "Memory and processes of Jenkins, its builds and nginx are limited",
    "The largest heap of Java fits into the memory that the service may use",
    "The proxy refuses a sign-in with a large body",
}
FAULTS = (
    Fault(
        "nginx is stopped",
        plant=on_machine("systemctl", "stop", "nginx"),
        mend=on_machine("systemctl", "start", "nginx"),
        red=WITHOUT_TLS
        | _named("hardening", "The proxy refuses a sign-in with a large body")
        | _named(
            "machine",
            "The service runs and is enabled: nginx.service",
            "Only SSH and HTTPS listen on the network",
        ),
    ),
    Fault(
        "an upgrade left a service on its old program",
        plant=replace("/usr/sbin/nginx"),
        mend=toolkit("host"),
        red=_named(
            "machine",
            "The service runs no deleted program or library: nginx.service",
        ),
    ),
    Fault(
        "a library of Java misses another",
        plant=on_machine("mv", HARFBUZZ, f"{HARFBUZZ}.away"),
        mend=on_machine("mv", f"{HARFBUZZ}.away", HARFBUZZ),
        red=_named("machine", "Every shared library of Java finds the libraries that it needs"),
    ),
    Fault(
        "a credential is readable by everybody",
        plant=on_machine("chmod", "0444", CREDENTIAL),
        mend=toolkit("host"),
        red=_named("machine", f"The file has its owner, group and mode: {CREDENTIAL}"),
    ),
    Fault(
        "the firewall lets ordinary builds reach the metadata service",
        plant=on_machine("nft", "flush", "chain", "inet", "filter", "ordinary_builds"),
        mend=toolkit("host"),
        red=_named(
            "machine",
            "The firewall rejects what ordinary builds send to the metadata service",
            "The metadata service answers the toolkit's builds, and ordinary builds cannot reach it",
        ),
    ),
    Fault(
        "the agent for ordinary jobs is stopped",
        plant=on_machine("systemctl", "stop", "jenkins-builder"),
        mend=toolkit("host"),
        red=_named("machine", "The service runs and is enabled: jenkins-builder.service")
        | _named("controller", "The controller itself has no executors, and the agents on the machine are connected"),
    ),
    Fault(
        "a job was deleted",
        plant=delete_a_job,
        mend=toolkit("jobs"),
        red=_named("controller", "Every job is as the code renders it, and jobs that left the code are disabled"),
    ),
    Fault(
        "a build waits for an agent that nobody has",
        plant=wait_for_nobody,
        mend=wait_no_more,
        red=_named("controller", "No build waits for an agent that does not come"),
    ),
    Fault(
        "strangers may read",
        plant=let_anybody_read,
        mend=toolkit("casc"),
        red=_named(
            "controller",
            "Anonymous users have no access",
            "Users have exactly the permissions of the code",
        ),
    ),
    Fault(
        "Jenkins' own settings are loosened",
        plant=loosen_settings,
        mend=toolkit("casc"),
        red=_named(
            "settings",
            "Pages enforce a content security policy",
            "Metrics need the permission Metrics/View",
            "Jenkins sends no usage statistics",
            "The audit trail has a changing request with its user",
        )
        | _named("controller", "Anonymous users have no access", "Every setting has the value of the code"),
    ),
    Fault(
        "the security group is open to the world",
        plant=open_the_group,
        mend=close_the_group,
        red=_named(
            "aws",
            "The machine's security group admits only operators, bastion, edge, agents and a peer's controller",
            "No security group of the network is open to the whole Internet",
        )
        # Not what the Internet reaches: no route leads it there. The operators' block is a part of the world.
        | _named(
            "network",
            "The intention holds: deny operators -> controller:8080",
        ),
    ),
    Fault(
        "the data volume is detached",
        plant=take_the_volume,
        mend=bring_the_volume,
        groups=("controller", "settings"),
        red=_named("aws", "The data volume is attached to this machine")
        | _named("hardening", *sorted(OF_A_RUNNING_JENKINS))
        | _named(
            "tls",
            "Jenkins answers at its URL",
            "Session cookies are Secure and HttpOnly",
        )
        | _named(
            "machine",
            "The service runs and is enabled: jenkins.service",
            "Jenkins' own port listens on loopback only",
            "JENKINS_HOME is on the data volume",
            "The data volume is mounted with nosuid and nodev",
            "The file has its owner, group and mode: /var/lib/jenkins",
            "The file has its owner, group and mode: /var/lib/jenkins/secrets",
        )
        | _named("people", "Jenkins has no account of a person who is not in the environment file any more"),
    ),
)


# Faults of one verify: no check that one of them turns red depends on another of them.
TOGETHER = (
    ("nginx is stopped", "a library of Java misses another", "a credential is readable by everybody"),
    ("an upgrade left a service on its old program", "a job was deleted", "the security group is open to the world"),
    (
        "a build waits for an agent that nobody has",
        "strangers may read",
        "the firewall lets ordinary builds reach the metadata service",
    ),
    ("Jenkins' own settings are loosened", "the agent for ordinary jobs is stopped"),
    ("the data volume is detached",),
)
