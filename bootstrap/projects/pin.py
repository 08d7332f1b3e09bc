"""Which version of the toolkit a project uses: where it is cloned from, and its tag or commit. The file is `bootstrap.toml`."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bootstrap.errors import UsageError
from bootstrap.projects import git

NAME = "bootstrap.toml"
# As in the start script. A user alone may be a token, too, over HTTP; SSH needs one.
_SECRET = re.compile(r"https?://[^/?#]*@|[a-z][a-z0-9+.-]*://[^/?#@]*:[^/?#]*@", re.IGNORECASE)


@dataclass(frozen=True)
class Pin:
    """The URL or path of the toolkit's repository, and the version; `notices` say what a person must know about them."""

    url: str
    version: str
    notices: tuple[str, ...] = ()

    def format_text(self) -> str:
        """The content of the file."""
        return (
            "# The toolkit that this project uses. To upgrade it, change the version (a tag, or a full commit), then see\n"
            "# what that means: ./bootstrap.py plan\n"
            "[toolkit]\n"
            f"url = {json.dumps(self.url)}\n"
            f"version = {json.dumps(self.version)}\n"
        )


def choose(root: Path, url: str = "") -> Pin:
    """The pin of the toolkit in the folder `root`: its commit, and `url`, or where it was cloned from, or its own path."""
    if _SECRET.match(url):  # which is not shown
        raise UsageError(
            "choosing where the project clones the toolkit from",
            "the URL of --toolkit has a user, a password or a token in it, which git would keep for all who have the project",
            "Give the URL without that, and let a credential helper of git log in (git help credentials).",
        )
    top, commit = (
        git.read_git(root, "rev-parse", "--show-toplevel"),
        git.read_git(root, "rev-parse", "--verify", "HEAD"),
    )
    if not commit or Path(top).resolve() != root.resolve():
        raise UsageError(
            "choosing the toolkit's version for the project",
            f"{root} is not a git repository with a commit, so it has no version",
            "Call 'init' in a clone of the toolkit's repository.",
        )
    notices = []
    if git.read_git(root, "status", "--porcelain", "--untracked-files=no"):
        notices.append(
            f"the project uses the commit {commit[:12]}; changes in {root} that are not committed are not in it"
        )
    origin = git.read_git(root, "remote", "get-url", "origin")
    is_there = bool(git.read_git(root, "branch", "--remotes", "--contains", commit))
    chosen = url or (_make_absolute(root, _remove_password(origin)) if origin and is_there else str(root))
    if not url and not (origin and is_there):
        notices.append(f"the toolkit is cloned from {root}, which other machines do not have; --toolkit names a URL")
    return Pin(chosen, commit, tuple(notices))


def _make_absolute(root: Path, url: str) -> str:
    """A path from the toolkit's folder as an absolute one; a URL as it is."""
    path = root / url
    return str(path.resolve()) if path.is_dir() else url


def _remove_password(url: str) -> str:
    """The URL without the user and the password or token of whoever cloned it: the project is for others, too."""
    parts = urlsplit(url)
    if "@" not in parts.netloc:
        return url
    user, _, host = parts.netloc.rpartition("@")
    kept = f"{user.partition(':')[0]}@" if parts.scheme not in {"http", "https"} else ""
    return urlunsplit(parts._replace(netloc=f"{kept}{host}"))
