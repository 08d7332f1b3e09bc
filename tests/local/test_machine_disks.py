"""Volumes of machines: they appear, move, survive, and nothing else takes their place; the last test removes all machines."""

from __future__ import annotations

import contextlib
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from single_machine import DISK, ENVIRONMENT, VOLUME, Login, host_key

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import InstanceSpec, Machines


def test_volume_appears_survives_reboot_and_goes_to_another_machine(
    machines: Machines, machine: InstanceSpec, login: Login, ssh
) -> None:
    machines.attach(VOLUME, machine.instance_id, "/dev/sdf")
    unit = (
        f"[Mount]\\nWhat={DISK}\\nWhere=/srv/data\\nType=none\\nOptions=bind\\n[Install]\\nWantedBy=local-fs.target\\n"
    )
    ssh(f"printf '{unit}' | sudo tee /etc/systemd/system/srv-data.mount; sudo systemctl enable --now srv-data.mount")
    ssh("sudo install -o 4242 -g 4243 -m 0640 /etc/hostname /srv/data/file; sudo chown 4242 /srv/data")
    machines.reboot(machine.instance_id)
    assert ssh("systemctl is-active srv-data.mount; stat -c '%u:%g %a' /srv/data/file") == "active\n4242:4243 640"

    other = replace(machine, instance_id="i-0bbb", private_ip="10.213.7.38")
    machines.boot(other)
    with pytest.raises(LocalCloudFailed, match="it is attached to i-0aaa"):
        machines.attach(VOLUME, other.instance_id, "/dev/sdf")
    machines.detach(VOLUME, machine.instance_id)
    assert "No such file" in ssh(f"ls {DISK}")
    assert ssh("sudo ls /srv/data") == ""
    machines.attach(VOLUME, other.instance_id, "/dev/sdf")
    console = machines.read_console(other.instance_id)
    assert host_key(console) != host_key(machines.read_console(machine.instance_id))
    look = f"sudo stat -c '%u:%g %a' {DISK}/file; sudo cat {DISK}/file"
    assert login.run(other.private_ip, console, look) == "4242:4243 640\nip-10-213-7-37"

    machines.terminate(other.instance_id)
    assert machines.read_state(other.instance_id) == "absent"
    machines.attach(VOLUME, machine.instance_id, "/dev/sdf")
    assert ssh(f"sudo cat {DISK}/file") == "ip-10-213-7-37"


def test_volumes_are_there_again_after_the_mounts_of_this_side_were_lost(
    machines: Machines, machine: InstanceSpec, state: Path, ssh
) -> None:
    machines.attach("vol-0ccc", machine.instance_id, "/dev/sdh")
    disk = DISK.replace("vol0d15c", "vol0ccc")
    ssh(f"echo kept | sudo tee {disk}/file")
    machines.stop(machine.instance_id)
    disks = state / "machines" / machine.instance_id / "disks"
    subprocess.run(["umount", "--recursive", str(disks)], check=True)  # as a reboot of this side does
    machines.start(machine.instance_id)
    assert ssh(f"cat {disk}/file") == "kept"
    machines.detach("vol-0ccc", machine.instance_id)
    machines.delete_volume("vol-0ccc")


def test_machine_cannot_put_anything_in_the_place_of_its_disks(
    machines: Machines, machine: InstanceSpec, state: Path, tmp_path: Path, ssh
) -> None:
    folder, name = "/dev/disk/by-id", "nvme-Amazon_Elastic_Block_Store_vol0abc"
    assert "Read-only" in ssh(f"sudo touch {folder}/file")
    assert "Permission denied" in ssh(f"sudo mount -o remount,bind,rw {folder}; sudo touch {folder}/file")
    assert "Permission denied" in ssh(f"sudo ln -s {tmp_path} {folder}/{name}; sudo mkdir {folder}/{name}")
    assert "cannot" in ssh(f"sudo mv {DISK} {folder}/{name}")
    ssh(f"sudo sh -c 'umount --lazy {folder}; mv {folder} /root/disks; rm -r /dev/disk; mkdir /dev/disk'")
    ssh(f"sudo ln -s {tmp_path} {folder}")  # now its own folder is a link; this side's is not
    disks = state / "machines" / machine.instance_id / "disks"
    assert {each.name for each in disks.iterdir()} <= {Path(DISK).name}
    machines.attach("vol-0abc", machine.instance_id, "/dev/sdh")
    assert list(tmp_path.iterdir()) == []
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()
    machines.reboot(machine.instance_id)
    ssh(f"sudo touch {folder}/{name}/file")
    assert (state / "volumes" / "vol-0abc" / "file").stat().st_uid == int((state / "ids").read_text())
    machines.detach("vol-0abc", machine.instance_id)
    machines.delete_volume("vol-0abc")


