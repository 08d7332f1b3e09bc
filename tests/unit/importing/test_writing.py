"""The files of an import appear all at once in a new folder, or not at all."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bootstrap.errors import ImportFailed, UsageError
from bootstrap.importing import writing


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    writing.check_target(into)
    writing.write(into, {"a/b.txt": b"x"})
    assert (into / "a" / "b.txt").read_bytes() == b"x"
    assert [path.name for path in tmp_path.iterdir()] == ["into"]


@pytest.mark.parametrize("kind", ["a file", "a link", "a full folder", "a folder in none"])
def test_anything_else_is_refused(kind: str, tmp_path: Path) -> None:
    into = tmp_path / "into"
    if kind == "a file":
        into.touch()
    elif kind == "a link":
        (tmp_path / "real").mkdir()
        into.symlink_to(tmp_path / "real")
    elif kind == "a full folder":
        into.mkdir()
        (into / "x").touch()
    else:
        into = tmp_path / "none" / "into"
    with pytest.raises(UsageError):
        writing.check_target(into)


def test_a_folder_that_was_filled_in_the_meantime_is_not_overwritten(tmp_path: Path) -> None:
    into = tmp_path / "into"
    into.mkdir()
    (into / "mine").write_text("x")
    with pytest.raises(ImportFailed):
        writing.write(into, {"a": b"x"})
    assert [path.name for path in tmp_path.iterdir()] == ["into"] and (into / "mine").read_text() == "x"


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", ""])
def test_no_file_is_written_outside(name: str, tmp_path: Path) -> None:
    with pytest.raises(ImportFailed):
        writing.write(tmp_path / "into", {"first": b"x", name: b"x"})
    assert not list(tmp_path.iterdir())


def test_two_files_that_exclude_each_other_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(ImportFailed):
        writing.write(tmp_path / "into", {"a": b"x", "a/b": b"x"})
    assert not list(tmp_path.iterdir())


WRITER = """
import signal
import sys
from pathlib import Path
from bootstrap.importing import writing
class Slow(dict):
    def items(self):
        yield "first", b"x"
        print("begun", flush=True)
        sys.stdin.read()
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
writing.write(Path(sys.argv[1]), Slow())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_is_stopped_leaves_the_target_as_it_was(number: signal.Signals, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[3]
    into = tmp_path / "into"
    into.mkdir()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(into)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    assert writer.stdout is not None and writer.stdout.readline() == "begun\n"
    writer.send_signal(number)
    writer.wait(timeout=30)
    deadline = time.monotonic() + 5
    while number == signal.SIGINT and len(list(tmp_path.iterdir())) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(into.iterdir())
    assert (len(list(tmp_path.iterdir())) == 1) is (number == signal.SIGINT)
