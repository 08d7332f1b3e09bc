#!/usr/bin/env python3
"""The one command: makes the virtual environment from the lock when it must, then hands over to `bootstrap.cli`.

Standard library only, for it runs before anything is installed. The environment is `.venv` beside this file, or, where
BOOTSTRAP_VENVS names a directory, one in there named after the lock's hash. A marker with that hash, written last, tells a
finished environment from a half-made one; a changed lock is brought up to date. What another user may have put there is never
run. In a project of one's own (docs/projects.md), or with `--project DIR`, the version that the project pins runs instead.
"""

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
import time
import unicodedata
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"
PIN = "bootstrap.toml"  # what makes a folder a project


def main() -> None:
    """Make the environment if it is not there, then become `python -m bootstrap` in it."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- this line is what tells the user of an older Python
        sys.exit(
            f"bootstrap.py: needs Python 3.11 or newer, this is {sys.version.split()[0]}. Run it with a newer python3."
        )
    start_project(sys.argv[1:])
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    shared = os.environ.get("BOOTSTRAP_VENVS")
    venv = Path(shared) / digest if shared else ROOT / ".venv"
    python = venv / "bin" / "python"
    venv.parent.mkdir(parents=True, exist_ok=True)
    refuse_planted(venv, is_shared=bool(shared))
    if not is_finished(venv, digest):
        try:
            number = os.open(f"{venv}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except PermissionError as error:
            refuse_others(Path(error.filename))
        # Two runs at once: the second waits, then finds it made.
        with os.fdopen(number, "w") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not is_finished(venv, digest):
                make(venv, digest)
    # -P, for the folder where it is called may be a project's, whose start script has the name of the package.
    environ = dict(
        os.environ, PYTHONPATH=str(ROOT), BOOTSTRAP_ROOT=str(ROOT), PYTHONPYCACHEPREFIX=str(venv / "pycache")
    )
    # Where nothing may be written beside the sources, a command would compile everything again: 1.5 s each time.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execve(python, [str(python), "-P", "-m", "bootstrap", *sys.argv[1:]], environ)


def start_project(arguments: list[str]) -> None:
    """Become the start script of a project, where one is named or this is the folder of one: it runs the pinned version."""
    rest, named = take_project(arguments)
    given = os.environ.get("BOOTSTRAP_PROJECT")
    if named is not None and not (named / PIN).is_file():
        end(
            f"using the project {named}",
            f"it is no project: there is no {PIN} in it",
            "Make one with: ./bootstrap.py init DIR",
        )
    if given:  # by the start script
        if named is not None and named != Path(given):
            one_at_once = "Call the start script of one of them, without --project."
            end("choosing the project", f"there are two: {given}, and {named} by --project", one_at_once)
        sys.argv[1:] = rest
        return
    project = named or next((it for it in (Path.cwd(), *Path.cwd().parents) if (it / PIN).is_file()), None)
    if project is None:
        return
    script = project / "bootstrap.py"
    if not script.is_file():
        copy = f"Restore it, or copy it: cp {ROOT / 'bootstrap' / 'projects' / 'files' / 'start.py'} {script}"
        end(f"starting the project {project}", "its start script, bootstrap.py, is not there", copy)
    for path in (project, script, project / PIN):
        refuse_foreign(path, project)
    os.execv(sys.executable, [sys.executable, str(script), *rest])


def take_project(arguments: list[str]) -> tuple[list[str], Path | None]:
    """The arguments without '--project DIR', and the folder; it stands before the command."""
    rest, named, at = [], dict[Path, None](), 0
    while at < len(arguments) and arguments[at].startswith("-"):
        name, _, value = arguments[at].partition("=")
        takes_value = name in {"-e", "--environment", "--project"} and "=" not in arguments[at]
        if name == "--project":
            named[Path(arguments[at + 1] if takes_value and at + 1 < len(arguments) else value).resolve()] = None
        else:
            rest += arguments[at : at + 1 + takes_value]
        at += 1 + takes_value
    if len(named) > 1:
        end("choosing the project", f"there are two: {', '.join(map(str, named))}", "Write --project once.")
    return rest + arguments[at:], next(iter(named), None)


def refuse_foreign(path: Path, project: Path) -> None:
    """End where somebody else could have put a project around this folder: its start script would run as this user."""
    trusted = {0, os.geteuid(), Path(__file__).stat().st_uid, int(os.environ.get("SUDO_UID") or os.geteuid())}
    status = path.stat()
    if status.st_uid not in trusted or status.st_mode & stat.S_IWOTH:
        found = f"{path} is another user's, or other users may write it, so that what is there could run as you"
        end(
            f"starting the project {project}",
            found,
            f"Remove {project / PIN} if it is not yours, or use a clone of your own.",
        )


def end(doing: str, found: str, remedy: str) -> NoReturn:
    """End with what was being done, what came back, and what to try."""
    say(f"{doing}: {found}\n{remedy}")
    sys.exit(2)


def refuse_planted(venv: Path, *, is_shared: bool) -> None:
    """End where the environment, or the lock beside it, is another user's, or where another user may put one in its place."""
    # Whoever owns this script, or the Python that runs it, decides what is run as it is; so does the owner of the project whose
    # start script ran before. Who may replace a folder above the project could replace that script.
    project = Path(os.environ["BOOTSTRAP_PROJECT"]).resolve() if os.environ.get("BOOTSTRAP_PROJECT") else None
    trusted = {0, os.geteuid(), Path(__file__).stat().st_uid, Path(sys.executable).stat().st_uid}
    folders = [venv.parent.resolve(), *venv.parent.resolve().parents] if is_shared else []
    if project and project.is_dir():
        trusted.add(project.stat().st_uid)
        folders = folders[: folders.index(project) + 1] if project in folders else folders
    for number, folder in enumerate(folders):
        status = folder.stat()
        # The folder itself must be nobody else's to write; one above it may be sticky, as /tmp is.
        writable = stat.S_IWOTH | (0 if number else stat.S_IWGRP)
        is_open = status.st_mode & writable and (number == 0 or not status.st_mode & stat.S_ISVTX)
        if is_open or status.st_uid not in trusted:
            refuse(folder, "other users may write there")
    for path in (venv, venv / "bin", venv / "bin" / "python", venv / "lock-digest", Path(f"{venv}.lock")):
        for follows in (False, True):  # a link of one's own is followed
            try:
                status = path.stat(follow_symlinks=follows)
            except FileNotFoundError:
                continue
            except PermissionError:
                refuse_others(path)
            is_open = status.st_mode & stat.S_IWOTH and not stat.S_ISLNK(status.st_mode)
            if is_open or status.st_uid not in trusted:
                refuse(path, "it is another user's, or other users may write it")
    if Path(f"{venv}.lock").is_symlink():
        refuse(Path(f"{venv}.lock"), "it is a link")


