"""What is hostile in a text, at each door to the terminal: nothing of it arrives there as a command."""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.text import Text

from bootstrap import wording
from bootstrap.cli import console
from bootstrap.cli.commands import access, mail
from bootstrap.errors import BootstrapError
from bootstrap.runs import terminal
from bootstrap.runs.history import read_events
from bootstrap.runs.journal import Journal, Run
from bootstrap.runs.report import write as write_report
from bootstrap.values import Change, ChangeKind, Check, Verdict

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = "a\x1b]0;title\x07b\x1b[2Jc\x9b31md\x85e\x00f\x7fg\x08h\ri\u2028j"
CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


@pytest.mark.parametrize("number", [*range(0x20), *range(0x7F, 0xA0)])
def test_every_control_character_goes_but_line_breaks_and_tabs(number: int) -> None:
    kept = chr(number) if chr(number) in "\n\t" else ""
    assert wording.remove_control_characters(f"a{chr(number)}b") == f"a{kept}b"


def test_letters_of_every_script_stay() -> None:
    assert wording.remove_control_characters("é ж 漢 🙂 \u00a0") == "é ж 漢 🙂 \u00a0"


def _table() -> None:
    console.print_table(("what", HOSTILE), [(HOSTILE, "x")])


def _verdict() -> None:
    checks = (Check(HOSTILE, "failed", 0.1, HOSTILE, HOSTILE), Check("b", "skipped", 0.0, HOSTILE, "c"))
    console.print_verdict(Verdict(checks, Path("verify.xml")))


DOORS: dict[str, Callable[[], None]] = {
    "write": lambda: terminal.write(HOSTILE),
    "complain": lambda: terminal.complain(HOSTILE),
    "JSON": lambda: terminal.write_json({HOSTILE: [HOSTILE]}),
    "JSON that is indented": lambda: terminal.write_json({HOSTILE: [HOSTILE]}, indent=2),
    "a table": _table,
    "a verdict": _verdict,
    "a failure": lambda: console.print_failure(BootstrapError(HOSTILE, HOSTILE, HOSTILE)),
    "a bug": lambda: terminal.print_bug(ValueError, ValueError(HOSTILE), None),
}


@pytest.mark.parametrize("door", DOORS)
def test_no_control_character_passes_a_door(door: str, capsys: pytest.CaptureFixture[str]) -> None:
    DOORS[door]()
    told = capsys.readouterr()
    shown = told.out + told.err
    assert "title" in shown
    assert not CONTROLS.findall(shown)


def test_json_keeps_what_it_was_given() -> None:
    assert json.loads(terminal.format_json({HOSTILE: "é"})) == {HOSTILE: "é"}
    assert "é" in terminal.format_json("é")


def test_a_question_is_asked_without_commands(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("n\n"))
    assert not console.ask(HOSTILE)
    assert not CONTROLS.findall(capsys.readouterr().err)


def test_colours_of_our_own_stay_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    out = io.StringIO()
    terminal.make_console(out).print(Text(HOSTILE, style="bold"))
    assert out.getvalue().startswith("\x1b[1ma]0;title")
    assert "\x1b[2J" not in out.getvalue() and "\x9b" not in out.getvalue()


def _run(folder: Path, *, as_json: bool) -> tuple[Run, io.StringIO]:
    out = io.StringIO()
    return Run("20260101T000000Z-abcd", Journal(folder), as_json=as_json, is_verbose=True, out=out), out


def _tell_all(run: Run) -> None:
    run.event("run-began", command=HOSTILE, environment="local")
    with run.act("host", HOSTILE):
        run.change(Change("host", ChangeKind.ADD, HOSTILE, HOSTILE, diff=f"-{HOSTILE}\n+{HOSTILE}"))
        run.progress(HOSTILE)
        run.detail(HOSTILE)
        run.notice(HOSTILE)
        run.say(f"{HOSTILE} [link=https://elsewhere.example]here[/link] [/nothing]")


