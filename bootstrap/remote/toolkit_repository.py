"""The toolkit's own repository, as it lies here, made ready to be sent to the machine, where the jobs check it out.

What is sent are the files that git tracks, as they lie in the working tree: a clean tree is its HEAD, changes that are not
committed yet become a commit on top of it that no branch here knows. The same tree gives the same commit, so a second launch
sends nothing. A file that nobody has added stays here, for it may be a note, a key or a dump; it is named, so that one that
belongs to the code is not forgotten. In a tree without a repository (an unpacked archive) nobody can tell the two apart: it
becomes a repository of one commit, with all but the ignored files. A folder in a larger repository becomes one, too,
but with what the larger one tracks there.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bootstrap import wording
from bootstrap.errors import Missing

BUNDLE = "toolkit.bundle"
_SCRATCH = "toolkit.git"
_COMPOSED = "composed.git"  # project and toolkit
_SHOWN = 10  # files that are named
# A commit's bytes hold its author and dates: fixed ones, so that the same tree gives the same commit.
_AUTHOR = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in {"NAME": "bootstrap", "EMAIL": "bootstrap@localhost", "DATE": "2000-01-01T00:00:00Z"}.items()
}


@dataclass(frozen=True)
class Snapshot:
    """A commit of the toolkit: `commit` is what the machine's branch will be, `base` the HEAD under it ('' without one).

    `untracked` are the files that stay here, for git does not know them; those that git ignores are not among them.
    """

    root: Path
    git_dir: Path
    commit: str
    base: str
    untracked: tuple[str, ...] = ()
    project_label: str = (
        ""  # of a commit with project and toolkit, or of a folder of a larger repository: what that one says
    )

    @property
    def notice(self) -> str:
        """What a person must know about files that stay here, with the command that takes them along; '' without any."""
        if not self.untracked:
            return ""
        named = self.untracked[:_SHOWN]
        more = f" and {len(self.untracked) - len(named)} more" if len(self.untracked) > len(named) else ""
        taken = shlex.join(named) + (" ..." if more else "")
        return f"not sent to the machine, because git does not track it: {', '.join(named)}{more} (git add -- {taken})"

    @property
    def label(self) -> str:
        """What the Commit tag says: HEAD, marked where the tree differs from it, or the snapshot's own commit."""
        if self.project_label:
            return self.project_label
        if not self.base:
            return self.commit
        return self.base if self.base == self.commit else f"{self.base}-dirty"


def take_snapshot(root: Path, scratch: Path) -> Snapshot:
    """Make the commit of the working tree at `root`; `scratch` holds the repository where `root` has none.

    Missing where a larger repository around `root` tracks nothing of it, so that nobody can tell what is to be sent.
    """
    git_dir = _prepare_git_dir(root, scratch)
    if git_dir == scratch / _SCRATCH:
        return _take_snapshot_below(root, git_dir) if _is_below_top(root) else _take_snapshot_of_all(root, git_dir)
    base = _run_git(git_dir, root, "rev-parse", "--verify", "--quiet", "HEAD", check=False)
    with tempfile.TemporaryDirectory() as folder:
        environ = {"GIT_INDEX_FILE": f"{folder}/index"}
        _copy_index(git_dir, root, Path(folder) / "index")
        _run_git(git_dir, root, "add", "--update", environ=environ)
        tree = _run_git(git_dir, root, "write-tree", environ=environ)
    untracked = _list_untracked(git_dir, root)
    if base and tree == _run_git(git_dir, root, "rev-parse", "HEAD^{tree}"):
        return Snapshot(root, git_dir, base, base, untracked)
    return Snapshot(root, git_dir, _commit_tree(git_dir, root, tree, base), base, untracked)


