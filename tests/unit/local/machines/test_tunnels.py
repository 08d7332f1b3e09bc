"""The node of /dev/net/tun for machines whose users run containers."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import tunnels


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, int, int]]:
    """The nodes that were made; only root may make one, so a FIFO stands for it."""
    calls: list[tuple[Path, int, int]] = []

    def make(path: Path, mode: int, device: int) -> None:
        os.mkfifo(path, mode & 0o600)
        calls.append((path, mode, device))

    monkeypatch.setattr(tunnels.os, "mknod", make)
    return calls


def look_as_a_device(monkeypatch: pytest.MonkeyPatch, device: int) -> None:
    """Files look as nodes of this device."""

    def look(path: Path) -> Any:
        mode, *rest = os.lstat(path)
        return os.stat_result((stat.S_IFCHR | stat.S_IMODE(mode), *rest), {"st_rdev": device})

    monkeypatch.setattr(Path, "lstat", look)


def test_everybody_in_the_machine_may_open_the_node_which_is_in_a_folder_of_root(
    tmp_path: Path, made: list[tuple[Path, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    look_as_a_device(monkeypatch, os.makedev(10, 200))
    path = tmp_path / "state" / "tun"
    assert tunnels.ensure_node(path) == path
    assert made == [(path, stat.S_IFCHR | 0o666, os.makedev(10, 200))]
    assert (0o666, 0o700) == (stat.S_IMODE(os.lstat(path).st_mode), stat.S_IMODE(os.lstat(path.parent).st_mode))


def test_the_same_node_is_taken_again(
    tmp_path: Path, made: list[tuple[Path, int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    look_as_a_device(monkeypatch, os.makedev(10, 200))
    monkeypatch.setattr(tunnels.os, "mknod", refuse_existing)
    (tmp_path / "tun").write_text("")
    assert tunnels.ensure_node(tmp_path / "tun") == tmp_path / "tun"
    assert made == []


def refuse_existing(path: Path, mode: int, device: int) -> None:
    raise FileExistsError(path)


@pytest.mark.parametrize("device", [None, os.makedev(1, 3)])
def test_another_file_in_its_place_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, device: int | None
) -> None:
    (tmp_path / "tun").write_text("")
    monkeypatch.setattr(tunnels.os, "mknod", refuse_existing)
    if device is not None:
        look_as_a_device(monkeypatch, device)
    with pytest.raises(LocalCloudFailed, match="another file is there"):
        tunnels.ensure_node(tmp_path / "tun")


def test_a_node_that_cannot_be_made_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, mode: int, device: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(tunnels.os, "mknod", refuse)
    with pytest.raises(LocalCloudFailed, match="Operation not permitted"):
        tunnels.ensure_node(tmp_path / "tun")
