"""What a build plants below folders that root writes in: links at every level, swaps in the middle of a walk, second names."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bootstrap.remote.converge import files, main, open_directories
from bootstrap.remote.converge.core import ARTIFACTS, Context, Failed, Finding
from bootstrap.remote.converge.file_tree import tree
from bootstrap.remote.files import inspect_machine

HOME = "/var/lib/jenkins"
PLUGINS = f"{HOME}/plugins"
LEVELS = ("var", "var/lib", "var/lib/jenkins", "var/lib/jenkins/plugins", "var/lib/jenkins/plugins/a")
Look = Callable[[Context], Finding | None]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A machine's root, beside which `elsewhere` holds what nobody may touch."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "a").mkdir(parents=True)
    for name in ("git.jpi", "it", "a/b.jpi"):
        (elsewhere / name).write_text("theirs")
        (elsewhere / name).chmod(0o600)
    root = tmp_path / "root"
    (root / PLUGINS.lstrip("/") / "a").mkdir(parents=True)
    (root / PLUGINS.lstrip("/") / "a/b.jpi").write_text("old")
    return root


def all_of(folder: Path) -> dict[str, tuple[int, str]]:
    """Names, modes and contents."""
    return {
        str(path.relative_to(folder)): (stat.S_IMODE(path.lstat().st_mode), path.read_text() if path.is_file() else "")
        for path in sorted(folder.rglob("*"))
    }


def plugins(**properties: Any) -> dict[str, Any]:
    wished = [{"path": "a/b.jpi", "content": "ours"}, {"path": "git.jpi", "content": "ours"}]
    return {"id": "plugins", "path": PLUGINS, "files": wished, "unlisted": ["*.jpi"], "mode": "0666", **properties}


LOOKS: dict[str, Look] = {
    "tree": lambda context: tree(context, plugins()),
    "once": lambda context: tree(context, plugins(path=f"{PLUGINS}/a/it", once=True)),
    "file": lambda context: files.file(context, {"id": "f", "path": f"{PLUGINS}/a/it", "content": "ours"}),
    "directory": lambda context: files.directory(context, {"id": "d", "path": f"{PLUGINS}/a", "mode": "0777"}),
    "symlink": lambda context: files.symlink(context, {"id": "s", "path": f"{PLUGINS}/a/it", "target": "/etc"}),
    "absent": lambda context: files.absent(context, {"id": "n", "path": f"{PLUGINS}/a/b.jpi", "recursive": True}),
}


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", LOOKS)
def test_a_link_at_any_level_is_refused_and_what_it_leads_to_stays(machine: Path, kind: str, level: str) -> None:
    elsewhere = machine.parent / "elsewhere"
    planted = machine / level
    below = machine.parent / "moved"
    planted.rename(below)
    planted.symlink_to(below)
    (below / "git.jpi").write_text("theirs")
    before = all_of(elsewhere), all_of(below)
    with pytest.raises(Failed, match=f"{planted} is a link, which is not followed"):
        _look_and_act(LOOKS[kind], Context(root=machine))
    assert (all_of(elsewhere), all_of(below)) == before


def _look_and_act(look: Look, context: Context) -> None:
    finding = look(context)
    if finding:
        finding.act()


def test_a_dangling_link_makes_nothing_where_it_leads(machine: Path) -> None:
    (machine / PLUGINS.lstrip("/")).rename(machine.parent / "moved")
    (machine / PLUGINS.lstrip("/")).symlink_to(machine.parent / "made")
    with pytest.raises(Failed, match="is a link"):
        _look_and_act(LOOKS["tree"], Context(root=machine))
    assert not (machine.parent / "made").exists()


@pytest.mark.parametrize("is_late", [False, True], ids=["before it is opened", "after it is opened"])
@pytest.mark.parametrize("level", LEVELS[2:])
@pytest.mark.parametrize("kind", LOOKS)
def test_a_folder_swapped_for_a_link_during_the_walk_leads_nowhere(
    machine: Path, monkeypatch: pytest.MonkeyPatch, kind: str, level: str, is_late: bool
) -> None:
    """The swap happens in the act: the look has found every folder as it should be."""
    elsewhere = machine.parent / "elsewhere"
    finding = LOOKS[kind](Context(root=machine))
    assert finding is not None
    victim, before = machine / level, all_of(elsewhere)
    really, done = os.open, []

    def swap(name: Any, *options: Any, **named: Any) -> int:
        is_it = not done and str(name) == victim.name
        if is_it and not is_late:
            _swap(victim, elsewhere, done)
        descriptor = really(name, *options, **named)
        if is_it and is_late:
            _swap(victim, elsewhere, done)
        return descriptor

    monkeypatch.setattr(open_directories.os, "open", swap)
    with contextlib.suppress(Failed, OSError):  # refused, or done in the folder that was moved away: elsewhere stays
        finding.act()
    monkeypatch.undo()
    assert all_of(elsewhere) == before
    assert done


def _swap(victim: Path, elsewhere: Path, done: list[Any]) -> None:
    done.append(victim)
    victim.rename(victim.parent / "moved")
    victim.symlink_to(elsewhere)


def _seen_with_another_mode(machine: Path) -> tuple[Path, Path, Finding]:
    """A file of ours that was looked at, another one elsewhere, and what the look would do: give ours its mode."""
    path = machine / PLUGINS.lstrip("/") / "it"
    path.write_text("ours")
    path.chmod(0o600)
    finding = files.file(Context(root=machine), {"id": "f", "path": f"{PLUGINS}/it", "content": "ours"})
    assert finding is not None and "mode 0600 -> 0644" == finding.detail
    return path, machine.parent / "elsewhere" / "it", finding


def test_a_file_swapped_for_a_link_after_the_look_keeps_its_targets_mode(machine: Path) -> None:
    path, target, finding = _seen_with_another_mode(machine)
    path.unlink()
    path.symlink_to(target)
    with pytest.raises(Failed, match="is not a file any more"):
        finding.act()
    assert (0o600, "theirs") == (stat.S_IMODE(target.stat().st_mode), target.read_text())


def test_a_second_name_of_another_file_is_replaced_and_the_other_file_keeps_mode_and_owner(machine: Path) -> None:
    target = machine.parent / "elsewhere" / "it"
    target.write_text("ours")
    for name in ("git.jpi", "a/b.jpi"):
        place = machine / PLUGINS.lstrip("/") / name
        place.unlink(missing_ok=True)
        os.link(target, place)
    context = Context(root=machine)
    _look_and_act(LOOKS["tree"], context)
    path = machine / PLUGINS.lstrip("/") / "it"
    os.link(target, path)
    finding = files.file(context, {"id": "f", "path": f"{PLUGINS}/it", "content": "ours"})
    assert finding is not None and finding.detail.startswith("has a second name")
    finding.act()
    assert (0o600, 1) == (stat.S_IMODE(target.stat().st_mode), target.stat().st_nlink)
    assert tree(context, plugins(files=[*plugins()["files"], {"path": "it", "content": "ours"}])) is None


def test_a_second_name_given_between_look_and_act_is_refused(machine: Path) -> None:
    path, target, finding = _seen_with_another_mode(machine)
    path.unlink()
    os.link(target, path)
    with pytest.raises(Failed, match="has a second name now"):
        finding.act()
    assert 0o600 == stat.S_IMODE(target.stat().st_mode)


def test_a_pipe_in_a_files_place_holds_nobody_up_and_is_replaced(machine: Path) -> None:
    path = machine / PLUGINS.lstrip("/") / "git.jpi"
    os.mkfifo(path)
    context = Context(root=machine)
    _look_and_act(LOOKS["tree"], context)
    assert path.is_file() and tree(context, plugins()) is None


def test_a_stranger_whose_folder_became_a_link_is_not_removed_elsewhere(machine: Path) -> None:
    folder = machine / PLUGINS.lstrip("/") / "a"
    (folder / "b.jpi").rename(folder / "git.jpi")
    context = Context(root=machine)
    finding = tree(context, plugins(files=[]))
    assert finding is not None and "1 unknown files removed" in finding.detail
    folder.rename(machine.parent / "moved")
    folder.symlink_to(machine.parent / "elsewhere")
    with pytest.raises(Failed, match="is a link"):
        finding.act()
    assert (machine.parent / "elsewhere" / "git.jpi").exists()


def test_byte_code_that_is_a_link_is_neither_followed_nor_removed(machine: Path) -> None:
    folder = machine / PLUGINS.lstrip("/") / "a"
    (folder / "__pycache__").symlink_to(machine.parent / "elsewhere")
    _look_and_act(lambda context: tree(context, plugins(files=[])), Context(root=machine))
    assert ["__pycache__"] == [path.name for path in folder.iterdir()]
    assert (machine.parent / "elsewhere" / "it").exists()


@pytest.mark.parametrize("name", ["../it", "a/../../it", ".."])
def test_a_name_that_leads_upwards_is_refused(machine: Path, name: str) -> None:
    with pytest.raises(Failed, match="is not a name in a directory"):
        _look_and_act(
            lambda context: tree(context, plugins(files=[{"path": name, "content": ""}])), Context(root=machine)
        )


def test_an_artifact_in_a_planted_folder_is_not_sent_there(machine: Path) -> None:
    context = Context(root=machine)
    digest = hashlib.sha256(b"war").hexdigest()
    context.path(ARTIFACTS).mkdir(parents=True)
    context.artifact(digest).write_bytes(b"war")
    (machine / "usr").symlink_to(machine.parent / "elsewhere")
    with pytest.raises(Failed, match="is a link"):
        _look_and_act(lambda it: files.file(it, {"id": "war", "path": "/usr/jenkins.war", "sha256": digest}), context)
    assert not (machine.parent / "elsewhere" / "jenkins.war").exists()


def test_the_lock_of_a_converge_is_roots_alone_and_no_link_is_followed(machine: Path) -> None:
    context = Context(root=machine)
    lock = machine / "run/bootstrap/converge.lock"
    with main._hold_lock(context, {}):
        assert 0o600 == stat.S_IMODE(lock.stat().st_mode)
    lock.unlink()
    lock.symlink_to(machine.parent / "made")
    with pytest.raises(OSError), main._hold_lock(context, {}):
        pass
    assert not (machine.parent / "made").exists()


def test_the_machine_tells_nothing_of_what_a_link_leads_to_and_waits_for_no_pipe(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("text")
    secret.chmod(0o644)
    (tmp_path / "link").symlink_to(secret)
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "pipe").chmod(0o644)
    told = inspect_machine.read_files({"paths": [str(tmp_path / name) for name in ("secret", "link", "pipe", "none")]})
    kinds = [each and (each["kind"], "sha256" in each) for each in told.values()]
    assert [("file", True), ("link", False), ("file", False), None] == kinds


def test_what_is_hashed_is_what_was_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of everybody's is swapped for a secret between the two."""
    public, secret = tmp_path / "public", tmp_path / "secret"
    public.write_text("public")
    public.chmod(0o644)
    secret.write_text("secret")
    really = os.fstat

    def swap(descriptor: int) -> os.stat_result:
        status = really(descriptor)
        secret.replace(public)
        monkeypatch.undo()
        return status

    monkeypatch.setattr(inspect_machine.os, "fstat", swap)
    facts = inspect_machine.read_file(str(public))
    assert facts is not None and hashlib.sha256(b"public").hexdigest() == facts["sha256"]
