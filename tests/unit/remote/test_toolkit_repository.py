"""The toolkit's repository, made ready for the machine."""

import subprocess
from pathlib import Path

import pytest

from bootstrap.errors import Missing
from bootstrap.remote import toolkit_repository


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@localhost"]
    return subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def repository(folder: Path) -> Path:
    """A repository with one file that nobody has added yet."""
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "a").write_text("one")
    return folder


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = repository(tmp_path / "checkout")
    (folder / ".gitignore").write_text("ignored\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_tree_is_its_head(checkout: Path, tmp_path: Path) -> None:
    found = toolkit_repository.take_snapshot(checkout, tmp_path)

    head = git(checkout, "rev-parse", "HEAD")
    assert (head, head) == (found.commit, found.label)


def test_uncommitted_changes_become_the_same_commit_each_time(checkout: Path, tmp_path: Path) -> None:
    (checkout / "a").write_text("two")

    first, second = (
        toolkit_repository.take_snapshot(checkout, tmp_path),
        toolkit_repository.take_snapshot(checkout, tmp_path),
    )

    assert first.commit == second.commit != first.base
    assert f"{first.base}-dirty" == first.label
    assert "M a" == git(checkout, "status", "--porcelain").splitlines()[0].strip(), "the tree's own index is untouched"


def test_the_bundle_holds_what_git_tracks_as_it_lies_in_the_tree(checkout: Path, tmp_path: Path) -> None:
    (checkout / "a").write_text("two")
    (checkout / "added").write_text("three")
    (checkout / "removed").write_text("four")
    git(checkout, "add", "added", "removed")
    (checkout / "added").write_text("five")
    (checkout / "removed").unlink()
    for name in ("ignored", "key.pem", "folder/notes"):
        (checkout / name).parent.mkdir(exist_ok=True)
        (checkout / name).write_text("secret")

    found = toolkit_repository.take_snapshot(checkout, tmp_path)
    bundle = toolkit_repository.write_bundle(found, "trunk", tmp_path / "it.bundle")

    git(tmp_path, "clone", "-q", "-b", "trunk", str(bundle), "clone")
    content = {path.name: path.read_text() for path in (tmp_path / "clone").iterdir() if path.is_file()}
    assert {".gitignore": "ignored\n", "a": "two", "added": "five"} == content
    assert not (tmp_path / "clone" / "folder").exists()
    assert found.commit == git(tmp_path / "clone", "rev-parse", "HEAD")
    every_object = git(tmp_path / "clone", "cat-file", "--batch-all-objects", "--batch-check").splitlines()
    texts = [git(tmp_path / "clone", "cat-file", "-p", line.split()[0]) for line in every_object if " blob " in line]
    assert "secret" not in texts


def test_a_file_that_git_does_not_track_changes_no_commit_and_is_named_with_its_remedy(
    checkout: Path, tmp_path: Path
) -> None:
    (checkout / "key file.pem").write_text("secret")
    (checkout / "ignored").write_text("secret")

    found = toolkit_repository.take_snapshot(checkout, tmp_path)

    assert git(checkout, "rev-parse", "HEAD") == found.commit == found.label
    assert ("key file.pem",) == found.untracked
    assert "key file.pem" in found.notice and "git add -- 'key file.pem'" in found.notice
    git(checkout, "add", "--", "key file.pem")
    assert "" == toolkit_repository.take_snapshot(checkout, tmp_path).notice
    assert toolkit_repository.take_snapshot(checkout, tmp_path).commit != found.commit


def test_many_files_that_git_does_not_track_are_counted(checkout: Path, tmp_path: Path) -> None:
    for number in range(14):
        (checkout / f"n{number:02}").write_text("")

    assert "n09 and 4 more" in toolkit_repository.take_snapshot(checkout, tmp_path).notice


def test_a_checkout_without_a_commit_sends_what_was_added(tmp_path: Path) -> None:
    folder = repository(tmp_path / "new")
    (folder / "b").write_text("two")
    git(folder, "add", "a")

    found = toolkit_repository.take_snapshot(folder, tmp_path)

    assert ("", ("b",)) == (found.base, found.untracked)
    assert "a" == git(folder, "ls-tree", "--name-only", found.commit)


def test_a_bundle_is_its_owners_alone_and_goes_with_the_environment(checkout: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / toolkit_repository.BUNDLE).write_text("older, and open")
    (state / toolkit_repository.BUNDLE).chmod(0o644)
    archive = tmp_path / "archive"
    archive.mkdir()
    (archive / "a").write_text("one")

    toolkit_repository.take_snapshot(archive, state)
    found = toolkit_repository.take_snapshot(checkout, state)
    bundle = toolkit_repository.write_bundle(found, "main", state / toolkit_repository.BUNDLE)

    assert 0o600 == bundle.stat().st_mode & 0o777
    toolkit_repository.forget(state)
    assert [] == list(state.iterdir())
    toolkit_repository.forget(state)


def test_a_folder_without_a_repository_is_one_commit(tmp_path: Path) -> None:
    folder = tmp_path / "archive"
    folder.mkdir()
    (folder / "a").write_text("one")

    found = toolkit_repository.take_snapshot(folder, tmp_path / "scratch")

    assert ("", found.commit) == (found.base, found.label)
    assert not (folder / ".git").exists()


def test_a_folder_of_a_larger_repository_sends_only_what_that_one_tracks(checkout: Path, tmp_path: Path) -> None:
    folder = checkout / "ci"
    (folder / "jobs").mkdir(parents=True)
    for name in ("a", "jobs/b c", "ignored", "gone"):
        (folder / name).write_text("one")
    git(checkout, "add", "--force", "ci")
    git(checkout, "rm", "-q", "--cached", "ci/ignored")
    git(checkout, "commit", "-qm", "a project")
    head = git(checkout, "rev-parse", "HEAD")
    clean = toolkit_repository.take_snapshot(folder, tmp_path / "scratch")
    assert (head, ()) == (clean.label, clean.untracked)
    (folder / "key.pem").write_text("secret")
    (folder / "a").write_text("two")
    (folder / "gone").unlink()

    found = toolkit_repository.take_snapshot(folder, tmp_path / "scratch")

    bundle = toolkit_repository.write_bundle(found, "main", tmp_path / "it.bundle")
    git(tmp_path, "clone", "-q", "-b", "main", str(bundle), "clone")
    assert ["a", "jobs/b c"] == sorted(git(tmp_path / "clone", "ls-files").splitlines())
    assert "two" == (tmp_path / "clone" / "a").read_text()
    assert ("key.pem",) == found.untracked and "(git add -- key.pem)" in found.notice
    assert f"{head}-dirty" == found.label
    assert found == toolkit_repository.take_snapshot(folder, tmp_path / "scratch"), (
        "the same files give the same commit"
    )


def test_a_folder_of_which_a_larger_repository_tracks_nothing_is_refused(checkout: Path, tmp_path: Path) -> None:
    (checkout / "ci").mkdir()
    (checkout / "ci" / "key.pem").write_text("secret")

    with pytest.raises(Missing, match="tracks no file of it") as caught:
        toolkit_repository.take_snapshot(checkout / "ci", tmp_path / "scratch")

    assert f"git -C {checkout / 'ci'} add ." in caught.value.remedy


def test_a_folder_that_a_larger_repository_ignores_is_none_of_its_own(checkout: Path, tmp_path: Path) -> None:
    (checkout / "ignored").mkdir()
    (checkout / "ignored" / "a").write_text("one")

    found = toolkit_repository.take_snapshot(checkout / "ignored", tmp_path / "scratch")

    assert ("", found.commit) == (found.base, found.label)


def test_a_shallow_clone_can_be_bundled(checkout: Path, tmp_path: Path) -> None:
    (checkout / "a").write_text("two")
    git(checkout, "commit", "-qam", "second")
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{checkout}", "shallow")

    found = toolkit_repository.take_snapshot(tmp_path / "shallow", tmp_path)
    bundle = toolkit_repository.write_bundle(found, "main", tmp_path / "it.bundle")

    assert found.commit in git(tmp_path, "bundle", "list-heads", str(bundle))


@pytest.fixture
def toolkit(tmp_path: Path) -> Path:
    """A toolkit where the start script of a project puts it."""
    (tmp_path / "checkout" / ".toolkit").mkdir(parents=True)
    folder = repository(tmp_path / "checkout" / ".toolkit" / "v1")
    (folder / "bootstrap.py").write_text("the toolkit")
    (folder / "lib").mkdir()
    (folder / "lib" / "code").write_text("code")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "the toolkit")
    return folder


