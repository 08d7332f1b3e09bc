"""The process that reads other people's Groovy: its environment, and what the kernel lets it reach."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from bootstrap.local.emulator.execution.confinement import open_confinement, read_landlock_version, scrub_environment

# What is tried, and what it prints when it succeeds.
TRIES = {
    "secret": "print(open(sys.argv[1]).read())",
    "list": "print(os.listdir(os.path.dirname(sys.argv[1])))",
    "write": "open(sys.argv[1] + '2', 'w').write('x'); print('done')",
    "remove": "os.unlink(sys.argv[1]); print('done')",
    "connect": "socket.create_connection(('127.0.0.1', int(sys.argv[2]))); print('done')",
    "parent": "print(open(f'/proc/{os.getppid()}/environ').read() and 'done')",
    "signal": "os.kill(os.getppid(), 0); print('done')",
}


def attempt(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    with open_confinement([Path(sys.prefix), Path(sys.base_prefix)]) as confine:
        return subprocess.run(
            [sys.executable, "-S", "-c", f"import os, socket, sys\n{code}", *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            env=scrub_environment({}),
            preexec_fn=confine,
        )


def test_the_environment_is_not_the_service_s() -> None:
    service = {
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "SECRETS": "/run/x",
        "CREDENTIALS_DIRECTORY": "/run/x",
        "PATH": "/opt/x",
        "HOME": "/root",
    }
    assert scrub_environment(service) == {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "TZ": "UTC"}


def test_it_runs_what_it_may_read(tmp_path: Path) -> None:
    assert attempt("print(6 * 7)").stdout == "42\n"
    shown = tmp_path / "shown"
    shown.write_text("readable")
    with open_confinement([Path(sys.prefix), Path(sys.base_prefix), shown]) as confine:
        command = [sys.executable, "-S", "-c", f"print(open({str(shown)!r}).read())"]
        assert subprocess.check_output(command, text=True, preexec_fn=confine) == "readable\n"


@pytest.mark.skipif(read_landlock_version() < 6, reason="this kernel has no Landlock that knows ports and signals")
@pytest.mark.parametrize("what", TRIES)
def test_the_rest_is_closed(tmp_path: Path, what: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hush")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        tried = attempt(TRIES[what], str(secret), str(listening.getsockname()[1]))
    assert tried.returncode == 1 and tried.stdout == "", (tried.stdout, tried.stderr)
    assert "PermissionError" in tried.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
