"""The tunnel of a browser: what is opened, what the person reads, and what ends it."""

import argparse
import contextlib
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.cli import environment_opening, parser
from bootstrap.cli.commands import access
from bootstrap.errors import UsageError


class Shell:
    """A shell that notes what was forwarded, and whether it still is."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self.forwarded: list[tuple[int, int]] = []
        self.is_open = False

    @contextlib.contextmanager
    def forward(self, port: int, *, local_port: int = 0) -> Iterator[int]:
        if self.problem:
            raise OSError(98, self.problem)
        self.forwarded.append((port, local_port))
        self.is_open = True
        yield local_port
        self.is_open = False


def run(monkeypatch: pytest.MonkeyPatch, shell: Shell, url: str, port: int = 8443) -> int:
    """Run the command until a person presses Ctrl-C."""

    @contextlib.contextmanager
    def open_environment(_: Any) -> Iterator[tuple[Any, None]]:
        yield SimpleNamespace(shell=shell, url=url), None

    def wait(_: Any, _seconds: float | None = None) -> bool:
        assert shell.is_open
        raise KeyboardInterrupt

    monkeypatch.setattr(environment_opening, "open_environment", open_environment)
    monkeypatch.setattr(threading.Event, "wait", wait)
    return access.tunnel(argparse.Namespace(port=port))


def test_a_browser_is_led_to_the_proxy_until_the_person_ends_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shell = Shell()

    assert 0 == run(monkeypatch, shell, "https://10.0.0.5/")
    assert ([(443, 8443)], False) == (shell.forwarded, shell.is_open)
    assert [
        "https://127.0.0.1:8443/ leads to Jenkins until Ctrl-C",
        "the certificate has the name 10.0.0.5, so the browser warns",
        "",
        "the tunnel is closed",
    ] == capsys.readouterr().out.splitlines()


def test_the_host_name_is_told_with_the_line_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(monkeypatch, Shell(), "https://jenkins.ci.example.org/", 9443)

    told = capsys.readouterr().out
    assert "'127.0.0.1 jenkins.ci.example.org' in /etc/hosts" in told
    assert "open https://jenkins.ci.example.org:9443/" in told


def test_a_port_that_is_in_use_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="Address already in use") as caught:
        run(monkeypatch, Shell("Address already in use"), "https://10.0.0.5/")

    assert "--port" in caught.value.remedy


@pytest.mark.parametrize("given", ["0", "65536", "https", "-1", ""])
def test_what_is_no_port_is_refused(given: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parser.parse(["tunnel", f"--port={given}"])

    assert 2 == caught.value.code
    assert f"'{given}' is not a port, 1 to 65535" in capsys.readouterr().err
