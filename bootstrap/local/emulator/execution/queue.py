"""The queue and the executors of the built-in node."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..model import xmlfile
from ..model.builds import Build, Cause, Parameter
from ..model.identities import identity_of, may

if TYPE_CHECKING:
    from ..controller import Controller
    from ..model.items import Job

SHUTTING_DOWN = "Jenkins is about to shut down"
GONE_AFTER_SECONDS = 300  # a left item answers for five minutes


def matches(expression: str, labels: set[str]) -> bool:
    """Whether labels satisfy an expression of names, &&, ||, ! and parentheses; ValueError for anything else."""
    found = re.findall(r"\s*(&&|\|\||!|\(|\)|[^\s&|!()]+)", expression)
    return _Expression(found, labels).value()


class _Expression:
    """Label expressions, by recursive descent."""

    def __init__(self, words: list[str], labels: set[str]) -> None:
        self._words, self._labels = words, labels

    def value(self) -> bool:
        found = self._any()
        if self._words:
            raise ValueError(f"Invalid label expression near {self._words[0]}")
        return found

    def _any(self) -> bool:
        found = self._all()
        while self._words[:1] == ["||"]:
            self._words.pop(0)
            found = self._all() or found
        return found

    def _all(self) -> bool:
        found = self._one()
        while self._words[:1] == ["&&"]:
            self._words.pop(0)
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if not self._words:
            raise ValueError("Invalid label expression: it ends too early")
        word = self._words.pop(0)
        if word == "!":
            return not self._one()
        if word == "(":
            found = self._any()
            if self._words[:1] != [")"]:
                raise ValueError("Invalid label expression: a parenthesis is open")
            self._words.pop(0)
            return found
        return word in self._labels


class Executors:
    """The slots of the built-in node; a slot is free or holds a build."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self.busy: dict[int, Build] = {}
        self.changed = asyncio.Event()

    def refusal(self, label: str) -> str:
        """Why nothing with this label can ever run here now; empty when it only has to wait for a free slot."""
        configuration = self._controller.configuration
        try:
            is_right = matches(label, configuration.labels) if label else not configuration.is_exclusive
        except ValueError as fault:
            return str(fault)
        if not is_right:
            return (
                f"There are no nodes with the label ‘{label}’"
                if label
                else "‘Jenkins’ is reserved for jobs with matching label expression"
            )
        return ""

    def claim(self, label: str, build: Build) -> int | None:
        """The number of a slot that the build now holds; None when there is none for it."""
        if self.refusal(label) or self._controller.quieting_reason is not None:
            return None
        for number in range(self._controller.configuration.executors):
            if number not in self.busy:
                self.busy[number] = build
                return number
        return None

    async def wait(self, label: str, build: Build, on_wait: Callable[[str], None]) -> int:
        """Hold a slot, however long it takes; `on_wait` hears once why it takes long."""
        is_told = False
        while (number := self.claim(label, build)) is None:
            if not is_told:
                is_quiet = self._controller.quieting_reason is not None
                on_wait(self.refusal(label) or (SHUTTING_DOWN if is_quiet else "Waiting for next available executor"))
                is_told = True
            changed = self.changed
            await changed.wait()
        return number

    def release(self, number: int) -> None:
        """Give a slot back."""
        self.busy.pop(number, None)
        self.notify()

    def notify(self) -> None:
        """Something changed: whoever waits looks again."""
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()
        self._controller.queue.wake()


@dataclass(eq=False)
class QueueItem:
    """One wish to build; `due` is when its quiet period ends, in seconds since the epoch."""

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
    url: str = field(init=False)

    def __post_init__(self) -> None:
        self.url = f"queue/item/{self.identifier}/"


