"""What is known about volumes without mounting any."""

from __future__ import annotations

from pathlib import Path

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines.names import Names
from bootstrap.local.machines.volumes import Mount, Volumes, device_name, parse_mountinfo


def attached(state: Path, **pairs: str) -> Volumes:
    """Volumes whose attachments are noted as given ('vol_0a' stands for vol-0a), without any mount."""
    (state / "attachments").mkdir(parents=True)
    for volume, instance in pairs.items():
        name = volume.replace("_", "-")
        (state / "attachments" / name).write_text(instance)
        (state / "volumes" / name).mkdir(parents=True)
    return Volumes(Names("local", state))


def test_disk_has_the_name_that_it_has_on_ec2() -> None:
    assert device_name("vol-0abc12") == "nvme-Amazon_Elastic_Block_Store_vol0abc12"


def test_mountinfo_is_read_with_its_escapes() -> None:
    line = r"36 35 254:0 /state\040of/vol-1 /dev/disk/by-id/x rw,relatime shared:222 master:221 - ext4 /dev/vda rw"
    assert parse_mountinfo(line) == [Mount("254:0", "/state of/vol-1", "/dev/disk/by-id/x")]


def test_volume_attached_elsewhere_is_refused_and_stays(tmp_path: Path) -> None:
    volumes = attached(tmp_path, vol_0a="i-01")
    with pytest.raises(LocalCloudFailed, match="it is attached to i-01"):
        volumes.attach("vol-0a", "i-02")
    assert volumes.holder("vol-0a") == "i-01"


def test_attached_volume_is_not_deleted(tmp_path: Path) -> None:
    volumes = attached(tmp_path, vol_0a="i-01")
    with pytest.raises(LocalCloudFailed, match="deleting vol-0a: it is attached to i-01"):
        volumes.delete("vol-0a")
    assert volumes.all() == ["vol-0a"]


def test_each_machine_has_its_own_volumes(tmp_path: Path) -> None:
    volumes = attached(tmp_path, vol_0a="i-01", vol_0b="i-02", vol_0c="i-01")
    assert volumes.attached("i-01") == ["vol-0a", "vol-0c"]


def test_volume_that_is_gone_can_be_deleted_and_detached_again(tmp_path: Path) -> None:
    volumes = Volumes(Names("local", tmp_path))
    volumes.detach("vol-0a", None)
    volumes.delete("vol-0a")
    assert volumes.holder("vol-0a") is None


@pytest.mark.parametrize("wrong", ["vol-../../etc", "vol", "", "vol-0a/b", "VOL-0a", "-v"])
def test_id_that_could_leave_the_state_directory_is_refused(tmp_path: Path, wrong: str) -> None:
    with pytest.raises(LocalCloudFailed, match="is not an EC2 id"):
        Volumes(Names("local", tmp_path)).holder(wrong)
