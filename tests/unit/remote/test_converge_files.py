"""Files, directories, links and trees, against a folder that stands for the machine's root."""

import hashlib
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from bootstrap.remote.converge import files
from bootstrap.remote.converge.core import ARTIFACTS, Context, Failed, Finding
from bootstrap.remote.converge.file_tree import tree

PASSES = [sys.executable, "-c", "import sys; sys.exit('bad' in open(sys.argv[1]).read())", "%s"]


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(root=tmp_path)


def resource(**properties: Any) -> dict[str, Any]:
    return {"id": "it", "path": "/etc/it", **properties}


def found(finding: Finding | None) -> Finding:
    assert finding is not None
    return finding


def mode_of(path: Path) -> str:
    return f"{stat.S_IMODE(path.stat().st_mode):04o}"


def store(context: Context, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    context.path(ARTIFACTS).mkdir(parents=True, exist_ok=True)
    context.artifact(digest).write_bytes(content)
    return digest


def test_a_look_at_a_missing_file_writes_nothing(context: Context) -> None:
    finding = found(files.file(context, resource(content="a\n")))
    assert ("add", "mode 0644") == (finding.kind, finding.detail)
    assert [] == list(context.root.rglob("*"))


def test_a_written_file_holds_content_and_mode_and_is_found_in_order(context: Context) -> None:
    it = resource(content="a\n", mode="0640")
    found(files.file(context, it)).act()
    path = context.path("/etc/it")
    assert ("a\n", "0640") == (path.read_text(), mode_of(path))
    assert files.file(context, it) is None
    assert [path] == list(path.parent.iterdir())


def test_a_differing_file_says_how_many_lines_differ(context: Context) -> None:
    found(files.file(context, resource(content="a\nb\n"))).act()
    assert "content differs (+2 -1 lines)" == found(files.file(context, resource(content="a\nc\nd\n"))).detail


def test_a_differing_secret_says_nothing_of_its_content(context: Context) -> None:
    found(files.file(context, resource(content="a\nb\n", secret=True))).act()
    assert "content differs" == found(files.file(context, resource(content="c\n", secret=True))).detail


def test_a_wrong_mode_alone_leaves_the_file_in_place(context: Context) -> None:
    found(files.file(context, resource(content="a\n"))).act()
    inode = context.path("/etc/it").stat().st_ino
    finding = found(files.file(context, resource(content="a\n", mode="0600")))
    assert "mode 0644 -> 0600" == finding.detail
    finding.act()
    assert (inode, "0600") == (context.path("/etc/it").stat().st_ino, mode_of(context.path("/etc/it")))


def test_a_file_replaces_a_link_and_leaves_its_target_alone(context: Context) -> None:
    target = context.root / "target"
    target.write_text("kept")
    context.path("/etc").mkdir()
    context.path("/etc/it").symlink_to(target)
    found(files.file(context, resource(content="a\n"))).act()
    assert ("a\n", "kept", False) == (
        context.path("/etc/it").read_text(),
        target.read_text(),
        context.path("/etc/it").is_symlink(),
    )


def test_a_file_never_replaces_a_directory(context: Context) -> None:
    context.path("/etc/it").mkdir(parents=True)
    with pytest.raises(Failed, match="is a directory"):
        found(files.file(context, resource(content="a\n"))).act()


def test_a_refused_content_never_reaches_its_place(context: Context) -> None:
    found(files.file(context, resource(content="good\n", validate=PASSES))).act()
    with pytest.raises(Failed) as caught:
        found(files.file(context, resource(content="bad\n", validate=PASSES))).act()
    assert 1 == caught.value.exit_code
    assert ["good\n"] == [path.read_text() for path in context.path("/etc").iterdir()]


def test_a_content_refused_in_its_place_gives_way_to_the_old_one(context: Context) -> None:
    path = context.path("/etc/it")
    in_place = [sys.executable, "-c", f"import sys; sys.exit('bad' in open({str(path)!r}).read())"]
    found(files.file(context, resource(content="good\n", validate=in_place))).act()
    with pytest.raises(Failed):
        found(files.file(context, resource(content="bad\n", validate=in_place))).act()
    assert ["good\n"] == [each.read_text() for each in path.parent.iterdir()]


def test_a_first_content_refused_in_its_place_leaves_nothing(context: Context) -> None:
    with pytest.raises(Failed):
        found(
            files.file(context, resource(content="bad\n", validate=[sys.executable, "-c", "raise SystemExit(1)"]))
        ).act()
    assert [] == list(context.path("/etc").iterdir())


def test_the_output_of_a_validator_of_a_secret_is_not_told(context: Context) -> None:
    shows = [sys.executable, "-c", "import sys; sys.exit(open(sys.argv[1]).read())", "%s"]
    with pytest.raises(Failed) as caught:
        found(files.file(context, resource(content="hush", secret=True, validate=shows))).act()
    assert "" == caught.value.tail


def test_an_owner_that_does_not_exist_is_a_difference_to_the_look_and_a_failure_to_the_act(context: Context) -> None:
    context.path("/etc").mkdir()
    context.path("/etc/it").write_text("a\n")
    finding = found(files.file(context, resource(content="a\n", owner="no-such-user")))
    assert "owner" in finding.detail
    with pytest.raises(Failed, match="no such user"):
        finding.act()


def test_a_missing_artifact_is_asked_for_and_an_installed_one_is_not(context: Context) -> None:
    digest = hashlib.sha256(b"war").hexdigest()
    it = resource(sha256=digest)
    assert (digest,) == found(files.file(context, it)).missing
    store(context, b"war")
    found(files.file(context, it)).act()
    context.artifact(digest).unlink()
    assert files.file(context, it) is None


def test_a_damaged_artifact_is_dropped_so_that_the_next_run_asks_for_it_again(context: Context) -> None:
    digest = store(context, b"war")
    context.artifact(digest).write_bytes(b"wa")
    with pytest.raises(Failed, match="damaged"):
        found(files.file(context, resource(sha256=digest))).act()
    assert (digest,) == context.missing(digest)


def test_a_big_file_is_hashed_once_until_it_changes(context: Context) -> None:
    path = context.root / "big"
    path.write_bytes(b"a" * (1 << 20))
    with path.open("rb") as stream:
        first = context.digest(path, stream)
    context.store_digests()
    later = Context(root=context.root)
    later._read_stored_digests()[str(path)][4] = "remembered"
    with path.open("rb") as stream:
        assert "remembered" == later.digest(path, stream)
    os.utime(path, ns=(1, 1))
    with path.open("rb") as stream:
        assert first == later.digest(path, stream)


def test_a_directory_is_made_and_its_mode_is_kept(context: Context) -> None:
    it = resource(mode="0750")
    found(files.directory(context, it)).act()
    assert ("0750", None) == (mode_of(context.path("/etc/it")), files.directory(context, it))
    context.path("/etc/it").chmod(0o777)
    assert "mode 0777 -> 0750" == found(files.directory(context, it)).detail


def test_a_file_in_a_directorys_place_is_refused(context: Context) -> None:
    context.path("/etc").mkdir()
    context.path("/etc/it").write_text("")
    with pytest.raises(Failed, match="no directory"):
        files.directory(context, resource())


def test_a_link_is_turned_to_its_new_target(context: Context) -> None:
    found(files.symlink(context, resource(target="/old"))).act()
    finding = found(files.symlink(context, resource(target="/new")))
    finding.act()
    assert ("alter", "/new") == (finding.kind, str(context.path("/etc/it").readlink()))
    assert files.symlink(context, resource(target="/new")) is None


def test_what_must_be_absent_goes_even_as_a_dangling_link(context: Context) -> None:
    context.path("/etc").mkdir()
    context.path("/etc/it").symlink_to("/nowhere")
    found(files.absent(context, resource())).act()
    assert files.absent(context, resource()) is None


def test_a_full_directory_is_removed_only_when_told_so(context: Context) -> None:
    context.path("/etc/it/inner").mkdir(parents=True)
    with pytest.raises(OSError, match="not empty"):
        found(files.absent(context, resource())).act()
    found(files.absent(context, resource(recursive=True))).act()
    assert not context.path("/etc/it").exists()


def test_a_tree_writes_what_differs_and_removes_unlisted_files(context: Context) -> None:
    it = resource(files=[{"path": "a/b", "content": "b"}, {"path": "c", "content": "c"}])
    found(tree(context, it)).act()
    assert tree(context, it) is None
    context.path("/etc/it/c").write_text("other")
    (context.path("/etc/it") / "x" / "y").mkdir(parents=True)
    context.path("/etc/it/x/y/stranger").write_text("")
    finding = found(tree(context, it))
    assert "1 of 2 files, 1 unknown files removed" == finding.detail
    finding.act()
    assert ["a", "c"] == sorted(path.name for path in context.path("/etc/it").iterdir())
    assert tree(context, it) is None


def test_python_byte_code_is_no_stranger_and_goes_with_its_folder(context: Context) -> None:
    old = resource(files=[{"path": "a/b.py", "content": ""}, {"path": "c", "content": ""}])
    found(tree(context, old)).act()
    context.path("/etc/it/a/__pycache__").mkdir()
    context.path("/etc/it/a/__pycache__/b.pyc").write_text("")
    assert tree(context, old) is None
    found(tree(context, resource(files=[{"path": "c", "content": ""}]))).act()
    assert not context.path("/etc/it/a").exists()


def test_a_trees_unlisted_files_are_only_those_of_its_patterns(context: Context) -> None:
    it = resource(files=[{"path": "git.jpi", "content": "g"}], unlisted=["*.jpi"])
    found(tree(context, it)).act()
    context.path("/etc/it/old.jpi").write_text("")
    context.path("/etc/it/git").mkdir()
    context.path("/etc/it/git/unpacked").write_text("")
    found(tree(context, it)).act()
    assert ["git", "git.jpi"] == sorted(path.name for path in context.path("/etc/it").iterdir())


def test_a_tree_that_is_laid_down_once_is_never_touched_again(context: Context) -> None:
    it = resource(once=True, files=[{"path": "a.yaml", "content": "a"}], directory_mode="0750")
    context.path("/etc/it").mkdir(parents=True)
    found(tree(context, it)).act()
    assert ("a", "0750") == (context.path("/etc/it/a.yaml").read_text(), mode_of(context.path("/etc/it")))
    context.path("/etc/it/a.yaml").write_text("somebody else's")
    assert tree(context, it) is None
    assert ["it"] == [path.name for path in context.path("/etc").iterdir()]
