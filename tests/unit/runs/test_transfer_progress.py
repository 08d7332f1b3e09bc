"""How far a transfer is: lines at most every ten seconds, a bar on a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bootstrap.runs.journal import Journal, Run
from bootstrap.runs.transfer_progress import TransferMeter

SECONDS_OF_A_STEP = 0.5


def carry(run: Run) -> None:
    """A transfer of 100 MB, of which 20 MB are there, at 2 MB/s by a clock of its own."""
    now = [0.0]
    with TransferMeter(run, "sending 3 files", 100_000_000, lambda: now[0]) as meter:
        for done in range(20_000_000, 100_000_001, 1_000_000):
            meter.move_to(done)
            now[0] += SECONDS_OF_A_STEP


def test_lines_come_every_ten_seconds_and_are_recorded(tmp_path: Path) -> None:
    out = io.StringIO()
    run = Run("r", Journal(tmp_path), out=out)

    carry(run)

    lines = [line.partition(" s  ")[2].strip() for line in out.getvalue().splitlines()]
    assert [
        "sending 3 files: 40.0 of 100.0 MB, 2.0 MB/s, 30 s left",
        "sending 3 files: 60.0 of 100.0 MB, 2.0 MB/s, 20 s left",
        "sending 3 files: 80.0 of 100.0 MB, 2.0 MB/s, 10 s left",
        "sending 3 files: 100.0 of 100.0 MB, 2.0 MB/s, 0 s left",
    ] == lines
    recorded = [json.loads(line)["text"] for line in (tmp_path / "journal.jsonl").read_text().splitlines()]
    assert ["sending 3 files: 100.0 MB", *lines] == recorded


def test_a_script_that_reads_json_gets_events_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    carry(Run("r", Journal(tmp_path), as_json=True))

    assert {"progress"} == {json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()}


def read_to_end(terminal: int) -> str:
    """What a program writes to a terminal until it closes it; one read returns only a part."""
    shown = b""
    with contextlib.suppress(OSError):  # EIO: the other end is closed
        while chunk := os.read(terminal, 1 << 16):
            shown += chunk
    return shown.decode()


def test_a_terminal_shows_a_bar_that_goes_when_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "140")
    outer, inner = pty.openpty()
    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read_to_end, outer)
        with os.fdopen(inner, "w") as terminal:
            run = Run("r", Journal(tmp_path), out=terminal)
            with TransferMeter(run, "sending 3 files", 100_000_000) as meter:
                meter.move_to(20_000_000)
                meter.move_to(60_000_000)
        shown = reading.result()
    os.close(outer)
    assert "sending 3 files" in shown
    assert "60.0/100.0 MB" in shown
    assert "MB left" not in shown
    assert shown.rstrip("\n").endswith("\x1b[2K")  # the line of the bar is cleared
