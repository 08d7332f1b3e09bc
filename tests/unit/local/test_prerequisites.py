"""What this machine must have: announced, installed once, or explained."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from bootstrap.errors import Missing
from bootstrap.local import prerequisites
from tests.recorder import Recorder


class AMachine:
    """A machine with some programs; its apt installs what it is asked for, or fails."""

    def __init__(self, programs: set[str], uid: int = 0, apt_says: tuple[int, str] = (0, "")) -> None:
        self.programs = programs
        self.uid = uid
        self.apt_says = apt_says
        self.ran: list[list[str]] = []

    def which(self, program: str, path: str | None = None) -> str | None:
        return f"/usr/bin/{program}" if program in self.programs else None

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.ran.append(list(command))
        return subprocess.CompletedProcess(command, self.apt_says[0], "", self.apt_says[1])


WHOLE = {*prerequisites.PACKAGES, "apt-get"}


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Callable[[AMachine], AMachine]:
    def place(machine: AMachine) -> AMachine:
        monkeypatch.setattr(prerequisites.shutil, "which", machine.which)
        monkeypatch.setattr(prerequisites.subprocess, "run", machine.run)
        monkeypatch.setattr(prerequisites.os, "geteuid", lambda: machine.uid)
        monkeypatch.setattr(prerequisites.os.path, "exists", lambda _: True)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        return machine

    return place


def test_a_machine_with_everything_is_left_alone(on: Callable[[AMachine], AMachine]) -> None:
    machine, told = on(AMachine(WHOLE)), Recorder()

    prerequisites.ensure(told, is_agreed=False)

    assert ([], []) == (machine.ran, told.notices)


def test_what_is_missing_is_announced_then_installed(on: Callable[[AMachine], AMachine]) -> None:
    machine, told = on(AMachine(WHOLE - {"podman", "iptables"})), Recorder()

    prerequisites.ensure(told, is_agreed=True)

    assert "podman, iptables" in told.notices[0]
    assert ["podman", "iptables"] == machine.ran[-1][-2:]


def test_the_tests_need_more(on: Callable[[AMachine], AMachine]) -> None:
    machine = on(AMachine(WHOLE))

    prerequisites.ensure(Recorder(), is_agreed=True, for_tests=True)

    more = ["groovy", "default-jre-headless", "e2fsprogs", "chromium", "poppler-utils"]
    assert more == machine.ran[-1][-5:]


def test_without_root_the_command_to_run_is_told(on: Callable[[AMachine], AMachine]) -> None:
    machine = on(AMachine(WHOLE - {"podman"}, uid=1000))

    with pytest.raises(Missing) as caught:
        prerequisites.ensure(Recorder(), is_agreed=True)

    assert "apt-get install -y podman" in caught.value.remedy
    assert [] == machine.ran


def test_a_no_on_the_terminal_installs_nothing(on: Callable[[AMachine], AMachine]) -> None:
    machine = on(AMachine(WHOLE - {"podman"}))

    with pytest.raises(Missing, match="preparing"):
        prerequisites.ensure(Recorder(), is_agreed=False, ask=lambda _: False)

    assert [] == machine.ran


def test_apts_own_words_are_in_the_failure(on: Callable[[AMachine], AMachine]) -> None:
    on(AMachine(WHOLE - {"podman"}, apt_says=(100, "E: Unable to locate package podman")))

    with pytest.raises(Missing) as caught:
        prerequisites.ensure(Recorder(), is_agreed=True)

    assert "exited with 100" in caught.value.found
    assert "Unable to locate package podman" in caught.value.found
