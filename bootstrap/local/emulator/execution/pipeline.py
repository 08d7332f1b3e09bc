"""Running a Pipeline build: real Groovy evaluates the Jenkinsfile and asks for each step here, by lines of JSON."""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ..failures import Interrupted, StepFailed
from ..model import notes, xmlfile
from ..model.builds import Build
from ..model.identities import SYSTEM
from ..steps import (  # noqa: F401 (they register their steps)
    STEPS,
    SYMBOLS,
    Step,
    asking,
    basic,
    data,
    internal,
    node,
    world,
)
from . import process, resuming
from .console import MUTED, Console
from .contexts import Context, Verdict
from .environment import build_variables, process_environment
from .git import Git
from .groovyrunner import runner_command
from .resuming import Asked, Past
from .triggers import repository_of

if TYPE_CHECKING:
    from ..controller import Controller

LINE_LIMIT = 64 * 1024 * 1024
PAUSING = "Pausing (Preparing for shutdown)"
LEAVE_TAKING = 3.0  # seconds
CHECKOUTS = {"checkout", "git"}  # what they answer are variables of the build
BRANCHING = {"parallel"}  # its branches show their own braces
SHOWN = {"_declaredEnvironment": "withEnv", "_tools": "withEnv", "_branch": ""}


class Pipeline:
    """One run of a Pipeline job; `past` is what it had come to when an earlier process ended."""

    def __init__(self, controller: Controller, build: Build, console: Console, past: Past | None = None) -> None:
        self.controller, self.build, self.console = controller, build, console
        self.variables = build_variables(controller, build)
        self.repository = repository_of(build.job)
        self.milestone, self.is_stopped = 0, False
        self._root = Context("root", None)
        self._contexts = {"root": self._root}
        self._numbers = itertools.count(1)
        self._process: asyncio.subprocess.Process | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._error: dict[str, Any] | None = None
        self._is_done = False
        self._preparing: asyncio.Task[Any] | None = None
        self.is_suspended, self._is_paused = False, False
        self._past = past
        self._journal = resuming.Journal(
            build.directory, controller.vault, console.mask, lambda: resuming.state_of(build, self.milestone)
        )
        if past is not None:
            self.milestone = int(past.state["milestone"])
            resuming.restore(build, past)
            self._journal.go_on(past)

    # What steps use

    def environment(self, context: Context) -> dict[str, str]:
        """What `env` shows: the build's variables, then the blocks'; PATH and the like come from the node."""
        base = {**process_environment(self.controller), **self.variables} if context.node else dict(self.variables)
        return context.environment(base)

    def process_environment(self, context: Context) -> dict[str, str]:
        """The environment of a process that a step starts."""
        return context.environment(process_environment(self.controller, self.variables))

    def parameters(self) -> dict[str, Any]:
        """`params`: the build's values, and defaults for what is declared and was not given."""
        values: dict[str, Any] = {entry.name: _typed(entry.kind, entry.default) for entry in self.build.job.parameters}
        values.update({entry.name: _typed(entry.kind, entry.value) for entry in self.build.parameters})
        self.variables.update(
            {name: str(value).lower() if isinstance(value, bool) else value for name, value in values.items()}
        )
        self.console.hide(entry.value for entry in self.build.parameters if entry.is_secret)
        return values

    def writer(self, context: Context) -> Callable[[str], None]:
        """Where a process's output goes."""
        return self.console.write

    def report(self, error: dict[str, Any]) -> None:
        """Show a failure as Jenkins shows it: expected ones by their message, others with the lines of the Jenkinsfile."""
        kind, message = str(error["kind"]), error.get("message")
        if kind == "hudson.AbortException":
            self.console.line(f"ERROR: {message}")
        elif not kind.endswith("FlowInterruptedException"):
            self.console.line(f"{kind}: {message}" if message is not None else kind)
            for frame in error.get("trace") or []:
                self.console.line(str(frame))
        elif message and not self.is_stopped:
            self.console.line(str(message))

    def open_stage(self, context: Context) -> None:
        """Note the start of a stage."""
        context.stage = {
            "name": context.name,
            "status": "IN_PROGRESS",
            "startTimeMillis": int(time.time() * 1000),
            "durationMillis": 0,
        }
        self.build.stages.append(context.stage)

    def close_stage(self, context: Context, problem: dict[str, Any] | None) -> Verdict | None:
        """Note its end."""
        stage = context.stage or {}
        stage["durationMillis"] = int(time.time() * 1000) - stage["startTimeMillis"]
        if problem:
            stage["status"] = "ABORTED" if problem["result"] == "ABORTED" else "FAILED"
        elif stage["status"] == "IN_PROGRESS":
            stage["status"] = "SUCCESS"
        return None

    def mark_stage(self, context: Context, status: str) -> None:
        """Give the stage around a step another status."""
        stage = next((entry.stage for entry in reversed(context.chain) if entry.stage), None)
        if stage:
            stage["status"] = {"FAILURE": "FAILED"}.get(status, status)

    # Interruptions

    def stop(self, reason: str) -> None:
        """Abort; a second time ends the Groovy side itself, with whatever it is doing."""
        self.console.line(reason)
        if self.is_stopped and self._process:
            with suppress(ProcessLookupError):
                self._process.kill()
        self.is_stopped = True
        self.build.worsen("ABORTED")
        if self._preparing:
            self._preparing.cancel()
        self.interrupt(self._root, Interrupted(reason))

    def interrupt(self, context: Context, problem: Interrupted) -> None:
        """Make what runs inside a block fail; when nothing runs there, the next step does."""
        struck = False
        for inner in list(self._contexts.values()):
            if inner.inherits_from(context):
                for task in list(inner.tasks):
                    task.cancel()
                    task.problem = problem  # type: ignore[attr-defined]
                    struck = True
        if not struck:
            context.interruption = problem

    def stop_siblings(self, context: Context, branch: str) -> None:
        """failFast: end the other branches of a parallel block."""
        for other in list(self._contexts.values()):
            if other.parent is context and other.name != branch:
                self.interrupt(other, Interrupted(f"Failed in branch {branch}"))

    # Restarts

    @property
    def can_resume(self) -> bool:
        """Whether the build would go on after a restart: nothing is under way but, at most, a question."""
        is_allowed = resuming.is_allowed(self.build.job.root) and self._journal.has_begun
        return is_allowed and not self.is_stopped and resuming.is_waiting(self._journal.under_way)

    def suspend(self) -> None:
        """Let go of the build, which goes on at the next start."""
        if not self._is_paused:
            self.console.line(PAUSING)
        self.is_suspended = True
        self.console.is_silent = True
        self.build.save()
        self._journal.close()
        if self._process:
            with suppress(ProcessLookupError):
                self._process.kill()

    # Running

    async def run(self) -> None:
        """Run to the end; the outcome is in the build."""
        try:
            await self._run()
        finally:
            if not self.is_suspended:
                self._journal.end()

    async def _run(self) -> None:
        try:
            self._preparing = asyncio.current_task()
            if self._past is None and self.build.runs_as != SYSTEM:
                self.console.line(f"Running as {self.controller.fullname_of(self.build.runs_as)}")
            script = self._past.script if self._past else await self._script()
            command = await runner_command(self.controller)
            self._preparing = None
            if self._past:
                now = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime())
                self.console.line(f"Resuming build at {now} after Jenkins restart")
            else:
                self._journal.begin(script, {it.name: it.value for it in self.build.parameters if it.is_secret})
                self.console.annotated("[Pipeline] Start of Pipeline", notes.PIPELINE)
            await self._converse(command, script)
        except asyncio.CancelledError:
            self.build.worsen("ABORTED")
            return
        except StepFailed as fault:
            self.console.line(f"ERROR: {fault.message}")
            self.build.worsen("FAILURE")
            return
        if self.is_suspended:
            return
        self.console.annotated("[Pipeline] End of Pipeline", notes.PIPELINE)
        if self._error:
            self.report(self._error)
            self.build.worsen(str(self._error.get("result") or "FAILURE"))

    async def _script(self) -> str:
        definition = self.build.job.root.find("definition")
        kind = "" if definition is None else str(definition.get("class", "")).rpartition(".")[2]
        if kind == "CpsFlowDefinition":
            return xmlfile.text(definition, "script")
        if kind == "CpsScmFlowDefinition" and self.repository:
            path = xmlfile.text(definition, "scriptPath") or "Jenkinsfile"
            client = Git(self.controller, self.console, process_environment(self.controller, self.variables))
            text = await client.read(self.repository, path)
            self.console.line(f"Obtained {path} from git {self.repository.url}")
            return text
        raise StepFailed("No flow definition, cannot run")

    async def _converse(self, command: list[str], script: str) -> None:
        environment = self.controller.surroundings.build_variables
        self._process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
            limit=LINE_LIMIT,
            start_new_session=True,
        )
        errors = asyncio.create_task(self._errors())
        try:
            self._send(self._hello(script))
            assert self._process.stdout is not None
            while line := await self._process.stdout.readline():
                message = json.loads(line)
                if message["kind"] == "done":
                    self._error, self._is_done = message.get("error"), True
                    break
                task = asyncio.create_task(self._serve(message))
                self._serving.add(task)
                task.add_done_callback(self._serving.discard)
            await self._await_suspension()
        finally:
            await self._clear(errors)
        if not self._is_done and not self.is_stopped and not self.is_suspended:
            raise StepFailed(
                f"the Groovy program ended unexpectedly with {self._process.returncode}\n{errors.result()}".rstrip()
            )

    async def _await_suspension(self) -> None:
        """Whoever stops the service ends all of its processes at once: Groovy may be gone before this one is told to stop."""
        end = time.monotonic() + LEAVE_TAKING
        while not self._is_done and self.can_resume and not self.is_suspended and time.monotonic() < end:
            await asyncio.sleep(0.05)

    async def _errors(self) -> str:
        assert self._process is not None and self._process.stderr is not None
        return (await self._process.stderr.read()).decode(errors="replace")[-4000:]

    async def _clear(self, errors: asyncio.Task[str]) -> None:
        assert self._process is not None
        for task in list(self._serving):
            task.cancel()
        if self._process.returncode is None:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._process.wait(), 1.0)
        await process.stop_group(self._process)
        for context in reversed(list(self._contexts.values())):
            await context.stack.aclose()
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(errors), 2.0)

    def _hello(self, script: str) -> dict[str, Any]:
        plugins = self.controller.surroundings.plugins
        steps = {
            name: {"main": entry.main, "isBlock": entry.is_block}
            for name, entry in STEPS.items()
            if not entry.plugin or entry.plugin in plugins
        }
        return {
            "script": script,
            "steps": {name: entry for name, entry in steps.items() if not name.startswith("_")},
            "symbols": [name for name, plugin in SYMBOLS.items() if not plugin or plugin in plugins],
            "params": self.parameters(),
            "scm": {"$class": "own"} if self.repository else None,
        }

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(json.dumps(message).encode() + b"\n")

    async def _serve(self, message: dict[str, Any]) -> None:
        answer: dict[str, Any] = {"id": message["id"]}
        before: Asked | None = None
        try:
            before = self._past.take(message) if self._past else None
            if before is not None and before.answer is not None:
                answer |= await self._again(message, self._contexts[message["context"]], before)
            else:
                self._journal.asked(message, before)
                answer["value"] = await self._handle(message, self._contexts[message["context"]], before)
        except StepFailed as fault:
            answer["error"] = {"kind": fault.kind, "message": fault.message, "result": fault.result}
        except asyncio.CancelledError:
            problem = getattr(asyncio.current_task(), "problem", None) or Interrupted("")
            answer["error"] = {"kind": problem.kind, "message": problem.message, "result": problem.result}
        except Exception as fault:
            answer["error"] = {"kind": f"emulator.{type(fault).__name__}", "message": str(fault), "result": "FAILURE"}
        if self.is_suspended:
            return
        self._journal.answered(message, answer)
        await self._wait_while_quiet()
        if not self.is_suspended:
            self._send(answer)

    async def _wait_while_quiet(self) -> None:
        """In quiet mode the program does not go on behind a step; one that is aborted does, to its end."""
        while self.controller.quieting_reason is not None and not self.is_stopped and not self.is_suspended:
            if not self._is_paused:
                self._is_paused = True
                self.console.line(PAUSING)
            await asyncio.sleep(0.05)
        if self._is_paused and self.controller.quieting_reason is None:
            self._is_paused = False
            self.console.line("Resuming (Shutdown was canceled)")

    async def _again(self, message: dict[str, Any], context: Context, before: Asked) -> dict[str, Any]:
        """A step that the build has had: the answer of then, without a word; what it holds or set is held and set again."""
        kind, name, arguments, answer = message["kind"], message["name"], message["arguments"], before.answer or {}
        MUTED.set(True)
        if kind == "leave":
            with suppress(StepFailed):
                await self._leave(context, name, arguments.get("error"))
        elif kind == "enter" and "value" in answer:
            await self._enter(context, name, arguments, before)
        elif name in resuming.ASKED_AGAIN:
            answer = {"value": await self._work(context, context, name, arguments)}
        elif name in CHECKOUTS and "value" in answer:
            self.variables.update(answer["value"])
        if self._past and self._past.is_over:
            resuming.restore_stages(self.build, self._past)
        return answer

    async def _handle(self, message: dict[str, Any], context: Context, before: Asked | None) -> Any:
        kind, name = message["kind"], message["name"]
        if kind == "leave":
            return await self._leave(context, name, message["arguments"].get("error"))
        if not name.startswith("_") and (waiting := context.take_interruption()):
            raise waiting
        if kind == "enter":
            return await self._enter(context, name, message["arguments"])
        if not name.startswith("_") and before is None:
            self.console.annotated(f"[Pipeline] {name}", notes.PIPELINE)
        return await self._work(context, context, name, message["arguments"], before)

    async def _work(
        self, outer: Context, context: Context, name: str, arguments: dict[str, Any], before: Asked | None = None
    ) -> Any:
        task = asyncio.current_task()
        assert task is not None
        outer.tasks.add(task)
        try:
            return await STEPS[name].work(Step(self, context, name, arguments, before.at if before else None))
        finally:
            outer.tasks.discard(task)

    async def _enter(
        self, outer: Context, name: str, arguments: dict[str, Any], before: Asked | None = None
    ) -> dict[str, str]:
        shown = SHOWN.get(name, name)
        if shown:
            self.console.annotated(f"[Pipeline] {shown}", notes.PIPELINE)
        number = next(self._numbers)
        context = Context(before.answer["value"]["context"] if before and before.answer else f"c{number}", outer)
        self._contexts[context.identifier] = context
        try:
            await self._work(outer, context, name, arguments, before)
        except BaseException:
            del self._contexts[context.identifier]
            await context.stack.aclose()
            if shown:
                self.console.annotated(f"[Pipeline] // {shown}", notes.PIPELINE)
            raise
        label = f" ({context.name})" if name == "stage" else f" (Branch: {context.name})" if name == "_branch" else ""
        if name not in BRANCHING:
            self.console.annotated(f"[Pipeline] {{{label}", notes.PIPELINE)
        return {"context": context.identifier}

    async def _leave(self, context: Context, name: str, problem: dict[str, Any] | None) -> dict[str, bool]:
        if name not in BRANCHING:
            self.console.annotated("[Pipeline] }", notes.PIPELINE)
        verdict = context.leave(problem) if context.leave else None
        await context.stack.aclose()
        del self._contexts[context.identifier]
        shown = SHOWN.get(name, name)
        if shown:
            self.console.annotated(f"[Pipeline] // {shown}", notes.PIPELINE)
        if verdict and verdict.replacement:
            raise verdict.replacement
        return {"isHandled": bool(verdict and verdict.is_handled)}


def _typed(kind: str, value: str) -> object:
    return value == "true" if kind == "BooleanParameterDefinition" else value
