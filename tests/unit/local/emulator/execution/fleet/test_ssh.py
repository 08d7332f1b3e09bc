"""Agents started by SSH: host keys, logins, the program over one connection, and what is left behind."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bootstrap.local.emulator.execution.durable_node import DurableNode
from bootstrap.local.emulator.execution.fleet import ssh_client
from bootstrap.local.emulator.execution.fleet.settings import (
    KNOWN_HOSTS,
    MANUALLY_PROVIDED,
    MANUALLY_TRUSTED,
    NON_VERIFYING,
    Connector,
)
from bootstrap.local.emulator.execution.fleet.ssh_client import Login
from bootstrap.local.emulator.execution.fleet.ssh_launcher import LaunchFailed, SshLauncher
from tests.unit.remote import sshd as ssh

KEY = ssh.private_text("ed25519")


@pytest.fixture(autouse=True)
def own_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The private files of these connections lie where no other test has some."""
    (tmp_path / "private").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "private"))


@pytest.fixture
def host() -> Iterator[ssh.Sshd]:
    with ssh.running() as running:
        yield running


def make_connector(host: ssh.Sshd, strategy: str = MANUALLY_PROVIDED, key: str = "", **changed: Any) -> Connector:
    given = key or ssh.public_text(host.host_key)
    settings: dict[str, Any] = {
        "timeout": 5,
        "retries": 0,
        "wait": 0.1,
        "prefix": "",
        "suffix": "",
        "needs_trust": False,
    }
    return Connector("id", host.port, strategy=strategy, key=given, **{**settings, **changed})


class Trial:
    """One agent that is being connected, and its log."""

    def __init__(self, connector: Connector, folder: Path, user: str = "admin") -> None:
        self.log: list[str] = []
        self.node = DurableNode("i-1", "linux i-1", lambda: "")
        self.launcher = SshLauncher(connector, str(folder), self.log.append)
        self.login = Login("i-1", "127.0.0.1", user, KEY)
        self.online = asyncio.Event()

    async def use(self, work: Callable[[DurableNode], Any]) -> Any:
        serving = asyncio.create_task(self.launcher.serve(self.login, self.node, self.online.set))
        waiting = asyncio.create_task(self.online.wait())
        await asyncio.wait([serving, waiting], return_when=asyncio.FIRST_COMPLETED, timeout=20)
        try:
            if serving.done():
                waiting.cancel()
                serving.result()
            return await work(self.node)
        finally:
            serving.cancel()
            await asyncio.wait([serving])

    @property
    def text(self) -> str:
        return "\n".join(self.log)


def refuse(connector: Connector, folder: Path, user: str = "admin") -> str:
    async def work() -> str:
        trial = Trial(connector, folder, user)
        with pytest.raises(LaunchFailed):
            await trial.launcher.serve(trial.login, trial.node, trial.online.set)
        return trial.text

    return asyncio.run(work())


def left_files() -> set[str]:
    return {str(path) for path in Path(tempfile.gettempdir()).glob("jenkins-ssh-*")}


def test_the_program_runs_on_the_agent_and_works_there(host: ssh.Sshd, tmp_path: Path) -> None:
    folder = tmp_path / "agent home"
    before = left_files()

    async def work(node: DurableNode) -> None:
        lines: list[str] = []
        await node.write(folder / "workspace" / "a.txt", b"\x00content")
        assert b"\x00content" == await node.read(folder / "workspace" / "a.txt")
        code, _ = await node.run(["sh", "-c", "echo $NAME; exit 3"], folder, {"NAME": "value"}, lines.append)
        assert (3, ["value\n"]) == (code, lines)
        with pytest.raises(OSError, match="No such file"):
            await node.read(folder / "none")
        assert left_files() == before  # the key is away as soon as the agent speaks
        assert "HOME" in node.environment

    async def use() -> str:
        trial = Trial(make_connector(host, prefix=f"touch {tmp_path}/waited; "), folder)
        await trial.use(work)
        return trial.text

    text = asyncio.run(use())
    assert "[SSH] SSH host key matched the key required for this connection. Connection will be allowed." in text
    moment = r"\[\d\d/\d\d/\d\d \d\d:\d\d:\d\d\]"
    assert re.search(rf"^{moment} \[SSH\] Opening SSH connection to 127.0.0.1:\d+\.$", text, re.MULTILINE)
    assert "[SSH] Authentication successful." in text and "Agent successfully connected and online" in text
    assert f"[SSH] Starting agent process: touch {tmp_path}/waited; cd '{folder}' && python3 agent.pyz" in text
    assert 0o700 == folder.stat().st_mode & 0o777
    assert (tmp_path / "waited").exists()


def test_the_command_line_has_no_secret_and_reads_no_settings_of_others(host: ssh.Sshd) -> None:
    login = Login("i-1", "10.0.0.1", "jenkins", KEY)
    with ssh_client.private_files(login, "ssh-ed25519 AAAA") as files:
        command = ssh_client.make_command(make_connector(host), login, files, "true")
        assert 0o600 == files.key.stat().st_mode & 0o777 and 0o700 == files.key.parent.stat().st_mode & 0o777
        assert "i-1 ssh-ed25519 AAAA\n" == files.hosts.read_text()
    words = " ".join(command)
    secret = "".join(KEY.splitlines()[1:-1])
    assert secret[:40] not in words and not files.key.parent.exists()
    for expected in (
        "-F none",
        "IdentityAgent=none",
        "StrictHostKeyChecking=yes",
        "BatchMode=yes",
        "GlobalKnownHostsFile=/dev/null",
    ):
        assert expected in words
    assert ["--", "10.0.0.1", "true"] == command[-3:]


