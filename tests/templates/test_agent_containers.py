"""What an agent's instance prepares for the containers of builds: the script in the template, run with other programs."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

import pytest

from bootstrap.local.machines import flags
from tests.templates.agent_user_data import read_cloud_config


@pytest.mark.parametrize("containers", ["yes", "no"])
def test_builds_get_a_storage_for_containers_only_where_the_group_says_so(tmp_path: Path, containers: str) -> None:
    """The script runs with programs that stand for those of root, and with a folder that stands for /etc/containers."""
    known = {"AWS__Region": "eu-central-1", "HostKey_KeyPairId": "key-1", "Packages": "git", "Containers": containers}
    (command,) = read_cloud_config(MetadataUrl="http://169.254.169.254", Url="https://ssm.example", **known)["runcmd"]
    tools, settings = tmp_path / "tools", tmp_path / "storage.conf"
    tools.mkdir()
    for name in ("install", "loginctl"):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/called\n')
        (tools / name).chmod(0o755)
    command[2] = command[2].replace("/etc/containers/storage.conf", str(settings))

    subprocess.run(["/bin/sh", *command[1:]], env={"PATH": str(tools)}, check=True)

    if containers == "no":
        assert [tools] == list(tmp_path.iterdir())
        return
    storage = tomllib.loads(settings.read_text())["storage"]
    assert ("overlay", flags.CONTAINER_STORAGE) == (storage["driver"], storage["rootless_storage_path"])
    made, lingering = (tmp_path / "called").read_text().splitlines()
    assert f"install -d -o jenkins -g jenkins -m 0700 {flags.CONTAINER_STORAGE}" == made
    assert "loginctl enable-linger jenkins" == lingering
