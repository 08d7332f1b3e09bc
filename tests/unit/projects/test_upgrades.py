"""What an upgrade of the toolkit brings to a project, and what is about the toolkit and refused in a project."""

from pathlib import Path

import pytest

from bootstrap import context
from bootstrap.cli import environment_opening, parser
from bootstrap.projects import folders, upgrade
from tests.recorder import Recorder
from tests.unit.projects.toolkits import ROOT, commit, git, run, set_version


def test_an_upgrade_is_one_line(project: Path, toolkit: Path) -> None:
    set_version(project, commit(toolkit, "two"))
    assert run(project / "bootstrap.py").stdout.startswith("toolkit two ")

    git(toolkit, "tag", "v3", commit(toolkit, "three"))
    set_version(project, "v3")
    assert run(project / "bootstrap.py").stdout.startswith("toolkit three ")


def test_a_plan_says_what_an_upgrade_brings(toolkit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "ROOT", toolkit)
    told = Recorder()
    upgrade.report_upgrade(tmp_path, told)  # type: ignore[arg-type]
    upgrade.record(tmp_path)
    upgrade.report_upgrade(tmp_path, told)  # type: ignore[arg-type]
    assert [] == told.notices

    before, now = git(toolkit, "rev-parse", "HEAD"), commit(toolkit, "two")
    upgrade.report_upgrade(tmp_path, told)  # type: ignore[arg-type]

    change = f"{before[:12]} -> {now[:12]} (1 commit more)"
    assert [f"the toolkit changed since the last launch from this folder: {change}\n- news of two"] == told.notices


def test_news_do_not_depend_on_the_users_git_configuration(
    toolkit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "ROOT", toolkit)
    (tmp_path / "gitconfig").write_text(
        '[color]\n  ui = always\n[diff]\n  external = true\n[diff "md"]\n  textconv = wc\n'
    )
    (toolkit / ".git" / "info" / "attributes").write_text("*.md diff=md\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    upgrade.record(tmp_path)
    commit(toolkit, "two")
    told = Recorder()

    upgrade.report_upgrade(tmp_path, told)  # type: ignore[arg-type]

    assert [True] == [it.endswith("(1 commit more)\n- news of two") for it in told.notices], told.notices


@pytest.mark.parametrize("command", ["test", "lock"])
def test_what_is_about_the_toolkit_is_refused_in_a_project(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(folders, "PROJECT", tmp_path)

    assert 2 == parser.main([command])

    assert f"it is about the toolkit, and this is the project {tmp_path}" in capsys.readouterr().err


def test_the_toolkits_lock_is_not_changed_from_a_project(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in (context, environment_opening, folders):
        monkeypatch.setattr(module, "PROJECT", project)
    before = (ROOT / "jenkins.lock.yaml").read_bytes()

    assert 2 == parser.main(["jenkins", "lock", "--add", "locale"])

    told = capsys.readouterr()
    assert "this project has no lock of its own" in told.out + told.err
    assert before == (ROOT / "jenkins.lock.yaml").read_bytes()