def _take_snapshot_of_all(root: Path, git_dir: Path) -> Snapshot:
    """A tree without a repository: all but the ignored files."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {"GIT_INDEX_FILE": f"{folder}/index"}
        _run_git(git_dir, root, "add", "--all", environ=environ)
        tree = _run_git(git_dir, root, "write-tree", environ=environ)
    return Snapshot(root, git_dir, _commit_tree(git_dir, root, tree), "")


def _take_snapshot_below(root: Path, git_dir: Path) -> Snapshot:
    """A folder of a larger repository: what that one tracks there, whatever its ignore files or those here say."""
    tracked = _run_git(None, root, "ls-files", "-z")
    if not tracked:
        top = _run_git(None, root, "rev-parse", "--show-toplevel")
        raise Missing(
            f"preparing the repository of {root} for the machine",
            f"it lies in the git repository {top}, which tracks no file of it, so that it is not known what may be sent",
            f"Add its files there: git -C {shlex.quote(str(root))} add . (look at what that adds); "
            f"or make it a repository of its own: git init",
        )
    with tempfile.TemporaryDirectory() as folder:
        environ = {"GIT_INDEX_FILE": f"{folder}/index"}
        _run_git(git_dir, root, "update-index", "--add", "--remove", "-z", "--stdin", environ=environ, given=tracked)
        tree = _run_git(git_dir, root, "write-tree", environ=environ)
    commit, base = _commit_tree(git_dir, root, tree), _run_git(None, root, "rev-parse", "--verify", "HEAD", check=False)
    reads = {"GIT_OPTIONAL_LOCKS": "0"}  # nothing is written there
    differing = base and _run_git(None, root, "diff", "--name-only", "--no-ext-diff", "HEAD", "--", ".", environ=reads)
    return Snapshot(
        root, git_dir, commit, "", _list_untracked(None, root), base and f"{base}{'-dirty' if differing else ''}"
    )


def _is_below_top(root: Path) -> bool:
    """Whether a repository above `root` has it; not one that ignores the folder: that one does not know it."""
    top = _run_git(None, root, "rev-parse", "--show-toplevel", check=False)
    return bool(top) and not _run_git(None, root, "check-ignore", str(root), check=False)


def _commit_tree(git_dir: Path, root: Path, tree: str, base: str = "") -> str:
    parent = ["-p", base] if base else []
    message = "The working tree as it was launched"
    return _run_git(git_dir, root, "commit-tree", tree, *parent, "-m", message, environ=_AUTHOR)


def has_one_of(commits: Iterable[str], root: Path, scratch: Path) -> bool:
    """Whether the repository of `root`, or one in `scratch`, has one of the commits. A shallow clone cannot tell: True."""
    if _run_git(None, root, "rev-parse", "--is-shallow-repository", check=False) == "true":
        return True
    places = (None, *(it for it in (scratch / _SCRATCH, scratch / _COMPOSED) if it.exists()))
    return any(
        _run_git(
            place, root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}", check=False
        )
        for place in places
        for commit in commits
    )


def compose(project: Snapshot, toolkit: Path, place: str, scratch: Path) -> Snapshot:
    """A commit on top of the project's that has the files of the toolkit, too, at `place`; the same files give the same commit.

    Neither repository is written: a third one in `scratch` has the commit, and borrows the objects of both. In a checkout of
    such a commit, on the machine, the toolkit is there already; then that checkout is the snapshot.
    """
    inside = f"HEAD:{place}/bootstrap.py"
    if project.base and _run_git(
        project.git_dir, project.root, "rev-parse", "--verify", "--quiet", inside, check=False
    ):
        before = _run_git(project.git_dir, project.root, "rev-parse", "--verify", "--quiet", "HEAD^1", check=False)
        return replace(project, project_label=before)
    below = take_snapshot(toolkit, scratch / "toolkit")
    git_dir = scratch / _COMPOSED
    if not git_dir.exists():
        _run_git(None, None, "init", "--quiet", "--bare", str(git_dir))
    borrowed = [_find_git_path(each, "objects") for each in (project, below)]
    (git_dir / "objects" / "info" / "alternates").write_text("".join(f"{path}\n" for path in borrowed))
    shallow = Path(_find_git_path(project, "shallow"))
    if shallow.is_file():
        (git_dir / "shallow").write_bytes(shallow.read_bytes())
    else:
        (git_dir / "shallow").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environ = {"GIT_INDEX_FILE": f"{folder}/index"}
        _run_git(git_dir, None, "read-tree", f"{project.commit}^{{tree}}", environ=environ)
        _run_git(git_dir, None, "read-tree", "-i", f"--prefix={place}/", f"{below.commit}^{{tree}}", environ=environ)
        tree = _run_git(git_dir, None, "write-tree", environ=environ)
    message = "The project with its toolkit, as they were launched"
    commit = _run_git(git_dir, None, "commit-tree", tree, "-p", project.commit, "-m", message, environ=_AUTHOR)
    return replace(project, git_dir=git_dir, commit=commit, project_label=project.label)


def _find_git_path(snapshot: Snapshot, name: str) -> str:
    return _run_git(snapshot.git_dir, snapshot.root, "rev-parse", "--path-format=absolute", "--git-path", name)


def _copy_index(git_dir: Path, root: Path, copy: Path) -> None:
    """What git tracks is what its index names, whether it was committed yet or not."""
    index = Path(_run_git(git_dir, root, "rev-parse", "--path-format=absolute", "--git-path", "index"))
    with contextlib.suppress(FileNotFoundError):  # nothing was ever added
        # With its time: git looks into files that are as young as their index, for those may have changed unseen.
        shutil.copy2(index, copy)


def _list_untracked(git_dir: Path | None, root: Path) -> tuple[str, ...]:
    listed = _run_git(git_dir, root, "ls-files", "--others", "--exclude-standard", "-z")
    return tuple(name for name in listed.split("\0") if name)


def write_bundle(snapshot: Snapshot, branch: str, path: Path) -> Path:
    """Write the snapshot with its history as a git bundle whose only branch is `branch`, for this user's eyes alone."""
    is_shallow = _run_git(snapshot.git_dir, snapshot.root, "rev-parse", "--is-shallow-repository") == "true"
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder) / "toolkit.git"
        _run_git(bare, None, "init", "--quiet", "--bare", str(bare))
        objects = _find_git_path(snapshot, "objects")
        (bare / "objects" / "info" / "alternates").write_text(objects + "\n")
        commit = snapshot.commit
        if is_shallow:  # a bundle cannot leave out what a shallow clone never had
            shallow = _find_git_path(snapshot, "shallow")
            (bare / "shallow").write_bytes(Path(shallow).read_bytes())
        _run_git(bare, None, "update-ref", f"refs/heads/{branch}", commit)
        path.parent.mkdir(parents=True, exist_ok=True)
        made = Path(folder) / BUNDLE
        _run_git(bare, None, "-c", "pack.threads=1", "bundle", "create", "--quiet", str(made), f"refs/heads/{branch}")
        _move_private(made, path)
    return path


