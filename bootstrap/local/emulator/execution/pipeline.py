"""Runs a Pipeline build: a Groovy process evaluates the Jenkinsfile and requests each step, in lines of JSON."""

from __future__ import annotations

import asyncio
import itertools
import time
from contextlib import suppress
from typing import Any

from ..failures import Interrupted, StepFailed
from ..model.builds import Build
from ..model.identities import SYSTEM
from ..model.program_record import REPEATED_STEPS, Journal, RecordedStep, RecordedSteps, is_waiting, may_resume
from . import marks, resuming
from .console import MUTED, Console
from .contexts import Context
from .engine import Engine
from .greeting import make_greeting
from .groovy_process import Program
from .groovy_programs import RUNNER, GroovyProgram, prepare_program
from .registry import STEPS, Step
from .script_source import find_script
from .services import Services

PAUSING = "Pausing (Preparing for shutdown)"
LEAVE_TAKING = 3.0  # seconds
BEGINNING = 0.2  # seconds in which a step writes its first lines
CHECKOUTS = {"checkout", "git"}  # what they answer are variables of the build


class Pipeline(Engine):
    """One run of a Pipeline job; `recorded` has its steps and state when an earlier process ended."""

    def __init__(
        self, services: Services, build: Build, console: Console, recorded: RecordedSteps | None = None
    ) -> None:
        super().__init__(services, build, console)
        self._numbers = itertools.count(1)
        self._program: Program | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._error: dict[str, Any] | None = None
        self._is_done = False
        self._preparing: asyncio.Task[Any] | None = None
        self._is_paused, self._waited_for_agents = False, False
        self._recorded = recorded
        self._journal = Journal(
            build.directory, services.home.vault, console.mask, lambda: resuming.describe_state(build, self.milestone)
        )
        if recorded is not None:
            self.milestone = int(recorded.state["milestone"])
            resuming.restore(build, recorded)
            self._journal.resume(recorded)
            self.has_begun = True

    def stop(self, reason: str) -> None:
        """Abort; a second time ends the Groovy side itself, with whatever it is doing."""
        self.console.write_line(reason)
        if self.is_stopped and self._program:
            self._program.kill()
        self.is_stopped = True
        self.build.worsen("ABORTED")
        if self._preparing:
            self._preparing.cancel()
        self.interrupt(self.root, Interrupted(reason))

    @property
    def can_resume(self) -> bool:
        """Whether the build can go on after a restart: no step is running, except one that waits for an input."""
        is_allowed = may_resume(self.build.job.root) and self._journal.has_begun
        return is_allowed and not self.is_stopped and is_waiting(self._journal.under_way)

    def suspend(self) -> None:
        """Suspend the build; it goes on at the next start."""
        if not self._is_paused:
            self.console.write_line(PAUSING)
        self.is_suspended = True
        self.console.is_silent = True
        self.build.save()
        self._journal.close()
        if self._program:
            self._program.kill()

    # Running

    async def run(self) -> None:
        """Run to the end; the build has the result."""
        try:
            await self._run()
        finally:
            if not self.is_suspended:
                self._journal.end()

    async def _run(self) -> None:
        try:
            self._preparing = asyncio.current_task()
            if self._recorded is None and self.build.runs_as != SYSTEM:
                self.console.write_line(f"Running as {self.home.find_full_name(self.build.runs_as)}")
            script = (
                self._recorded.script
                if self._recorded
                else await find_script(self.home, self.console, self.build, self.repository, self.variables)
            )
            program = await prepare_program(self.home.options, RUNNER)
            self._preparing = None
            if self._recorded:
                self.console.write_line(f"Resuming build at {_render_now()} after Jenkins restart")
            else:
                self._journal.begin(script, {it.name: it.value for it in self.build.parameters if it.is_secret})
            await self._converse(program, script)
        except asyncio.CancelledError:
            self.build.worsen("ABORTED")
            return
        except StepFailed as fault:
            self.console.write_line(f"ERROR: {fault.message}")
            self.build.worsen("FAILURE")
            return
        if self.is_suspended:
            return
        if self.has_begun:
            self.mark("[Pipeline] End of Pipeline")
        if self.root.stage:
            self.close_stage(self.root, self._error)
        if self._error:
            self.report(self._error)
            self.build.worsen(str(self._error.get("result") or "FAILURE"))

    async def _converse(self, program: GroovyProgram, script: str) -> None:
        self._program = await Program.start(program)
        try:
            self._program.send(make_greeting(self, script))
            while message := await self._program.receive():
                if message["kind"] == "done":
                    self._error, self._is_done = message.get("error"), True
                    break
                task = asyncio.create_task(self._serve(message))
                self._serving.add(task)
                task.add_done_callback(self._serving.discard)
            await self._await_suspension()
        finally:
            await self._clear(self._program)
        if not self._is_done and not self.is_stopped and not self.is_suspended:
            raise StepFailed(f"the Groovy program ended unexpectedly with {self._program.describe_end()}")

    async def _await_suspension(self) -> None:
        """When systemd stops the service, it signals all processes at once: Groovy may end before this process is stopped."""
        end = time.monotonic() + LEAVE_TAKING
        while not self._is_done and self.can_resume and not self.is_suspended and time.monotonic() < end:
            await asyncio.sleep(0.05)

    async def _clear(self, program: Program) -> None:
        for task in list(self._serving):
            task.cancel()
        await program.end()
        for context in reversed(list(self.contexts.values())):
            await context.stack.aclose()
        await program.finish_errors()

    async def _serve(self, message: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": message["id"]}
        before: RecordedStep | None = None
        try:
            before = self._recorded.take(message) if self._recorded else None
            if before is not None and before.answer is not None:
                answer |= await self._repeat(message, self.contexts[message["context"]], before)
            else:
                context = self.contexts[message["context"]]
                note = before.note if before else resuming.make_note(message, context)
                self._journal.record_request(message, before, note)
                if before is not None:
                    self._say_ready()
                answer["value"] = await self._handle(message, context, before, note)
        except StepFailed as fault:
            answer["error"] = fault.describe()
        except asyncio.CancelledError:
            problem = getattr(asyncio.current_task(), "problem", None) or Interrupted("")
            answer["error"] = problem.describe()
        except Exception as fault:
            answer["error"] = {"kind": f"emulator.{type(fault).__name__}", "message": str(fault), "result": "FAILURE"}
        if self.is_suspended:
            return
        self._journal.record_answer(message, answer)
        await self._wait_while_quiet()
        if not self.is_suspended and self._program:
            self._program.send(answer)

    async def _wait_while_quiet(self) -> None:
        """In quiet mode the program pauses after a step; an aborted one goes on to its end."""
        while self.services.quiet_mode.is_on and not self.is_stopped and not self.is_suspended:
            if not self._is_paused:
                self._is_paused = True
                self.console.write_line(PAUSING)
            await asyncio.sleep(0.05)
        if self._is_paused and not self.services.quiet_mode.is_on:
            self._is_paused = False
            self.console.write_line("Resuming (Shutdown was canceled)")

    async def _repeat(self, message: dict[str, Any], context: Context, before: RecordedStep) -> dict[str, Any]:
        """Repeat a recorded step: return its answer without output, and restore what it allocated or set."""
        kind, name, arguments, answer = message["kind"], message["name"], message["arguments"], before.answer or {}
        MUTED.set(True)
        if kind == "leave":
            with suppress(StepFailed):
                await self._leave(context, name, arguments.get("error"))
        elif kind == "enter" and "value" in answer:
            self._waited_for_agents = self._waited_for_agents or bool(answer["value"].get("held"))
            await self._enter(context, name, arguments, before)
        elif name in REPEATED_STEPS:
            answer = {"value": await self._work_on(context, context, name, arguments)}
        elif name in CHECKOUTS and "value" in answer:
            self.variables.update(answer["value"])
        if self._recorded and self._recorded.is_over:
            resuming.restore_stages(self.build, self._recorded)
            self._say_ready()
        return answer

    def _say_ready(self) -> None:
        """Say once that the build goes on, if it had to wait for agents."""
        if self._waited_for_agents:
            self._waited_for_agents = False
            MUTED.set(False)
            self.console.write_line(f"Ready to run at {_render_now()}")

    async def _handle(
        self, message: dict[str, Any], context: Context, before: RecordedStep | None, note: dict[str, Any]
    ) -> Any:
        kind, name, is_lost = message["kind"], message["name"], bool(message.get("isLost"))
        if kind == "leave":
            return await self._leave(context, name, message["arguments"].get("error"), is_lost)
        if not name.startswith("_") and (waiting := context.take_interruption()):
            raise waiting
        if kind == "enter":
            return await self._enter(context, name, message["arguments"])
        if before is not None and note:
            resuming.require_resumable(name)
        if (shown := marks.describe_step(name)) and before is None:
            self.mark(f"[Pipeline] {shown}")
            self.warn_of_secrets(context, name, message.get("interpolated") or [])
        work = self._work_on(context, context, name, message["arguments"], before, note)
        if not is_lost:
            return await work
        with suppress(TimeoutError):  # the program fails as soon as the step has begun
            return await asyncio.wait_for(work, BEGINNING)

    async def _work_on(
        self,
        outer: Context,
        context: Context,
        name: str,
        arguments: dict[str, Any],
        before: RecordedStep | None = None,
        note: dict[str, Any] | None = None,
    ) -> Any:
        task = asyncio.current_task()
        assert task is not None
        outer.tasks.add(task)
        try:
            step = Step(self, context, name, arguments, before.at if before else None, note or {})
            step.check_kinds()
            return await STEPS[name].work(step)
        finally:
            outer.tasks.discard(task)

    async def _enter(
        self, outer: Context, name: str, arguments: dict[str, Any], before: RecordedStep | None = None
    ) -> dict[str, Any]:
        shown = marks.describe_step(name)
        if shown:
            self.mark(f"[Pipeline] {shown}")
        number = next(self._numbers)
        context = Context(before.answer["value"]["context"] if before and before.answer else f"c{number}", outer)
        self.contexts[context.identifier] = context
        try:
            held = before.answer["value"].get("held") if before and before.answer else None
            value = await self._work_on(outer, context, name, arguments, before, held)
        except BaseException:
            del self.contexts[context.identifier]
            await context.stack.aclose()
            if shown:
                self.mark(f"[Pipeline] // {shown}")
            raise
        self.begin_body(context, marks.describe_body(name, context.name)[0])
        return {"context": context.identifier, "value": value, **resuming.describe_held(context)}

    async def _leave(
        self, context: Context, name: str, problem: dict[str, Any] | None, is_lost: bool = False
    ) -> dict[str, bool]:
        self.mark(marks.describe_body(name, context.name)[1])
        verdict = context.leave(problem) if context.leave else None
        await context.stack.aclose()
        del self.contexts[context.identifier]
        if (shown := marks.describe_step(name)) and not is_lost:
            self.mark(f"[Pipeline] // {shown}")
        if verdict and verdict.replacement:
            raise verdict.replacement
        return {"isHandled": bool(verdict and verdict.is_handled)}


def _render_now() -> str:
    return time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime())
