"""An Auto Scaling group without machines: moto answers as AWS, and one SSH server on the loopback stands for all instances."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import moto.server
import yaml
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from bootstrap.local.emulator.options import BUNDLED_PLUGINS, read_plugins
from tests.unit.remote import sshd as ssh

REGION = "eu-central-1"
GROUP = "trial-agents-linux"
PLUGINS = {"ec2-fleet": "4.3.0.549", "ssh-slaves": "3.1097", "aws-credentials": "265", "aws-java-sdk2-core": "2.42"}


class Cloud:
    """The group, its instances, and the server that stands for all of them."""

    def __init__(self, sshd: ssh.Sshd, folder: Path) -> None:
        self.sshd, self.folder = sshd, folder
        self._server = moto.server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.endpoint = f"http://{host}:{port}"
        names = {"region_name": REGION, "endpoint_url": self.endpoint}
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        self.ec2 = boto3.client("ec2", **names, **keys)
        self.groups = boto3.client("autoscaling", **names, **keys)

    def make_group(self, maximum: int = 3) -> None:
        image = self.ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
        template = {"ImageId": image, "InstanceType": "t3.micro"}
        self.ec2.create_launch_template(LaunchTemplateName=GROUP, LaunchTemplateData=template)
        self.groups.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            MinSize=0,
            MaxSize=maximum,
            LaunchTemplate={"LaunchTemplateName": GROUP},
            AvailabilityZones=[f"{REGION}a"],
            NewInstancesProtectedFromScaleIn=True,
        )

    @property
    def members(self) -> list[str]:
        group = self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"][0]
        return [member["InstanceId"] for member in group["Instances"]]

    @property
    def desired(self) -> int:
        group = self.groups.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"][0]
        return int(group["DesiredCapacity"])

    def terminate(self, instance: str) -> None:
        """End an instance as EC2 does: its machine is gone, and the group takes it out."""
        self.ec2.terminate_instances(InstanceIds=[instance])
        self.groups.detach_instances(
            InstanceIds=[instance], AutoScalingGroupName=GROUP, ShouldDecrementDesiredCapacity=False
        )
        self.sshd.drop()

    @staticmethod
    def write_plugins(folder: Path) -> Path:
        path = folder / "plugins.json"
        path.write_text(json.dumps({**read_plugins(BUNDLED_PLUGINS), **PLUGINS}))
        return path

    def variables(self, folder: Path) -> dict[str, str]:
        """The environment of a service that has the plugins and reaches the cloud."""
        return {
            "JENKINS_PLUGINS_LOCK": str(self.write_plugins(folder)),
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }

    def render(self, key: str = "", **changed: Any) -> str:
        """The settings of the cloud, as the toolkit applies them."""
        host_key = key or ssh.public_text(self.sshd.host_key)
        told: dict[str, Any] = {
            "name": "linux",
            "fleet": GROUP,
            "labelString": "linux",
            "computerConnector": {
                "sshConnector": {
                    "credentialsId": "agents-linux",
                    "port": self.sshd.port,
                    "launchTimeoutSeconds": 10,
                    "maxNumRetries": 0,
                    "retryWaitTime": 1,
                    "prefixStartSlaveCmd": "true; ",
                    "sshHostKeyVerificationStrategy": {"manuallyProvidedKeyVerificationStrategy": {"key": host_key}},
                }
            },
            "privateIpUsed": True,
            "fsRoot": str(self.folder),
            "numExecutors": 1,
            "minSize": 0,
            "maxSize": 3,
            "minSpareSize": 0,
            "maxTotalUses": -1,
            "idleMinutes": 10,
            "restrictUsage": True,
            "noDelayProvision": True,
            "disableTaskResubmit": True,
            "initOnlineTimeoutSec": 60,
            "initOnlineCheckIntervalSec": 1,
            "cloudStatusIntervalSec": 1,
        }
        return yaml.safe_dump({"jenkins": {"clouds": [{"eC2Fleet": {**told, **changed}}]}})

    @staticmethod
    def render_credential(user: str = "admin") -> str:
        source = {"directEntry": {"privateKey": ssh.private_text("ed25519")}}
        key = {"id": "agents-linux", "scope": "SYSTEM", "username": user, "privateKeySource": source}
        domain = {"credentials": [{"basicSSHUserPrivateKey": key}]}
        return yaml.safe_dump({"credentials": {"system": {"domainCredentials": [domain]}}})

    def stop(self) -> None:
        self._server.stop()


@contextlib.contextmanager
def running_cloud() -> Iterator[Cloud]:
    folder = Path(tempfile.mkdtemp(prefix="agent-"))
    with ssh.running() as sshd:
        cloud = Cloud(sshd, folder / "home")
        backend = ec2_backends[DEFAULT_ACCOUNT_ID][REGION]
        add = backend.run_instances

        def run_instances(*arguments: Any, **named: Any) -> Any:
            reservation = add(*arguments, **named)
            for instance in reservation.instances:
                for interface in instance.nics.values():
                    interface.private_ip_address = "127.0.0.1"
            return reservation

        backend.run_instances = run_instances
        try:
            yield cloud
        finally:
            del backend.run_instances
            cloud.stop()
            backend.reset()
            shutil.rmtree(folder, ignore_errors=True)