def _move_private(made: Path, path: Path) -> None:
    """Put a file at `path` that nobody else could read at any moment."""
    part = path.with_name(f"{path.name}.new")
    part.unlink(missing_ok=True)
    with (
        made.open("rb") as source,
        os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as target,
    ):
        shutil.copyfileobj(source, target, 1 << 20)
    part.replace(path)


def forget(state: Path) -> None:
    """Remove the bundle, and the repository of a tree that has none: the environment is gone."""
    for name in (BUNDLE, f"{BUNDLE}.new"):
        (state / name).unlink(missing_ok=True)
    for name in (_SCRATCH, _COMPOSED, "toolkit"):
        shutil.rmtree(state / name, ignore_errors=True)


def _prepare_git_dir(root: Path, scratch: Path) -> Path:
    found = _run_git(None, root, "rev-parse", "--absolute-git-dir", check=False)
    top = _run_git(None, root, "rev-parse", "--show-toplevel", check=False)
    if found and top and Path(top).resolve() == root.resolve():
        return Path(found)
    git_dir = scratch / _SCRATCH
    if not git_dir.exists():
        _run_git(None, root, "init", "--quiet", "--bare", str(git_dir))
    return git_dir


def _run_git(
    git_dir: Path | None,
    work_tree: Path | None,
    *arguments: str,
    check: bool = True,
    environ: dict[str, str] | None = None,
    given: str | None = None,
) -> str:
    """Run git; its output, stripped. Missing where git is not there or refuses."""
    where = [f"--git-dir={git_dir}"] if git_dir and arguments[0] != "init" else []
    tree = [f"--work-tree={work_tree}"] if git_dir and work_tree and arguments[0] != "init" else []
    # A checkout of another user (a CI's, a container's) is read all the same: nothing in it is run by git.
    command = ["git", "-c", "safe.directory=*", *where, *tree, *arguments]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(
            command,
            cwd=work_tree,
            env=clean | (environ or {}),
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise Missing(
            "preparing the toolkit's repository for the machine",
            "git is not installed",
            wording.advise_installation("git"),
        ) from error
    if done.returncode and check:
        raise Missing(
            "preparing the toolkit's repository for the machine",
            f"'git {' '.join(arguments)}' exited with {done.returncode}\n{done.stderr.strip()}",
            "Check the checkout with 'git status' and 'git fsck'.",
        )
    return done.stdout.strip() if not done.returncode else ""
