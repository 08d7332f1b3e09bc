"""The journal and the console of a run."""

import datetime
import io
import json
from pathlib import Path

import pytest

from bootstrap.runs.journal import Journal, Run, make_run_id
from bootstrap.values import Change, ChangeKind


def a_run(folder: Path, *, as_json: bool = False) -> tuple[Run, io.StringIO]:
    out = io.StringIO()
    return Run("20260101T000000Z-abcd", Journal(folder), as_json=as_json, out=out), out


def events(run: Run) -> list[dict[str, object]]:
    return [json.loads(line) for line in run.journal.path.read_text().splitlines()]


def test_each_event_is_in_the_journal_at_once(tmp_path: Path) -> None:
    run, _ = a_run(tmp_path)

    run.notice("a stand-in is used")

    assert [("notice", "a stand-in is used")] == [(event["event"], event["text"]) for event in events(run)]


def test_an_act_tells_its_changes_and_its_end(tmp_path: Path) -> None:
    run, out = a_run(tmp_path)

    with run.act("host", "converging"):
        run.change(Change("host", ChangeKind.ADD, "package nginx"))

    assert ["act-began", "change", "act-ended"] == [event["event"] for event in events(run)]
    assert "+ package nginx" in out.getvalue()
    assert "1 change in" in out.getvalue()


def test_an_act_without_changes_says_so(tmp_path: Path) -> None:
    run, out = a_run(tmp_path)

    with run.act("jobs", "publishing"):
        pass

    assert "nothing to do" in out.getvalue()


def test_a_failing_act_is_recorded_and_raised(tmp_path: Path) -> None:
    run, out = a_run(tmp_path)

    with pytest.raises(RuntimeError), run.act("casc", "configuring"):
        raise RuntimeError("no")

    assert "act-failed" == events(run)[-1]["event"]
    assert "failed after" in out.getvalue()


def test_progress_is_silent_where_nobody_watches(tmp_path: Path) -> None:
    run, out = a_run(tmp_path)

    run.progress("CREATE_IN_PROGRESS Vpc")

    assert "" == out.getvalue()
    assert "progress" == events(run)[0]["event"]


def test_with_json_the_events_are_the_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, out = a_run(tmp_path, as_json=True)

    run.change(Change("host", ChangeKind.REMOVE, "file x"))
    run.say("for a person")

    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [("change", "remove", "file x")] == [(event["event"], event["kind"], event["name"]) for event in printed]
    assert "" == out.getvalue()


def test_the_journal_is_its_owners_alone(tmp_path: Path) -> None:
    run, _ = a_run(tmp_path / "new")

    assert 0o600 == run.journal.path.stat().st_mode & 0o777


def test_run_names_sort_by_time() -> None:
    earlier = make_run_id(datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))
    later = make_run_id(datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC))

    assert earlier < later


def test_a_difference_is_printed_with_v_and_always_recorded(tmp_path: Path) -> None:
    change = Change("jobs", ChangeKind.ALTER, "canary", diff="-old\n+new")
    shown = {}
    for is_verbose in (False, True):
        out = io.StringIO()
        run = Run("r", Journal(tmp_path / str(is_verbose)), is_verbose=is_verbose, out=out)
        run.change(change)
        shown[is_verbose] = out.getvalue()
        assert "-old\n+new" == events(run)[0]["diff"]

    assert "+new" not in shown[False]
    assert "          -old\n          +new\n" in shown[True]
