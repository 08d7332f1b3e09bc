"""The two files that `jenkins lock` writes: together or not at all, and made good where a hand or a kill left them."""

import os
import re
import stat
import types
from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import load_lock, lock_files, needs
from tests.unit.jenkins.distribution.relocking import Project, check


def test_both_files_keep_their_modes_and_leave_nothing_behind(project: Project) -> None:
    project.lock_file.chmod(0o640)

    project.run()

    assert 0o640 == stat.S_IMODE(project.lock_file.stat().st_mode)
    assert [] == list(project.folder.glob(".jenkins*"))


@pytest.mark.parametrize("name", ["jenkins.lock.yaml", "jenkins.needs.yaml"])
def test_a_read_only_file_is_refused_before_anything_is_asked(project: Project, name: str) -> None:
    before = {path.name: path.read_text() for path in project.folder.glob("jenkins.*")}
    (project.folder / name).chmod(0o444)

    with pytest.raises(DistributionFailed, match=f"writing {name}: .*{name} is read-only .mode 0444"):
        project.run()

    assert before == {path.name: path.read_text() for path in project.folder.glob("jenkins.*")}
    assert [] == list(project.folder.glob(".jenkins*"))


def test_a_file_that_cannot_be_written_is_told_and_what_a_killed_command_left_goes(tmp_path: Path) -> None:
    link, target = tmp_path / "link.yaml", tmp_path / "target.yaml"
    target.write_text("a: 1\n")
    link.symlink_to(target)
    stale, fresh = tmp_path / ".target.yaml.aaaaaaaa", tmp_path / ".target.yaml.bbbbbbbb"
    stale.touch()
    fresh.touch()
    os.utime(stale, (0, 0))
    document = lock_files.read(link)
    document["a"] = 2

    lock_files.write({link: document})

    assert (True, "a: 2\n") == (link.is_symlink(), target.read_text())
    assert {link, target, fresh} == set(tmp_path.iterdir())
    with pytest.raises(DistributionFailed, match="No such file or directory"):
        lock_files.write({tmp_path / "nothing" / "lock.yaml": document})


def test_neither_file_changes_if_one_cannot_be_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    real = lock_files.os.fsync
    calls: list[int] = []

    def fsync(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        real(handle)

    before = project.texts()
    monkeypatch.setattr(lock_files, "os", types.SimpleNamespace(fdopen=lock_files.os.fdopen, fsync=fsync))
    with pytest.raises(DistributionFailed, match="No space left"):
        project.run()

    assert before == project.texts()
    assert [] == list(project.folder.glob(".jenkins*"))


def test_a_row_that_was_written_by_hand_is_corrected(project: Project) -> None:
    project.run()
    text = project.needs_file.read_text()
    project.needs_file.write_text(text.replace('    api: "1.0"\n', '    api: "0.5"\n'))
    project.output()

    assert 0 == project.run()

    assert "~ jenkins.needs.yaml  the rows of bee\n" in project.output()
    assert text == project.needs_file.read_text()


def drop_row(project: Project, name: str) -> None:
    document = lock_files.read(project.needs_file)
    lock_files.remove(document, name)
    lock_files.write({project.needs_file: document})


def test_a_row_that_is_missing_is_written(project: Project) -> None:
    project.run()
    drop_row(project, "mole")
    project.output()

    assert 2 == project.run("--check")
    assert 0 == project.run()

    assert "~ jenkins.needs.yaml  the rows of mole\n" in project.output()
    check(project)


def test_a_row_about_another_version_is_corrected(project: Project) -> None:
    """A merge took one of the two files alone."""
    project.run()
    lock_files.record_needs(project.needs_file, {"mole": needs.Needs("0.9", "2.541.1", {})})
    project.output()

    assert 2 == project.run("--check")
    assert 0 == project.run()

    assert "~ jenkins.needs.yaml  the rows of mole\n" in project.output()
    check(project)


def test_the_row_of_a_plugin_that_somebody_deleted_is_removed(project: Project) -> None:
    project.run()
    text = project.lock_file.read_text().replace("  # used by nobody\n  - yak\n", "")
    project.lock_file.write_text(re.sub("  yak: .*\n", "", text))
    assert "remove the row" in str(
        *needs.find_faults(load_lock(project.lock_file), needs.load_table(project.needs_file))
    )
    project.output()

    assert 2 == project.run("--check")
    assert 0 == project.run()

    assert "- jenkins.needs.yaml  the rows of yak\n" in project.output()
    assert "yak" not in project.needs_file.read_text()
    check(project)


@pytest.mark.parametrize("arguments", [["--upgrade", "bee"], ["--add", "cow"], ["--remove", "bee"]])
def test_a_kill_between_the_two_files_is_repaired_by_the_next_run(
    project: Project, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    project.run()
    project.center.publish("bee", "2.0", "honey:1")
    project.center.publish("honey", "1")
    project.center.publish("cow", "1.0", "honey:1")
    real, replaced = Path.replace, list[Path]()

    def replace(path: Path, target: Path) -> None:
        if replaced:
            raise KeyboardInterrupt
        replaced.append(target)
        real(path, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "replace", replace)
        project.run(*arguments)
    assert [project.needs_file] == replaced

    assert 0 == project.run()

    check(project)


@pytest.mark.parametrize("name", ["jenkins.lock.yaml", "jenkins.needs.yaml"])
def test_an_edit_while_the_command_downloads_is_not_lost(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    real, path = project.center.mirror.answer, project.folder / name

    def answer(request: Any) -> None:
        if request.path.endswith("jenkins.war"):
            path.write_text(path.read_text() + "# an edit\n")
        real(request)

    monkeypatch.setattr(project.center.mirror, "answer", answer)
    with pytest.raises(DistributionFailed) as raised:
        project.run("--remove", "bee")

    assert f"{name} changed while this command worked" == raised.value.found
    assert path.read_text().endswith("# an edit\n")
    assert "  - bee\n" in project.lock_file.read_text()
    assert [] == list(project.folder.glob(".jenkins*"))
    assert 0 == project.run("--remove", "bee")
    assert path.read_text().endswith("# an edit\n")


def test_a_lock_with_the_line_ends_of_windows_is_written(project: Project) -> None:
    project.lock_file.write_bytes(project.lock_file.read_bytes().replace(b"\n", b"\r\n"))

    assert 0 == project.run()

    check(project)
