"""The toolkit's own repository, as it lies here, made ready to be sent to the machine, where the jobs check it out.

What is sent is what lies in the working tree: a clean tree is its HEAD, changes that are not committed yet become a commit on
top of it that no branch here knows. The same tree gives the same commit, so that a second launch sends nothing. A tree without
a repository (an unpacked archive) becomes a repository of one commit.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bootstrap.errors import Missing

# A commit's bytes hold its author and dates: fixed ones, so that the same tree gives the same commit.
_AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "bootstrap", "EMAIL": "bootstrap@localhost", "DATE": "2000-01-01T00:00:00Z"}.items()
}


@dataclass(frozen=True)
class Snapshot:
    """A commit of the toolkit: `commit` is what the machine's branch will be, `base` the HEAD under it ('' without one)."""

    root: Path
    git_dir: Path
    commit: str
    base: str

    @property
    def label(self) -> str:
        """What the Commit tag says: HEAD, marked where the tree differs from it, or the snapshot's own commit."""
        if not self.base:
            return self.commit
        return self.base if self.base == self.commit else f"{self.base}-dirty"


def snapshot(root: Path, scratch: Path) -> Snapshot:
    """Make the commit of the working tree at `root`; `scratch` holds the repository where `root` has none."""
    git_dir = _git_dir(root, scratch)
    base = _git(git_dir, root, "rev-parse", "--verify", "--quiet", "HEAD", check=False)
    with tempfile.TemporaryDirectory() as folder:
        environ = {"GIT_INDEX_FILE": f"{folder}/index"}
        if base:
            _git(git_dir, root, "read-tree", "HEAD", environ=environ)
        _git(git_dir, root, "add", "--all", environ=environ)
        tree = _git(git_dir, root, "write-tree", environ=environ)
    if base and tree == _git(git_dir, root, "rev-parse", "HEAD^{tree}"):
        return Snapshot(root, git_dir, base, base)
    parent = ["-p", base] if base else []
    commit = _git(
        git_dir, root, "commit-tree", tree, *parent, "-m", "The working tree as it was launched", environ=_AUTHOR
    )
    return Snapshot(root, git_dir, commit, base)


def bundle(snapshot: Snapshot, branch: str, path: Path) -> Path:
    """Write the snapshot with its history as a git bundle whose only branch is `branch`."""
    is_shallow = _git(snapshot.git_dir, snapshot.root, "rev-parse", "--is-shallow-repository") == "true"
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "toolkit.git"
        _git(bare, None, "init", "--quiet", "--bare", str(bare))
        objects = _git(snapshot.git_dir, snapshot.root, "rev-parse", "--path-format=absolute", "--git-path", "objects")
        (bare / "objects" / "info" / "alternates").write_text(objects + "\n")
        commit = snapshot.commit
        if is_shallow:  # a bundle cannot leave out what a shallow clone never had
            shallow = _git(
                snapshot.git_dir, snapshot.root, "rev-parse", "--path-format=absolute", "--git-path", "shallow"
            )
            (bare / "shallow").write_bytes(Path(shallow).read_bytes())
        _git(bare, None, "update-ref", f"refs/heads/{branch}", commit)
        path.parent.mkdir(parents=True, exist_ok=True)
        _git(bare, None, "-c", "pack.threads=1", "bundle", "create", "--quiet", str(path), f"refs/heads/{branch}")
    return path


def _git_dir(root: Path, scratch: Path) -> Path:
    found = _git(None, root, "rev-parse", "--absolute-git-dir", check=False)
    top = _git(None, root, "rev-parse", "--show-toplevel", check=False)
    if found and top and Path(top).resolve() == root.resolve():
        return Path(found)
    git_dir = scratch / "toolkit.git"
    if not git_dir.exists():
        _git(None, root, "init", "--quiet", "--bare", str(git_dir))
    return git_dir


def _git(
    git_dir: Path | None,
    work_tree: Path | None,
    *arguments: str,
    check: bool = True,
    environ: dict[str, str] | None = None,
) -> str:
    """Run git; its output, stripped. Missing where git is not there or refuses."""
    where = [f"--git-dir={git_dir}"] if git_dir and arguments[0] != "init" else []
    tree = [f"--work-tree={work_tree}"] if git_dir and work_tree and arguments[0] != "init" else []
    # A checkout of another user (a CI's, a container's) is read all the same: nothing in it is run by git.
    command = ["git", "-c", "safe.directory=*", *where, *tree, *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(command, cwd=work_tree, env=clean | (environ or {}), capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Missing(
            "preparing the toolkit's repository for the machine", "git is not installed", "Run: apt-get install git"
        ) from error
    if done.returncode and check:
        raise Missing(
            "preparing the toolkit's repository for the machine",
            f"'git {' '.join(arguments)}' exited with {done.returncode}\n{done.stderr.strip()}",
            "Check the checkout with 'git status' and 'git fsck'.",
        )
    return done.stdout.strip() if not done.returncode else ""
