"""Starts, stops and ends builds, and resumes them after a restart."""

from __future__ import annotations

import asyncio
import contextlib
import traceback
from collections.abc import Callable

from ..failures import StepFailed
from ..model import console_notes, program_record
from ..model.builds import Build
from ..model.program_record import RecordedSteps
from ..model.stashes import clear_stashes
from .console import Console
from .contexts import Allocation
from .executors import Slot
from .freestyle import Freestyle
from .pipeline import Pipeline
from .services import Execution, Services

RESUBMIT_SECONDS = 10  # the quiet period of a build that ec2-fleet starts again


class Runs:
    """Runs builds, each in its own task; `follow` is called with each ended build, except in quiet mode."""

    def __init__(self, services: Services, follow: Callable[[Build], None]) -> None:
        self._services, self._home, self._follow = services, services.home, follow
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_ready(self) -> bool:
        """Whether every running build can go on after a restart."""
        return all(execution.can_resume for execution in self._services.running.values())

    def resume(self) -> None:
        """Resume the builds of an earlier process that can go on, the oldest first."""
        left = [build for job in self._home.tree.jobs for build in job.history.list_builds() if build.is_building]
        for build in sorted(left, key=lambda build: build.timestamp):
            recorded = program_record.read(build.directory, self._home.vault.open)
            if recorded is not None:
                self._services.executors.keep_executors(build, recorded.list_agents())
            self.begin(build, None, recorded)

    def begin(self, build: Build, slot: Slot | None, recorded: RecordedSteps | None = None) -> None:
        """Run a build that left the queue; `slot` is the executor of a freestyle one, `recorded` is of a resumed one."""
        if slot is None:
            self._services.queue.pipelines.begin(build)
        task = asyncio.get_running_loop().create_task(self._run(build, slot, recorded))
        task.set_name(f"build {build.job.full_name} {build.number}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def abort(self, build: Build, who: str) -> None:
        """Abort a running build."""
        execution = self._services.running.get(build)
        if execution:
            execution.stop(f"Aborted by {who}")

    def resubmit(self, title: str, build: Build) -> None:
        """Abort a build whose agent was lost, and queue its job again, as ec2-fleet does unless it is told not to."""
        execution = self._services.running.get(build)
        job = self._home.find_job(build.job.full_name)
        if execution and job:
            execution.stop(f"EC2 instance for node {title} was terminated")
            self._services.queue.schedule(job, build.parameters, [], RESUBMIT_SECONDS)

    async def stop(self) -> None:
        """Suspend the builds that can be resumed, abort the others, and wait for all."""
        for execution in list(self._services.running.values()):
            if execution.can_resume:
                execution.suspend()
            else:
                execution.stop("Aborted: the controller is shutting down")
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=20)
        for task in list(self._tasks):
            task.cancel()

    async def _run(self, build: Build, slot: Slot | None, recorded: RecordedSteps | None) -> None:
        console, is_suspended = Console(build.log_path), False
        try:
            if recorded is None:
                self._services.audit.log_start(build)
            for cause in build.causes if recorded is None else ():
                words, who = cause.in_console
                if who:
                    console.write_annotated(words, console_notes.LINK, len(words) - len(who))
                else:
                    console.write_line(words)
            with contextlib.ExitStack() as stack:
                execution = self._make_execution(build, console, slot, stack, recorded)
                self._services.running[build] = execution
                await execution.run()
                is_suspended = execution.is_suspended
        except asyncio.CancelledError:
            build.worsen("ABORTED")
        except StepFailed as fault:
            console.write_line(f"ERROR: {fault.message}")
            build.worsen("FAILURE")
        except Exception:
            # A fault of the emulator itself must end the build visibly, never leave it running for ever.
            console.write_line("FATAL: the emulator failed\n" + traceback.format_exc())
            build.worsen("FAILURE")
        finally:
            if is_suspended:
                self._services.running.pop(build, None)
                console.close()
            else:
                self._end(build, console, slot)

    def _make_execution(
        self,
        build: Build,
        console: Console,
        slot: Slot | None,
        stack: contextlib.ExitStack,
        recorded: RecordedSteps | None,
    ) -> Execution:
        if slot is None:
            return Pipeline(self._services, build, console, recorded)
        settings = self._services.executors.find_settings(slot.node)
        node = self._services.executors.find_connected(slot.node)
        if node is None:  # it has gone in this very moment
            raise StepFailed(f"‘{settings.shown_name}’ is offline")
        held = Allocation(slot, node, self._services.workspaces.lend(build.job, settings, stack))
        return Freestyle(self._services, build, console, held)

    def _end(self, build: Build, console: Console, slot: Slot | None) -> None:
        self._services.running.pop(build, None)
        self._services.queue.pipelines.end(build)
        self._services.executors.release_kept(build)
        build.finish()
        clear_stashes(build)
        console.write_line(f"Finished: {build.result}")
        console.close()
        # One of the same name may have been made in the place of a deleted job: its files are its own.
        if build.directory.exists() and self._home.find_job(build.job.full_name) is build.job:
            build.save()
            build.history.save_permalinks()
        self._services.audit.log_end(build)
        if slot is not None:
            self._services.executors.release(slot)
        self._services.queue.wake()
        build.history.discard(*build.job.rotation)
        if build.job.rotation == (-1, -1):
            build.history.discard(*self._home.configuration.rotation)
        if not self._services.quiet_mode.is_on:
            self._follow(build)
