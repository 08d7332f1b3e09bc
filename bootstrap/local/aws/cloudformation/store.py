"""The stacks, and their memory: one JSON file per stack, replaced atomically at each step that must survive a kill.

A stack's events lie beside it in a file that only grows, one a line: written anew at each step they would cost a large stack
more time than all of its resources. The stack's file says how many of them count: those behind are of a step that was cut off.
Steps of one stack that end at the same moment are kept with one writing.
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
    """One resource of a stack as it is now. `properties` still hold dynamic references; `applied_by` is the operation."""

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
    attempted: dict[str, Any] = field(default_factory=dict)  # the properties of an update that failed on its way

    @property
    def is_half_made(self) -> bool:
        """Whether its creation began and has not ended; it may have an id all the same."""
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
    """What a stack is asked to be: template text, parameters as given, tags, capabilities and the like."""

    template: str
    parameters: dict[str, str] = field(default_factory=dict)
    looked_up: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    capabilities: list[str] = field(default_factory=list)
    role_arn: str = ""
    notification_arns: list[str] = field(default_factory=list)
    rollback: dict[str, Any] = field(default_factory=dict)  # RollbackConfiguration, in the API's form


@dataclass
class ChangeSet:
    """A change set; `changes` are in the form that DescribeChangeSet gives."""

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
    """A stack operation in progress, with what is needed to take it up again or back."""

    id: str
    kind: str
    token: str = ""
    before: Wanted | None = None
    on_failure: str = "ROLLBACK"
    retain: list[str] = field(default_factory=list)
    imports: dict[str, str] = field(default_factory=dict)
    cause: str = ""
    policy: str = ""  # holds for this operation in the place of the stack's
    retains_except_on_create: bool = False  # what this operation made goes in its rollback though its policy is Retain
    is_restored: bool = False  # what had been replaced is current again, so that a rollback is not turned round
    is_held: bool = False  # a nested stack's update: it cleans up with its parent, or goes back with it
    is_reviewed: bool = False  # what becomes of nested stacks is what their change sets say, `nested` by logical id
    nested: dict[str, str] = field(default_factory=dict)
    caller: dict[str, Any] = field(
        default_factory=dict
    )  # in whose name it calls (see server.acting); {}: the operator's


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
    stable: Wanted | None = None  # what to go back to after an update that failed without a rollback
    tokens: dict[str, str] = field(default_factory=dict)  # client request token -> kind of the operation
    told: int = 0  # how many events the stack's topics have been told of
    led_by: str = ""  # a nested stack's: the operation of the parent that began its last one

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
        """Whether all is made, and only waits for what becomes of the parent."""
        is_made = self.status == "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        return is_made and self.operation is not None and self.operation.is_held

    def record(self, status: str, reason: str = "", resource: Resource | None = None, *, told_as: str = "") -> None:
        """Add an event, of the stack itself or of one resource, whose status it sets; `told_as` is the event's own."""
        subject = self._subject(resource)
        with _RECORDING:  # the resources of a stack record side by side, and each event is later than the one before
            self._add(Event(str(uuid.uuid4()), self._moment(), *subject, told_as or status, reason, self._token()))
            target: Resource | Stack = resource or self
            target.status, target.reason = status, reason
        if resource:
            resource.updated = time.time()

    def _subject(self, resource: Resource | None) -> tuple[str, str, str]:
        if resource is None:
            return self.name, self.id, "AWS::CloudFormation::Stack"
        return resource.logical_id, resource.physical_id, resource.type

    def _moment(self) -> float:
        """Now, and later than the last event by what the API tells apart: clients put events in order by their times."""
        return max(time.time(), self.events[-1].time + 0.001 if self.events else 0.0)

    def _token(self) -> str:
        return self.operation.token if self.operation else ""

    def _add(self, event: Event) -> None:
        self.events.append(event)


