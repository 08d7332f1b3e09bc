"""The stacks, stored on disk: one JSON file for each stack, replaced atomically at each step that must survive a kill.

The events of a stack are appended to a second file, one a line: writing all of them at each step would take longer than all
other work on a large stack. The stack's file has the number of valid events; lines after them are of an interrupted step. If
several steps of one stack end at the same time, one write stores all of them.
"""

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

EVENTS = ".events"  # the suffix of a file of events
_RECORDING = threading.Lock()


@dataclass
class Resource:
    """One resource of a stack as it is now. `properties` contain dynamic references; `applied_by` is the last operation."""

    logical_id: str
    type: str
    physical_id: str = ""
    status: str = ""
    reason: str = ""
    properties: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    depends: list[str] = field(default_factory=list)
    deletion_policy: str = "Delete"
    update_replace_policy: str = "Delete"
    applied_by: str = ""
    updated: float = 0.0
    drift: dict[str, Any] = field(default_factory=dict)
    attempted: dict[str, Any] = field(default_factory=dict)  # the properties of an update that failed half way

    @property
    def is_half_made(self) -> bool:
        """Whether its creation has begun and not ended; it may have a physical id already."""
        return self.status == "CREATE_IN_PROGRESS"


@dataclass
class Event:
    """One line of a stack's history."""

    id: str
    time: float
    logical_id: str
    physical_id: str
    type: str
    status: str
    reason: str
    token: str


@dataclass
class Wanted:
    """The desired state of a stack: template text, parameters as in the request, tags, capabilities and so on."""

    template: str  # empty if a transform failed: only a change set that failed has such a state
    parameters: dict[str, str] = field(default_factory=dict)
    looked_up: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    role_arn: str = ""
    notification_arns: list[str] = field(default_factory=list)
    rollback: dict[str, Any] = field(default_factory=dict)  # RollbackConfiguration, in the API's form
    original: str = ""  # the template as it was given, if snippets were included in it, or could not be


@dataclass
class ChangeSet:
    """A change set; `changes` have the form of DescribeChangeSet."""

    id: str
    name: str
    type: str
    wanted: Wanted
    created: float
    description: str = ""
    status: str = "CREATE_COMPLETE"
    reason: str = ""
    execution_status: str = "AVAILABLE"
    on_failure: str = ""
    token: str = ""
    imports: dict[str, str] = field(default_factory=dict)  # logical id -> physical id
    changes: list[dict[str, Any]] = field(default_factory=list)
    includes_nested: bool = False
    parent: str = ""  # the change sets that this one belongs to, by id
    root: str = ""
    nested: dict[str, str] = field(default_factory=dict)  # logical id of a nested stack -> id of its change set


@dataclass
class Operation:
    """A stack operation in progress, with everything that is needed to resume it or to roll it back."""

    id: str
    kind: str
    token: str = ""
    before: Wanted | None = None
    on_failure: str = "ROLLBACK"
    retain: list[str] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)
    cause: str = ""
    policy: str = ""  # replaces the stack policy during this operation
    retains_except_on_create: bool = False  # a rollback also deletes new resources with the policy Retain
    is_restored: bool = False  # replaced resources are current again, so a resumed rollback does not swap them twice
    is_held: bool = False  # a nested stack's update: it cleans up or rolls back together with its parent
    is_reviewed: bool = False  # nested stacks are changed by their change sets (`nested`, by logical id)
    nested: dict[str, str] = field(default_factory=dict)
    status_before: str = ""  # of the stack, which a refused deletion restores
    is_forced: bool = False  # a deletion that leaves behind what cannot be deleted
    deletion: str = ""  # of a creation: "asked" if the stack shall be deleted, then "begun"
    caller: dict[str, Any] = field(default_factory=dict)  # whose permissions it uses (see server.call_identity)


