#!/usr/bin/env python3
"""The one command: makes the virtual environment from the lock when it must, then hands over to `bootstrap.cli`.

Standard library only, for it runs before anything is installed. The environment is `.venv` beside this file, or, where
BOOTSTRAP_VENVS names a directory, one in there named after the lock's hash. A marker with that hash, written last, tells a
finished environment from a half-made one; a changed lock is brought up to date.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
LOCK = ROOT / "requirements.lock"


def main() -> None:
    """Make the environment if it is not there, then become `python -m bootstrap` in it."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- this line is what tells the user of an older Python
        sys.exit(
            f"bootstrap.py: needs Python 3.11 or newer, this is {sys.version.split()[0]}. Run it with a newer python3."
        )
    digest = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()[:16]
    shared = os.environ.get("BOOTSTRAP_VENVS")
    venv = Path(shared) / digest if shared else ROOT / ".venv"
    python = venv / "bin" / "python"
    if not is_finished(venv, digest):
        venv.parent.mkdir(parents=True, exist_ok=True)
        with open(f"{venv}.lock", "w") as guard:  # noqa: PTH123 -- two runs at once: the second waits, then finds it made
            fcntl.flock(guard, fcntl.LOCK_EX)
            if not is_finished(venv, digest):
                make(venv, digest)
    environ = dict(
        os.environ, PYTHONPATH=str(ROOT), BOOTSTRAP_ROOT=str(ROOT), PYTHONPYCACHEPREFIX=str(venv / "pycache")
    )
    # Where nothing may be written beside the sources, a command would compile everything again: 1.5 s each time.
    environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.execve(python, [str(python), "-m", "bootstrap", *sys.argv[1:]], environ)


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
    environ = dict(os.environ, **uv_settings())
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


def uv_settings() -> dict[str, str]:
    """This machine's pip configuration in uv's words: uv does not read pip's, and a company's mirror stands in there."""
    names = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True).stdout
    found: dict[str, str] = {}
    for line in listed.splitlines():
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


def run(*command: str, env: dict[str, str] | None = None) -> None:
    """Run one set-up command; on failure say which, what came back and what to try."""
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    if done.returncode:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-10:])
        hint = "On Debian: apt-get install python3-venv" if "ensurepip" in tail else "Is the package index reachable?"
        sys.exit(f"bootstrap.py: setting up: '{' '.join(command)}' exited with {done.returncode}\n{tail}\n{hint}")


def say(text: str) -> None:
    """One line on standard error, so that standard output stays the command's own."""
    sys.stderr.write(f"bootstrap.py: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
