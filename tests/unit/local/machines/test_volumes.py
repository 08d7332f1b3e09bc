"""What is known about volumes without mounting any."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import volumes as volumes_module
from bootstrap.local.machines.ids import FIRST
from bootstrap.local.machines.mounts import Mount, parse_mountinfo
from bootstrap.local.machines.names import Names
from bootstrap.local.machines.volumes import Volumes, make_device_name


def first_id() -> int:
    return FIRST


def attached(state: Path, **pairs: str) -> Volumes:
    """Volumes whose attachments are noted as given ('vol_0a' stands for vol-0a), without any mount."""
    (state / "attachments").mkdir(parents=True)
    for volume, instance in pairs.items():
        name = volume.replace("_", "-")
        (state / "attachments" / name).write_text(instance)
        (state / "volumes" / name).mkdir(parents=True)
    return Volumes(Names("local", state), first_id)


def test_disk_has_the_name_that_it_has_on_ec2() -> None:
    assert make_device_name("vol-0abc12") == "nvme-Amazon_Elastic_Block_Store_vol0abc12"


def test_mountinfo_is_read_with_its_escapes() -> None:
    line = r"36 35 254:0 /state\040of/vol-1 /dev/disk/by-id/x rw,relatime shared:222 master:221 - ext4 /dev/vda rw"
    assert parse_mountinfo(line) == [Mount("36", "254:0", "/state of/vol-1", "/dev/disk/by-id/x")]


def test_volume_attached_elsewhere_is_refused_and_stays(tmp_path: Path) -> None:
    volumes = attached(tmp_path, vol_0a="i-01")
    with pytest.raises(LocalCloudFailed, match="it is attached to i-01"):
        volumes.attach("vol-0a", "i-02")
    assert volumes.find_holder("vol-0a") == "i-01"


def test_attached_volume_is_not_deleted(tmp_path: Path) -> None:
    volumes = attached(tmp_path, vol_0a="i-01")
    with pytest.raises(LocalCloudFailed, match="deleting vol-0a: it is attached to i-01"):
        volumes.delete("vol-0a")
    assert volumes.list_all() == ["vol-0a"]


def test_each_machine_has_its_own_volumes(tmp_path: Path) -> None:
    volumes = attached(tmp_path, vol_0a="i-01", vol_0b="i-02", vol_0c="i-01")
    assert volumes.list_attached("i-01") == ["vol-0a", "vol-0c"]


def test_volume_that_is_gone_can_be_deleted_and_detached_again(tmp_path: Path) -> None:
    volumes = Volumes(Names("local", tmp_path), first_id)
    volumes.detach("vol-0a", None)
    volumes.delete("vol-0a")
    assert volumes.find_holder("vol-0a") is None


@pytest.mark.parametrize(
    "wrong", ["vol-../../etc", "vol", "", "vol-0a/b", "VOL-0a", "-v", "vol-0a\n", "vol-0g", "i-0a", "vol-", "vol-0a b"]
)
def test_id_that_could_leave_the_state_directory_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(LocalCloudFailed, match="is not an EC2 id"):
        make_device_name(wrong)
    with pytest.raises(LocalCloudFailed, match="is not an EC2 id"):
        Volumes(Names("local", tmp_path), first_id).find_holder(wrong)


@pytest.mark.parametrize("wrong", ["i-0a/../..", "vol-0a", "i-0a\n", "../i-0a"])
def test_note_that_names_no_instance_is_refused(tmp_path: Path, wrong: str) -> None:
    volumes = attached(tmp_path, vol_0a=wrong)
    with pytest.raises(LocalCloudFailed, match="is not an EC2 id of i"):
        volumes.detach("vol-0a", None)


def test_link_in_the_place_of_a_machines_folder_is_refused_with_what_is_there(tmp_path: Path) -> None:
    volumes = attached(tmp_path, vol_0a="i-01")
    (tmp_path / "machines").mkdir()
    (tmp_path / "machines" / "i-01").symlink_to("/etc")
    with pytest.raises(LocalCloudFailed, match="preparing the disks of i-01") as refusal:
        volumes.attach("vol-0a", "i-01")
    assert "i-01" in refusal.value.found


def test_deleted_volume_takes_nothing_with_it_that_its_links_name(tmp_path: Path) -> None:
    volumes = Volumes(Names("local", tmp_path), first_id)
    inside, outside = tmp_path / "volumes" / "vol-0a", tmp_path / "outside"
    inside.mkdir(parents=True)
    outside.mkdir()
    (outside / "file").write_text("kept")
    (inside / "folder").symlink_to(outside)
    volumes.delete("vol-0a")
    assert (outside / "file").read_text() == "kept"
    assert not inside.exists()


DISK = Mount("7", "254:0", "/state/vol-1", "/by-id/x")


@pytest.mark.parametrize(
    ("listed", "ran"),
    [
        ("36 35 254:0 /state/vol-1 /srv/data rw", ["umount --lazy -- /srv/data"]),
        ("36 35 254:0 /state/vol-1 /a rw\n37 35 254:0 /state/vol-1 /a/b rw", ["umount --lazy -- /a/b /a"]),
        ("36 35 254:0 /state/vol-1 $(reboot) rw", ["umount --lazy -- '$(reboot)'"]),
        ("36 35 254:0 /state/vol-1 -a rw", ["umount --lazy -- -a"]),
        ("36 35 254:0 /another /srv rw", []),
        ("", []),
        ("\n \nnonsense\n1 2\n\x00\x1b[2J", []),
        ("36 35 254:0 /state/vol-1 /nul\x00 rw", []),
        (f"36 35 254:0 /state/vol-1 /{'x' * 5000} rw", []),
    ],
)
def test_what_a_machine_lists_as_its_mounts_only_becomes_words_for_its_own_umount(listed: str, ran: list[str]) -> None:
    done: list[str] = []

    def execute(script: str) -> str:
        done.append(script)
        return listed

    volumes_module._unmount_in_machine(DISK, execute)
    assert done == ["cat /proc/1/mountinfo", *ran]


def test_list_of_mounts_without_end_becomes_one_short_command() -> None:
    done: list[str] = []

    def execute(script: str) -> str:
        done.append(script)
        return "".join(f"{n} 35 254:0 /state/vol-1 /srv/{n} rw\n" for n in range(10**5))

    volumes_module._unmount_in_machine(DISK, execute)
    assert [len(script) < 70_000 for script in done] == [True, True]


def test_machine_that_does_not_answer_loses_its_disk_all_the_same() -> None:
    def execute(script: str) -> str:
        raise LocalCloudFailed(f"running {script}", "it took longer than 60 s", "look")

    volumes_module._unmount_in_machine(DISK, execute)
