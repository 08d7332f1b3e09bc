"""The page of a run, drawn from its journal."""

from pathlib import Path

from bootstrap.runs import report
from bootstrap.runs.journal import Journal, Run
from bootstrap.values import Change, ChangeKind


def a_journal(folder: Path) -> Run:
    run = Run("20260101T000000Z-abcd", Journal(folder))
    run.event("run-began", command="launch", environment="trial")
    with run.act("host", "converging"):
        run.change(Change("host", ChangeKind.ADD, "file <b>/etc/motd</b>", "mode 0644"))
    run.notice("the emulator is used instead")
    run.event("check", name="nginx runs", group="machine", outcome="failed", detail="stopped")
    return run


def test_the_page_shows_acts_changes_notices_and_checks(tmp_path: Path) -> None:
    run = a_journal(tmp_path)

    page = report.write(run.journal.path).read_text()

    shown = [
        "launch",
        "trial",
        "20260101T000000Z-abcd",
        "host",
        "mode 0644",
        "the emulator is used instead",
        "nginx runs",
        "failed",
    ]
    assert [] == [text for text in shown if text not in page]


def test_what_comes_from_outside_is_escaped(tmp_path: Path) -> None:
    page = report.write(a_journal(tmp_path).journal.path).read_text()

    assert "file &lt;b&gt;/etc/motd&lt;/b&gt;" in page


def test_the_page_needs_nothing_from_elsewhere(tmp_path: Path) -> None:
    page = report.write(a_journal(tmp_path).journal.path).read_text()

    assert [] == [word for word in ("http://", "https://", "src=", "<script", "@import") if word in page]


def test_a_failure_is_on_the_page(tmp_path: Path) -> None:
    run = a_journal(tmp_path)
    run.event("run-failed", error="StackFailed", doing="creating x", found="Vpc: limit exceeded", remedy="ask for more")

    page = report.write(run.journal.path).read_text()

    assert [] == [text for text in ("StackFailed", "Vpc: limit exceeded", "ask for more") if text not in page]


def test_a_journal_whose_last_line_was_cut_off_is_drawn_all_the_same(tmp_path: Path) -> None:
    run = a_journal(tmp_path)
    with run.journal.path.open("a") as file:
        file.write('{"time": "2026-')

    assert "nginx runs" in report.write(run.journal.path).read_text()


def test_what_drifted_is_on_the_page_with_what_mends_it(tmp_path: Path) -> None:
    run = Run("20260101T000000Z-abcd", Journal(tmp_path))
    run.event("run-began", command="drift", environment="trial")
    line = {"where": "machine", "name": "nginx<", "found": "differs", "remedy": "host apply", "diff": "-a\n+b\n"}
    run.event("drift", lines=[line], unseen=[])
    run.event("run-ended", seconds=1.0, changes=0)

    page = report.write(run.journal.path).read_text()

    assert [] == [text for text in ("1 difference", "nginx&lt;", "<code>host apply</code>", "+b") if text not in page]


def test_the_page_forbids_every_script_before_anything_from_outside(tmp_path: Path) -> None:
    page = report.write(a_journal(tmp_path).journal.path).read_text()

    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    assert page.index(f'<meta http-equiv="Content-Security-Policy" content="{policy}">') < page.index("<title>")
