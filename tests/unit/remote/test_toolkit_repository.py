"""The toolkit's repository, made ready for the machine."""

import subprocess
from pathlib import Path

import pytest

from bootstrap.remote import toolkit_repository


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a").write_text("one")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_tree_is_its_head(checkout: Path, tmp_path: Path) -> None:
    found = toolkit_repository.snapshot(checkout, tmp_path)

    head = git(checkout, "rev-parse", "HEAD")
    assert (head, head) == (found.commit, found.label)


def test_uncommitted_changes_become_the_same_commit_each_time(checkout: Path, tmp_path: Path) -> None:
    (checkout / "a").write_text("two")
    (checkout / "new").write_text("three")

    first, second = toolkit_repository.snapshot(checkout, tmp_path), toolkit_repository.snapshot(checkout, tmp_path)

    assert first.commit == second.commit != first.base
    assert f"{first.base}-dirty" == first.label
    assert "M a" == git(checkout, "status", "--porcelain").splitlines()[0].strip(), "the tree's own index is untouched"


def test_the_bundle_holds_the_tree_and_no_ignored_file(checkout: Path, tmp_path: Path) -> None:
    (checkout / "new").write_text("three")
    (checkout / "ignored").write_text("secret")

    found = toolkit_repository.snapshot(checkout, tmp_path)
    bundle = toolkit_repository.bundle(found, "trunk", tmp_path / "it.bundle")

    git(tmp_path, "clone", "-q", "-b", "trunk", str(bundle), "clone")
    assert {".git", ".gitignore", "a", "new"} == {path.name for path in (tmp_path / "clone").iterdir()}
    assert found.commit == git(tmp_path / "clone", "rev-parse", "HEAD")


def test_a_folder_without_a_repository_is_one_commit(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "a").write_text("one")

    found = toolkit_repository.snapshot(folder, tmp_path / "scratch")

    assert ("", found.commit) == (found.base, found.label)
    assert not (folder / ".git").exists()


def test_a_shallow_clone_can_be_bundled(checkout: Path, tmp_path: Path) -> None:
    (checkout / "a").write_text("two")
    git(checkout, "commit", "-qam", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout}", "shallow")

    found = toolkit_repository.snapshot(tmp_path / "shallow", tmp_path)
    bundle = toolkit_repository.bundle(found, "main", tmp_path / "it.bundle")

    assert found.commit in git(tmp_path, "bundle", "list-heads", str(bundle))
