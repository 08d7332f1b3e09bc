"""Connects to an agent by SSH, starts the agent's program there, and passes messages until the connection ends."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..agent.packing import pack_agent
from ..agent.wire import BEGIN, LIMIT, dump, load
from ..durable_node import DurableNode
from . import ssh_client
from .settings import Connector
from .ssh_client import Files, Login

_RECONNECTABLE = ("Connection refused", "Connection timed out", "No route to host", "Network is unreachable")
_JUNK = (
    "SSH connection reports a garbage before a command execution.\n"
    "Check your .bashrc, .profile, and so on to make sure it is quiet.\nThe received junk text is as follows:"
)


class LaunchFailed(Exception):
    """The agent could not be started; its log says why."""


class SshLauncher:
    """The way to one agent; `trusted` is the host key that was seen there first, and `say` writes a line of its log."""

    def __init__(self, connector: Connector, folder: str, say: Callable[[str], None]) -> None:
        self._connector, self._folder, self._say = connector, folder, say
        self._trusted = ""
        self._errors: asyncio.Task[None] | None = None

    async def serve(self, login: Login, node: DurableNode, online: Callable[[], None]) -> None:
        """Connect and pass messages until the connection ends; `online` is called when the agent has begun to speak.

        Raises LaunchFailed if it never does.
        """
        for left in range(self._connector.retries, -1, -1):
            try:
                await self._serve_once(login, node, online)
                return
            except ConnectionError as fault:
                if left == 0:
                    raise self._fail() from fault
                words = (
                    f'SSH Connection failed with IOException: "{fault}", retrying in {self._connector.wait:g} seconds.'
                )
                self._say(f"{words} There are {left} more retries left.")
                await asyncio.sleep(self._connector.wait)

    def _stamp(self, line: str) -> None:
        self._say(line.replace("{}", time.strftime("[%m/%d/%y %H:%M:%S]", time.localtime()), 1))

    def _fail(self) -> LaunchFailed:
        self._stamp("{} Launch failed - cleaning up connection")
        self._stamp("{} [SSH] Connection closed.")
        return LaunchFailed()

    async def _serve_once(self, login: Login, node: DurableNode, online: Callable[[], None]) -> None:
        program = pack_agent("stdio_program")
        words, shown = ssh_client.make_start(self._connector, self._folder, len(program))
        self._stamp(f"{{}} [SSH] Opening SSH connection to {login.address}:{self._connector.port}.")
        known = ssh_client.choose_known_key(self._connector, self._trusted)
        with ssh_client.private_files(login, known) as files:
            process = await asyncio.create_subprocess_exec(
                *ssh_client.make_command(self._connector, login, files, words),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8"},
                limit=LIMIT,
                start_new_session=True,
            )
            try:
                hello = await self._begin(process, files, program, shown)
            except BaseException:
                await _end(process)
                raise
        try:
            await self._pass_messages(process, node, hello, online)
        finally:
            node.close()
            await _end(process)
            self._stamp("{} [SSH] Connection closed.")

    async def _begin(
        self, process: asyncio.subprocess.Process, files: Files, program: bytes, shown: str
    ) -> dict[str, Any]:
        """Log in, copy the program and start it; returns its first message."""
        assert process.stdin is not None and process.stdout is not None
        await self._log_in(process, files)
        self._stamp("{} [SSH] Copying the agent's program...")
        with suppress(ConnectionError):
            process.stdin.write(program)
            await process.stdin.drain()
            self._stamp(f"{{}} [SSH] Copied {len(program):,} bytes.")
        self._stamp(f"{{}} [SSH] Starting agent process: {shown}")
        self._errors = asyncio.create_task(self._copy_errors(process))
        junk: list[str] = []
        while line := await process.stdout.readline():
            text = line.decode("utf-8", "replace").rstrip("\n")
            if text == BEGIN and not junk:
                return load((await process.stdout.readline()).decode())
            if text == BEGIN:
                break
            junk.append(text)
        if junk:
            self._say("\n".join([_JUNK, *junk]))
        else:
            await asyncio.wait([self._errors], timeout=3)
            self._say(f"The agent's program has ended. Exit code={await process.wait()}")
        raise self._fail()

    async def _log_in(self, process: asyncio.subprocess.Process, files: Files) -> None:
        assert process.stderr is not None
        told: list[str] = []
        while line := (await process.stderr.readline()).decode("utf-8", "replace").rstrip():
            if line.startswith(ssh_client.AUTHENTICATED):
                seen = files.read_host_key()
                self._stamp(ssh_client.describe_trust(self._connector, self._trusted, seen))
                self._trusted = self._trusted or seen
                self._stamp("{} [SSH] Authentication successful.")
                return
            told.append(line)
        await process.wait()
        lines = ssh_client.describe_failure(self._connector, told)
        for shown in lines:
            self._stamp(shown)
        if lines[-1] in _RECONNECTABLE:
            raise ConnectionError(lines[-1])
        raise self._fail()

    async def _copy_errors(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := await process.stderr.readline():
            self._say(line.decode("utf-8", "replace").rstrip("\r\n"))

    async def _pass_messages(
        self, process: asyncio.subprocess.Process, node: DurableNode, hello: dict[str, Any], online: Callable[[], None]
    ) -> None:
        stdin, stdout = process.stdin, process.stdout
        assert stdin is not None and stdout is not None

        async def send(message: dict[str, Any]) -> None:
            if process.returncode is not None or stdin.is_closing():
                raise ConnectionResetError("the connection is closed")
            stdin.write(f"{dump(message)}\n".encode())
            await stdin.drain()

        given = (hello.get("hello") or {}).get("environment") or {}
        node.attach({str(key): str(value) for key, value in given.items()}, send)
        self._say("Agent successfully connected and online")
        online()
        with suppress(Exception):  # whatever an agent sends that is no message ends the connection as a break does
            while line := await stdout.readline():
                node.hear(load(line.decode()))
        self._say("ERROR: Connection terminated")


async def _end(process: asyncio.subprocess.Process) -> None:
    """End the client, also in a task that is being cancelled."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(process.wait())