def test_another_host_key_is_denied_in_the_words_of_jenkins(host: ssh.Sshd, tmp_path: Path) -> None:
    before = left_files()
    text = refuse(make_connector(host, key=ssh.public_text(ssh.new_host_key())), tmp_path)

    assert "WARNING: The SSH key for this host does not match the key required in the connection configuration." in text
    assert "Key exchange was not finished, connection is closed." in text and "Launch failed" in text
    assert 0 == host.logins and left_files() == before


def test_known_hosts_can_never_work_with_this_plugin(host: ssh.Sshd, tmp_path: Path) -> None:
    text = refuse(make_connector(host, KNOWN_HOSTS), tmp_path)

    assert "Key exchange was not finished, connection is closed." in text and "WARNING" not in text
    assert 0 == host.logins


def test_a_key_is_trusted_at_the_first_connection_and_required_afterwards(host: ssh.Sshd, tmp_path: Path) -> None:
    async def work() -> str:
        trial = Trial(make_connector(host, MANUALLY_TRUSTED), tmp_path / "agent")
        for _ in range(2):
            trial.online.clear()
            await trial.use(lambda node: node.find_kind(tmp_path))
        host.shown_key = ssh.new_host_key()
        with pytest.raises(LaunchFailed):
            await trial.launcher.serve(trial.login, trial.node, trial.online.set)
        return trial.text

    text = asyncio.run(work())
    digest = hashlib.md5(base64.b64decode(ssh.public_text(host.host_key).split()[1])).digest()
    assert f"fingerprint {digest.hex(':')} has been automatically trusted for connections to this machine." in text
    assert "SSH host key matches key seen previously for this host" in text
    assert "The SSH key for this host is not currently trusted" in text
    assert "not currently trusted" in refuse(make_connector(host, MANUALLY_TRUSTED, needs_trust=True), tmp_path)


def test_no_verification_warns(host: ssh.Sshd, tmp_path: Path) -> None:
    async def work() -> str:
        trial = Trial(make_connector(host, NON_VERIFYING), tmp_path / "agent")
        await trial.use(lambda node: node.find_kind(tmp_path))
        return trial.text

    assert "WARNING: SSH Host Keys are not being verified." in asyncio.run(work())


def test_a_refused_login_and_a_closed_port_are_told(host: ssh.Sshd, tmp_path: Path) -> None:
    text = refuse(make_connector(host), tmp_path, user="nobody")
    assert "[SSH] Authentication failed.\nAuthentication failed.\n" in text
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        connector = replace(make_connector(host, retries=1), port=closed.getsockname()[1])
    text = refuse(connector, tmp_path)
    assert 'SSH Connection failed with IOException: "Connection refused", retrying in 0.1 seconds.' in text
    assert "There are 1 more retries left." in text and text.count("Opening SSH connection") == 2


def test_noise_of_the_login_and_a_failed_start_are_told(host: ssh.Sshd, tmp_path: Path) -> None:
    text = refuse(make_connector(host, prefix="echo welcome; "), tmp_path / "agent")
    assert "SSH connection reports a garbage before a command execution." in text and "welcome" in text
    text = refuse(make_connector(host, prefix="echo no python >&2; exit 127; "), tmp_path / "agent")
    assert "no python" in text and "Exit code=127" in text


def test_a_broken_connection_ends_requests_but_no_script(host: ssh.Sshd, tmp_path: Path) -> None:
    control = tmp_path / "control"
    control.mkdir()
    said: list[bytes] = []

    async def work() -> tuple[int, str]:
        trial = Trial(make_connector(host), tmp_path / "agent")
        node = trial.node
        script = "echo one; while [ ! -e go ]; do sleep 0.05; done; echo two; exit 4"

        async def lose(node: DurableNode) -> None:
            await node.start_script(control, ["sh", "-c", script], tmp_path, {"PATH": "/usr/bin:/bin"}, capture=False)
            following = asyncio.create_task(node.follow_script(control, 0, said.append))
            while not said:
                await asyncio.sleep(0.02)
            host.drop()
            with pytest.raises(Exception, match="The channel is closing down or has closed down"):
                await following
            with pytest.raises(Exception, match="Unable to create live FilePath for i-1"):
                await node.find_kind(tmp_path)

        await trial.use(lose)
        trial.online.clear()
        (tmp_path / "go").touch()

        async def follow(node: DurableNode) -> tuple[int, str]:
            # A second start of the same script is none.
            await node.start_script(control, ["sh", "-c", "echo again"], tmp_path, {}, capture=False)
            return await node.follow_script(control, len(b"".join(said)), said.append)

        assert node.is_attached is False
        return await trial.use(follow)  # type: ignore[no-any-return]

    code, _ = asyncio.run(work())
    assert (4, b"one\ntwo\n") == (code, b"".join(said))
