"""Runs a freestyle build: wrappers, checkout, shell steps, publishers."""

from __future__ import annotations

import asyncio
import shlex
from contextlib import AsyncExitStack
from typing import Any

from ..failures import StepFailed
from ..model import xmlfile
from ..model.build_record import ORDER, Parameter
from ..model.builds import Build, make_upstream_cause
from . import publishers
from .bindings import bind
from .console import Console
from .contexts import Allocation
from .durable_node import AgentLost
from .environment import (
    expand,
    make_build_variables,
    make_node_variables,
    make_process_environment,
)
from .git import Git, parse_repository
from .mail_sending import MailFailed
from .services import Services

TIMEOUT = "hudson.plugins.build__timeout.BuildTimeoutWrapper"
BINDING = "org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper"
# Wrappers and publishers without an effect here that a build could miss.
HARMLESS = {"hudson.plugins.ansicolor.AnsiColorBuildWrapper", "hudson.tasks.Fingerprinter"}


class Freestyle:
    """One run of a freestyle job on a slot that it holds."""

    def __init__(self, services: Services, build: Build, console: Console, held: Allocation) -> None:
        self._services, self._build, self._console = services, build, console
        self._home = services.home
        self._root = build.job.root
        self.workspace, self._node = held.workspace, held.node
        self._files = publishers.Files(held.node, held.workspace)
        self._node_settings = services.executors.find_settings(held.slot.node)
        self._variables = {
            **make_build_variables(self._home, build),
            **make_node_variables(self._node_settings, held.slot.number, self.workspace),
        }
        self._node_environment = {**held.node.environment, **self._node_settings.variables}
        self._task: asyncio.Task[None] | None = None

    @property
    def milestone(self) -> int:
        """Only Pipelines pass milestones."""
        return 0

    @property
    def can_resume(self) -> bool:
        """False: a shell step cannot go on after the process ended."""
        return False

    @property
    def is_suspended(self) -> bool:
        """Never."""
        return False

    def suspend(self) -> None:
        """Nothing to suspend."""

    def stop(self, reason: str) -> None:
        """Abort the build."""
        self._console.write_line(reason)
        if self._task:
            self._task.cancel()

    async def run(self) -> None:
        """Run to the end; the build has the result."""
        self._task = asyncio.current_task()
        name = self._home.find_full_name(self._build.runs_as)
        remotely = f"remotely on {self._node_settings.shown_name} " if self._node_settings.name else ""
        self._console.write_line(f"Running as {name}\nBuilding {remotely}in workspace {self.workspace}")
        self._hide_parameters()
        try:
            await self._node.make_folder(self.workspace)
            async with AsyncExitStack() as stack, asyncio.timeout(self._read_timeout()):
                await self._prepare(stack)
                await self._run_steps()
        except TimeoutError:
            self._console.write_line("Build timed out (after the configured time). Marking the build as aborted.")
            self._build.worsen("ABORTED")
        except asyncio.CancelledError:
            self._console.write_line("Build was aborted")
            self._build.worsen("ABORTED")
        except StepFailed as fault:
            end = "\nAgent went offline during the build" if isinstance(fault, AgentLost) else ""
            self._console.write_line(f"ERROR: {fault.message}{end}")
            self._build.worsen("FAILURE")
        self._build.result = self._build.result or "SUCCESS"
        for node in self._root.iterfind("publishers/*"):
            await self._publish(node)

    def _hide_parameters(self) -> None:
        self._console.hide(parameter.value for parameter in self._build.parameters if parameter.is_secret)

    def _read_timeout(self) -> float | None:
        minutes = xmlfile.read_text(self._root, f"buildWrappers/{TIMEOUT}/strategy/timeoutMinutes").strip()
        return float(minutes) * 60 if minutes.replace(".", "", 1).isdigit() else None

    async def _prepare(self, stack: AsyncExitStack) -> None:
        for node in self._root.iterfind("buildWrappers/*"):
            if node.tag == "hudson.plugins.timestamper.TimestamperBuildWrapper":
                self._console.has_times = True
            elif node.tag == "hudson.plugins.ws__cleanup.PreBuildCleanup":
                self._console.write_line("[WS-CLEANUP] Deleting project workspace...")
                await self._node.remove(self.workspace)
                await self._node.make_folder(self.workspace)
                self._console.write_line("[WS-CLEANUP] Done")
            elif node.tag == BINDING:
                wanted = [_read_binding(child) for child in node.iterfind("bindings/*")]
                self._variables.update(
                    await stack.enter_async_context(
                        bind(self._home, self._services.audit, self._build, self._console, self._node, wanted)
                    )
                )
            elif node.tag not in HARMLESS | {TIMEOUT}:
                raise StepFailed(f"the build wrapper {node.tag} is not known to the emulator")
        repository = parse_repository(self._root.find("scm"))
        if repository:
            environment = make_process_environment(self._node_environment, self._variables)
            git = Git(self._home, self._console, environment, self._node)
            self._variables.update(await git.check_out(repository, self.workspace, self._build))

    async def _run_steps(self) -> None:
        for node in self._root.iterfind("builders/*"):
            if node.tag != "hudson.tasks.Shell":
                raise StepFailed(f"the build step {node.tag} is not known to the emulator")
            code = await self._run_shell(xmlfile.read_text(node, "command"))
            unstable = xmlfile.read_text(node, "unstableReturn").strip()
            if code and unstable == str(code):
                self._build.worsen("UNSTABLE")
            elif code:
                self._console.write_line("Build step 'Execute shell' marked build as failure")
                self._build.worsen("FAILURE")
                return

    async def _run_shell(self, script: str) -> int:
        script = script.replace("\r\n", "\n")
        scratch = await self._node.make_scratch("jenkins")
        path = scratch / "script.sh"
        await self._node.write(path, script.encode(), 0o600)
        first = script.split("\n", 1)[0]
        command = shlex.split(first[2:]) if first.startswith("#!") else [self._home.configuration.shell, "-xe"]
        try:
            self._console.write_line(f"[{self.workspace.name}] $ {shlex.join(command)} {path}")
            environment = make_process_environment(self._node_environment, self._variables)
            code, _ = await self._node.run([*command, str(path)], self.workspace, environment, self._console.write)
        except OSError as fault:
            raise StepFailed(f'Cannot run program "{command[0]}": {fault.strerror}') from fault
        finally:
            await self._node.remove(scratch)
        self._console.flush()
        return code

    async def _publish(self, node: Any) -> None:
        actions = {
            "hudson.tasks.ArtifactArchiver": self._archive,
            "hudson.tasks.junit.JUnitResultArchiver": self._record_tests,
            "hudson.tasks.Mailer": self._send_mail,
            "hudson.tasks.BuildTrigger": self._trigger_jobs,
            "hudson.plugins.ws__cleanup.WsCleanup": self._clean,
        }
        try:
            if node.tag in actions:
                await actions[node.tag](node)
            elif node.tag not in HARMLESS:
                raise StepFailed(f"the publisher {node.tag} is not known to the emulator")
        except (StepFailed, OSError) as fault:
            self._console.write_line(f"ERROR: {fault}")
            self._build.worsen("FAILURE")

    async def _archive(self, node: Any) -> None:
        if xmlfile.read_text(node, "onlyIfSuccessful") == "true" and self._build.result not in {"SUCCESS", "UNSTABLE"}:
            return
        self._console.write_line("Archiving artifacts")
        allows_empty = xmlfile.read_text(node, "allowEmptyArchive") == "true" or self._build.result == "FAILURE"
        pattern = expand(xmlfile.read_text(node, "artifacts"), self._variables)
        excludes = xmlfile.read_text(node, "excludes")
        await publishers.archive(self._build, self._files, pattern, excludes, allows_empty=allows_empty)

    async def _record_tests(self, node: Any) -> None:
        self._console.write_line("Recording test results")
        allows_empty = xmlfile.read_text(node, "allowEmptyResults") == "true"
        results = xmlfile.read_text(node, "testResults")
        await publishers.record_tests(self._build, self._files, results, allows_empty=allows_empty)

    async def _send_mail(self, node: Any) -> None:
        to = publishers.parse_recipients(expand(xmlfile.read_text(node, "recipients"), self._variables))
        message = publishers.make_build_message(self._home.url, self._build, to)
        if message and to:
            self._console.write_line("Sending e-mails to: " + " ".join(to))
            try:
                await publishers.send_mail(self._home.configuration, message)
            except MailFailed as fault:  # the result of the build stays, as in Jenkins
                self._console.write_line(f"ERROR: {fault.message}")
                self._console.write_line(f"{fault.kind}: {fault.shown}")

    async def _trigger_jobs(self, node: Any) -> None:
        threshold = xmlfile.read_text(node, "threshold/name", "SUCCESS")
        if ORDER.index(self._build.result or "SUCCESS") > ORDER.index(threshold):
            return
        for name in filter(None, (part.strip() for part in xmlfile.read_text(node, "childProjects").split(","))):
            job = self._home.find_job(name, self._build.job.parent)
            if job and not job.is_disabled:
                self._console.write_line(f"Triggering a new build of {job.full_name}")
                defaults = [Parameter(entry.name, entry.default, entry.kind) for entry in job.parameters]
                self._services.queue.schedule(job, defaults, [make_upstream_cause(self._build)])

    async def _clean(self, node: Any) -> None:
        self._console.write_line("[WS-CLEANUP] Deleting project workspace...")
        await self._node.remove(self.workspace)
        self._console.write_line("[WS-CLEANUP] done")


def _read_binding(node: Any) -> dict[str, Any]:
    symbols = {
        "StringBinding": "string",
        "UsernamePasswordMultiBinding": "usernamePassword",
        "UsernamePasswordBinding": "usernameColonPassword",
        "FileBinding": "file",
        "SSHUserPrivateKeyBinding": "sshUserPrivateKey",
    }
    kind = str(node.tag).rpartition(".")[2]
    return {"$class": symbols.get(kind, kind), **{child.tag: child.text or "" for child in node}}
