"""Runs read back from their journals."""

import json
from pathlib import Path

import pytest

from bootstrap.errors import UsageError
from bootstrap.runs import history


def journal(folder: Path, run: str, *events: dict[str, object], torn: str = "") -> None:
    """A run's journal: one event a second from noon on."""
    (folder / run).mkdir(parents=True)
    lines = [
        json.dumps({"time": f"2026-01-02T12:00:{second:02}.000+00:00", "run": run, "act": "host"} | event)
        for second, event in enumerate(events)
    ]
    (folder / run / history.JOURNAL).write_text("\n".join(lines) + "\n" + torn)


BEGAN = {"event": "run-began", "command": "launch", "environment": "trial"}
ACT = {"event": "act-began", "act": "host", "title": "converging"}
CHANGE = {"event": "change", "kind": "add", "name": "package nginx", "detail": ""}
ENDED = {"event": "run-ended", "seconds": 3, "changes": 1}
FAILED = {"event": "run-failed", "error": "StackFailed", "doing": "a", "found": "b\nc", "remedy": "d"}


def test_a_run_is_a_line_of_when_what_outcome_changes_and_seconds(tmp_path: Path) -> None:
    journal(tmp_path, "r1", BEGAN, ACT, CHANGE, ENDED)

    found = history.list_runs(tmp_path)

    assert (history.Summary("r1", "2026-01-02 12:00:00", "launch", "done", 1, 3.0, True),) == found


@pytest.mark.parametrize(
    ("last", "holder", "outcome"),
    [
        (ENDED, None, "done"),
        (FAILED, None, "failed: StackFailed"),
        (CHANGE, None, "stopped"),
        (CHANGE, "r1", "going on"),
    ],
)
def test_the_outcome_is_what_the_journal_says_or_leaves_out(
    tmp_path: Path, last: dict[str, object], holder: str | None, outcome: str
) -> None:
    journal(tmp_path, "r1", BEGAN, last)

    assert [outcome] == [it.outcome for it in history.list_runs(tmp_path, holder)]


def test_a_run_whose_checks_failed_is_not_done(tmp_path: Path) -> None:
    check = {"event": "check", "group": "tls", "name": "it is modern", "outcome": "failed", "detail": ""}
    journal(tmp_path, "r1", BEGAN, check, ENDED)

    assert ["1 check failed"] == [it.outcome for it in history.list_runs(tmp_path)]


def test_a_line_that_a_killed_run_left_half_written_is_passed_over(tmp_path: Path) -> None:
    journal(tmp_path, "r1", BEGAN, ACT, torn='{"time": "2026-')

    assert ["stopped"] == [it.outcome for it in history.list_runs(tmp_path)]


def test_a_run_is_found_by_its_beginning_and_else_the_last_with_acts(tmp_path: Path) -> None:
    journal(tmp_path, "20260101T1-aa", BEGAN, ACT, ENDED)
    journal(tmp_path, "20260101T2-bb", BEGAN, ACT, ENDED)
    journal(tmp_path, "20260102T1-cc", BEGAN, ENDED)

    assert "20260101T2-bb" == history.find(tmp_path, None).parent.name
    assert "20260101T1-aa" == history.find(tmp_path, "20260101T1").parent.name
    with pytest.raises(UsageError, match="2 runs begin with '20260101'"):
        history.find(tmp_path, "20260101")
    with pytest.raises(UsageError, match="no such run"):
        history.find(tmp_path, "1999")


def test_a_failed_run_as_text_ends_in_what_to_try(tmp_path: Path) -> None:
    journal(tmp_path, "r1", BEGAN, ACT, CHANGE, {"event": "act-failed", "seconds": 1.0}, FAILED)

    lines = list(history.format_run(history.read_events(tmp_path / "r1" / history.JOURNAL)))

    assert lines[0].startswith("launch trial, run r1")
    assert ["      + package nginx", "        failed after 1.0 s"] == lines[2:4]
    assert ["failed StackFailed: a", "  b", "  c", "try d", "outcome: failed: StackFailed"] == lines[4:]


LINE = {"where": "machine", "name": "nginx", "found": "differs", "remedy": "./bootstrap.py host apply", "diff": ""}


@pytest.mark.parametrize(
    ("command", "events", "outcome"),
    [
        ("drift", [{"event": "drift", "lines": [LINE, LINE], "unseen": []}], "2 differences"),
        ("drift", [{"event": "drift", "lines": [], "unseen": []}], "no differences"),
        ("drift", [{"event": "drift", "lines": [], "unseen": ["a: denied"]}], "1 item not checked"),
        ("plan", [CHANGE], "1 change pending"),
        ("plan", [], "done"),
        ("launch", [CHANGE], "done"),
    ],
)
def test_a_run_that_only_looked_is_known_by_what_it_found(
    tmp_path: Path, command: str, events: list[dict[str, object]], outcome: str
) -> None:
    journal(tmp_path, "r1", BEGAN | {"command": command}, *events, ENDED)

    assert [outcome] == [it.outcome for it in history.list_runs(tmp_path)]


def test_what_drifted_is_in_the_text_of_its_run(tmp_path: Path) -> None:
    drift = {"event": "drift", "lines": [LINE], "unseen": ["plugins: they cannot be asked for"]}
    journal(tmp_path, "r1", BEGAN | {"command": "drift"}, drift, ENDED)

    told = list(history.format_run(history.read_events(tmp_path / "r1" / history.JOURNAL)))

    assert "      machine nginx: differs; ./bootstrap.py host apply" in told
    assert "      ! not looked at: plugins: they cannot be asked for" in told
    assert "outcome: 1 difference; 1 item not checked" == told[-1]
