"""Files of a node by pattern and archive, and processes."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
from pathlib import Path

import pytest

from bootstrap.local.emulator.execution import process, publishers
from bootstrap.local.emulator.execution.agent.operations import unpack_files
from bootstrap.local.emulator.execution.agent.patterns import select
from bootstrap.local.emulator.execution.nodes import BuiltInNode
from bootstrap.local.emulator.failures import StepFailed
from bootstrap.local.emulator.options import read_options


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.txt", ["a.txt"]),
        ("**/*.txt", ["a.txt", "d/b.txt", "d/e/c.txt"]),
        ("d/", ["d/b.txt", "d/e/c.txt"]),
        ("d/?.txt, *.md", ["d/b.txt", "x.md"]),
        ("**", ["a.txt", "d/b.txt", "d/e/c.txt", "x.md"]),
    ],
)
def test_ant_pattern_selects(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    for name in ("a.txt", "d/b.txt", "d/e/c.txt", "x.md", ".git/config"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert select(tmp_path, pattern) == expected


def test_excludes_take_away(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).touch()
    assert select(tmp_path, "*.txt", "b*") == ["a.txt"]


def test_nothing_to_archive_is_a_failure() -> None:
    with pytest.raises(StepFailed, match="No artifacts found"):
        asyncio.run(publishers.archive(None, publishers.Files(BuiltInNode({}), Path("/nonexistent")), "*.x"))  # type: ignore[arg-type]


# The emulator runs on Debian 13; Debian 12's own Python is older.
with_filters = pytest.mark.skipif(
    not hasattr(tarfile, "data_filter"), reason="tarfile has filters since Python 3.11.4, and the emulator uses them"
)


@with_filters
def test_a_link_of_a_build_is_copied_as_the_file_that_the_build_sees(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "own.txt").write_text("own")
    (tmp_path / "work" / "link.txt").symlink_to("own.txt")
    files = publishers.Files(BuiltInNode({}), tmp_path / "work")

    asyncio.run(files.copy(["link.txt"], tmp_path / "kept"))

    assert ("own", False) == ((tmp_path / "kept/link.txt").read_text(), (tmp_path / "kept/link.txt").is_symlink())


@with_filters
def test_an_archive_of_an_agent_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.addfile(tarfile.TarInfo("../outside.txt"))

    with pytest.raises(tarfile.OutsideDestinationError):
        unpack_files(str(tmp_path / "kept"), content.getvalue())

    assert not (tmp_path / "outside.txt").exists()


def test_builds_do_not_inherit_the_supervisors_variables() -> None:
    found = read_options({"HOME": "/root", "NOTIFY_SOCKET": "/run/n", "SECRETS": "/run/s", "PATH": "/bin"})
    assert found.build_variables == {"HOME": "/root", "PATH": "/bin"}


def test_output_streams_are_kept_apart_when_one_is_captured(tmp_path: Path) -> None:
    shown: list[str] = []
    command = ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"]
    code, captured = asyncio.run(process.run(command, tmp_path, os.environ, shown.append, capture=True))
    assert (code, captured, "".join(shown)) == (3, "out\n", "err\n")


def test_program_with_a_child_left_behind_does_not_hold_up(tmp_path: Path) -> None:
    async def timed() -> float:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await process.run(["/bin/sh", "-c", "sleep 5 & echo done"], tmp_path, os.environ, [].append)
        return loop.time() - started

    assert asyncio.run(timed()) < 4
