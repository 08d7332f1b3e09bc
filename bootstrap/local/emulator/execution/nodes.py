"""The nodes on which builds work: the built-in node, and connected agents.

A step asks its node to run programs and to touch files, and never does it itself: on an agent the same work is done by another
user, who cannot read what the controller keeps. What an agent answers is data and nothing else.
"""

from __future__ import annotations

import asyncio
import itertools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ..failures import StepFailed
from . import process
from .agent.operations import OPERATIONS

Write = Callable[[Any], None]  # takes text, or bytes where the agent sends those
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Node(ABC):
    """A node on which steps run; `environment` is that of its programs, without the variables of a build."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)

    @abstractmethod
    async def run(
        self,
        command: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        write: Write,
        *,
        capture: bool = False,
    ) -> tuple[int, str]:
        """Run a program to its end, as `process.run` does."""

    @abstractmethod
    async def _do(self, operation: str, **arguments: Any) -> Any:
        """Run an operation on files (`agent.operations`) as the node's user; returns its result."""

    async def make_folder(self, path: Path) -> None:
        """Make a directory, and those above it."""
        await self._do("make_folder", path=str(path))

    async def find_kind(self, path: Path) -> str:
        """'directory', 'file', or '' for nothing."""
        return str(await self._do("find_kind", path=str(path)))

    async def read(self, path: Path) -> bytes:
        """A file's content; OSError where it cannot be read."""
        return _decode_bytes(await self._do("read_file", path=str(path)))

    async def write(self, path: Path, content: bytes, mode: int = 0o666) -> None:
        """Write a file, with the directories above it; OSError where it cannot be written."""
        await self._do("write_file", path=str(path), content=content, mode=mode)

    async def make_scratch(self, prefix: str) -> Path:
        """A new directory for the node's own user alone."""
        return Path(str(await self._do("make_scratch", prefix=prefix)))

    async def remove(self, path: Path) -> None:
        """Remove a file, or a directory with its content."""
        await self._do("remove", path=str(path))

    async def select(self, path: Path, includes: str, excludes: str = "") -> list[str]:
        """The names of the files below a directory that match Ant's patterns."""
        return [
            str(name) for name in await self._do("select_files", path=str(path), includes=includes, excludes=excludes)
        ]

    async def list_folder(self, path: Path) -> list[dict[str, Any]]:
        """All that lies below a directory: paths, lengths, kinds and times."""
        return list(await self._do("list_folder", path=str(path)))

    async def pack(self, path: Path, names: Sequence[str], *, is_followed: bool = False) -> bytes:
        """An archive of files below a directory."""
        arguments = {"path": str(path), "names": list(names), "is_followed": is_followed}
        return _decode_bytes(await self._do("pack_files", **arguments))

    async def unpack(self, path: Path, content: bytes) -> None:
        """Unpack an archive below a directory."""
        await self._do("unpack_files", path=str(path), content=content)


class BuiltInNode(Node):
    """The built-in node of the controller."""

    async def run(
        self,
        command: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        write: Write,
        *,
        capture: bool = False,
    ) -> tuple[int, str]:
        """Run it as a child of this process."""
        return await process.run(command, directory, environment, write, capture=capture)

    async def _do(self, operation: str, **arguments: Any) -> Any:
        return await asyncio.to_thread(OPERATIONS[operation], **arguments)


class AgentNode(Node):
    """The agent `name` over one connection, while it is connected."""

    def __init__(self, name: str, environment: Mapping[str, str], send: Send) -> None:
        super().__init__(environment)
        self._name, self._send = name, send
        self._numbers = itertools.count(1)
        self._asked: dict[int, tuple[asyncio.Future[Any], Write | None]] = {}
        self._is_closed = False

    async def run(
        self,
        command: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        write: Write,
        *,
        capture: bool = False,
    ) -> tuple[int, str]:
        """Run it as a child of the agent."""
        arguments = {
            "command": list(command),
            "directory": str(directory),
            "environment": dict(environment),
            "capture": capture,
        }
        code, output = await self._ask("run", arguments, write)
        return int(code), str(output)

    async def _do(self, operation: str, **arguments: Any) -> Any:
        return await self._ask(operation, arguments, None)

    async def _ask(self, name: str, arguments: dict[str, Any], write: Write | None) -> Any:
        if self._is_closed:
            raise self._refuse_lost()
        number, answer = next(self._numbers), asyncio.get_running_loop().create_future()
        self._asked[number] = (answer, write)
        try:
            await self._send({"id": number, "do": name, "arguments": arguments})
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            await self._stop(number, answer)
            raise
        except ConnectionError as fault:
            raise self._refuse_lost() from fault
        finally:
            self._asked.pop(number, None)

    async def _stop(self, number: int, answer: asyncio.Future[Any]) -> None:
        """Tell the agent to cancel an operation, and wait until it has."""
        with suppress(ConnectionError, StepFailed, OSError, asyncio.TimeoutError):
            await self._send({"id": number, "do": "cancel"})
            await asyncio.wait_for(answer, 2 * process.GRACE_SECONDS)

    def hear(self, message: dict[str, Any]) -> None:
        """Take an answer, or a piece of output, from the agent."""
        answer, write = self._asked.get(int(message.get("id", 0)), (None, None))
        if answer is None or answer.done():
            return
        if "output" in message or "content" in message:
            if write is not None:
                write(str(message["output"]) if "output" in message else _decode_bytes(message["content"]))
        elif "error" in message:
            answer.set_exception(_decode_error(message["error"]))
        else:
            answer.set_result(message.get("value"))

    def close(self) -> None:
        """End all pending requests: the connection is broken."""
        self._is_closed = True
        for answer, _ in self._asked.values():
            if not answer.done():
                answer.set_exception(self._refuse_lost())

    def _refuse_lost(self) -> StepFailed:
        return StepFailed(f"Agent {self._name} went offline: the connection was broken")


def _decode_bytes(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise StepFailed("the agent answered with something else than a file's content")
    return value


def _decode_error(error: dict[str, Any]) -> Exception:
    message = str(error.get("message"))
    if isinstance(error.get("number"), int):
        return OSError(error["number"], message, error.get("file"))
    return StepFailed(message)
