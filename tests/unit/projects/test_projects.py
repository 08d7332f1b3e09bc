"""A project: what its start script runs, and what is refused."""

import os
import shutil
from pathlib import Path

import pytest

from bootstrap.environment import settings
from bootstrap.projects import creation, pin
from tests.unit.projects.toolkits import ROOT, git, run, set_version


def test_a_version_is_cloned_once(project: Path, toolkit: Path) -> None:
    assert "cloning" in run(project / "bootstrap.py").stderr

    shutil.rmtree(toolkit)
    done = run(project / "bootstrap.py")
    assert ("", True) == (done.stderr, done.stdout.startswith("toolkit one "))


def test_an_environment_of_a_project_is_good(project: Path) -> None:
    assert "local" == settings.load(project / "environments" / "local.yaml").name
    assert settings.format_schema() == (project / "environments" / "schema.json").read_text()


@pytest.mark.parametrize(
    ("folder", "name"),
    [("CI_of Team.9", "ci-of-team-9"), ("2nd-build", "nd-build"), ("x" * 31 + "-y", "x" * 31), ("7", "jenkins")],
)
def test_the_stacks_of_a_project_have_the_name_of_its_folder(tmp_path: Path, folder: str, name: str) -> None:
    creation.create(tmp_path / folder, pin.Pin("url", "v1"))

    loaded = settings.load(tmp_path / folder / "environments" / "local.yaml")

    assert (name, f"{name}-local-network") == (loaded.project, loaded.name_stack("network"))


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("main", "it has no tag main (a branch is not accepted"),
        ("0" * 40, f"it has no commit {'0' * 40}\n"),
        ("--help", "'--help' is neither a tag nor a commit"),
    ],
)
def test_a_version_that_does_not_exist_is_told(project: Path, version: str, words: str) -> None:
    set_version(project, version)

    done = run(project / "bootstrap.py", "plan")

    assert done.returncode == 1
    assert words in done.stderr
    assert str(project / pin.NAME) in done.stderr
    assert [] == [path.name for path in (project / ".toolkit").glob("*") if path.is_dir()]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[toolkit]\nurl = 'x'\n", "toolkit.version is missing"),
        ("[toolkit\n", "bootstrap.toml: "),
        ("[toolkit]\nurl = 'x'\nversion = 'v1'\nbranch = 'main'\n", "unknown key 'toolkit.branch'"),
        ("[toolkit]\nurl = 'nowhere'\nversion = 'v1'\n", "cloning the toolkit from nowhere"),
    ],
)
def test_a_broken_pin_is_told(project: Path, text: str, words: str) -> None:
    (project / pin.NAME).write_text(text)

    done = run(project / "bootstrap.py", "plan")

    assert (1, True) == (done.returncode, words in done.stderr), done.stderr


def test_a_toolkit_that_knows_no_projects_is_not_run(project: Path, toolkit: Path) -> None:
    git(toolkit, "rm", "-rq", "bootstrap")
    git(toolkit, "commit", "-qm", "old")
    set_version(project, git(toolkit, "rev-parse", "HEAD"))

    done = run(project / "bootstrap.py", "plan")

    assert (1, "") == (done.returncode, done.stdout)
    assert "this version knows no projects" in done.stderr


@pytest.mark.parametrize("is_named", [True, False])
def test_the_toolkit_hands_over_to_the_version_of_the_project(project: Path, is_named: bool, tmp_path: Path) -> None:
    (project / "jobs" / "deep").mkdir()
    named = ("--project", str(project)) if is_named else ()

    done = run(
        ROOT / "bootstrap.py", "-e", "lab", *named, "plan", cwd=tmp_path if is_named else project / "jobs" / "deep"
    )

    assert f"toolkit one project {project} -e lab plan\n" == done.stdout, done.stderr


def test_two_projects_at_once_are_refused(project: Path, tmp_path: Path, toolkit: Path) -> None:
    creation.create(tmp_path / "other", pin.choose(toolkit))

    both = run(ROOT / "bootstrap.py", f"--project={project}", "--project", str(tmp_path / "other"), "plan")
    inside = run(ROOT / "bootstrap.py", "--project", str(tmp_path / "other"), "plan", BOOTSTRAP_PROJECT=str(project))

    for done in (both, inside):
        assert (2, True) == (done.returncode, "choosing the project: there are two" in done.stderr), done.stderr


def test_a_folder_that_is_no_project_is_told(tmp_path: Path) -> None:
    done = run(ROOT / "bootstrap.py", "--project", str(tmp_path), "plan")

    assert (2, True) == (done.returncode, "there is no bootstrap.toml in it\nMake one with: " in done.stderr)


@pytest.mark.skipif(os.geteuid() != 0, reason="another user's file needs root")
def test_the_project_of_another_user_is_not_run_unasked(project: Path) -> None:
    os.chown(project / "bootstrap.py", 12345, 12345)

    done = run(ROOT / "bootstrap.py", "plan", cwd=project)

    assert (2, "") == (done.returncode, done.stdout)
    assert "is another user's" in done.stderr


def test_a_lost_start_script_is_told(project: Path) -> None:
    (project / "bootstrap.py").unlink()

    done = run(ROOT / "bootstrap.py", "plan", cwd=project)

    assert (2, True) == (done.returncode, "its start script, bootstrap.py, is not there\nRestore it" in done.stderr)
