"""A shell script on an agent of a cloud: it outlives the connection and the controller, as Jenkins' durable tasks do.

The build has the number of bytes of the output that are in its log, so after a restart nothing is lost or written twice.
"""

from __future__ import annotations

import asyncio
import codecs
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..execution.durable_node import AgentLost, DurableNode
from ..execution.environment import read_node_timeout
from ..execution.registry import Step
from ..execution.spans import describe_span
from ..failures import Interrupted, StepFailed

_FOLDER = "durable"
_SHORTEST, _LONGEST, _BACKOFF = 0.25, 15.0, 1.2  # seconds between two looks for a lost agent
_SUSPENSION = 0.5
TIMED_OUT = "Timeout waiting for agent to come back"


class Output:
    """Passes whole lines of a script's output to the console, and keeps on the disk how far it has come."""

    def __init__(self, call: Step, control: Path) -> None:
        self._write = call.engine.make_writer(call.context)
        self._path = call.engine.build.directory / _FOLDER / control.name
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = b""
        self.offset = 0
        with suppress(OSError, ValueError):
            self.offset = int(self._path.read_text(encoding="ascii"))

    def take(self, piece: bytes) -> None:
        """Take the next bytes of the output."""
        whole, newline, self._pending = (self._pending + piece).rpartition(b"\n")
        if newline:
            self._pass(whole + newline)

    def rewind(self) -> None:
        """Forget an incomplete line: it comes again."""
        self._pending = b""

    def finish(self) -> None:
        """Pass on the last line, also if it is incomplete, and remove the file."""
        if self._pending:
            self._pass(self._pending)
            self._pending = b""
        self._path.unlink(missing_ok=True)

    def _pass(self, content: bytes) -> None:
        self._write(self._decoder.decode(content))
        self.offset += len(content)
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text(f"{self.offset}\n", encoding="ascii")


class DurableShell:
    """One script of a step on an agent of a cloud."""

    def __init__(self, call: Step, node: DurableNode, where: Path) -> None:
        self._call, self._node, self._where = call, node, where
        self._control = Path(str(call.note["control"]))
        self._output = Output(call, self._control)
        self._is_started = call.since is not None
        self._lost_at = 0.0
        self._timeout = read_node_timeout(call.engine.home)

    async def run(self, program: Sequence[str], script: str) -> tuple[int, str]:
        """Run a script to its end; returns its exit code, and its standard output if that is captured."""
        try:
            return await self._run(program, script)
        except asyncio.CancelledError as fault:
            if self._call.engine.is_suspended:
                raise
            await self._stop(fault)
            raise
        finally:
            if not self._call.engine.is_suspended:
                self._output.finish()
                with suppress(StepFailed, OSError):
                    await self._node.remove(self._control)

    async def _run(self, program: Sequence[str], script: str) -> tuple[int, str]:
        while True:
            try:
                await self._start(program, script)
                return await self._follow()
            except AgentLost as fault:
                if not self._is_started:
                    raise
                await self._wait_for_agent(fault)

    async def _start(self, program: Sequence[str], script: str) -> None:
        if await self._node.find_kind(self._control) != "directory":
            await self._node.make_folder(self._where)
            await self._node.make_scratch(str(self._control))
        path = self._control / "script.sh"
        if not await self._node.find_kind(path):
            await self._node.write(path, script.encode(), 0o600)
        engine, capture = self._call.engine, self._call.read_flag("returnStdout")
        environment = engine.make_process_environment(self._call.context)
        await self._node.start_script(self._control, [*program, str(path)], self._where, environment, capture=capture)
        self._is_started = True
        if self._lost_at:
            self._lost_at = 0.0
            self._call.say(f"{self._node.name} is back online")

    async def _follow(self) -> tuple[int, str]:
        self._output.rewind()
        return await self._node.follow_script(self._control, self._output.offset, self._output.take)

    async def _wait_for_agent(self, fault: AgentLost) -> None:
        """Wait until the agent is back; Interrupted if that takes too long."""
        if not self._lost_at:
            self._lost_at = time.monotonic()
            # When systemd stops the service, the SSH client may end just before the build is suspended.
            await asyncio.sleep(_SUSPENSION)
            words = f"{self._node.name} seems to be removed or offline ({fault.kind}: {fault.message})"
            self._call.say(f"{words}; will wait for {self._span} for it to come back online")
        pause = _SHORTEST
        while not self._find_agent():
            if self._is_overdue:
                self._say_overdue()
                raise Interrupted(TIMED_OUT, is_actual=False, is_of_agent=True)
            await asyncio.sleep(pause)
            pause = min(pause * _BACKOFF, _LONGEST)

    def _find_agent(self) -> bool:
        """Whether the agent is connected; its node may have been made anew meanwhile."""
        node = self._call.engine.services.executors.find_connected(self._node.name)
        if isinstance(node, DurableNode):
            self._node = node
        return self._node.is_attached

    @property
    def _span(self) -> str:
        return describe_span(int(self._timeout * 1000))

    @property
    def _is_overdue(self) -> bool:
        return bool(self._lost_at) and time.monotonic() - self._lost_at >= self._timeout

    def _say_overdue(self) -> None:
        words = f"{self._node.name} has been removed or offline for {self._span}; assuming it is not coming back"
        self._call.say(f"{words}, and terminating shell step")

    async def _stop(self, fault: asyncio.CancelledError) -> None:
        """End the script of a step that was interrupted; Interrupted with a second cause if its agent is lost for good."""
        if self._node.is_attached:
            self._call.say("Sending interrupt signal to process")
            with suppress(StepFailed, OSError):
                await self._node.stop_script(self._control)
                await self._follow()
            self._output.finish()
            self._call.say("Terminated")
            return
        problem = getattr(asyncio.current_task(), "problem", None)
        if self._is_overdue and isinstance(problem, Interrupted):
            self._say_overdue()
            causes = f"{problem.message}\n{TIMED_OUT}"
            raise Interrupted(causes, problem.result, is_actual=False, is_of_agent=True) from fault
        self._call.say(f"Could not connect to {self._node.name} to send interrupt signal to process")
