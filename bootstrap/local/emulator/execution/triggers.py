"""Triggers of builds: timers, polling of repositories, and finished upstream builds."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime

from ..failures import StepFailed
from ..model.build_record import ORDER, Cause, Parameter, make_scm_cause, make_timer_cause
from ..model.builds import Build, make_upstream_cause
from ..model.home import Home
from ..model.identities import find_identity, may
from ..model.jobs import Job
from .console import Console
from .cron import BadSchedule, Schedule
from .git import Git, find_repository
from .queue import Queue


class Triggers:
    """Checks the timers of every job once a minute."""

    def __init__(self, home: Home, queue: Queue) -> None:
        self._home, self._queue = home, queue
        self._polling: set[asyncio.Task[None]] = set()

    async def check_timers(self) -> None:
        """Check the timers while the controller runs."""
        while True:
            await asyncio.sleep(60 - time.time() % 60 + 0.05)
            moment = datetime.now(UTC)
            for job in self._home.tree.jobs:
                self.look(job, moment)

    def look(self, job: Job, moment: datetime) -> None:
        """Run the triggers of one job that are due in this minute."""
        if job.is_disabled or job.is_held:
            return
        for trigger in job.triggers:
            try:
                is_due = trigger.kind in {"TimerTrigger", "SCMTrigger"} and Schedule(
                    trigger.spec, job.full_name
                ).is_due(moment)
            except BadSchedule:
                continue
            if is_due and trigger.kind == "TimerTrigger":
                self.start(job, make_timer_cause())
            elif is_due:
                task = asyncio.create_task(self.poll(job))
                self._polling.add(task)
                task.add_done_callback(self._polling.discard)

    def start(self, job: Job, cause: Cause) -> None:
        """Queue a build with default parameters."""
        defaults = [Parameter(entry.name, entry.default, entry.kind) for entry in job.parameters]
        self._queue.schedule(job, defaults, [cause])

    async def poll(self, job: Job) -> None:
        """Compare a repository's head with the last build's revision; the log goes to scm-polling.log."""
        log = job.directory / "scm-polling.log"
        log.unlink(missing_ok=True)
        console = Console(log)
        try:
            console.write_line(f"Started on {time.strftime('%b %d, %Y, %I:%M:%S %p')}")
            repository = find_repository(job)
            if repository is None:
                console.write_line("No SCM is configured")
                return
            head = await Git(self._home, console, self._home.options.build_variables).find_head(repository)
            last = next((build for build in job.history.list_builds() if build.revision), None)
            is_waiting = self._queue.find_of_job(job) is not None
            if head and (last is None or last.revision != head) and not is_waiting:
                console.write_line("Changes found")
                self.start(job, make_scm_cause())
            else:
                console.write_line("No changes")
        except StepFailed as fault:
            console.write_line(f"ERROR: {fault.message}")
        finally:
            console.close()

    def trigger_downstream(self, build: Build) -> None:
        """Start the jobs that this job triggers."""
        for job in self._home.tree.jobs:
            for trigger in job.triggers:
                if trigger.kind != "ReverseBuildTrigger" or job.is_disabled:
                    continue
                names = [name.strip() for name in trigger.spec.split(",")]
                is_followed = any(self._home.find_job(name, job.parent) is build.job for name in names if name)
                # Whom the follower would run as must see what it follows.
                is_followed = is_followed and may(self._home, find_identity(self._home, job), "Job/Read")
                if is_followed and ORDER.index(build.result or "SUCCESS") <= ORDER.index(trigger.threshold):
                    self.start(job, make_upstream_cause(build))