def test_a_run_says_nothing_that_a_terminal_obeys(tmp_path: Path) -> None:
    run, out = _run(tmp_path, as_json=False)
    _tell_all(run)
    assert "title" in out.getvalue() and not CONTROLS.findall(out.getvalue())
    assert "[link=https://elsewhere.example]here[/link] [/nothing]" in out.getvalue()


def test_a_run_as_json_says_it_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run, _ = _run(tmp_path, as_json=True)
    _tell_all(run)
    shown = capsys.readouterr().out
    assert not CONTROLS.findall(shown)
    assert HOSTILE in [json.loads(line).get("text") for line in shown.split("\n") if line]


def test_what_was_told_is_whole_in_the_journal_and_the_page_is_drawn_from_it(tmp_path: Path) -> None:
    run, _ = _run(tmp_path, as_json=False)
    _tell_all(run)
    assert HOSTILE in [event.get("text") for event in read_events(run.journal.path)]
    assert not CONTROLS.findall(run.journal.path.read_text(encoding="utf-8"))
    assert write_report(run.journal.path).is_file()


def test_a_followed_journal_is_shown_without_commands(capsys: pytest.CaptureFixture[str]) -> None:
    code = access._follow([sys.executable, "-c", f"print({HOSTILE!r}); raise SystemExit(3)"])
    shown = capsys.readouterr().out
    assert code == 3 and "title" in shown and not CONTROLS.findall(shown)


def test_a_mail_is_shown_without_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "bootstrap.local.mail.summarize", lambda _: dict.fromkeys(("number", "when", "to", "subject"), HOSTILE)
    )
    for as_json in (False, True):
        mail._list([None], as_json=as_json)  # type: ignore[list-item]
    shown = capsys.readouterr().out
    assert "title" in shown and not CONTROLS.findall(shown)


def test_a_failing_set_up_says_nothing_that_a_terminal_obeys() -> None:
    program = f"import bootstrap_script as it; it.say({HOSTILE!r})"
    loads = (
        "import importlib.util, sys; spec = importlib.util.spec_from_file_location('bootstrap_script', sys.argv[1]); "
        "made = importlib.util.module_from_spec(spec); spec.loader.exec_module(made); "
        "sys.modules['bootstrap_script'] = made; "
    )
    done = subprocess.run(
        [sys.executable, "-c", loads + program, str(ROOT / "bootstrap.py")], capture_output=True, encoding="utf-8"
    )
    assert "title" in done.stderr and not CONTROLS.findall(done.stderr)


# What may write past the door: the door itself, the script that runs before there is one, and programs of their own.
BESIDE = ("runs/terminal.py", "remote/converge/", "remote/files/", "projects/files/", "local/emulator/", "local/aws/")


def test_nothing_is_written_past_the_door() -> None:
    package = ROOT / "bootstrap"
    wrong = []
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if name.startswith(BESIDE):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call | ast.Attribute):
                written = ast.unparse(node.func if isinstance(node, ast.Call) else node)
                is_output = written in {
                    "sys.stdout.write",
                    "sys.stderr.write",
                    "sys.stdout.buffer",
                    "sys.stdout.writelines",
                }
                is_call = isinstance(node, ast.Call) and written in {"print", "Console", "rich.print"}
                if is_output or is_call:
                    wrong.append(f"{name}:{node.lineno} {written}")
    assert wrong == []


def test_a_bug_of_a_command_is_told_at_the_door() -> None:
    program = (
        "import runpy, bootstrap.cli.parser as parser\n"
        f"def main(_): raise ValueError({HOSTILE!r})\n"
        "parser.main = main\n"
        "runpy.run_module('bootstrap', run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, encoding="utf-8")
    assert done.returncode == 1 and "ValueError: a]0;title" in done.stderr and not CONTROLS.findall(done.stderr)