@pytest.mark.parametrize("place", ["the folder of the disks", "a disk", "the machine's folder"])
def test_link_in_a_place_of_the_disks_is_never_followed(
    machines: Machines, state: Path, tmp_path: Path, place: str
) -> None:
    target, folder = tmp_path / "host", state / "machines" / "i-0e71"
    target.mkdir()
    (target / "file").write_text("kept")
    at = {
        "a disk": folder / "disks" / Path(DISK.replace("0d15c", "0e71")).name,
        "the folder of the disks": folder / "disks",
    }
    link = at.get(place, folder)
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target)
    with contextlib.suppress(LocalCloudFailed):
        machines.attach("vol-0e71", "i-0e71", "/dev/sdf")
    assert str(target) not in Path("/proc/self/mountinfo").read_text()
    if link.is_symlink():
        link.unlink()  # refused: the rest goes on when it is gone
    machines.detach("vol-0e71", "i-0e71")
    machines.terminate("i-0e71")
    machines.delete_volume("vol-0e71")
    assert [path.read_text() for path in target.iterdir()] == ["kept"]
    assert not folder.exists()
    assert not (state / "volumes" / "vol-0e71").exists()


def test_volume_of_an_earlier_version_is_given_to_the_machines_once(
    machines: Machines, machine: InstanceSpec, state: Path, tmp_path: Path, ssh
) -> None:
    volume, outside = state / "volumes" / "vol-0a1d", tmp_path / "outside"
    outside.write_text("mine")
    deep = volume.joinpath(*["deep"] * 1500)
    (volume / "home").mkdir(parents=True)
    here = os.open(volume, os.O_RDONLY)
    for _ in range(1500):  # deeper than a path can be long
        os.mkdir("deep", dir_fd=here)
        inner = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    assert len(str(deep)) > os.pathconf("/", "PC_PATH_MAX")
    (volume / "home" / "file").write_text("theirs")
    (volume / "home" / "tool").write_text("")
    os.chown(volume / "home" / "file", 4242, 4243)
    (volume / "home" / "tool").chmod(0o4755)
    (volume / "link").symlink_to(outside)
    (volume / "folder").symlink_to(tmp_path)
    machines.attach("vol-0a1d", machine.instance_id, "/dev/sdi")
    disk = DISK.replace("vol0d15c", "vol0a1d")
    assert ssh(f"stat -c '%u:%g %a' {disk} {disk}/home/file {disk}/home/tool") == "0:0 755\n4242:4243 644\n0:0 4755"
    assert (outside.stat().st_uid, tmp_path.stat().st_uid) == (0, 0)
    machines.detach("vol-0a1d", machine.instance_id)
    machines.delete_volume("vol-0a1d")
    assert outside.read_text() == "mine"
    assert not volume.exists()


def test_volume_in_use_is_not_deleted(machines: Machines, machine: InstanceSpec, state: Path) -> None:
    machines.attach("vol-0eee", machine.instance_id, "/dev/sdg")
    with pytest.raises(LocalCloudFailed, match="it is attached to i-0aaa"):
        machines.delete_volume("vol-0eee")
    machines.detach("vol-0eee", machine.instance_id)
    machines.delete_volume("vol-0eee")
    assert not (state / "volumes" / "vol-0eee").exists()


def test_remove_all_leaves_only_volumes(machines: Machines, machine: InstanceSpec, state: Path) -> None:
    machines.remove_all()
    assert machines.read_state(machine.instance_id) == "absent"
    listing = ["podman", "network", "ls", f"--filter=label=bootstrap.environment={ENVIRONMENT}", "--format={{.Name}}"]
    assert subprocess.run(listing, capture_output=True, text=True).stdout == ""
    assert sorted(path.name for path in (state / "volumes").iterdir()) == [VOLUME]
    assert str(state) not in Path("/proc/self/mountinfo").read_text()
