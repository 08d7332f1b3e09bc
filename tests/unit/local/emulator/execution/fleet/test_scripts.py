"""Scripts that outlive the agent's program: output, exit code, standard output, and their end."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from bootstrap.local.emulator.execution.agent import scripts

PATH = {"PATH": "/usr/bin:/bin"}


def follow(control: Path, offset: int = 0) -> bytes:
    async def read() -> bytes:
        return b"".join([piece async for piece in scripts.read_output(str(control), offset)])

    return asyncio.run(read())


def start(control: Path, script: str, *, capture: bool = False, directory: str = "/") -> None:
    control.mkdir(exist_ok=True)
    scripts.start_script(str(control), ["sh", "-c", script], directory, PATH, capture)


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137), ("no-such-program", 127)]
)
def test_the_exit_code_is_that_of_the_script(tmp_path: Path, script: str, code: int) -> None:
    start(tmp_path / "c", script)
    follow(tmp_path / "c")

    assert code == scripts.read_end(str(tmp_path / "c"))[0]


def test_output_is_read_from_any_byte_on_and_standard_output_apart(tmp_path: Path) -> None:
    start(tmp_path / "c", "printf 'abc\\n'; sleep 0.2; printf 'def' >&2")
    assert b"bc\ndef" == follow(tmp_path / "c", 1)
    start(tmp_path / "d", "echo value; echo shown >&2", capture=True)
    assert b"shown\n" == follow(tmp_path / "d")
    assert (0, "value\n") == scripts.read_end(str(tmp_path / "d"))


def test_a_script_is_ended_with_its_children_and_keeps_its_code(tmp_path: Path) -> None:
    control = tmp_path / "c"
    start(control, "echo $$; sleep 4322 & sleep 4322")
    while not (control / scripts.LOG).exists() or not (control / scripts.LOG).read_text():
        time.sleep(0.02)
    scripts.stop_script(str(control))
    follow(control)

    assert 143 == scripts.read_end(str(control))[0]
    assert 0 == os.system("! pgrep -f '^sleep 4322$' >/dev/null")


def test_a_script_whose_machine_went_down_has_no_code(tmp_path: Path) -> None:
    control = tmp_path / "c"
    start(control, "echo begun; sleep 30")
    os.killpg(int((control / scripts.PROCESS).read_text()), signal.SIGKILL)

    assert follow(control) in {b"", b"begun\n"}
    assert (scripts.LOST, "") == scripts.read_end(str(control))


def test_a_script_has_its_environment_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    start(tmp_path / "c", "exec env", directory=str(tmp_path / "work"))

    lines = set(follow(tmp_path / "c").decode().splitlines())
    assert {"PATH=/usr/bin:/bin", f"PWD={tmp_path}/work"} == {
        line for line in lines if not line.startswith(("_=", "SHLVL="))
    }
