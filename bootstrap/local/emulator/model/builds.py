"""Stores the builds of a job as Jenkins does: builds/<number>/{build.xml,log}, nextBuildNumber, builds/permalinks."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import console_notes, program_record, xmlfile
from .build_record import (
    ORDER,
    Cause,
    Parameter,
    TestCounts,
    put_causes,
    put_parameters,
    put_totals,
    read_causes,
    read_parameters,
    read_result,
    read_tests,
)
from .job_configuration import JobConfiguration


@dataclass(eq=False)
class Build:
    """One build; `result` is None while it runs. Times are milliseconds since the epoch.

    `own_variables` are those that its Pipeline has set by `env`.
    """

    job: JobConfiguration
    history: History
    number: int
    queue_id: int = 0
    causes: list[Cause] = field(default_factory=list)
    parameters: list[Parameter] = field(default_factory=list)
    timestamp: int = 0
    duration: int = 0
    result: str | None = None
    is_building: bool = False
    display_name: str = ""
    description: str = ""
    is_kept: bool = False
    revision: str = ""
    branch: str = ""
    remote: str = ""
    changes: list[dict[str, Any]] = field(default_factory=list)
    tests: TestCounts | None = None
    downstream: list[str] = field(default_factory=list)
    stages: list[dict[str, Any]] = field(default_factory=list)
    own_variables: dict[str, str] = field(default_factory=dict)
    runs_as: str = "SYSTEM"

    @property
    def directory(self) -> Path:
        """The directory of the build."""
        return self.job.directory / "builds" / str(self.number)

    @property
    def log_path(self) -> Path:
        """The console output."""
        return self.directory / "log"

    @property
    def log(self) -> str:
        """The console output without its notes."""
        content = self.log_path.read_bytes() if self.log_path.exists() else b""
        return console_notes.remove_notes(content).decode("utf-8", "replace")

    @property
    def path(self) -> str:
        """The URL path below the root."""
        return f"{self.job.path}{self.number}/"

    @property
    def shown_name(self) -> str:
        """The display name that the build has set, else '#' and its number."""
        return self.display_name or f"#{self.number}"

    @property
    def earlier(self) -> list[Build]:
        """The builds of the job before this one, newest first."""
        return [other for other in self.history.list_builds() if other.number < self.number]

    def worsen(self, result: str) -> None:
        """Set the result unless the build has a worse one; a text that names no result counts as FAILURE."""
        read = read_result(result)
        if self.result is None or ORDER.index(read) > ORDER.index(self.result):
            self.result = read

    @property
    def artifacts(self) -> list[str]:
        """Paths of the archived files, relative to archive/."""
        archive = self.directory / "archive"
        return sorted(str(path.relative_to(archive)) for path in archive.rglob("*") if path.is_file())

    def finish(self) -> None:
        """Record the end of the build."""
        self.is_building = False
        self.result = self.result or "SUCCESS"
        self.duration = max(1, int(time.time() * 1000) - self.timestamp)

    def save(self) -> None:
        """Write build.xml."""
        root = xmlfile.make_element("flow-build" if self.job.is_pipeline else "build")
        actions = xmlfile.put(root, "actions")
        put_causes(actions, self.causes)
        if self.parameters:
            put_parameters(actions, self.parameters)
        if self.revision:
            data = xmlfile.put(actions, "hudson.plugins.git.util.BuildData")
            for tag, value in (("revision", self.revision), ("branch", self.branch), ("remote", self.remote)):
                xmlfile.put(data, tag, value)
        if self.tests:
            put_totals(actions, self.tests)
        self._save_fields(root)
        xmlfile.write(self.directory / "build.xml", xmlfile.serialise(root))

    def _save_fields(self, root: Any) -> None:
        xmlfile.put(root, "queueId", self.queue_id)
        xmlfile.put(root, "timestamp", self.timestamp)
        if not self.is_building and self.result:
            xmlfile.put(root, "result", self.result)
        xmlfile.put(root, "duration", self.duration)
        xmlfile.put(root, "keepLog", self.is_kept)
        if self.display_name:
            xmlfile.put(root, "displayName", self.display_name)
        if self.description:
            xmlfile.put(root, "description", self.description)

    @classmethod
    def load(cls, job: JobConfiguration, history: History, directory: Path) -> Build:
        """Read build.xml; a build without a result was running when the controller ended.

        It counts as failed (Jenkins' Run#<init>), except a Pipeline whose record can be resumed: that is still building.
        """
        root = xmlfile.parse((directory / "build.xml").read_bytes())
        data = root.find("actions/hudson.plugins.git.util.BuildData")
        result = xmlfile.read_text(root, "result")
        is_waiting = not result and program_record.may_resume(job.root) and program_record.is_open(directory)
        build = cls(
            job,
            history,
            int(directory.name),
            int(xmlfile.read_text(root, "queueId", "0")),
            read_causes(root),
            read_parameters(root),
            int(xmlfile.read_text(root, "timestamp", "0")),
            int(xmlfile.read_text(root, "duration", "0")),
            read_result(result) if result else None if is_waiting else "FAILURE",
            is_waiting,
            display_name=xmlfile.read_text(root, "displayName"),
            description=xmlfile.read_text(root, "description"),
            is_kept=xmlfile.read_text(root, "keepLog") == "true",
        )
        if data is not None:
            build.revision, build.branch, build.remote = (
                xmlfile.read_text(data, tag) for tag in ("revision", "branch", "remote")
            )
        build.tests = read_tests(root, directory)
        if not result and not is_waiting:
            with build.log_path.open("a") as log:
                log.write("ERROR: the controller was killed while this build ran\nFinished: FAILURE\n")
            build.save()
        return build


PERMALINKS: dict[str, Callable[[Build], bool]] = {
    "lastBuild": lambda build: True,
    "lastCompletedBuild": lambda build: not build.is_building,
    "lastFailedBuild": lambda build: not build.is_building and build.result == "FAILURE",
    "lastStableBuild": lambda build: not build.is_building and build.result == "SUCCESS",
    "lastSuccessfulBuild": lambda build: not build.is_building and build.result in {"SUCCESS", "UNSTABLE"},
    "lastUnstableBuild": lambda build: not build.is_building and build.result == "UNSTABLE",
    "lastUnsuccessfulBuild": lambda build: not build.is_building and build.result != "SUCCESS",
}


class History:
    """The builds of one job."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._builds: dict[int, Build] = {}
        self.next_number = 1

    def load(self, job: JobConfiguration) -> None:
        """Read the builds on the disk; a build that cannot be read is omitted."""
        folder = self._directory / "builds"
        for path in folder.iterdir() if folder.is_dir() else []:
            if path.name.isdigit() and (path / "build.xml").exists():
                try:
                    self._builds[int(path.name)] = Build.load(job, self, path)
                except (xmlfile.BadXml, ValueError):
                    continue
        highest = max(self._builds, default=0) + 1
        try:
            self.next_number = max(int((self._directory / "nextBuildNumber").read_text()), highest)
        except (OSError, ValueError):
            self.next_number = highest

    def move(self, directory: Path) -> None:
        """Move the history to another directory."""
        self._directory = directory

    def start(self, job: JobConfiguration) -> Build:
        """Make the next build; the next number is stored first, so that no number is used twice."""
        build = Build(job, self, self.next_number, timestamp=int(time.time() * 1000), is_building=True)
        self.next_number += 1
        self._save_number()
        build.directory.mkdir(parents=True, exist_ok=True)
        self._builds[build.number] = build
        return build

    def _save_number(self) -> None:
        xmlfile.write(self._directory / "nextBuildNumber", f"{self.next_number}\n".encode())

    def renumber(self, number: int) -> None:
        """Set the next number; it stays above the numbers of all builds."""
        self.next_number = max(number, max(self._builds, default=0) + 1)
        self._save_number()

    def list_builds(self) -> list[Build]:
        """List all builds, newest first."""
        return [self._builds[number] for number in sorted(self._builds, reverse=True)]

    def find(self, reference: str) -> Build | None:
        """Find a build by number, or by a permalink such as 'lastStableBuild'; None if there is none."""
        if reference.isdigit():
            return self._builds.get(int(reference))
        accepts = PERMALINKS.get(reference)
        return next((build for build in self.list_builds() if accepts(build)), None) if accepts else None

    def delete(self, build: Build) -> None:
        """Delete a build and its files."""
        self._builds.pop(build.number, None)
        shutil.rmtree(build.directory, ignore_errors=True)
        self.save_permalinks()

    def save_permalinks(self) -> None:
        """Write builds/permalinks, Jenkins' cache of the last builds of each kind."""
        lines = [
            f"{name} {build.number if (build := self.find(name)) else -1}" for name in PERMALINKS if name != "lastBuild"
        ]
        xmlfile.write(self._directory / "builds" / "permalinks", ("\n".join(lines) + "\n").encode())

    def discard(self, keep: int, days: int) -> None:
        """Delete the builds above the number `keep` or older than `days`; -1 keeps all.

        Builds that run or are marked to be kept stay, and the last successful and the last stable build, as in Jenkins.
        """
        safe = {self.find("lastSuccessfulBuild"), self.find("lastStableBuild")} if keep != -1 or days != -1 else set()
        limit = time.time() * 1000 - days * 86_400_000
        for place, build in enumerate(self.list_builds()):
            is_over = (keep != -1 and place >= keep) or (days != -1 and build.timestamp < limit)
            if is_over and not build.is_kept and not build.is_building and build not in safe:
                self.delete(build)

    @property
    def estimated(self) -> int:
        """Milliseconds that a build will take: the mean of the last three successful or unstable ones, -1 if there is none."""
        done = [
            build.duration
            for build in self.list_builds()
            if not build.is_building and build.result in {"SUCCESS", "UNSTABLE"}
        ][:3]
        return sum(done) // len(done) if done else -1


def make_upstream_cause(build: Build) -> Cause:
    """The cause of a build that this build of another job started."""
    values = {"upstreamProject": build.job.full_name, "upstreamBuild": str(build.number), "upstreamUrl": build.job.path}
    return Cause(
        "hudson.model.Cause$UpstreamCause",
        f'Started by upstream project "{build.job.full_name}" build number {build.number}',
        values,
    )
