"""A project: how it is made, what its start script runs, and what is refused."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap import context
from bootstrap.cli import environment_opening, parser
from bootstrap.environment import settings
from bootstrap.errors import UsageError
from bootstrap.projects import creation, folders, pin, upgrade

ROOT = Path(__file__).resolve().parents[3]
ENTRY = """\
import os, sys
print("toolkit", "VERSION", "project", os.environ["BOOTSTRAP_PROJECT"], *sys.argv[1:])
"""


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def commit(toolkit: Path, version: str) -> str:
    """A commit of a toolkit whose entry point says which version runs for which project."""
    (toolkit / "bootstrap" / "projects").mkdir(parents=True, exist_ok=True)
    (toolkit / "bootstrap" / "projects" / "__init__.py").touch()
    (toolkit / "bootstrap.py").write_text(ENTRY.replace("VERSION", version))
    (toolkit / "CHANGELOG.md").write_text(f"- news of {version}\n")
    git(toolkit, "add", ".")
    git(toolkit, "commit", "-qm", version)
    return git(toolkit, "rev-parse", "HEAD")


@pytest.fixture
def toolkit(tmp_path: Path) -> Path:
    folder = tmp_path / "toolkit"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "one")
    return folder


@pytest.fixture
def project(toolkit: Path, tmp_path: Path) -> Path:
    creation.create(tmp_path / "project", pin.choose(toolkit))
    return tmp_path / "project"


def run(script: Path, *arguments: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("BOOTSTRAP_")}
    command = [sys.executable, str(script), *arguments]
    return subprocess.run(
        command, cwd=cwd or script.parent, env=own | environ, capture_output=True, text=True, timeout=60
    )


def set_version(project: Path, version: str) -> None:
    """Change the one line that has the version."""
    text = (project / pin.NAME).read_text()
    (project / pin.NAME).write_text(re.sub(r"(?m)^version = .*$", f'version = "{version}"', text))


def test_a_project_is_a_repository_whose_start_script_runs_the_pinned_version(project: Path, toolkit: Path) -> None:
    commit(toolkit, "two")

    done = run(project / "bootstrap.py", "-e", "lab", "plan")

    assert f"toolkit one project {project} -e lab plan\n" == done.stdout, done.stderr
    assert "" == git(project, "status", "--porcelain"), "git ignores the clone"
    assert "1" == git(project, "rev-list", "--count", "HEAD")


def test_an_upgrade_is_one_line(project: Path, toolkit: Path) -> None:
    set_version(project, commit(toolkit, "two"))
    assert run(project / "bootstrap.py").stdout.startswith("toolkit two ")

    git(toolkit, "tag", "v3", commit(toolkit, "three"))
    set_version(project, "v3")
    assert run(project / "bootstrap.py").stdout.startswith("toolkit three ")


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


class Told:
    """A reporter that keeps the notices."""

    def __init__(self) -> None:
        self.notices: list[str] = []

    def notice(self, text: str) -> None:
        self.notices.append(text)


def test_a_plan_says_what_an_upgrade_brings(toolkit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "ROOT", toolkit)
    told = Told()
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
    told = Told()

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
