#!/usr/bin/env python3
"""Runs the version of the toolkit that bootstrap.toml names, with the environments, jobs and settings of this folder.

The toolkit wrote this file (`./bootstrap.py init`). It needs Python's standard library and git. The version is cloned once,
into `.toolkit/<version>/`. On the machine that folder is a part of the repository that the jobs check out, so that nothing is
cloned.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NoReturn

PROJECT = Path(__file__).resolve().parent
PIN = PROJECT / "bootstrap.toml"
_COMMIT = re.compile(r"[0-9a-f]{40}")
# A user alone may be a token, too, over HTTP; SSH needs one.
_SECRET = re.compile(r"https?://[^/?#]*@|[a-z][a-z0-9+.-]*://[^/?#@]*:[^/?#]*@", re.IGNORECASE)
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")
# What a git hook, for example, has in its environment.
_OF_ANOTHER_REPOSITORY = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR"}


def main() -> None:
    """Clone the pinned version if it is not here, then become its `bootstrap.py`."""
    if sys.version_info < (3, 11):  # noqa: UP036 -- this line is what tells the user of an older Python
        sys.exit(
            f"bootstrap.py: needs Python 3.11 or newer, this is {sys.version.split()[0]}. Run it with a newer python3."
        )
    url, version = read_pin()
    toolkit = PROJECT / ".toolkit" / name_folder(url, version)
    try:
        if not (toolkit / "bootstrap.py").is_file():
            obtain(toolkit, url, version)
    except PermissionError as error:
        fail(
            f"looking for the toolkit {version} in {toolkit}",
            f"{error.filename}: this user may not; another user made it, mostly root",
            "Run it with sudo, or use a clone of your own.",
        )
    if not (toolkit / "bootstrap" / "projects").is_dir():
        fail(f"starting the toolkit {version}", "this version knows no projects", f"Name a newer one in {PIN}.")
    environ = dict(os.environ, BOOTSTRAP_PROJECT=str(PROJECT))
    if "BOOTSTRAP_VENVS" not in environ:  # versions with the same packages share them
        venvs = PROJECT / ".toolkit" / "venvs"
        venvs.mkdir(mode=0o755, exist_ok=True)
        environ["BOOTSTRAP_VENVS"] = str(venvs)
    os.execve(sys.executable, [sys.executable, str(toolkit / "bootstrap.py"), *sys.argv[1:]], environ)


def read_pin() -> tuple[str, str]:
    """The URL and the version of the toolkit."""
    import tomllib

    doing = f"reading {PIN}"
    remedy = 'Write both: [toolkit], url = "URL or path of the toolkit", version = "TAG or COMMIT".'
    try:
        content = tomllib.loads(PIN.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fail(doing, str(error), remedy)
    pin = content.get("toolkit")
    pin = pin if isinstance(pin, dict) else {}
    for key in ("url", "version"):
        if not isinstance(pin.get(key), str) or not pin[key]:
            fail(doing, f"toolkit.{key} is missing, or no text", remedy)
    for key in sorted({*content} - {"toolkit"} | {f"toolkit.{it}" for it in {*pin} - {"url", "version"}}):
        fail(doing, f"unknown key '{key}'", remedy)
    if not _TAG.fullmatch(pin["version"]):
        fail(doing, f"toolkit.version: '{pin['version']}' is neither a tag nor a commit of 40 hex digits", remedy)
    if pin["url"].startswith("-"):
        fail(doing, f"toolkit.url: '{pin['url']}' is not a URL", remedy)
    if _SECRET.match(pin["url"]):  # which is not shown
        safe = f"Write it without that in {PIN}, and let a credential helper of git log in (git help credentials)."
        fail(
            doing,
            "toolkit.url has a user, a password or a token in it, which git keeps for all who have the project",
            safe,
        )
    return pin["url"], pin["version"]


def name_folder(url: str, version: str) -> str:
    """The folder of a version: a commit is the same everywhere, a tag belongs to its repository."""
    return version if _COMMIT.fullmatch(version) else f"{version}-{hashlib.sha256(url.encode()).hexdigest()[:8]}"


def obtain(toolkit: Path, url: str, version: str) -> None:
    """Clone the version; two runs at once clone it once, and one that is killed leaves no half clone behind."""
    toolkit.parent.mkdir(exist_ok=True)
    with (toolkit.parent / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if (toolkit / "bootstrap.py").is_file():
            return
        for stale in toolkit.parent.glob(".new-*"):
            shutil.rmtree(stale, ignore_errors=True)
        say(f"cloning the toolkit {version} from {url}")
        part = Path(tempfile.mkdtemp(prefix=".new-", dir=toolkit.parent))
        try:
            clone(part, url, version)
            part.chmod(0o755)
            part.rename(toolkit)
        except BaseException:
            shutil.rmtree(part, ignore_errors=True)
            raise


def clone(part: Path, url: str, version: str) -> None:
    """Clone into an empty folder, and check out exactly the tag or commit."""
    doing = f"cloning the toolkit from {url}"
    # A path may be a repository of another user, such as whom sudo was called by. What runs here is its code anyway.
    path = PROJECT / url
    is_local = path.exists()
    way = ["--upload-pack", "git -c safe.directory='*' upload-pack"] if is_local else []
    run_git(doing, "clone", "--quiet", "--no-checkout", *way, "--", str(path) if is_local else url, str(part))
    name = version if _COMMIT.fullmatch(version) else f"refs/tags/{version}"
    inside = ["-C", str(part)]
    commit = run_git("", *inside, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    if not commit:
        kind = "commit" if _COMMIT.fullmatch(version) else "tag"
        more = (
            ""
            if kind == "commit"
            else " (a branch is not accepted, because it moves; a commit is written in full, 40 digits)"
        )
        fail(doing, f"it has no {kind} {version}{more}", f"Correct toolkit.version in {PIN}.")
    run_git(doing, *inside, "checkout", "--quiet", "--detach", commit)


def run_git(doing: str, *arguments: str) -> str:
    """What git prints; without `doing`, '' where it fails."""
    clean = {name: value for name, value in os.environ.items() if name not in _OF_ANOTHER_REPOSITORY}
    try:
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", *arguments], env=clean, capture_output=True, text=True, errors="replace"
        )
    except FileNotFoundError:
        fail(doing or "reading the toolkit's commits", "git is not installed", "As root on Debian: apt-get install git")
    if done.returncode and doing:
        fail(doing, done.stderr.strip(), f"Is the repository reachable? {PIN} names it.")
    return "" if done.returncode else done.stdout.strip()


def fail(doing: str, found: str, remedy: str) -> NoReturn:
    """End with what was being done, what came back, and what to try."""
    say(f"{doing}: {found}\n{remedy}")
    sys.exit(1)


def say(text: str) -> None:
    """What goes on, on standard error; a terminal obeys nothing of it."""
    shown = "".join(letter for letter in text if letter == "\n" or letter.isprintable())
    sys.stderr.write(f"bootstrap.py: {shown}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main()
