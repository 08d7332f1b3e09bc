"""A node whose connection may come and go while a build works on it; its shell scripts go on meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..failures import StepFailed
from .nodes import AgentNode, Send

CHANNEL_CLOSED = "hudson.remoting.ChannelClosedException"
AGENT_OFFLINE = "org.jenkinsci.plugins.workflow.support.steps.AgentOfflineException"


class AgentLost(StepFailed):
    """The connection to an agent broke during a request, or there is none."""


class DurableNode(AgentNode):
    """An agent that the controller connects to; the same object for as long as the node exists.

    `title` is how Jenkins shows the node, and `explain` says why it is offline; empty for an unknown reason.
    """

    def __init__(self, name: str, title: str, explain: Callable[[], str]) -> None:
        super().__init__(name, {}, _send_nowhere)
        self.name, self._title, self._explain = name, title, explain
        self._is_closed = True

    @property
    def is_attached(self) -> bool:
        """Whether there is a connection."""
        return not self._is_closed

    def attach(self, environment: Mapping[str, str], send: Send) -> None:
        """Use a new connection."""
        self.environment, self._send, self._is_closed = dict(environment), send, False

    async def start_script(
        self, control: Path, command: Sequence[str], directory: Path, environment: Mapping[str, str], *, capture: bool
    ) -> None:
        """Start a script that outlives the connection; one with this control folder that was started is left alone."""
        arguments = {
            "control": str(control),
            "command": list(command),
            "directory": str(directory),
            "environment": dict(environment),
            "capture": capture,
        }
        await self._ask("start_script", arguments, None)

    async def follow_script(self, control: Path, offset: int, write: Callable[[bytes], None]) -> tuple[int, str]:
        """Pass on the output of a script from a byte on; its exit code and captured output when it has ended."""
        code, output = await self._ask("follow_script", {"control": str(control), "offset": offset}, write)
        return int(code), str(output)

    async def stop_script(self, control: Path) -> None:
        """End a script."""
        await self._ask("stop_script", {"control": str(control)}, None)

    def _refuse_lost(self) -> StepFailed:
        if not self._is_closed or self._asked:
            words = f"Remote call on {self.name} failed. The channel is closing down or has closed down"
            return AgentLost(f'Channel "hudson.remoting.Channel@{id(self):x}:{self.name}": {words}', CHANNEL_CLOSED)
        reason = self._explain()
        suffix = f"; {self._title} was marked offline: {reason}" if reason else ""
        return AgentLost(f"Unable to create live FilePath for {self.name}{suffix}", AGENT_OFFLINE)


async def _send_nowhere(message: dict[str, Any]) -> None:
    raise ConnectionError("no connection")
