"""The controller: one Jenkins with its home and its running builds; starts, configures and stops it."""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections.abc import Coroutine, Mapping
from typing import Any

from . import steps  # noqa: F401 (it registers the steps)
from .casc import applying
from .casc.check import Warned
from .casc.sources import Node
from .execution.agents import Agents
from .execution.audit import Audit
from .execution.class_archive import make_archive
from .execution.executors import Executors, QuietMode
from .execution.fleet.aws import GroupState
from .execution.fleet.clouds import Clouds
from .execution.fleet.construction import construct_clouds
from .execution.queue import Queue
from .execution.runs import Runs
from .execution.services import Services, Workspaces
from .execution.triggers import Triggers
from .execution.validation import Validator
from .failures import Refused
from .journal import write_message
from .model.home import Home
from .model.items import Folder, Item
from .model.jobs import Job
from .model.sessions import Sessions
from .options import Options


class Controller:
    """One Jenkins. Everything in it runs in one event loop, so nothing here needs a lock."""

    def __init__(self, options: Options) -> None:
        self.home = Home(options)
        self.session = secrets.token_hex(4)  # X-Jenkins-Session: another one at each start
        self.sessions = Sessions(self.home.vault.salt, options.arguments.session_seconds)
        self.audit, self.quiet_mode = Audit(self.home), QuietMode()
        self.executors = Executors(self.home, self.quiet_mode)
        self.agents = Agents(self.home, self.executors)
        self.queue = Queue(self.home, self.quiet_mode, self.executors)
        self.clouds = Clouds(self.home, self.executors, self.queue, self.quiet_mode, write_message)
        self.triggers = Triggers(self.home, self.queue)
        self.workspaces = Workspaces(self.home.directory)
        self.services = Services(self.home, self.audit, self.queue, self.executors, self.quiet_mode, self.workspaces)
        self.inputs, self.running = self.services.inputs, self.services.running
        self.runs = Runs(self.services, self.triggers.trigger_downstream)
        self.clouds.lost = self.runs.resubmit
        self.validator = Validator()
        self.warnings: list[str] = []
        self.exit_code: int | None = None
        self.leaving = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> None:
        """Read the home and apply Configuration as Code; after ConfigurationRefused the caller must end the process."""
        self.home.load()
        applying.load(self.home)
        prepared = applying.prepare(self.home, applying.read(self.home))
        self._configure(prepared, construct_clouds(prepared, self.home.options.variables))
        self.clouds.load()
        self.home.tree.load()
        self.queue.load()
        self.home.write_marks()
        self.runs.resume()
        self._keep(self.queue.start_builds(self.runs.begin))
        self._keep(self.triggers.check_timers())
        self._keep(self.clouds.work())
        if "NOTIFY_SOCKET" in self.home.options.variables:  # a service of long life
            self._keep(make_archive(self.home.options))

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End in order: running builds are aborted; queued builds, and builds that wait for an input, are on the disk."""
        self.quiet_mode.reason, self.clouds.is_closing = "shutting down", True
        await self.runs.stop()
        for task in list(self._tasks):
            task.cancel()
        await self.clouds.close()
        self.queue.save()

    # Configuration

    async def check(self, text: str, source: str) -> list[Warned]:
        """Check only one posted text; ConfigurationRefused with its fault. As in Jenkins, that has effects."""
        return await self._check(applying.read_text(text, source))

    async def check_files(self, source: str) -> list[Warned]:
        """Check the files of another source, with the same effects."""
        return await self._check(applying.read_source(self.home, source))

    async def _check(self, tree: Node) -> list[Warned]:
        prepared = applying.prepare(self.home, tree)
        await asyncio.to_thread(construct_clouds, prepared, self.home.options.variables)
        return applying.check(self.home, prepared)

    async def reload(self, extra: str = "", source: str = "") -> None:
        """Read all sources again (and a posted text after them) and apply them; a refusal changes nothing."""
        prepared = applying.prepare(self.home, applying.read(self.home, extra, source))
        states = await asyncio.to_thread(construct_clouds, prepared, self.home.options.variables)
        self._configure(prepared, states)

    def _configure(self, prepared: applying.Prepared, states: Mapping[str, GroupState] | None) -> None:
        """Apply a checked configuration to the present settings; `states` are those of clouds that it names."""
        self.warnings = prepared.warnings
        applying.apply(self.home, prepared)
        if states is not None:
            self.clouds.replace(states)
        self.services.locks.declare([str(entry.get("name")) for entry in self.home.configuration.resources])
        self.executors.notify()

    def save(self) -> None:
        """Write all settings, and the views of the root."""
        applying.save(self.home)

    # Items

    def delete(self, item: Item) -> None:
        """Delete an item; its running and queued builds end."""
        below = [item] if isinstance(item, Job) else list(item.walk()) if isinstance(item, Folder) else []
        for job in below:
            if isinstance(job, Job):
                waiting = self.queue.find_of_job(job)
                if waiting:
                    self.queue.cancel(waiting)
                for build in job.history.list_builds():
                    if build.is_building:
                        self.runs.abort(build, "the deletion of the job")
        self.home.tree.delete(item)

    def reload_home(self) -> None:
        """POST /reload: forget the items in memory and read them again. Refused while builds run."""
        if self.running:
            raise Refused(409, "builds are running")
        self.home.reload_items()

    def disable(self, job: Job, *, is_disabled: bool) -> None:
        """Disable or enable a job; a disabled job leaves the queue."""
        job.disable(is_disabled)
        waiting = self.queue.find_of_job(job)
        if is_disabled and waiting:
            self.queue.cancel(waiting)

    # Quiet mode

    async def quiet_down(self, reason: str, seconds: float | None = None) -> None:
        """Begin quiet mode. With `seconds` wait until every build could go on after a restart; 0 waits for ever."""
        self.quiet_mode.reason = reason
        if seconds is None:
            return
        deadline = time.monotonic() + seconds if seconds > 0 else math.inf
        while self.quiet_mode.is_on and time.monotonic() < deadline and not self.runs.is_ready:
            await asyncio.sleep(0.05)

    def cancel_quiet_down(self) -> None:
        """End quiet mode."""
        self.quiet_mode.reason = None
        self.executors.notify()

    # Leaving

    def leave(self, code: int, *, waits: bool) -> None:
        """Ask the process to end with `code`; with `waits` running builds finish first."""
        self.quiet_mode.reason = self.quiet_mode.reason or "Jenkins is restarting"
        self._keep(self._leave(code, waits))

    async def _leave(self, code: int, waits: bool) -> None:
        started = time.monotonic()
        while waits and not self.runs.is_ready and time.monotonic() - started < 24 * 3600:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)  # the answer to the request must get out first
        self.exit_code = code
        self.leaving.set()
