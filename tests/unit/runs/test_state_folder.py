"""What this checkout remembers is its owner's alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bootstrap.errors import Missing
from bootstrap.runs import state_folder
from bootstrap.runs.state_folder import make_private


def mode_of(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    make_private(tmp_path / ".bootstrap")
    assert mode_of(tmp_path / ".bootstrap") == 0o700


def test_what_is_wider_is_narrowed(tmp_path: Path) -> None:
    top = tmp_path / ".bootstrap"
    below = [top, top / "local", top / "local" / "runs", top / "local" / "runs" / "r", top / "local" / "cloud"]
    for folder in below:
        folder.mkdir()
        folder.chmod(0o755)
    make_private(top)
    assert [mode_of(folder) for folder in below] == [0o700] * 5


def test_a_volume_of_the_local_cloud_keeps_the_mode_that_its_machine_gave_it(tmp_path: Path) -> None:
    volume = tmp_path / ".bootstrap" / "local" / "cloud" / "volumes"
    volume.mkdir(parents=True)
    volume.chmod(0o750)
    make_private(tmp_path / ".bootstrap")
    assert mode_of(volume) == 0o750


def test_a_link_in_there_is_not_followed(tmp_path: Path) -> None:
    elsewhere, top = tmp_path / "elsewhere", tmp_path / ".bootstrap"
    elsewhere.mkdir()
    elsewhere.chmod(0o755)
    top.mkdir()
    (top / "local").symlink_to(elsewhere)
    make_private(top)
    assert mode_of(elsewhere) == 0o755


def test_a_folder_that_cannot_be_narrowed_is_told_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    top = tmp_path / ".bootstrap"
    top.mkdir()
    top.chmod(0o755)
    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(Missing, match="Operation not permitted") as caught:
        make_private(top)
    assert "chown" in caught.value.remedy


@pytest.fixture
def as_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process as a user who owns nothing here."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 12345)


@pytest.mark.parametrize("part", [".", "local", "local/cloud", "local/runs"])
@pytest.mark.usefixtures("as_another")
def test_who_finds_the_folder_of_another_user_is_told_whose_it_is(tmp_path: Path, part: str) -> None:
    top = tmp_path / ".bootstrap"
    (top / part).mkdir(parents=True)
    with pytest.raises(Missing, match="used it from this checkout before") as caught:
        state_folder.require_access(top, "local")
    assert "belongs to" in caught.value.found
    assert "a checkout of your own" in caught.value.remedy


@pytest.mark.usefixtures("as_another")
def test_before_the_first_launch_nobody_is_in_the_way(tmp_path: Path) -> None:
    state_folder.require_access(tmp_path / ".bootstrap", "local")


def test_root_and_the_owner_are_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "local" / "cloud").mkdir(parents=True)
    state_folder.require_access(tmp_path, "local")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    state_folder.require_access(tmp_path, "local")


def test_a_root_that_launched_is_told_with_sudo() -> None:
    assert state_folder.Owner(Path("x"), "root").remedy.startswith("Run the command with sudo")
    assert state_folder.Owner(Path("x"), "alice").remedy.startswith("Run the command as alice")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder for another user")
def test_the_folder_that_root_makes_in_a_users_checkout_is_the_users(tmp_path: Path) -> None:
    os.chown(tmp_path, 12345, 12345)
    make_private(tmp_path / ".bootstrap")
    assert (tmp_path / ".bootstrap").stat().st_uid == 12345
