"""The controller: everything that lives under one JENKINS_HOME, and how it starts, runs builds and stops."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import time
import traceback
from pathlib import Path
from typing import Any, Protocol

from .casc import effects, kept
from .casc.check import Checker
from .casc.sources import Node, merge, parse, read_sources, strategy_of
from .casc.variables import Variables
from .execution import resuming
from .execution.audit import Audit
from .execution.console import Console
from .execution.freestyle import Freestyle
from .execution.pipeline import Pipeline
from .execution.queue import Executors, Queue
from .execution.resuming import Past
from .execution.triggers import Triggers
from .failures import Refused, failure
from .model import notes, xmlfile
from .model.builds import Build
from .model.cipher import Vault
from .model.configuration import Configuration
from .model.credentials import Credentials, from_configuration
from .model.inputs import Inputs
from .model.items import Folder, Item, Job, Tree
from .model.resources import Locks
from .model.security import ANONYMOUS, Authorization, Users
from .model.sessions import Sessions
from .model.views import ALL, declared_view, make_view, views_of
from .surroundings import Surroundings


class Execution(Protocol):
    """A build that runs."""

    async def run(self) -> None:
        """Run to the end; the outcome is in the build."""

    def stop(self, reason: str) -> None:
        """Abort it; `reason` goes to the log."""

    @property
    def can_resume(self) -> bool:
        """Whether it would go on after a restart."""

    @property
    def is_suspended(self) -> bool:
        """Whether it was let go of, to go on after a restart."""

    def suspend(self) -> None:
        """Let go of it; only where it can be resumed."""


class Controller:
    """One Jenkins. Everything in it runs in one event loop, so nothing here needs a lock."""

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings, self.home = surroundings, surroundings.home
        self.home.mkdir(parents=True, exist_ok=True)
        self.session = secrets.token_hex(4)  # X-Jenkins-Session: another one at each start
        self.vault = Vault(self.home)
        self.sessions = Sessions(self.vault.salt)
        self.users = Users(self.home)
        self.credentials = Credentials(self.home, self.vault)
        self.tree = Tree(self.home, surroundings.plugins)
        self.configuration = Configuration()
        self.authorization = Authorization()
        self.executors, self.queue = Executors(self), Queue(self)
        self.triggers, self.inputs, self.locks = Triggers(self), Inputs(), Locks()
        self.audit = Audit(self)
        self.executions: dict[Build, Execution] = {}
        self.quieting_reason: str | None = None
        self.warnings: list[str] = []
        self.exit_code: int | None = None
        self.leaving = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._lent: set[Path] = set()

    @property
    def url(self) -> str:
        """The root URL, ending in a slash: the configured one, or where this process listens."""
        return self.configuration.url or f"http://{self.surroundings.address}:{self.surroundings.port}/"

    def start(self) -> None:
        """Read the home and apply Configuration as Code; ConfigurationRefused leaves the caller to give up."""
        for name in ("jobs", "users", "logs", "plugins"):
            (self.home / name).mkdir(exist_ok=True)
        self.users.load()
        self.credentials.load()
        self._load_views()
        self.configuration = Configuration(kept.load(self.home, self.vault))
        self.configure(read_sources(self.surroundings.variables, self.home))
        self.tree.load()
        self.queue.load()
        self._write_marks()
        self._resume()
        self._keep(self.queue.work())
        self._keep(self.triggers.work())

    def _write_marks(self) -> None:
        version = self.surroundings.version.encode()
        for name in ("jenkins.install.InstallUtil.lastExecVersion", "jenkins.install.UpgradeWizard.state"):
            xmlfile.write(self.home / name, version)
        for plugin, number in self.surroundings.plugins.items():
            mark = self.home / "plugins" / f"{plugin}.version"
            if not mark.exists() or mark.read_text() != number:
                mark.write_text(number)

    def _keep(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def stop(self) -> None:
        """An orderly end: what runs is aborted and says so, what waits, in the queue or for an answer, is on the disk."""
        self.quieting_reason = "shutting down"
        for execution in list(self.executions.values()):
            if execution.can_resume:
                execution.suspend()
            else:
                execution.stop("Aborted: the controller is shutting down")
        running = [task for task in self._tasks if task.get_name().startswith("build ")]
        if running:
            await asyncio.wait(running, timeout=20)
        for task in list(self._tasks):
            task.cancel()
        self.queue.save()

    # Configuration

    def check(self, text: str) -> None:
        """Check one posted text alone; ConfigurationRefused with every fault. As in Jenkins, that has effects."""
        checked = Checker(self.surroundings.plugins, self._variables()).check(parse(text, "posted text"))
        effects.apply(checked, self.home, self.users, self.vault.seal)

    def reload(self, extra: str = "") -> None:
        """Read all sources again (and a posted text after them) and apply them; a refusal changes nothing."""
        tree = read_sources(self.surroundings.variables, self.home)
        if extra:
            tree = merge(tree, parse(extra, "posted text"), strategy_of(self.surroundings.variables))
        self.configure(tree)

    def _variables(self) -> Variables:
        return Variables(self.surroundings.variables)

    def configure(self, tree: Node) -> None:
        """Check a whole configuration and apply it to what is configured already."""
        variables = self._variables()
        checked = Checker(self.surroundings.plugins, variables).check(tree)
        self.warnings = variables.warnings
        self.configuration = Configuration(kept.overlaid(self.configuration.tree, checked))
        strategy = self.configuration.value("jenkins", "authorizationStrategy")
        if strategy:
            ((name, settings),) = strategy.items()
            self.authorization = Authorization(name, _matrix_of(name, settings))
        effects.apply(self.configuration.tree, self.home, self.users, self.vault.seal)
        system = self.configuration.value("credentials", "system", "domainCredentials")
        if system is not None:
            self.credentials.replace(from_configuration(system))
        self.locks.declare([str(entry.get("name")) for entry in self.configuration.resources])
        self._apply_views()
        self.save()
        self.executors.notify()

    def _apply_views(self) -> None:
        root = self.tree.root
        declared = self.configuration.value("jenkins", "views")
        if declared is not None:
            root.views = [declared_view(entry) for entry in declared]
        primary = self.configuration.value("jenkins", "primaryView")
        if primary:
            root.primary_view = declared_view(primary).name
        if not any(view.kind == ALL for view in root.views) and not declared:
            root.views.insert(0, make_view(ALL, "all"))
        if root.primary_view not in {view.name for view in root.views}:
            root.primary_view = root.views[0].name

    def _load_views(self) -> None:
        path = self.home / "config.xml"
        if path.exists():
            root = xmlfile.parse(path.read_bytes())
            self.tree.root.views = views_of(root.find("views"))
            self.tree.root.primary_view = xmlfile.text(root, "primaryView")

    def save(self) -> None:
        """Write config.xml, the location's file, and all that is configured."""
        settings = self.configuration
        kept.save(self.home, settings.tree, self.vault)
        root = xmlfile.element("hudson")
        xmlfile.put(root, "version", self.surroundings.version)
        xmlfile.put(root, "numExecutors", settings.executors)
        xmlfile.put(root, "mode", "EXCLUSIVE" if settings.is_exclusive else "NORMAL")
        xmlfile.put(root, "useSecurity", self.is_secured)
        xmlfile.put(root, "authorizationStrategy", class_=self.authorization.strategy)
        xmlfile.put(
            root, "securityRealm", class_=next(iter(settings.value("jenkins", "securityRealm", default={"none": {}})))
        )
        xmlfile.put(root, "disableRememberMe", bool(settings.value("jenkins", "disableRememberMe", default=False)))
        xmlfile.put(root, "systemMessage", settings.value("jenkins", "systemMessage", default=""))
        xmlfile.put(root, "quietPeriod", settings.quiet_period)
        views = xmlfile.put(root, "views")
        for view in self.tree.root.views:
            views.append(xmlfile.parse(xmlfile.serialise(view.root)))
        xmlfile.put(root, "primaryView", self.tree.root.primary_view)
        xmlfile.put(root, "slaveAgentPort", settings.value("jenkins", "slaveAgentPort", default=-1))
        xmlfile.put(root, "label", settings.value("jenkins", "labelString", default=""))
        xmlfile.write(self.home / "config.xml", xmlfile.serialise(root), 0o600)
        location = xmlfile.element("jenkins.model.JenkinsLocationConfiguration")
        xmlfile.put(location, "adminAddress", settings.admin_address)
        xmlfile.put(location, "jenkinsUrl", self.url)
        xmlfile.write(self.home / "jenkins.model.JenkinsLocationConfiguration.xml", xmlfile.serialise(location))

    @property
    def is_secured(self) -> bool:
        """Whether there is any authorization at all."""
        return self.authorization.strategy != "unsecured"

    # Items and builds

    def find_job(self, name: str, start: Folder | None = None) -> Job | None:
        """A job by full name, or relative to a folder."""
        for folder in (start, None):
            item = self.tree.find(name, folder)
            if isinstance(item, Job):
                return item
        return None

    def check_new_name(self, name: str) -> None:
        """Refuse a name that the naming strategy does not allow."""
        pattern, description = self.configuration.name_pattern
        if pattern and not re.fullmatch(pattern, name):
            raise failure(description or f"‘{name}’ does not match the job name convention pattern {pattern}")

    def workspace(self, job: Job) -> Path:
        """A job's first workspace."""
        return self.home / "workspace" / job.workspace_name

    def lend_workspace(self, job: Job, stack: contextlib.ExitStack | contextlib.AsyncExitStack) -> Path:
        """A workspace that nobody else uses until the stack closes: '@2' and so on follow the first, as Jenkins names them."""
        first = self.workspace(job)
        number, path = 1, first
        while path in self._lent:
            number += 1
            path = first.with_name(f"{first.name}@{number}")
        self._lent.add(path)
        stack.callback(self._lent.discard, path)
        return path

    def _resume(self) -> None:
        """Go on with the builds that wait for an answer since an earlier process, the oldest first."""
        jobs = [item for item in self.tree.root.walk() if isinstance(item, Job)]
        left = [build for job in jobs for build in job.history.all() if build.is_building]
        for build in sorted(left, key=lambda it: it.timestamp):
            self.begin(build, None, resuming.read(build.directory, self.vault.open))

    def begin(self, build: Build, slot: int | None, past: Past | None = None) -> None:
        """Run a build that left the queue; `slot` is the executor of a freestyle one, `past` what it has had already."""
        task = self._keep(self._run(build, slot, past))
        task.set_name(f"build {build.job.full_name} {build.number}")

    async def _run(self, build: Build, slot: int | None, past: Past | None) -> None:
        console, is_suspended = Console(build.log_path), False
        try:
            if past is None:
                self.audit.started(build)
            for cause in build.causes if past is None else ():
                if who := cause.values.get("userName"):
                    console.annotated(cause.text, notes.LINK, len(cause.text) - len(who))
                else:
                    console.line(cause.text)
            with contextlib.ExitStack() as stack:
                execution = self._execution(build, console, slot, stack, past)
                self.executions[build] = execution
                await execution.run()
                is_suspended = execution.is_suspended
        except asyncio.CancelledError:
            build.worsen("ABORTED")
        except Exception:
            # A fault of the emulator itself must end the build visibly, never leave it running for ever.
            console.line("FATAL: the emulator failed\n" + traceback.format_exc())
            build.worsen("FAILURE")
        finally:
            if is_suspended:
                self.executions.pop(build, None)
                console.close()
            else:
                self._end(build, console, slot)

    def _execution(
        self, build: Build, console: Console, slot: int | None, stack: contextlib.ExitStack, past: Past | None
    ) -> Execution:
        if slot is None:
            return Pipeline(self, build, console, past)
        return Freestyle(self, build, console, slot, self.lend_workspace(build.job, stack))

    def _end(self, build: Build, console: Console, slot: int | None) -> None:
        self.executions.pop(build, None)
        build.finish()
        console.line(f"Finished: {build.result}")
        console.close()
        # One of the same name may have been made in the place of a deleted job: its files are its own.
        if build.directory.exists() and self.find_job(build.job.full_name) is build.job:
            build.save()
            build.job.history.save_permalinks()
        self.audit.finished(build)
        if slot is not None:
            self.executors.release(slot)
        self.queue.wake()
        build.job.history.discard(*build.job.rotation)
        if build.job.rotation == (-1, -1):
            build.job.history.discard(*self.configuration.rotation)
        if self.quieting_reason is None:
            self.triggers.finished(build)

    def stop_build(self, build: Build, who: str) -> None:
        """Abort a running build."""
        execution = self.executions.get(build)
        if execution:
            execution.stop(f"Aborted by {who}")

    def delete(self, item: Item) -> None:
        """Delete an item; what runs or waits of it ends."""
        below = [item] if isinstance(item, Job) else list(item.walk()) if isinstance(item, Folder) else []
        for job in below:
            if isinstance(job, Job):
                waiting = self.queue.of(job)
                if waiting:
                    self.queue.cancel(waiting)
                for build in job.history.all():
                    if build.is_building:
                        self.stop_build(build, "the deletion of the job")
        self.tree.delete(item)

    # Leaving

    @property
    def is_ready(self) -> bool:
        """Whether no build runs that could not go on after a restart."""
        return all(it.can_resume for it in self.executions.values())

    def leave(self, code: int, *, waits: bool) -> None:
        """Ask the process to end with `code`; with `waits` running builds finish first."""
        self.quieting_reason = self.quieting_reason or "Jenkins is restarting"
        self._keep(self._leave(code, waits))

    async def _leave(self, code: int, waits: bool) -> None:
        started = time.monotonic()
        while waits and not self.is_ready and time.monotonic() - started < 24 * 3600:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)  # the answer to the request must get out first
        self.exit_code = code
        self.leaving.set()

    def fullname_of(self, name: str) -> str:
        """How a user is shown."""
        if name == ANONYMOUS:
            return ANONYMOUS
        user = self.users.find(name)
        return user.full_name if user else name

    def reload_home(self) -> None:
        """POST /reload: forget the items in memory and read them again. Refused while builds run."""
        if self.executions:
            raise Refused(409, "builds are running")
        self.tree = Tree(self.home, self.surroundings.plugins)
        self._load_views()
        self._apply_views()
        with contextlib.suppress(OSError):
            self.tree.load()


def _matrix_of(strategy: str, settings: Any) -> Any:
    # Global roles mean the same as a matrix; item and agent roles have no effect here beyond that.
    if strategy != "roleBased":
        return settings
    entries = []
    for role in (settings.get("roles") or {}).get("global") or []:
        for member in role.get("entries") or []:
            for kind, name in member.items():
                entries.append(
                    {
                        {"either": "userOrGroup"}.get(kind, kind): {
                            "name": name,
                            "permissions": role.get("permissions") or [],
                        }
                    }
                )
    return {"entries": entries}