def refuse_others(path: Path) -> NoReturn:
    """End where the environment is of a user who lets this one not use it: mostly of root, with a Python of root's own."""
    hint = "Run it with sudo, or use a checkout of your own, or let BOOTSTRAP_VENVS name a folder that you alone may write."
    say(f"using the virtual environment: {path}: this user may not; another user made it, mostly root\n{hint}")
    sys.exit(1)


def refuse(path: Path, found: str) -> NoReturn:
    """End with what is wrong with a path of the environment."""
    hint = "Remove it if it is not yours, or let BOOTSTRAP_VENVS name a folder that you alone may write."
    say(f"looking for the virtual environment: {path}: {found}, so that what is there could run as you\n{hint}")
    sys.exit(1)


def is_finished(venv: Path, digest: str) -> bool:
    """Whether the environment holds exactly what the lock names."""
    marker = venv / "lock-digest"
    return marker.is_file() and marker.read_text() == digest and os.access(venv / "bin" / "python", os.X_OK)


def make(venv: Path, digest: str) -> None:
    """Make the environment from the hashed lock: uv from PATH when it is there, else the one that the lock names."""
    begun = time.monotonic()
    say(f"setting up {venv} from {LOCK.name}")
    if not os.access(venv / "bin" / "python", os.X_OK):  # also one that belongs to another user's Python
        shutil.rmtree(venv, ignore_errors=True)
    (venv / "lock-digest").unlink(missing_ok=True)
    run(sys.executable, "-m", "venv", *(["--without-pip"] if shutil.which("uv") else []), str(venv))
    uv = shutil.which("uv") or install_uv(venv)
    environ = dict(os.environ, **uv_settings(venv))
    run(
        uv,
        "pip",
        "sync",
        "--quiet",
        "--require-hashes",
        "--python",
        str(venv / "bin" / "python"),
        str(LOCK),
        env=environ,
    )
    (venv / "lock-digest").write_text(digest)
    say(f"set up in {time.monotonic() - begun:.1f} s")


def install_uv(venv: Path) -> str:
    """Install the lock's own uv, hash and all, with pip, and return its path."""
    lines = LOCK.read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("uv=="))
    end = next((number for number in range(start + 1, len(lines)) if not lines[number].startswith(" ")), len(lines))
    pinned = venv / "uv.lock"
    pinned.write_text("\n".join(lines[start:end]) + "\n")
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    run(*pip, "install", "--require-hashes", "--no-deps", "-r", str(pinned))
    return str(venv / "bin" / "uv")


def uv_settings(venv: Path) -> dict[str, str]:
    """This machine's pip configuration as variables of uv: uv does not read pip's, which may name a company's mirror.

    Certificates are checked with those of the system, as pip does it: a company may have an authority of its own.
    """
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
    found: dict[str, str] = {"UV_SYSTEM_CERTS": "1"}
    for line in list_pip_settings(venv):
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        words = value.strip("'\"").replace("\\n", " ").split()
        if section in {"global", "install", ":env:"} and name in names and words:
            found[names[name]] = ("," if name == "find-links" else " ").join(words)
        if section in {"global", ":env:"} and name == "cert":
            found["SSL_CERT_FILE"] = words[0]
    # pip takes the best match of all its indexes; uv would stop at the first that knows the name. The hashes decide anyway.
    found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return {name: value for name, value in found.items() if name not in os.environ}


def list_pip_settings(venv: Path) -> list[str]:
    """The lines of `pip config list`: of this Python's pip, or of the environment's where Python has none (Debian)."""
    for python in (sys.executable, str(venv / "bin" / "python")):
        done = subprocess.run([python, "-m", "pip", "config", "list"], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout.splitlines()
    return []


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run one set-up command; on failure say which, what came back and what to try."""
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-10:])
        package = "As root on Debian: apt-get update && apt-get install -y python3-venv"
        hint = package if "ensurepip" in tail else "Is the package index reachable?"
        say(f"setting up: '{' '.join(command)}' exited with {done.returncode}\n{tail}\n{hint}")
        sys.exit(1)


def say(text: str) -> None:
    """What goes on, on standard error: standard output stays the command's own. A terminal obeys nothing of it."""
    shown = "".join(letter for letter in text if letter in "\t\n" or unicodedata.category(letter) != "Cc")
    sys.stderr.write(f"bootstrap.py: {shown}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
