"""A group in memory, and nodes of it, for the rules of one cloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bootstrap.local.emulator.execution.fleet.aws import AwsFailed, GroupState, Instance
from bootstrap.local.emulator.execution.fleet.fleet import Fleet
from bootstrap.local.emulator.execution.fleet.planning import PlannedNode
from bootstrap.local.emulator.execution.fleet.settings import FleetSettings, read_fleets


class Group:
    """Answers as AWS; instances of a larger size come with `settle`."""

    def __init__(self, desired: int = 0, instances: tuple[str, ...] = ()) -> None:
        self.desired, self.instances = desired, dict.fromkeys(instances, "running")
        self.calls: list[tuple[Any, ...]] = []
        self.breaks: set[str] = set()
        self._count = 0

    def _record(self, name: str, *details: Any) -> None:
        self.calls.append((name, *details))
        if name in self.breaks:
            raise AwsFailed(f"{name} is broken")

    def describe_group(self, name: str) -> GroupState:
        self._record("describe_group", name)
        return GroupState(self.desired, frozenset(self.instances))

    def resize_group(self, name: str, minimum: int, maximum: int, desired: int) -> None:
        self._record("resize_group", name, minimum, maximum, desired)
        self.desired = desired

    def terminate(self, identifier: str) -> None:
        self._record("terminate", identifier)
        self.instances.pop(identifier, None)

    def describe_instances(self, identifiers: frozenset[str]) -> dict[str, Instance]:
        found = {each: state for each, state in self.instances.items() if each in identifiers and state == "running"}
        return {each: Instance(each, state, "10.0.0.1", "") for each, state in found.items()}

    def tag(self, identifiers: list[str], cloud: str) -> None:
        self._record("tag", tuple(identifiers), cloud)

    def settle(self) -> None:
        while len(self.instances) < self.desired:
            self._count += 1
            self.instances[f"i-{self._count:017x}"] = "running"

    def count(self, name: str) -> int:
        return sum(call[0] == name for call in self.calls)


class Nodes:
    """The nodes of one cloud: which are busy, and which take builds."""

    def __init__(self) -> None:
        self.listed: dict[str, PlannedNode | None] = {}
        self.busy: set[str] = set()
        self.suspended: set[str] = set()

    def list_instances(self, group: str) -> set[str]:
        return set(self.listed)

    def count_busy(self, group: str) -> int:
        return len(self.busy)

    def may_end(self, instance: str) -> bool:
        return instance not in self.listed or (instance in self.suspended and instance not in self.busy)

    async def remove(self, instance: str) -> None:
        self.listed.pop(instance, None)

    def add(self, fleet: FleetSettings, instance: Instance, planned: PlannedNode | None) -> bool:
        self.listed[instance.identifier] = planned
        return True

    def relabel(self, instance: str, fleet: FleetSettings) -> None:
        """Labels do not change here."""


def make_settings(**changed: Any) -> FleetSettings:
    told = {"name": "linux", "fleet": "group", "labelString": "linux x64", "maxSize": 3, "restrictUsage": True}
    (settings,) = read_fleets(
        [{"eC2Fleet": {**told, "noDelayProvision": True, "cloudStatusIntervalSec": 5, **changed}}]
    )
    return settings


def make_fleet(group: Group, told: list[str] | None = None, **changed: Any) -> Fleet:
    async def run(work: Callable[..., Any], *arguments: Any) -> Any:
        return work(*arguments)

    lines: list[str] = [] if told is None else told
    state = group.describe_group("group")
    return Fleet(make_settings(**changed), group, run, lambda level, words: lines.append(words), state)  # type: ignore[arg-type]
