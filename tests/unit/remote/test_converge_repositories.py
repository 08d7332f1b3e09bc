"""Repositories on the machine: they follow their commits, and lose nothing that somebody pushed."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bootstrap.remote.artifacts import hash_of
from bootstrap.remote.converge import commands
from bootstrap.remote.converge.core import ARTIFACTS, Context, Failed


def bundle_of(folder: Path, *messages: str) -> tuple[str, Path]:
    """A commit of a new repository's branch 'main', and a bundle that holds it."""
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-C", str(folder)]
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    for message in messages:
        subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", message], check=True)
    bundle = folder / f"{len(messages)}.bundle"
    subprocess.run([*git, "bundle", "create", "-q", str(bundle), "main"], check=True)
    commit = subprocess.run([*git, "rev-parse", "main"], check=True, capture_output=True, text=True).stdout.strip()
    return commit, bundle


def test_a_repository_follows_its_commit_even_where_history_was_rewritten(tmp_path: Path) -> None:
    context = Context(root=tmp_path / "root")
    context.path(ARTIFACTS).mkdir(parents=True)
    for name in ("one", "other"):
        commit, bundle = bundle_of(tmp_path / name, name, "more")
        it = {"id": "r", "path": "/srv/it.git", "branch": "main", "commit": commit, "bundle": hash_of(bundle)}
        finding = commands.repository(context, it)
        assert finding is not None and (it["bundle"],) == finding.missing
        context.artifact(it["bundle"]).write_bytes(bundle.read_bytes())
        finding.act()
        assert commands.repository(context, it) is None
        path = str(context.path("/srv/it.git"))
        subprocess.run(["git", "-C", path, "pack-refs", "--all"], check=True)
        assert commands.repository(context, it) is None


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, as they may not those of pytest."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.skipif(os.geteuid() != 0, reason="a repository of another user needs root")
def test_what_was_pushed_to_a_repository_of_another_user_stays_as_a_branch(tmp_path: Path, open_folder: Path) -> None:
    context = Context(root=open_folder)
    context.path(ARTIFACTS).mkdir(parents=True)
    path = context.path("/srv/it.git")
    path.parent.mkdir()

    def bring(commit: str, bundle: Path) -> None:
        it = {"id": "r", "path": "/srv/it.git", "branch": "main", "commit": commit, "bundle": hash_of(bundle)}
        it["owner"] = "daemon"
        finding = commands.repository(context, it)
        assert finding is not None
        context.artifact(it["bundle"]).write_bytes(bundle.read_bytes())
        context.artifact(it["bundle"]).chmod(0o600)
        finding.act()
        assert commands.repository(context, it) is None
        assert {"daemon"} == {each.owner() for each in (path, *path.rglob("*"))}
        assert [path] == list(path.parent.iterdir())

    def ask(*command: str) -> str:
        git = ["git", "-c", f"safe.directory={path}", "-C", str(path), *command]
        return subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()

    first, bundle = bundle_of(tmp_path / "one", "one")
    bring(first, bundle)
    second, bundle = bundle_of(tmp_path / "one", "one", "two")
    bring(second, bundle)
    assert [] == context.notes and "main" == ask("branch", "--format=%(refname:short)")

    tree = ask("rev-parse", f"{second}^{{tree}}")
    pushed = ask("-c", "user.name=t", "-c", "user.email=t@localhost", "commit-tree", tree, "-p", second, "-m", "pushed")
    ask("update-ref", "refs/heads/main", pushed)
    ask("update-ref", "refs/heads/pushed", first)
    subprocess.run(["chown", "-R", "daemon:daemon", str(path)], check=True)
    third, bundle = bundle_of(tmp_path / "one", "one", "two", "three")
    with pytest.raises(Failed, match="branch -m pushed OTHER"):
        bring(third, bundle)
    assert pushed == ask("rev-parse", "main"), "what cannot be kept is not left"
    ask("update-ref", "-d", "refs/heads/pushed")
    bring(third, bundle)

    assert third == ask("rev-parse", "main")
    assert pushed == ask("rev-parse", f"pushed/{pushed}")
    assert 1 == len(context.notes) and f"pushed/{pushed}" in context.notes[0]
    assert ["bootstrap/launched", "heads/main", f"heads/pushed/{pushed}"] == [
        line.removeprefix("refs/") for line in ask("for-each-ref", "--format=%(refname)").splitlines()
    ]


def test_a_push_in_the_moment_of_a_launch_is_not_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(root=tmp_path / "root")
    context.path(ARTIFACTS).mkdir(parents=True)
    first, bundle = bundle_of(tmp_path / "one", "one")
    second, later = bundle_of(tmp_path / "one", "one", "two")
    path = str(context.path("/srv/it.git"))

    def make_act(commit: str, brought: Path) -> Callable[[], None]:
        it = {"id": "r", "path": "/srv/it.git", "branch": "main", "commit": commit, "bundle": hash_of(brought)}
        context.artifact(it["bundle"]).write_bytes(brought.read_bytes())
        finding = commands.repository(context, it)
        assert finding is not None
        return finding.act

    make_act(first, bundle)()
    tree = subprocess.check_output(["git", "-C", path, "rev-parse", f"{first}^{{tree}}"], text=True).strip()
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-C", path, "commit-tree", tree, "-m", "x"]
    pushed = subprocess.check_output(command, text=True).strip()
    run = context.run

    def push_after_the_fetch(called: list[str], **options: Any) -> Any:
        done = run(called, **options)
        if "fetch" in called:
            subprocess.run(["git", "-C", path, "update-ref", "refs/heads/main", pushed], check=True)
        return done

    monkeypatch.setattr(context, "run", push_after_the_fetch)
    with pytest.raises(Failed) as caught:
        make_act(second, later)()

    assert "but expected" in caught.value.tail
    assert pushed == subprocess.check_output(["git", "-C", path, "rev-parse", "main"], text=True).strip()


@pytest.mark.skipif(os.geteuid() != 0, reason="a repository of another user needs root")
def test_a_repository_of_roots_becomes_its_owners(tmp_path: Path) -> None:
    context = Context(root=tmp_path / "root")
    context.path(ARTIFACTS).mkdir(parents=True)
    commit, bundle = bundle_of(tmp_path / "one", "one")
    it = {"id": "r", "path": "/srv/it.git", "branch": "main", "commit": commit, "bundle": hash_of(bundle)}
    context.artifact(it["bundle"]).write_bytes(bundle.read_bytes())
    made = commands.repository(context, it)
    assert made is not None
    made.act()

    finding = commands.repository(context, {**it, "owner": "daemon"})

    assert finding is not None and ("alter", "belongs to daemon", ()) == (finding.kind, finding.detail, finding.missing)
    finding.act()
    path = context.path("/srv/it.git")
    assert {"daemon"} == {each.owner() for each in (path, *path.rglob("*"))}
    assert commands.repository(context, {**it, "owner": "daemon"}) is None