@dataclass
class Stack:
    """One stack with its whole history."""

    id: str
    name: str
    region: str
    account: str
    wanted: Wanted
    status: str
    created: float
    reason: str = ""
    description: str = ""
    updated: float = 0.0
    deleted: float = 0.0
    termination_protection: bool = False
    policy: str = ""
    disable_rollback: bool = False
    timeout: int = 0
    parent: str = ""
    root: str = ""
    resources: dict[str, Resource] = field(default_factory=dict)
    superseded: list[Resource] = field(default_factory=list)
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    change_sets: list[ChangeSet] = field(default_factory=list)
    operation: Operation | None = None
    drift_status: str = "NOT_CHECKED"
    drift_checked: float = 0.0
    stable: Wanted | None = None  # the state for a rollback after an update that failed without one
    tokens: dict[str, str] = field(default_factory=dict)  # client request token -> kind of the operation
    told: int = 0  # how many events were published to the stack's topics
    led_by: str = ""  # of a nested stack: the parent's operation that began its last operation

    @property
    def is_living(self) -> bool:
        """Whether the stack can still be found by its name."""
        return self.status != "DELETE_COMPLETE"

    @property
    def is_busy(self) -> bool:
        """Whether an operation is in progress."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def is_held(self) -> bool:
        """Whether all resources are updated, and the stack waits for the result of its parent."""
        is_made = self.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        return is_made and self.operation is not None and self.operation.is_held

    def record(
        self, status: str, reason: str = "", resource: Resource | None = None, *, event_status: str = ""
    ) -> None:
        """Add an event and set the status of the stack or of one resource; `event_status` replaces it in the event."""
        subject = self._describe_subject(resource)
        with _RECORDING:  # several threads record events of one stack, and each event must be later than the one before
            token = self.operation.token if self.operation else ""
            event = Event(str(uuid.uuid4()), self._choose_moment(), *subject, event_status or status, reason, token)
            self.events.append(event)
            target: Resource | Stack = resource or self
            target.status, target.reason = status, reason
        if resource:
            resource.updated = time.time()

    def _describe_subject(self, resource: Resource | None) -> tuple[str, str, str]:
        if resource is None:
            return self.name, self.id, "AWS::CloudFormation::Stack"
        return resource.logical_id, resource.physical_id, resource.type

    def _choose_moment(self) -> float:
        """The time for a new event: now, and at least a millisecond after the last one, because clients sort events by time."""
        return max(time.time(), self.events[-1].time + 0.001 if self.events else 0.0)


class Store:
    """All stacks of all regions, stored in a folder."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        self._directory = directory
        self.lock = threading.RLock()
        self._asking = threading.Lock()
        self.saved: Callable[[Stack], None] = lambda _: None  # called with each stack after it was stored
        self.stacks: dict[str, Stack] = {}
        self._kept: dict[str, int] = {}  # stack id -> how many of its events are in its file of events
        self._asked: dict[str, int] = {}  # stack id -> number of requests to store it
        self._written: dict[str, int] = {}  # stack id -> number of the last request that is on disk
        for path in sorted(directory.glob("*.json")):
            raw = json.loads(path.read_bytes())
            if "kept" in raw:  # files of an older version contain the events themselves
                raw["events"] = _cut(path.with_suffix(EVENTS), raw.pop("kept"))
                self._kept[raw["id"]] = len(raw["events"])
            stack = _load(raw)
            self.stacks[stack.id] = stack

    def save(self, stack: Stack) -> None:
        """Store the stack; returns when its state at the call, or a later one, is on disk."""
        with self._asking:
            own_request = self._asked[stack.id] = self._asked.get(stack.id, 0) + 1
        with self.lock:
            if self._written.get(stack.id, 0) >= own_request:
                return  # another thread has written this state meanwhile, and called `saved`
            newest_request = self._asked[stack.id]
            self.stacks[stack.id] = stack
            path = self._make_path(stack)
            fields = {name: value for name, value in vars(stack).items() if name != "events"}
            text = json.dumps(fields, default=vars)  # takes a tenth of the time of dataclasses.asdict
            # After making the text, so that each state in it has its event.
            event_count = self._append(stack, path.with_suffix(EVENTS))
            part = path.with_suffix(".part")
            with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
                out.write(f'{text[:-1]}, "kept": {event_count}}}')
            part.replace(path)
            self._written[stack.id] = newest_request
        self.saved(stack)

    def _make_path(self, stack: Stack) -> Path:
        return self._directory / f"{stack.id.rpartition('/')[2]}.json"

    def _append(self, stack: Stack, path: Path) -> int:
        """Append the new events to the file; returns the number of all events."""
        before, count = self._kept.get(stack.id, 0), len(stack.events)
        if count > before:
            lines = "".join(json.dumps(vars(event)) + "\n" for event in stack.events[before:count])
            start = os.O_APPEND if before else os.O_TRUNC
            with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | start, 0o600), "w") as out:
                out.write(lines)
        self._kept[stack.id] = count
        return count

    def forget(self, stack: Stack) -> None:
        """Remove a stack that was never created, after its only change set was deleted."""
        with self.lock:
            self.stacks.pop(stack.id, None)
            for memory in (self._kept, self._asked, self._written):
                memory.pop(stack.id, None)
            path = self._make_path(stack)
            path.unlink(missing_ok=True)
            path.with_suffix(EVENTS).unlink(missing_ok=True)

    def find(self, name: str, region: str) -> Stack | None:
        """The stack with a name that is not deleted, or any stack by its id; None if there is none."""
        if name.startswith("arn:"):
            return self.stacks.get(name)
        return next((s for s in self.list_stacks(region) if s.name == name and s.is_living), None)

    def list_stacks(self, region: str) -> list[Stack]:
        """The stacks of a region, newest first."""
        with self.lock:
            stacks = [stack for stack in self.stacks.values() if stack.region == region]
        return sorted(stacks, key=lambda stack: -stack.created)


def _cut(path: Path, count: int) -> list[dict[str, Any]]:
    """The first `count` events of a file; the rest of the file is cut off, so that new events can be appended."""
    lines = path.read_bytes().splitlines(keepends=True)[:count] if count else []
    if path.exists():
        os.truncate(path, sum(map(len, lines)))
    return [json.loads(line) for line in lines]


def _load(raw: dict[str, Any]) -> Stack:
    raw["wanted"] = Wanted(**raw["wanted"])
    raw["resources"] = {name: Resource(**entry) for name, entry in raw["resources"].items()}
    raw["stable"] = Wanted(**raw["stable"]) if raw.get("stable") else None
    raw["superseded"] = [Resource(**entry) for entry in raw["superseded"]]
    raw["events"] = [Event(**entry) for entry in raw["events"]]
    raw["change_sets"] = [ChangeSet(**{**entry, "wanted": Wanted(**entry["wanted"])}) for entry in raw["change_sets"]]
    if operation := raw["operation"]:
        raw["operation"] = Operation(
            **{**operation, "before": Wanted(**operation["before"]) if operation["before"] else None}
        )
    return Stack(**raw)