class Store:
    """All stacks of all regions, kept under a directory."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o700)
        self._directory = directory
        self.lock = threading.RLock()
        self._asking = threading.Lock()
        self.saved: Callable[[Stack], None] = lambda _: None  # told of each stack that was kept
        self.stacks: dict[str, Stack] = {}
        self._kept: dict[str, int] = {}  # stack id -> how many of its events are in its file of events
        self._asked: dict[str, int] = {}  # stack id -> how often it was asked to be kept
        self._written: dict[str, int] = {}  # stack id -> up to which of these it is kept
        for path in sorted(directory.glob("*.json")):
            raw = json.loads(path.read_bytes())
            if "kept" in raw:  # else it is of a time when the events were in it
                raw["events"] = _cut(path.with_suffix(EVENTS), raw.pop("kept"))
                self._kept[raw["id"]] = len(raw["events"])
            stack = _load(raw)
            self.stacks[stack.id] = stack

    def save(self, stack: Stack) -> None:
        """Keep the stack as it is now; returns when it is on disk as it was at the call, or later."""
        with self._asking:
            mine = self._asked[stack.id] = self._asked.get(stack.id, 0) + 1
        with self.lock:
            if self._written.get(stack.id, 0) >= mine:
                return  # who had the lock since has written this, too, and told of it
            goal = self._asked[stack.id]
            self.stacks[stack.id] = stack
            path = self._path(stack)
            rest = {name: value for name, value in vars(stack).items() if name != "events"}
            text = json.dumps(rest, default=vars)  # a tenth of what dataclasses.asdict takes
            kept = self._append(stack, path.with_suffix(EVENTS))  # after the text: no state in it lacks its event
            part = path.with_suffix(".part")
            with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as out:
                out.write(f'{text[:-1]}, "kept": {kept}}}')
            part.replace(path)
            self._written[stack.id] = goal
        self.saved(stack)

    def _path(self, stack: Stack) -> Path:
        return self._directory / f"{stack.id.rpartition('/')[2]}.json"

    def _append(self, stack: Stack, path: Path) -> int:
        """Write the events that are new; returns how many there are."""
        before, count = self._kept.get(stack.id, 0), len(stack.events)
        if count > before:
            lines = "".join(json.dumps(vars(event)) + "\n" for event in stack.events[before:count])
            start = os.O_APPEND if before else os.O_TRUNC
            with os.fdopen(os.open(path, os.O_CREAT | os.O_WRONLY | start, 0o600), "w") as out:
                out.write(lines)
        self._kept[stack.id] = count
        return count

    def forget(self, stack: Stack) -> None:
        """Drop a stack that never was (its only change set was deleted)."""
        with self.lock:
            self.stacks.pop(stack.id, None)
            for memory in (self._kept, self._asked, self._written):
                memory.pop(stack.id, None)
            path = self._path(stack)
            path.unlink(missing_ok=True)
            path.with_suffix(EVENTS).unlink(missing_ok=True)

    def find(self, name: str, region: str) -> Stack | None:
        """The living stack of a name, or any stack by its id."""
        if name.startswith("arn:"):
            return self.stacks.get(name)
        return next((s for s in self.of(region) if s.name == name and s.is_living), None)

    def of(self, region: str) -> list[Stack]:
        """The stacks of a region, newest first."""
        with self.lock:
            found = [stack for stack in self.stacks.values() if stack.region == region]
        return sorted(found, key=lambda stack: -stack.created)


def _cut(path: Path, count: int) -> list[dict[str, Any]]:
    """The first events of a file; what is behind them goes, for the next ones are to follow them."""
    lines = path.read_bytes().splitlines(keepends=True)[:count] if count else []
    if path.exists():
        os.truncate(path, sum(map(len, lines)))
    return [json.loads(line) for line in lines]


def _load(raw: dict[str, Any]) -> Stack:
    raw["wanted"] = Wanted(**raw["wanted"])
    raw["resources"] = {name: Resource(**one) for name, one in raw["resources"].items()}
    raw["stable"] = Wanted(**raw["stable"]) if raw.get("stable") else None
    raw["superseded"] = [Resource(**one) for one in raw["superseded"]]
    raw["events"] = [Event(**one) for one in raw["events"]]
    raw["change_sets"] = [ChangeSet(**{**one, "wanted": Wanted(**one["wanted"])}) for one in raw["change_sets"]]
    if raw["operation"]:
        before = raw["operation"]["before"]
        raw["operation"] = Operation(**{**raw["operation"], "before": Wanted(**before) if before else None})
    return Stack(**raw)