class Queue:
    """Items that wait, and those that left a little while ago."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._items: dict[int, QueueItem] = {}
        self._last = 0
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> list[QueueItem]:
        """Oldest first."""
        return [item for item in self._items.values() if item.left is None]

    def find(self, identifier: int) -> QueueItem | None:
        """Waiting, or gone for less than five minutes."""
        item = self._items.get(identifier)
        return None if item and item.left and time.time() - item.left > GONE_AFTER_SECONDS else item

    def of(self, job: Job) -> QueueItem | None:
        """What of a job waits."""
        return next((item for item in self.waiting if item.job is job), None)

    def schedule(
        self, job: Job, parameters: Iterable[Parameter], causes: list[Cause], delay: float | None = None
    ) -> tuple[QueueItem, bool]:
        """Put a wish into the queue; one that equals a waiting one is merged into it (second value false)."""
        values = list(parameters)
        for twin in self.waiting:
            if twin.job is job and twin.parameters == values:
                twin.causes += [cause for cause in causes if cause not in twin.causes]
                return twin, False
        period = delay if delay is not None else job.quiet_period
        if period is None:
            period = self._controller.configuration.quiet_period
        now = time.time()
        self._last += 1
        item = QueueItem(self._last, job, values, list(causes), int(now * 1000), now + period)
        self._items[item.identifier] = item
        self.save()
        self.wake()
        return item, True

    def cancel(self, item: QueueItem) -> None:
        """Take an item out without building it."""
        item.is_cancelled, item.left = True, time.time()
        self.save()

    def wake(self) -> None:
        """Look again now."""
        self._wake.set()

    async def work(self) -> None:
        """Hand out items for as long as the controller lives."""
        while True:
            self._wake.clear()
            now = time.time()
            for item in self.waiting:
                item.why = self._reason(item, now)
                if not item.why:
                    self._leave(item)
            self._items = {
                key: item
                for key, item in self._items.items()
                if item.left is None or now - item.left < GONE_AFTER_SECONDS
            }
            coming = min((item.due - now for item in self.waiting if item.due > now), default=30.0)
            try:
                await asyncio.wait_for(self._wake.wait(), max(0.01, min(coming, 30.0)))
            except TimeoutError:
                continue

    def _reason(self, item: QueueItem, now: float) -> str:
        if item.due > now:
            return f"In the quiet period. Expires in {item.due - now:.1f} sec"
        running = next((build for build in item.job.history.all()[:20] if build.is_building), None)
        if running and not item.job.is_concurrent:
            return f"Build #{running.number} is already in progress"
        if self._controller.quieting_reason is not None:
            return SHUTTING_DOWN
        identity = identity_of(self._controller, item.job, item.causes)
        if not may(self._controller, identity, "Agent/Build"):
            return f"‘{identity}’ lacks permission to run on ‘Jenkins’"
        if item.job.is_pipeline:
            return ""
        executors = self._controller.executors
        if refusal := executors.refusal(item.job.label):
            return refusal
        return (
            ""
            if len(executors.busy) < self._controller.configuration.executors
            else "Waiting for next available executor"
        )

    def _leave(self, item: QueueItem) -> None:
        item.left = time.time()
        build = item.job.history.start(item.job)
        build.queue_id, build.causes, build.parameters = item.identifier, item.causes, item.parameters
        build.runs_as = identity_of(self._controller, item.job, item.causes)
        build.save()
        item.build = build
        number = None if item.job.is_pipeline else self._controller.executors.claim(item.job.label, build)
        self._controller.begin(build, number)
        self.save()

    def save(self) -> None:
        """Write queue.xml, so that what waits survives a restart."""
        root = xmlfile.element("hudson.model.Queue_-State")
        xmlfile.put(root, "counter", self._last)
        listed = xmlfile.put(root, "items")
        for item in self.waiting:
            node = xmlfile.put(listed, "item", None, id=str(item.identifier), job=item.job.full_name)
            for parameter in item.parameters:
                value = self._controller.vault.seal(parameter.value) if parameter.is_secret else parameter.value
                xmlfile.put(node, "parameter", value, name=parameter.name, kind=parameter.kind)
            for cause in item.causes:
                holder = xmlfile.put(node, "cause", None, kind=cause.kind, text=cause.text)
                for key, text in cause.values.items():
                    xmlfile.put(holder, key, text)
        xmlfile.write(self._controller.home / "queue.xml", xmlfile.serialise(root), 0o600)

    def load(self) -> None:
        """Read queue.xml; what waits for a job that is gone is forgotten."""
        path = self._controller.home / "queue.xml"
        if not path.exists():
            return
        root = xmlfile.parse(path.read_bytes())
        self._last = int(xmlfile.text(root, "counter", "0"))
        for node in root.iterfind("items/item"):
            job = self._controller.find_job(node.get("job"))
            if job is None:
                continue
            vault = self._controller.vault
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
