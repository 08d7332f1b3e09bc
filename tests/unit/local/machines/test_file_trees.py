"""Trees that a machine has written: what is given away, what is removed, and what is left alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import file_trees, mounts
from bootstrap.local.machines.ids import FIRST

Given = list[tuple[str, int, int]]


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Given:
    """What was given to whom, without being root."""
    told: Given = []

    def chown(name: str, user: int, group: int, *, dir_fd: int, follow_symlinks: bool) -> None:
        assert not follow_symlinks
        assert "/" not in name
        told.append((name, user - FIRST, group - FIRST))

    monkeypatch.setattr(file_trees.os, "chown", chown)
    return told


def remove(parent: Path, name: str) -> None:
    with mounts.open_folder(parent) as opened:
        file_trees.remove(opened, name)


def give(parent: Path, name: str) -> None:
    with mounts.open_folder(parent) as opened:
        file_trees.give(opened, name, FIRST)


def make_deep(top: Path, depth: int) -> None:
    """Folders in folders, deeper than a path can be long."""
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("deep", dir_fd=here)
        inner = os.open("deep", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def test_everything_is_given_and_the_tree_itself_last(tmp_path: Path, given: Given) -> None:
    (tmp_path / "tree" / "folder").mkdir(parents=True)
    (tmp_path / "tree" / "folder" / "file").touch()
    (tmp_path / "tree" / "link").symlink_to("/etc/passwd")
    (tmp_path / "tree" / "loop").symlink_to("..")
    give(tmp_path, "tree")
    assert sorted(name for name, _, _ in given) == ["file", "folder", "link", "loop", "tree"]
    assert given[-1][0] == "tree"
    assert {(user, group) for _, user, group in given} == {(os.getuid(), os.getgid())}


def test_tree_that_was_given_is_left_alone(tmp_path: Path, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree" / "folder").mkdir(parents=True)
    whole = os.stat

    def stat(name: Any, **how: Any) -> Any:
        seen = whole(name, **how)
        return os.stat_result((*seen[:4], FIRST + 5, FIRST + 6, *seen[6:]))

    monkeypatch.setattr(file_trees.os, "stat", stat)
    give(tmp_path, "tree")
    assert given == []


def test_bits_that_a_change_of_the_owner_takes_away_are_set_again(
    tmp_path: Path, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tree").mkdir()
    tool = tmp_path / "tree" / "tool"
    tool.touch()
    tool.chmod(0o6755)
    recorded = file_trees.os.chown

    def chown(name: str, *owner: int, dir_fd: int, follow_symlinks: bool) -> None:
        recorded(name, *owner, dir_fd=dir_fd, follow_symlinks=follow_symlinks)  # type: ignore[arg-type]
        if name == "tool":
            tool.chmod(0o755)

    monkeypatch.setattr(file_trees.os, "chown", chown)
    give(tmp_path, "tree")
    assert tool.stat().st_mode & 0o7777 == 0o6755


def test_tree_is_removed_and_nothing_that_its_links_name(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").touch()
    (tmp_path / "tree" / "folder").mkdir(parents=True)
    (tmp_path / "tree" / "folder" / "file").touch()
    (tmp_path / "tree" / "folder" / "link").symlink_to(outside)
    (tmp_path / "tree" / os.fsdecode(b"\xff\n name")).touch()
    os.mkfifo(tmp_path / "tree" / "pipe")
    remove(tmp_path, "tree")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outside"]
    assert (outside / "file").exists()


def test_link_in_the_place_of_a_tree_is_removed_alone(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "tree").symlink_to("outside")
    remove(tmp_path, "tree")
    remove(tmp_path, "tree")
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]


def test_no_tree_is_too_deep(tmp_path: Path, given: Given) -> None:
    make_deep(tmp_path / "tree", 3000)
    give(tmp_path, "tree")
    assert len(given) == 3001
    remove(tmp_path, "tree")
    assert list(tmp_path.iterdir()) == []


def test_tree_that_is_moved_meanwhile_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree" / "folder" / "inner").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "file").touch()
    whole = os.listdir

    def listdir(descriptor: int) -> list[str]:
        if (tmp_path / "tree" / "folder" / "inner").exists() and os.fstat(descriptor).st_ino == inner:
            (tmp_path / "tree" / "folder" / "inner").rename(tmp_path / "elsewhere" / "inner")
        return whole(descriptor)

    inner = (tmp_path / "tree" / "folder" / "inner").stat().st_ino
    monkeypatch.setattr(file_trees.os, "listdir", listdir)
    with pytest.raises(LocalCloudFailed, match="moved meanwhile"):
        remove(tmp_path, "tree")
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["file", "inner"]


def test_mount_in_a_tree_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tree" / "mounted").mkdir(parents=True)
    (tmp_path / "tree" / "mounted" / "file").touch()
    inner = (tmp_path / "tree" / "mounted").stat().st_ino
    number = mounts.mount_number
    monkeypatch.setattr(
        mounts, "mount_number", lambda each: "other" if os.fstat(each).st_ino == inner else number(each)
    )
    with pytest.raises(LocalCloudFailed, match="something is mounted there"):
        remove(tmp_path, "tree")
    assert (tmp_path / "tree" / "mounted" / "file").exists()