def compose(checkout: Path, scratch: Path) -> toolkit_repository.Snapshot:
    own = toolkit_repository.take_snapshot(checkout, scratch)
    return toolkit_repository.compose(own, checkout / ".toolkit" / "v1", ".toolkit/v1", scratch)


@pytest.mark.usefixtures("toolkit")
def test_a_project_goes_to_the_machine_with_its_toolkit(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    git(checkout.parent, "init", "-q", str(checkout))
    (checkout / "mine").write_text("one")
    (checkout / ".gitignore").write_text(".toolkit/\n")
    git(checkout, "add", ".")
    git(checkout, "commit", "-qm", "first")
    objects = git(checkout, "count-objects")
    scratch = tmp_path / "scratch"

    first, second = compose(checkout, scratch), compose(checkout, scratch)

    assert first.commit == second.commit, "the same files give the same commit"
    assert git(checkout, "rev-parse", "HEAD") == first.label, "resources are tagged with the project's own commit"
    assert objects == git(checkout, "count-objects"), "the project's repository is not written"
    bundle = toolkit_repository.write_bundle(first, "main", tmp_path / "bundle")
    git(tmp_path, "clone", "-q", "-b", "main", str(bundle), "machine")
    machine = tmp_path / "machine"
    toolkit_files = [f".toolkit/v1/{name}" for name in ("a", "bootstrap.py", "lib/code")]
    assert [".gitignore", *toolkit_files, "mine"] == git(machine, "ls-files").splitlines()
    there = compose(machine, tmp_path / "elsewhere")
    assert (first.commit, first.label) == (there.commit, there.label), "on the machine, it is the same commit"
