"""The queue: the builds that wait, and the reasons."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from ..failures import NAME, Refused
from ..model import xmlfile
from ..model.build_record import Cause, Parameter
from ..model.builds import Build
from ..model.home import Home
from ..model.identities import find_identity, may
from ..model.job_options import find_throttle
from ..model.jobs import Job
from .executors import SHUTTING_DOWN, Executors, QuietMode, Slot
from .pipeline_limit import PipelineLimit, compute_limit
from .spans import describe_span

THROTTLED = "Build throttle expires at "
GONE_AFTER_SECONDS = 300  # a left item answers for five minutes
Begin = Callable[[Build, Slot | None], None]


@dataclass(eq=False)
class QueueItem:
    """One queued build, with seconds since the epoch: `due` ends its quiet period, `held_until` its wait for a throttle."""

    identifier: int
    job: Job
    parameters: list[Parameter]
    causes: list[Cause]
    since: int
    due: float
    is_cancelled: bool = False
    build: Build | None = None
    left: float | None = None
    why: str = ""
    is_buildable: bool = False  # it waits for nothing but an executor
    held_until: float = 0.0
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.url = f"queue/item/{self.identifier}/"


def describe_throttle(moment: float) -> str:
    """Why a throttled item waits; the blank before AM and PM is the narrow one that Java writes."""
    then = time.localtime(moment)
    day = time.strftime(f"%b {then.tm_mday}, %Y", then)
    return f"{THROTTLED}{time.strftime('%-I:%M:%S', then)}\u202f{time.strftime('%p', then)} on {day}"


class Queue:
    """Waiting items, and those that left in the last minutes."""

    def __init__(self, home: Home, quiet_mode: QuietMode, executors: Executors) -> None:
        self._home, self._quiet_mode, self._executors = home, quiet_mode, executors
        self.pipelines = PipelineLimit(compute_limit(home.options.arguments))
        self._items: dict[int, QueueItem] = {}
        self._numbers = executors.numbers
        self._wake = asyncio.Event()
        executors.listen(self.wake)

    @property
    def waiting(self) -> list[QueueItem]:
        """The waiting items, oldest first."""
        return [item for item in self._items.values() if item.left is None]

    def find(self, identifier: int) -> QueueItem | None:
        """An item that waits, or that left less than five minutes ago."""
        item = self._items.get(identifier)
        return None if item and item.left and time.time() - item.left > GONE_AFTER_SECONDS else item

    def find_of_job(self, job: Job) -> QueueItem | None:
        """The waiting items of a job."""
        return next((item for item in self.waiting if item.job is job), None)

    def schedule(
        self, job: Job, parameters: Iterable[Parameter], causes: list[Cause], delay: float | None = None
    ) -> tuple[QueueItem, bool]:
        """Queue a build; one that equals a waiting one is merged into it (then the second value is False)."""
        if job.is_matrix:
            raise Refused(501, f"{NAME} keeps matrix projects, and does not build them: {job.full_name}")
        values = list(parameters)
        for twin in self.waiting:
            if twin.job is job and twin.parameters == values:
                twin.causes += [cause for cause in causes if cause not in twin.causes]
                return twin, False
        period = delay if delay is not None else job.quiet_period
        if period is None:
            period = self._home.configuration.quiet_period
        now = time.time()
        item = QueueItem(self._numbers.take(), job, values, list(causes), int(now * 1000), now + period)
        self._items[item.identifier] = item
        self.save()
        self.wake()
        return item, True

    def cancel(self, item: QueueItem) -> None:
        """Cancel an item."""
        item.is_cancelled, item.left = True, time.time()
        self.save()

    def wake(self) -> None:
        """Check the queue again now."""
        self._wake.set()

    async def start_builds(self, begin: Begin) -> None:
        """Start queued builds while the controller runs; `begin` runs a build that left the queue, on a slot or on none."""
        while True:
            self._wake.clear()
            now = time.time()
            for item in self.waiting:
                item.why = self._explain_wait(item, now)
                if not item.why:
                    self._leave(item, begin)
            self._items = {
                key: item
                for key, item in self._items.items()
                if item.left is None or now - item.left < GONE_AFTER_SECONDS
            }
            ends = [end for item in self.waiting for end in (item.due, item.held_until)]
            coming = min((end - now for end in ends if end > now), default=30.0)
            try:
                await asyncio.wait_for(self._wake.wait(), max(0.01, min(coming, 30.0)))
            except TimeoutError:
                continue

    def _explain_wait(self, item: QueueItem, now: float) -> str:
        item.is_buildable = False
        if item.due > now:
            return f"In the quiet period. Expires in {describe_span(int((item.due - now) * 1000))}"
        running = next((build for build in item.job.history.list_builds()[:20] if build.is_building), None)
        if running and not item.job.is_concurrent:
            return f"Build #{running.number} is already in progress"
        if self._throttle(item, now):
            return describe_throttle(item.held_until)
        if self._quiet_mode.is_on:
            return SHUTTING_DOWN
        identity = find_identity(self._home, item.job, item.causes)
        if not may(self._home, identity, "Agent/Build"):
            return f"‘{identity}’ lacks permission to run on ‘Jenkins’"
        if item.job.is_pipeline:
            return self.pipelines.explain_wait(item.causes)
        item.is_buildable = True
        return self._executors.explain_wait(item.job.label)

    def _throttle(self, item: QueueItem, now: float) -> bool:
        """Whether the throttle of the job holds an item: until its time, and behind the items that came before it."""
        throttle = find_throttle(item.job.root)
        is_exempt = throttle is None or (
            throttle.exempts_users and any("userId" in cause.values for cause in item.causes)
        )
        if throttle is None or is_exempt:
            return False
        last, interval = next(iter(item.job.history.list_builds()), None), throttle.interval / 1000
        item.held_until = 0.0 if last is None else last.timestamp / 1000 + interval
        if item.held_until > now:
            return True
        if any(other.job is item.job and other.since < item.since for other in self.waiting):
            item.held_until = now + interval
            return True
        return False

    def _leave(self, item: QueueItem, begin: Begin) -> None:
        item.left = time.time()
        build = item.job.history.start(item.job)
        build.queue_id, build.causes, build.parameters = item.identifier, item.causes, item.parameters
        build.runs_as = find_identity(self._home, item.job, item.causes)
        build.save()
        item.build = build
        number = None if item.job.is_pipeline else self._executors.claim(item.job.label, build)
        begin(build, number)
        self.save()

    def save(self) -> None:
        """Write queue.xml, so that queued builds survive a restart."""
        root = xmlfile.make_element("hudson.model.Queue_-State")
        xmlfile.put(root, "counter", self._numbers.last)
        listed = xmlfile.put(root, "items")
        for item in self.waiting:
            node = xmlfile.put(listed, "item", None, id=str(item.identifier), job=item.job.full_name)
            for parameter in item.parameters:
                value = self._home.vault.seal(parameter.value) if parameter.is_secret else parameter.value
                xmlfile.put(node, "parameter", value, name=parameter.name, kind=parameter.kind)
            for cause in item.causes:
                holder = xmlfile.put(node, "cause", None, kind=cause.kind, text=cause.text)
                for key, text in cause.values.items():
                    xmlfile.put(holder, key, text)
        xmlfile.write(self._home.directory / "queue.xml", xmlfile.serialise(root), 0o600)

    def load(self) -> None:
        """Read queue.xml; items of deleted jobs are dropped."""
        path = self._home.directory / "queue.xml"
        if not path.exists():
            return
        root = xmlfile.parse(path.read_bytes())
        self._numbers.last = int(xmlfile.read_text(root, "counter", "0"))
        for node in root.iterfind("items/item"):
            job = self._home.find_job(node.get("job"))
            if job is None:
                continue
            vault = self._home.vault
            parameters = [
                Parameter(child.get("name"), vault.open(child.text or ""), child.get("kind"))
                for child in node.iterfind("parameter")
            ]
            causes = [
                Cause(child.get("kind"), child.get("text"), {entry.tag: entry.text or "" for entry in child})
                for child in node.iterfind("cause")
            ]
            now = time.time()
            item = QueueItem(int(node.get("id")), job, parameters, causes, int(now * 1000), now)
            self._items[item.identifier] = item
