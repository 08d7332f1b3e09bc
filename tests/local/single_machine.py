"""One machine of the local cloud without a launch, shared by the modules that look at it; tests leave it running."""

from __future__ import annotations

import base64
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from bootstrap.local.machines import InstanceSpec, Machines

ENVIRONMENT = f"machinetest{os.getpid()}"
SUBNET = "subnet-0f00"
CIDR = "10.213.7.0/24"
DISK = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_vol0d15c"
VOLUME = "vol-0d15c"
WELCOME = "Welcome to Debian GNU/Linux 13"
USER_DATA = b"#!/bin/sh\necho user data says hello\ndate > /etc/made-by-user-data\n"


class Login:
    """A key pair and SSH connections with it that accept the one host key that the console tells."""

    def __init__(self) -> None:
        private = ed25519.Ed25519PrivateKey.generate()
        formats = serialization.Encoding, serialization.PrivateFormat, serialization.PublicFormat
        pem = private.private_bytes(formats[0].PEM, formats[1].OpenSSH, serialization.NoEncryption())
        self.public = private.public_key().public_bytes(formats[0].OpenSSH, formats[2].OpenSSH).decode()
        self.key = paramiko.Ed25519Key.from_private_key(io.StringIO(pem.decode()))

    def run(self, address: str, console: str, command: str) -> str:
        """What `command` prints there, with its standard error."""
        client = paramiko.SSHClient()
        client.set_missing_host_key_policy(paramiko.RejectPolicy())
        client.get_host_keys().add(address, "ssh-ed25519", paramiko.Ed25519Key(data=host_key(console)))
        client.connect(address, username="admin", pkey=self.key, look_for_keys=False, allow_agent=False, timeout=10)
        try:
            _stdin, out, _err = client.exec_command(f"{{ {command}; }} 2>&1")
            return "\n".join(line.rstrip() for line in out.read().decode().strip().splitlines())
        finally:
            client.close()


def host_key(console: str) -> bytes:
    """The ed25519 host key in the block that cloud-init prints."""
    block = re.search(r"-----BEGIN SSH HOST KEY KEYS-----\n(.*?)\n-----END SSH HOST KEY KEYS-----", console, re.DOTALL)
    assert block is not None, console[-2000:]
    found = [line.split()[1] for line in block[1].splitlines() if line.startswith("ssh-ed25519 ")]
    assert len(found) == 1
    return base64.b64decode(found[0])


@pytest.fixture(scope="session")
def login() -> Login:
    return Login()


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cloud")


@pytest.fixture(scope="session")
def machines(state: Path) -> Iterator[Machines]:
    cloud = Machines(ENVIRONMENT, state, print)
    try:
        yield cloud
    finally:
        cloud.remove_all(with_volumes=True)


@pytest.fixture(scope="session")
def spec(login: Login) -> InstanceSpec:
    return InstanceSpec(
        instance_id="i-0aaa",
        private_ip="10.213.7.37",
        subnet_id=SUBNET,
        subnet_cidr=CIDR,
        image_id="ami-0debian",
        user_data=USER_DATA,
        public_key=login.public,
        gateway="10.213.7.1",
    )


@pytest.fixture(scope="session")
def machine(machines: Machines, spec: InstanceSpec) -> InstanceSpec:
    """The machine that most tests use; tests leave it running."""
    machines.boot(spec)
    return spec


@pytest.fixture
def ssh(machines: Machines, machine: InstanceSpec, login: Login):
    return lambda command: login.run(machine.private_ip, machines.read_console(machine.instance_id), command)
