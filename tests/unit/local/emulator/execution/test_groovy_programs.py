"""How the Groovy programs are started, without Java: what a start is made of."""

from __future__ import annotations

from pathlib import Path

from bootstrap.local.emulator.execution.groovy_programs import GroovyProgram


def test_the_archive_is_used_only_where_it_is_there(tmp_path: Path) -> None:
    archive = tmp_path / "classes.jsa"
    program = GroovyProgram(["/usr/bin/java", "-cp", "x"], "Runner", {}, [], archive)
    assert program.command == ["/usr/bin/java", "-cp", "x", "Runner"]
    assert program.make_recording_command(archive)[1] == f"-XX:ArchiveClassesAtExit={archive}"
    archive.touch()
    assert program.command == ["/usr/bin/java", f"-XX:SharedArchiveFile={archive}", "-cp", "x", "Runner"]
