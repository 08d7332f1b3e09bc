"""A project is made: the folders that it takes or refuses, its pin, and the URL of the toolkit that it names."""

from pathlib import Path

import pytest

from bootstrap.errors import UsageError
from bootstrap.projects import creation, folders, pin
from tests.unit.projects.toolkits import ROOT, commit, git, run


def test_a_project_is_a_repository_whose_start_script_runs_the_pinned_version(project: Path, toolkit: Path) -> None:
    commit(toolkit, "two")

    done = run(project / "bootstrap.py", "-e", "lab", "plan")

    assert f"toolkit one project {project} -e lab plan\n" == done.stdout, done.stderr
    assert "" == git(project, "status", "--porcelain"), "git ignores the clone"
    assert "1" == git(project, "rev-list", "--count", "HEAD")


def make_file(folder: Path) -> Path:
    (folder / "target").write_text("x")
    return folder / "target"


def make_filled(folder: Path) -> Path:
    (folder / "target").mkdir()
    (folder / "target" / "mine").touch()
    return folder / "target"


def make_project(folder: Path) -> Path:
    (folder / "target").mkdir()
    (folder / "target" / pin.NAME).touch()
    return folder / "target"


def make_below(folder: Path) -> Path:
    return make_project(folder) / "below"


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (make_file, "there is a file of this name"),
        (make_filled, "the folder is not empty"),
        (make_project, "it is a project already"),
        (make_below, "it is inside of the project"),
        (lambda _: folders.ROOT / "ci", "it is inside of the toolkit's folder"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path, prepare, words: str) -> None:  # type: ignore[no-untyped-def]
    target = prepare(tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*"))

    with pytest.raises(UsageError) as caught:
        creation.create(target, pin.Pin("url", "v1"))

    assert words in caught.value.found
    assert before == sorted(path.name for path in tmp_path.rglob("*")), "nothing was made"


def test_a_project_may_have_a_lock_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()

    creation.create(tmp_path / "target", pin.Pin("url", "v1"), with_lock=True)

    for name in creation.LOCK_FILES:
        assert (ROOT / name).read_text() == (tmp_path / "target" / name).read_text()


@pytest.mark.parametrize(
    ("origin", "kept"),
    [
        ("https://me:token@git.example.org/team/jenkins.git", "https://git.example.org/team/jenkins.git"),
        ("ssh://git@git.example.org/team/jenkins.git", "ssh://git@git.example.org/team/jenkins.git"),
        ("git@git.example.org:team/jenkins.git", "git@git.example.org:team/jenkins.git"),
    ],
)
def test_the_pin_names_the_origin_without_its_token(toolkit: Path, origin: str, kept: str) -> None:
    git(toolkit, "remote", "add", "origin", origin)
    assert str(toolkit) == pin.choose(toolkit).url, "the origin does not have the commit"

    git(toolkit, "update-ref", "refs/remotes/origin/main", "HEAD")
    assert kept == pin.choose(toolkit).url
    assert "elsewhere" == pin.choose(toolkit, "elsewhere").url


SECRET_URLS = [
    "https://oauth2:sesame@git.example.org/x.git",
    "HTTP://sesame@git.example.org/x.git",
    "https://a@b:sesame@git.example.org/x.git",
    "ssh://git:sesame@git.example.org/x.git",
]


@pytest.mark.parametrize("url", SECRET_URLS)
def test_a_secret_in_the_url_of_the_toolkit_is_refused_and_not_shown(project: Path, toolkit: Path, url: str) -> None:
    with pytest.raises(UsageError, match="credential helper") as caught:
        pin.choose(toolkit, url)
    (project / pin.NAME).write_text(f"[toolkit]\nurl = '{url}'\nversion = 'v1'\n")

    done = run(project / "bootstrap.py", "plan")

    assert done.returncode == 1 and "a password or a token" in done.stderr and "credential helper" in done.stderr
    assert "sesame" not in done.stderr + str(caught.value)


def test_a_user_of_ssh_in_the_url_is_no_secret(toolkit: Path) -> None:
    for url in (
        "ssh://git@git.example.org:22/x.git",
        "git@git.example.org:x.git",
        "https://git.example.org:8443/@x.git",
    ):
        assert url == pin.choose(toolkit, url).url


def test_a_toolkit_without_a_commit_has_no_version(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choosing the toolkit's version"):
        pin.choose(tmp_path)


def test_changes_that_are_not_committed_are_told(toolkit: Path) -> None:
    (toolkit / "CHANGELOG.md").write_text("other\n")

    assert ["are not committed" in it for it in pin.choose(toolkit).notices] == [True, False]
