"""The data volume: what is made of a device, and what is never done to one."""

import os
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from scripted import Answer, ScriptedContext

from bootstrap.remote.converge import storage
from bootstrap.remote.converge.core import Failed

DEVICE = Path("/dev/null")


class Status:
    """What stat says of a block device."""

    st_mode = stat.S_IFBLK


class BlockDevice(type(Path())):  # type: ignore[misc]
    """A path that looks like a block device."""

    def stat(self, *, follow_symlinks: bool = True) -> Any:
        return Status()


def resource(**properties: Any) -> dict[str, Any]:
    return {"id": "volume", "kind": "mount", "path": "/data", "device": "/dev/volume", "wait": 0, **properties}


@pytest.mark.parametrize(
    ("path", "name"), [("/var/lib/jenkins", "var-lib-jenkins.mount"), ("/srv/a-b", "srv-a\\x2db.mount")]
)
def test_a_mount_unit_is_named_as_systemd_names_it(path: str, name: str) -> None:
    assert name == storage.unit_name(path)


def test_an_empty_device_gets_a_file_system() -> None:
    device = BlockDevice("/dev/volume")
    context = ScriptedContext(script=lambda line: (2, "") if line.startswith("blkid") else "")
    storage._make_file_system(context, device)
    assert ["blkid", "mkfs.ext4"] == [line.split()[0] for line in context.ran]


@pytest.mark.parametrize("found", ["TYPE=xfs\n", "TYPE=crypto_LUKS\n", "PTTYPE=gpt\n"])
def test_a_device_that_holds_something_else_is_left_untouched(found: str) -> None:
    context = ScriptedContext(script=lambda _line: found)
    with pytest.raises(Failed, match=found.strip()):
        storage._make_file_system(context, BlockDevice("/dev/volume"))
    assert ["blkid -p -o export /dev/volume"] == context.ran


def test_a_device_with_the_file_system_keeps_it() -> None:
    context = ScriptedContext(script=lambda _line: "LABEL=jenkins-home\nTYPE=ext4\n")
    storage._make_file_system(context, BlockDevice("/dev/volume"))
    assert 1 == len(context.ran)


def test_a_device_that_cannot_be_examined_is_left_untouched() -> None:
    context = ScriptedContext(script=lambda _line: (4, "Permission denied"))
    with pytest.raises(Failed, match="cannot be examined"):
        storage._make_file_system(context, BlockDevice("/dev/volume"))
    assert 1 == len(context.ran)


def test_what_is_neither_device_nor_directory_is_refused() -> None:
    with pytest.raises(Failed, match="neither"):
        storage._make_file_system(ScriptedContext(), DEVICE)


def test_a_volume_never_hides_files(tmp_path: Path) -> None:
    (tmp_path / "dev/volume").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/precious").write_text("")
    context = ScriptedContext(root=tmp_path)
    finding = storage.mount(context, resource())
    assert finding is not None
    with pytest.raises(Failed, match="would hide"):
        finding.act()
    assert [] == context.ran


def test_a_volume_that_does_not_come_is_a_failure(tmp_path: Path) -> None:
    finding = storage.mount(ScriptedContext(root=tmp_path), resource())
    assert finding is not None
    with pytest.raises(Failed, match="did not appear within 0 s"):
        finding.act()


def test_a_directory_is_bound_by_a_unit_that_comes_back_at_boot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dev/volume").mkdir(parents=True)

    def systemctl(line: str) -> Answer:
        if "enable" in line:
            mounted.append(str(tmp_path / "data"))
            (tmp_path / "etc/systemd/system/multi-user.target.wants").mkdir()
            (tmp_path / "etc/systemd/system/multi-user.target.wants/data.mount").symlink_to("../data.mount")
        return ""

    mounted: list[str] = []
    monkeypatch.setattr(storage, "_is_mounted", lambda path: str(path) in mounted)
    monkeypatch.setattr(storage, "_is_same", lambda path, device: True)
    context = ScriptedContext(root=tmp_path, script=systemctl)
    finding = storage.mount(context, resource())
    assert finding is not None
    finding.act()
    assert ["systemctl daemon-reload", "systemctl enable --now data.mount"] == context.ran
    lines = (tmp_path / "etc/systemd/system/data.mount").read_text().splitlines()
    expected = {
        "What=/dev/volume",
        "Where=/data",
        "Type=none",
        "Options=bind,nodev,nosuid",
        "WantedBy=multi-user.target",
    }
    assert expected <= set(lines)
    assert storage.mount(context, resource()) is None


def test_another_mount_in_its_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "dev/volume").mkdir(parents=True)
    (tmp_path / "data").mkdir()
    monkeypatch.setattr(storage, "_is_mounted", lambda path: True)
    with pytest.raises(Failed, match="another device"):
        storage.mount(ScriptedContext(root=tmp_path), resource())


def test_the_root_is_known_to_be_mounted_and_a_new_folder_not(tmp_path: Path) -> None:
    assert (True, False) == (storage._is_mounted(Path("/")), storage._is_mounted(tmp_path / os.fsdecode(b"new")))


def test_the_size_of_a_file_system_is_read_as_mkfs_wrote_it(tmp_path: Path) -> None:
    image = tmp_path / "image"
    with image.open("wb") as stream:
        stream.truncate(64 << 20)
    subprocess.run(["/usr/sbin/mkfs.ext4", "-q", str(image)], check=True)
    assert 64 << 20 == storage._read_ext4_size(image.read_bytes()[1024:2048])


def test_a_directory_never_grows(tmp_path: Path) -> None:
    assert not storage._has_room_to_grow(tmp_path)
