"""Folders by descriptors: where a link, or a name that is none, is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bootstrap.local.machines import mounts


def test_folder_is_reached_step_by_step_and_made_where_asked(tmp_path: Path) -> None:
    with mounts.open_folder(tmp_path, "one", "two", make=True) as opened:
        assert os.fstat(opened).st_ino == (tmp_path / "one" / "two").stat().st_ino
    with pytest.raises(FileNotFoundError), mounts.open_folder(tmp_path, "one", "none"):
        pass


@pytest.mark.parametrize("make", [False, True])
@pytest.mark.parametrize("way", [("link",), ("link", "inner"), ("real", "link"), ("file",)])
def test_link_or_file_on_the_way_is_refused(tmp_path: Path, way: tuple[str, ...], make: bool) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "outside" / "inner").mkdir(parents=True)
    (tmp_path / "link").symlink_to("outside")
    (tmp_path / "real" / "link").symlink_to("../outside")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError), mounts.open_folder(tmp_path, *way, make=make):
        pass


def test_start_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(NotADirectoryError), mounts.open_folder(tmp_path / "link"):
        pass


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc", "../etc"])
def test_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    with mounts.open_folder(tmp_path) as opened, pytest.raises(NotADirectoryError):
        mounts.open_in(opened, name)


def test_point_takes_the_place_of_a_link_and_keeps_a_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "link").symlink_to("outside")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").touch()
    with mounts.open_folder(tmp_path) as opened:
        for name in ("link", "folder", "new"):
            mounts.make_point(opened, name)
            assert not mounts.is_mount_point(opened, name)
        assert not mounts.is_mount_point(opened, "none")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "file").exists()


def test_mount_point_is_known_without_its_path() -> None:
    with mounts.open_folder(Path("/")) as opened:
        assert mounts.is_mount_point(opened, "proc")


def test_refusal_of_the_kernel_is_an_error_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc")
    with mounts.open_folder(tmp_path) as opened, pytest.raises(OSError, match="link"):
        mounts.unmount(opened, "link")
    assert Path("/proc/self/stat").exists()


@pytest.mark.parametrize("text", ["", "\n\n", "36", "36 35 254:0 /root", "\x00", "\u2028" * 10])
def test_lines_that_are_no_mounts_are_left_out(text: str) -> None:
    assert mounts.parse_mountinfo(text) == []
