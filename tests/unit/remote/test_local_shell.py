"""The shell where the tool runs on the machine itself: the same promises."""

import os
import stat
import time
from pathlib import Path

import pytest

from bootstrap.errors import CommandFailed
from bootstrap.remote.local_shell import LocalShell
from bootstrap.values import Shell


@pytest.fixture
def shell() -> Shell:
    return LocalShell()


def test_arguments_and_input_arrive_as_they_are(shell: Shell) -> None:
    assert "a b|$HOME|" == shell.run(["printf", "%s|", "a b", "$HOME"]).stdout
    assert "input" == shell.run(["cat"], stdin=b"input").stdout


def test_a_failing_command_is_an_error_unless_told_otherwise(shell: Shell) -> None:
    assert 3 == shell.run(["sh", "-c", "exit 3"], check=False).exit_code
    with pytest.raises(CommandFailed, match="exited with 3"):
        shell.run(["sh", "-c", "exit 3"])


def test_a_program_that_is_not_there_is_a_failing_command(shell: Shell) -> None:
    with pytest.raises(CommandFailed, match="exited with 127"):
        shell.run(["no-such-program"])


def test_a_command_that_takes_too_long_is_given_up(shell: Shell) -> None:
    with pytest.raises(CommandFailed) as caught:
        shell.run(["sleep", "30"], check=False, timeout=0.1)
    assert 124 == caught.value.result.exit_code


def test_root_needs_no_sudo_and_others_ask_without_a_password(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "sudo").write_text('#!/bin/sh\necho "asked: $*"\n')
    (tmp_path / "sudo").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "me\n" == shell.run(["echo", "me"], sudo=True).stdout
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "asked: -n -- echo me\n" == shell.run(["echo", "me"], sudo=True).stdout


def test_a_file_is_put_whole_with_its_mode(shell: Shell, tmp_path: Path) -> None:
    shell.put(b"content", str(tmp_path / "it"), 0o640)
    assert ("content", 0o640) == ((tmp_path / "it").read_text(), stat.S_IMODE((tmp_path / "it").stat().st_mode))
    assert ["it"] == [path.name for path in tmp_path.iterdir()]


def test_the_machines_loopback_is_this_one(shell: Shell) -> None:
    with shell.forward(8080) as port:
        assert 8080 == port
    shell.close()


def test_each_line_is_heard_as_it_comes_and_the_output_is_whole(shell: Shell) -> None:
    heard: list[tuple[str, float]] = []
    script = "echo one; sleep 1; echo two; printf three"
    done = shell.run(["sh", "-c", script], hear=lambda line: heard.append((line, time.monotonic())))
    assert ["one", "two"] == [line for line, _ in heard]
    assert heard[1][1] - heard[0][1] > 0.5
    assert "one\ntwo\nthree" == done.stdout


def test_a_command_that_reads_nothing_and_says_much_on_both_ways_blocks_nothing(shell: Shell) -> None:
    script = "head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero"
    done = shell.run(["sh", "-c", script], stdin=b"x" * 3_000_000)
    assert (3_000_000, 3_000_000) == (len(done.stdout), len(done.stderr))
