"""bootstrap.py itself: the environment is made once, used again, and brought up to date when the lock changed."""

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def entry() -> ModuleType:
    spec = importlib.util.spec_from_file_location("entry", ROOT / "bootstrap.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose lock names nothing, so that its environment is made without any index."""
    shutil.copy(ROOT / "bootstrap.py", tmp_path / "bootstrap.py")
    (tmp_path / "requirements.lock").write_text("# nothing\n")
    (tmp_path / "bootstrap").mkdir()
    (tmp_path / "bootstrap" / "__init__.py").touch()
    (tmp_path / "bootstrap" / "__main__.py").write_text("import sys\nprint('ran with', *sys.argv[1:])\n")
    return tmp_path


def environment(**more: str) -> dict[str, str]:
    """This process's variables, less what the caller has set for bootstrap.py itself; the lock's uv is found."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("BOOTSTRAP_")}
    return own | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"} | more


def run(checkout: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "bootstrap.py", *arguments]
    return subprocess.run(command, cwd=checkout, env=environment(**environ), capture_output=True, text=True)


def test_the_first_run_makes_the_environment_and_goes_on(checkout: Path) -> None:
    done = run(checkout, "launch", "--yes")

    assert "ran with launch --yes\n" == done.stdout, done.stderr
    assert "setting up" in done.stderr


def test_the_second_run_uses_it_in_silence(checkout: Path) -> None:
    run(checkout)

    assert "" == run(checkout).stderr


def test_a_changed_lock_is_noticed(checkout: Path) -> None:
    run(checkout)
    (checkout / "requirements.lock").write_text("# nothing, but otherwise\n")

    assert "setting up" in run(checkout).stderr


def test_a_half_made_environment_is_made_again(checkout: Path) -> None:
    run(checkout)
    (checkout / ".venv" / "lock-digest").unlink()

    assert "setting up" in run(checkout).stderr


def test_byte_code_is_kept_in_the_environment_whatever_the_caller_forbids(checkout: Path) -> None:
    (checkout / "bootstrap" / "slow.py").touch()
    (checkout / "bootstrap" / "__main__.py").write_text("import bootstrap.slow\n")

    done = run(checkout, PYTHONDONTWRITEBYTECODE="1")

    assert 0 == done.returncode, done.stderr
    assert list((checkout / ".venv" / "pycache").rglob("slow.*.pyc"))
    assert not list((checkout / "bootstrap").rglob("*.pyc"))


def test_environments_may_be_shared_by_their_locks_hash(checkout: Path, tmp_path: Path) -> None:
    done = run(checkout, BOOTSTRAP_VENVS=str(tmp_path / "venvs"))

    assert "ran with" in done.stdout
    assert not (checkout / ".venv").exists()
    assert 1 == sum(path.is_dir() for path in (tmp_path / "venvs").iterdir())


def test_two_first_runs_at_once_make_one_environment(checkout: Path) -> None:
    both = [
        subprocess.Popen(
            [sys.executable, "bootstrap.py"],
            cwd=checkout,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [process.communicate() for process in both]

    assert [0, 0] == [process.returncode for process in both], told
    assert 1 == sum("setting up" in errors for _, errors in told)


def test_a_lock_that_cannot_be_had_is_told_without_a_traceback(checkout: Path) -> None:
    (checkout / "requirements.lock").write_text("no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n")

    done = run(checkout, UV_OFFLINE="1")

    assert 0 != done.returncode
    assert "exited with" in done.stderr
    assert "Traceback" not in done.stderr


def test_pips_configuration_is_told_to_uv(entry: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listed = (
        "global.index-url='https://mirror.example.org/simple'\n"
        "global.extra-index-url='https://a.example.org/s https://b.example.org/s'\n"
        "global.cert='/etc/ssl/company.pem'\n"
        "install.find-links='/opt/wheels'\n"
        "download.index-url='https://other.example.org/'\n"
    )
    own = str(tmp_path / "bin" / "python")

    def answer(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        """As on Debian, whose Python has no pip; the environment's has."""
        done = command[0] == own
        return subprocess.CompletedProcess(command, 0 if done else 1, listed if done else "", "")

    monkeypatch.setattr(entry.subprocess, "run", answer)
    names = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_FIND_LINKS", "SSL_CERT_FILE", "UV_INDEX_STRATEGY", "UV_SYSTEM_CERTS")
    for name in names:
        monkeypatch.delenv(name, raising=False)

    assert {
        "UV_DEFAULT_INDEX": "https://mirror.example.org/simple",
        "UV_INDEX": "https://a.example.org/s https://b.example.org/s",
        "UV_FIND_LINKS": "/opt/wheels",
        "SSL_CERT_FILE": "/etc/ssl/company.pem",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "UV_SYSTEM_CERTS": "1",
    } == entry.uv_settings(tmp_path)


def test_the_locks_own_uv_is_taken_with_its_hashes(
    entry: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(entry, "run", lambda *command, **_: ran.append(command))

    entry.install_uv(tmp_path)

    pinned = (tmp_path / "uv.lock").read_text()
    assert pinned.startswith("uv==")
    assert {"uv==", "    --h"} == {line[:4] if line.startswith("uv") else line[:7] for line in pinned.splitlines()}
    assert "--require-hashes" in ran[0]


def plant(checkout: Path, venv: Path) -> None:
    """An environment that looks finished, and tells whoever runs it."""
    digest = hashlib.sha256((checkout / "requirements.lock").read_bytes() + sys.version.encode()).hexdigest()[:16]
    target = venv / digest if venv.name != ".venv" else venv
    (target / "bin").mkdir(parents=True)
    (target / "bin" / "python").write_text("#!/bin/sh\necho planted\n")
    (target / "bin" / "python").chmod(0o755)
    (target / "lock-digest").write_text(digest)


@pytest.mark.parametrize("mode", [0o1777, 0o777, 0o775])
def test_an_environment_in_a_folder_that_others_may_write_is_not_run(checkout: Path, tmp_path: Path, mode: int) -> None:
    venvs = tmp_path / "venvs"
    venvs.mkdir()
    plant(checkout, venvs)
    venvs.chmod(mode)

    done = run(checkout, BOOTSTRAP_VENVS=str(venvs))

    assert (1, "") == (done.returncode, done.stdout)
    assert f"{venvs}: other users may write there" in done.stderr and "BOOTSTRAP_VENVS" in done.stderr
    assert "planted" not in done.stdout


def test_a_folder_below_one_that_others_may_empty_is_not_used(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "open" / "venvs").mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)
    done = run(checkout, BOOTSTRAP_VENVS=str(tmp_path / "open" / "venvs"))
    assert 1 == done.returncode and f"{tmp_path / 'open'}: other users may write there" in done.stderr

    (tmp_path / "open").chmod(0o1777)
    assert "ran with" in run(checkout, BOOTSTRAP_VENVS=str(tmp_path / "open" / "venvs")).stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file another user's")
@pytest.mark.parametrize("name", ["", "bin", "bin/python", "lock-digest"])
def test_another_users_environment_is_not_run(checkout: Path, name: str) -> None:
    plant(checkout, checkout / ".venv")
    os.chown(checkout / ".venv" / name, 65534, 65534)

    done = run(checkout)

    assert (1, "") == (done.returncode, done.stdout)
    assert "it is another user's" in done.stderr


def test_a_link_in_the_locks_place_is_not_followed(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("kept")
    (checkout / ".venv.lock").symlink_to(tmp_path / "elsewhere")
    done = run(checkout)
    assert 1 == done.returncode and ".venv.lock: it is a link" in done.stderr
    assert "kept" == (tmp_path / "elsewhere").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file another user's")
@pytest.mark.parametrize("is_dangling", [False, True])
def test_another_users_link_in_an_environments_place_is_not_followed(
    checkout: Path, tmp_path: Path, is_dangling: bool
) -> None:
    if not is_dangling:
        plant(checkout, tmp_path / "planted" / ".venv")
    (checkout / ".venv").symlink_to(tmp_path / "planted" / ".venv")
    os.chown(checkout / ".venv", 65534, 65534, follow_symlinks=False)

    done = run(checkout)

    assert (1, "") == (done.returncode, done.stdout)
    assert ".venv: it is another user's" in done.stderr


def test_the_lock_of_an_environment_is_its_owners_alone(checkout: Path) -> None:
    run(checkout)

    assert 0o600 == (checkout / ".venv.lock").stat().st_mode & 0o777


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file another user's")
def test_root_runs_the_project_of_a_user_whose_start_script_ran(checkout: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    toolkit = home / "ci" / ".toolkit" / "one"
    toolkit.mkdir(parents=True)  # by root, as all that a start script makes under sudo
    for name in ("bootstrap.py", "requirements.lock", "bootstrap"):
        shutil.move(checkout / name, toolkit / name)
    os.chown(home, 1000, 1000)
    os.chown(home / "ci", 1001, 1001)
    venvs = str(home / "ci" / ".toolkit" / "venvs")

    done = run(toolkit, "launch", BOOTSTRAP_VENVS=venvs, BOOTSTRAP_PROJECT=str(home / "ci"))

    assert "ran with launch\n" == done.stdout, done.stderr
    assert "other users may write there" in run(toolkit, BOOTSTRAP_VENVS=venvs).stderr, "no start script ran"
    os.chown(home / "ci" / ".toolkit", 1002, 1002)
    done = run(toolkit, "launch", BOOTSTRAP_VENVS=venvs, BOOTSTRAP_PROJECT=str(home / "ci"))
    assert ".toolkit: other users may write there" in done.stderr, "a third user's folder is still refused"
