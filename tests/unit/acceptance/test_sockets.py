"""What the inspector reports about listening sockets, also beside a process that chose a hostile name."""

import os
import pwd
import socket
from pathlib import Path
from types import ModuleType

import pytest

LISTED = """\
udp UNCONN 0      0          10.0.3.1%eth0:68         0.0.0.0:*    ino:11 sk:1 cgroup:/ <->
tcp LISTEN 0  511  0.0.0.0:443  0.0.0.0:*  users:(("nginx",pid=7,fd=5),("nginx",pid=6,fd=5)) ino:12 sk:2 <->
tcp LISTEN 0  128  *:9999  *:*  users:(("python3",pid=9,fd=3)) uid:4294967 ino:13 sk:3 v6only:0 <->
"""
# The kernel takes 15 letters of a process' name. This one looks like the begin of a line.
HOSTILE = """\
tcp LISTEN 0      1              127.0.0.1:1234       0.0.0.0:*    users:(("x
tcp 0 0 0 *:1",pid=9,fd=3)) uid:872 ino:14 sk:4 <->
"""


def test_each_socket_has_its_address_user_and_process(inspector: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inspector, "run", lambda *_: (LISTED, ""))

    assert [
        {"protocol": "tcp", "address": "0.0.0.0", "port": 443, "user": "root", "process": "nginx"},
        {"protocol": "tcp", "address": "*", "port": 9999, "user": "4294967", "process": "python3"},
        {"protocol": "udp", "address": "10.0.3.1", "port": 68, "user": "root", "process": ""},
    ] == inspector.read_sockets({})


def test_a_process_with_line_breaks_in_its_name_changes_nothing_else(
    inspector: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspector, "run", lambda *_: (LISTED, ""))
    without = inspector.read_sockets({})
    monkeypatch.setattr(inspector, "run", lambda *_: (HOSTILE + LISTED, ""))

    assert without == inspector.read_sockets({})


@pytest.mark.skipif(not Path("/usr/bin/ss").exists(), reason="ss is not installed here")
def test_a_socket_of_this_process_is_found(inspector: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (found,) = [it for it in inspector.read_sockets({}) if (it["protocol"], it["port"]) == ("tcp", port)]

    name = Path("/proc/self/comm").read_text().strip()
    assert ("127.0.0.1", pwd.getpwuid(os.getuid()).pw_name, name) == (found["address"], found["user"], found["process"])


def test_a_fact_that_cannot_be_gathered_hinders_no_other(
    inspector: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configuration = tmp_path / "inspect.json"
    configuration.write_text('{"paths": []}')

    def read_broken(_: object) -> None:
        raise ValueError("too many values to unpack")

    monkeypatch.setattr(inspector, "CONFIGURATION", configuration)
    monkeypatch.setattr(inspector, "GATHERERS", (read_broken, inspector.read_files))

    assert {"broken": {"error": "ValueError: too many values to unpack"}, "files": {}} == inspector.gather()
