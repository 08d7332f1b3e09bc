"""`people add` and `people remove`: what they write is a good environment file, or nothing."""

import json
import subprocess
from pathlib import Path

import pytest

from bootstrap import context
from bootstrap.cli import parser
from bootstrap.environment import settings

HEAD = "environment: trial\ncloud: local\nowner: someone # here\ncost_center: lab\n"
FIRST = ("--name", "First", "--email", "first@example.org", "--role", "operator")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(context, "PROJECT", tmp_path)
    path = tmp_path / "environments" / "trial.yaml"
    path.parent.mkdir()
    path.write_text(HEAD)
    path.chmod(0o640)
    return path


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "mine", "-f", str(path)], check=True)
    return path


def run(*arguments: str) -> int:
    return parser.main(["-e", "trial", "people", *arguments])


def test_a_person_comes_and_goes(file: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("add", "first-operator", *FIRST, "--group", "team", "--key", f"{key}.pub")

    person = settings.load(file).people["first-operator"]
    assert ("operator", ("team",), 1) == (person.role, person.groups, len(person.ssh_keys))
    assert 0o640 == file.stat().st_mode & 0o777
    assert "next: ./bootstrap.py -e trial plan" in capsys.readouterr().out

    assert 0 == run("remove", "first-operator")
    assert f"{HEAD}\npeople: {{}}\n" == file.read_text()


@pytest.mark.parametrize("arguments", [("add", "first-operator", *FIRST), ("remove", "first-operator")])
def test_a_read_only_file_is_refused(
    file: Path, arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """For root, too; and the folder would let it be replaced."""
    file.chmod(0o444)
    assert 2 == run(*arguments)

    assert f"{file} is read-only (mode 0444)" in capsys.readouterr().err
    assert (HEAD, [file]) == (file.read_text(), list(file.parent.iterdir()))


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "kept.yaml"
    file.rename(target)
    file.symlink_to(target)
    assert 0 == run("add", "first-operator", *FIRST)

    assert (True, 0o640) == (file.is_symlink(), target.stat().st_mode & 0o777)
    assert "first-operator" in target.read_text()


def test_a_program_reads_what_was_done(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run("add", "first-operator", *FIRST, "--json")

    told = json.loads(capsys.readouterr().out)
    assert ("people-changed", "first-operator", "added") == (told["event"], told["person"], told["done"])


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("add", "first-operator"), "needs --name, --email, --role"),
        (("add",), "needs a USER"),
        (("list", "first-operator"), "takes no USER"),
        (("remove", "nobody"), "no person 'nobody'"),
        (("remove", "first", "--role", "operator"), "--role is for 'people add'"),
        (("add", "admin", *FIRST), "is a user of Jenkins"),
        (("add", "first", *FIRST[:-1], "boss"), "'administrator', 'operator'"),
        (("add", "first", *FIRST, "--aws", "nobody"), "no ARN of an IAM user"),
        (("add", "first", *FIRST, "--key", "/no/such.pub"), "No such file"),
    ],
)
def test_what_is_refused_changes_nothing(
    arguments: tuple[str, ...], part: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == run(*arguments)

    assert part in capsys.readouterr().err
    assert HEAD == file.read_text()


@pytest.mark.parametrize("name", ["first: {}\n  second", "first\n", "First", "x", "admin"])
def test_an_id_is_checked_before_anything_is_written(
    name: str, file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "replace", lambda *_: pytest.fail("a file was written"))

    assert 2 == run("add", name, *FIRST)

    assert "id" in capsys.readouterr().err
    assert HEAD == file.read_text()


def test_a_private_key_is_refused_and_not_shown(file: Path, key: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run("add", "first", *FIRST, "--key", str(key))

    told = capsys.readouterr().err
    assert "this is a private key" in told
    assert key.read_text().splitlines()[1] not in told
    assert HEAD == file.read_text()
