"""What an agent's instance prepares for the containers of builds: the script in the template, run with other programs."""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

from bootstrap.local.machines import flags
from tests.templates.agent_user_data import read_cloud_config


def run_last_script(folder: Path, containers: str) -> None:
    """Run what cloud-init runs last, with programs that stand for those of root, and this folder for those of /etc."""
    known = {"AWS__Region": "eu-central-1", "HostKey_KeyPairId": "key-1", "Packages": "git", "OfController": ""}
    wished = read_cloud_config(
        MetadataUrl="http://169.254.169.254", Url="https://ssm.example", Containers=containers, **known
    )
    (command,) = wished["runcmd"]
    tools = folder / "tools"
    tools.mkdir()
    for name in ("install", "loginctl", "chown"):
        (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >> {folder}/called\n')
        (tools / name).chmod(0o755)
    for path in ("/etc/containers/storage.conf", "/etc/ssh/controller_key"):
        command[2] = command[2].replace(path, str(folder / Path(path).name))
    subprocess.run(["/bin/sh", *command[1:]], env={"PATH": str(tools)}, check=True)


def test_builds_get_a_storage_for_containers_where_the_group_says_so(tmp_path: Path) -> None:
    run_last_script(tmp_path, "yes")

    storage = tomllib.loads((tmp_path / "storage.conf").read_text())["storage"]
    assert ("overlay", flags.CONTAINER_STORAGE) == (storage["driver"], storage["rootless_storage_path"])
    made, lingering = (tmp_path / "called").read_text().splitlines()
    assert f"install -d -o jenkins -g jenkins -m 0700 {flags.CONTAINER_STORAGE}" == made
    assert "loginctl enable-linger jenkins" == lingering


def test_elsewhere_nothing_is_prepared(tmp_path: Path) -> None:
    run_last_script(tmp_path, "no")

    assert [tmp_path / "tools"] == list(tmp_path.iterdir())


def test_the_key_to_the_controller_becomes_that_of_the_user_of_builds(tmp_path: Path) -> None:
    (tmp_path / "controller_key").write_text("key")

    run_last_script(tmp_path, "no")

    assert f"chown jenkins {tmp_path / 'controller_key'}\n" == (tmp_path / "called").read_text()
