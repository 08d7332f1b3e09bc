"""testinfra over the toolkit's shell."""

from collections.abc import Sequence
from typing import Any

import pytest
from shell_backend import ShellBackend
from testinfra.host import Host

from bootstrap.errors import ConnectionBroken
from bootstrap.values import Result


class Answering:
    """A shell that knows its answers, and refuses any other command."""

    def __init__(self, answers: dict[str, Result]) -> None:
        self.answers = answers

    def run(self, command: Sequence[str], *, check: bool = True, **_: Any) -> Result:
        assert check is False, "a command that fails is a result"
        assert ["sh", "-c"] == list(command[:2])
        return self.answers[command[2]]


def host(**answers: Result) -> Host:
    shell: Any = Answering({line.replace("_", " "): result for line, result in answers.items()})
    return Host(ShellBackend(shell, "10.77.3.10"))


def test_output_and_exit_code_come_back() -> None:
    found = host(false=Result("false", 1, "out é", "err")).run("false")

    assert (1, "out é", "err") == (found.rc, found.stdout, found.stderr)


def test_arguments_are_quoted() -> None:
    quoted = Answering({"cat 'a b'": Result("", 0, "text", "")})
    shell: Any = quoted

    assert "text" == Host(ShellBackend(shell, "x")).check_output("cat %s", "a b")


def test_testinfras_own_modules_work_over_it() -> None:
    system = {
        "uname -s": Result("", 0, "Linux\n", ""),
        "uname -m": Result("", 0, "x86_64\n", ""),
        "cat /etc/os-release": Result("", 0, "ID=debian\n", ""),
    }
    answers = {"test -e /etc/hosts": Result("", 0, "", ""), "stat -Lc %U /etc/hosts": Result("", 0, "root\n", "")}
    shell: Any = Answering(answers | system)
    file = Host(ShellBackend(shell, "x")).file("/etc/hosts")

    assert (True, "root") == (file.exists, file.user)


class Breaking:
    """A shell whose connection breaks a number of times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def run(self, command: Sequence[str], *, check: bool = True) -> Result:
        self.times -= 1
        if self.times >= 0:
            raise ConnectionBroken("talking to i-1", "the connection broke", "Run it again.")
        return Result("true", 0, "", "")


def test_a_check_under_which_the_connection_breaks_is_asked_once_more() -> None:
    once: Any = Breaking(1)
    twice: Any = Breaking(2)

    assert 0 == Host(ShellBackend(once, "x")).run("true").rc
    with pytest.raises(ConnectionBroken):
        Host(ShellBackend(twice, "x")).run("true")
