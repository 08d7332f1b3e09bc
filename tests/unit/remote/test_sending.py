"""A large file is sent in pieces, continues where a killed command ended, and gets its name when its checksum is right."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bootstrap.errors import CommandFailed, ConvergeFailed, Unreachable
from bootstrap.remote import sending
from bootstrap.remote.local_shell import LocalShell
from bootstrap.values import Result

CONTENT = os.urandom(1_000_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Shell(LocalShell):
    """This machine, without sudo; it counts the bytes that are sent, and can fail after some pieces."""

    def __init__(self, pieces: int | None = None, spoil: Callable[[bytes], bytes] = bytes) -> None:
        self.sent = 0
        self.pieces = pieces
        self.spoil = spoil

    def run(
        self,
        command: Sequence[str],
        *,
        stdin: bytes = b"",
        sudo: bool = False,
        check: bool = True,
        timeout: float | None = None,
        hear: Callable[[str], None] | None = None,
    ) -> Result:
        assert sudo
        if stdin:
            if self.pieces == 0:
                super().run(command, stdin=stdin[:12_345], check=False)  # as much as arrived
                raise Unreachable("sending", "the connection broke", "again")
            self.pieces = None if self.pieces is None else self.pieces - 1
            self.sent += len(stdin)
        return super().run(command, stdin=self.spoil(stdin), check=check, timeout=timeout, hear=hear)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sending, "PIECE", 100_000)
    path = tmp_path / "jenkins.war"
    path.write_bytes(CONTENT)
    return path


def test_a_file_arrives_whole_and_is_told_piece_by_piece(file: Path, tmp_path: Path) -> None:
    told: list[int] = []

    sending.send(Shell(), file, SHA256, str(tmp_path / "target"), told.append)

    assert CONTENT == (tmp_path / "target").read_bytes()
    assert list(range(0, 1_000_001, 100_000)) == told
    assert 0o600 == (tmp_path / "target").stat().st_mode & 0o777
    assert not (tmp_path / "target.part").exists()


def test_what_arrived_before_the_connection_broke_is_not_sent_again(file: Path, tmp_path: Path) -> None:
    with pytest.raises(Unreachable):
        sending.send(Shell(pieces=6), file, SHA256, str(tmp_path / "target"), lambda _: None)
    assert not (tmp_path / "target").exists()
    assert 612_345 == (tmp_path / "target.part").stat().st_size
    shell = Shell()

    sending.send(shell, file, SHA256, str(tmp_path / "target"), lambda _: None)

    assert CONTENT == (tmp_path / "target").read_bytes()
    assert len(CONTENT) - 612_345 == shell.sent


@pytest.mark.parametrize("there", [b"x" * 5000, b"x" * 2_000_000], ids=["shorter", "longer"])
def test_a_part_of_another_file_is_sent_anew(file: Path, tmp_path: Path, there: bytes) -> None:
    (tmp_path / "target.part").write_bytes(there)

    sending.send(Shell(), file, SHA256, str(tmp_path / "target"), lambda _: None)

    assert CONTENT == (tmp_path / "target").read_bytes()


def test_a_file_that_is_spoiled_on_its_way_twice_gets_no_name(file: Path, tmp_path: Path) -> None:
    with pytest.raises(ConvergeFailed, match=SHA256):
        sending.send(Shell(spoil=lambda data: data[::-1]), file, SHA256, str(tmp_path / "target"), lambda _: None)

    assert {"jenkins.war"} == {path.name for path in tmp_path.iterdir()}


def test_a_part_that_grew_meanwhile_is_continued_from_its_end(file: Path, tmp_path: Path) -> None:
    """A command that was killed can still write its last piece."""
    part = tmp_path / "target.part"

    def grow(there: int) -> None:
        if there == 300_000 and part.stat().st_size == there:
            part.write_bytes(CONTENT[:350_000])

    sending.send(Shell(), file, SHA256, str(tmp_path / "target"), grow)

    assert CONTENT == (tmp_path / "target").read_bytes()


def test_a_folder_that_cannot_be_written_is_told(file: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="exited with"):
        sending.send(Shell(), file, SHA256, str(tmp_path / "none" / "target"), lambda _: None)
