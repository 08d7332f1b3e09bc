"""The command `import`: user and token are never arguments, and the exit code says whether a job differs."""

import io
import json
import sys
from pathlib import Path

import pytest

from bootstrap.cli.parser import main
from bootstrap.projects import folders

sys.path.append(str(Path(__file__).resolve().parents[1] / "importing"))
from recorded_jenkins import FREESTYLE, TOKEN, USER, Jenkins


@pytest.fixture
def other():
    server = Jenkins()
    server.list_jobs("", "a")
    server.add_job("job/a/", FREESTYLE)
    yield server
    server.stop()
    assert [] == server.unexpected


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("IMPORT_USER", raising=False)
    monkeypatch.delenv("IMPORT_TOKEN", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO(""))


def test_user_and_token_are_two_lines_of_standard_input(other, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{USER}\n{TOKEN}\n"))
    assert main(["import", other.url, "--into", str(tmp_path / "into")]) == 0
    output = capsys.readouterr().out
    assert "job a (XML): no difference\n" in output
    assert "1 plugin, 1 job, 0 with a difference" in output and TOKEN not in output
    assert (tmp_path / "into" / "report.txt").exists()


def test_the_environment_has_them_and_the_result_is_json(other, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("IMPORT_USER", USER)
    monkeypatch.setenv("IMPORT_TOKEN", TOKEN)
    kind = "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"
    definition = f'<definition class="{kind}"><script>x</script><sandbox>false</sandbox></definition>'
    other.add_job("job/a/", f"<flow-definition>{definition}</flow-definition>")
    assert main(["import", other.url, "--into", str(tmp_path / "into"), "--json"]) == 2
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    job = next(line for line in lines if "job" in line)
    assert job == {"job": "a", "form": "xml", "difference": "- <sandbox>false</sandbox>, + <sandbox>true</sandbox>"}
    assert {"plugin": "git", "version": "5.10.1", "enabled": True} in lines
    assert lines[-1]["into"] == str(tmp_path / "into") and "report.txt" in lines[-1]["files"]


def test_in_a_project_its_own_jobs_count(other, tmp_path, capsys, monkeypatch) -> None:
    (tmp_path / "project" / "jobs" / "raw").mkdir(parents=True)
    (tmp_path / "project" / "jobs" / "raw" / "a.xml").write_text("<project/>")
    monkeypatch.setattr(folders, "PROJECT", tmp_path / "project")
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{USER}\n{TOKEN}\n"))
    assert main(["import", other.url, "--into", str(tmp_path / "into")]) == 0
    assert "job a: this repository has a job 'a' already" in capsys.readouterr().out


def test_without_a_token_nothing_is_asked(other, tmp_path, capsys) -> None:
    assert main(["import", other.url, "--into", str(tmp_path / "into")]) == 2
    assert "IMPORT_USER and IMPORT_TOKEN" in capsys.readouterr().err
    assert other.asked == [] and not list(tmp_path.iterdir())


def test_a_person_at_a_terminal_is_asked_after_the_url_was_judged(other, tmp_path, capsys, monkeypatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("getpass.getpass", lambda prompt: TOKEN)
    monkeypatch.setattr("sys.stdin", Terminal(f"{USER}\n"))
    assert main(["import", "http://ci.example.org/", "--into", str(tmp_path / "into")]) == 2
    assert "user: " not in capsys.readouterr().err
    assert main(["import", other.url, "--into", str(tmp_path / "into")]) == 0
    assert "user: " in capsys.readouterr().err


def test_a_failure_leaves_no_folder(tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setenv("IMPORT_USER", USER)
    monkeypatch.setenv("IMPORT_TOKEN", TOKEN)
    assert main(["import", "http://127.0.0.1:1/", "--into", str(tmp_path / "into")]) == 1
    assert "failed Unreachable" in capsys.readouterr().err and not list(tmp_path.iterdir())
