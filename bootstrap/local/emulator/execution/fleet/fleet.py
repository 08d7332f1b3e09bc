"""One cloud of ec2-fleet: what its group has and should have, by the rules of the plugin's EC2FleetCloud.

The queue asks it for capacity (`provision`) and idle nodes are scheduled to end (`schedule_to_terminate`). Every interval an
update reads the group, sets its size, ends what was scheduled, and tells which nodes come and go.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from .aws import Aws, AwsFailed, GroupState, Instance
from .planning import PlannedNode
from .settings import FleetSettings

IDLE, EXHAUSTED, EXCESS, DELETED = (
    "Agent idle for too long",
    "MaxTotalUses exhausted for agent",
    "Excess capacity for fleet",
    "Agent deleted",
)
_AFTER_INTERVALS = 3  # a planned node that was not asked for by then is forgotten
Run = Callable[..., Awaitable[Any]]


class Nodes(Protocol):
    """The nodes of all clouds, as an update needs them."""

    def list_instances(self, group: str) -> set[str]:
        """The nodes of a group; raises AwsFailed if the cloud of some node is gone, as the plugin does."""

    def count_busy(self, group: str) -> int:
        """How many nodes of a group are not idle."""

    def may_end(self, instance: str) -> bool:
        """Whether an instance runs nothing and takes nothing."""

    async def remove(self, instance: str) -> None:
        """Remove a node from Jenkins."""

    def add(self, fleet: FleetSettings, instance: Instance, planned: PlannedNode | None) -> bool:
        """Make a node of an instance; False if it has no address yet."""

    def relabel(self, instance: str, fleet: FleetSettings) -> None:
        """Give a node the labels and variables of its cloud."""


class Fleet:
    """The state of one cloud since it was made; `state` is None until the first update of one that was loaded at a start."""

    def __init__(
        self,
        settings: FleetSettings,
        aws: Aws,
        run: Run,
        tell: Callable[[str, str], None],
        state: GroupState | None = None,
    ) -> None:
        self.settings, self.state = settings, state
        self._aws, self._run, self._tell_all = aws, run, tell
        self.active = len(state.instances) if state else 0
        self.to_add = 0
        self.ending: dict[str, str] = {}
        self.planned: list[PlannedNode] = []
        self._timers: list[asyncio.TimerHandle] = []
        self._count = 0
        self.due = settings.interval

    @property
    def is_immediate(self) -> bool:
        """Whether it asks for nodes as soon as something waits."""
        return self.settings.is_immediate

    def _tell(self, words: str, level: str = "INFO") -> None:
        self._tell_all(level, f"{self.settings.name} [{self.settings.labels}] {words}")

    # The queue

    def can_provision(self, label: str) -> bool:
        """Whether nodes of this cloud may run what has a label expression; '' is work without one."""
        if not self.settings.group or (not label and self.settings.is_exclusive):
            return False
        return self.settings.label_set.issuperset(re.findall(r"[^\s&|!()]+", label))

    def provision(self, workload: int) -> list[PlannedNode]:
        """Plan nodes for so many executors, as far as the group may grow."""
        if self.state is None:
            self._tell("First update not completed, still setting configuring cloud state. Skipping provision")
            return []
        capacity = self.state.desired + self.to_add
        if capacity >= self.settings.maximum:
            self._tell(f"Max instance size '{self.settings.maximum}' reached. Skipping provision")
            return []
        if self.state.status != "active":
            self._tell(f"Fleet is in a non-active state '{self.state.status}'. Skipping provision")
            return []
        per_node = self.settings.executors
        number = min(capacity + (workload + per_node - 1) // per_node, self.settings.maximum) - capacity
        self.to_add += number
        made = [self._plan() for _ in range(number)]
        self.planned += made
        return made

    def _plan(self) -> PlannedNode:
        self._count += 1
        planned = PlannedNode(f"FleetNode-{self.settings.name}-{self._count}", self.settings.executors)
        seconds = _AFTER_INTERVALS * self.settings.interval
        self._timers.append(asyncio.get_running_loop().call_later(seconds, planned.finish))
        return planned

    # Nodes that end

    @property
    def has_excess(self) -> bool:
        """Whether the group has more instances than the cloud allows."""
        return self.state is not None and self.state.desired - len(self.ending) > self.settings.maximum

    def schedule_to_terminate(self, instance: str, reason: str, busy: int, *, ignores_minimum: bool) -> bool:
        """Let the next update end an instance; False if the smallest number or the spare ones forbid it."""
        if self.state is None:
            self._tell(f"First update not done, skipping termination scheduling for '{instance}'")
            return False
        if not ignores_minimum:
            least, refusal = (
                self.settings.minimum,
                f"Not scheduling instance '{instance}' for termination because we need a",
            )
            if least > 0 and self.active - len(self.ending) <= least:
                self._tell(f"{refusal} minimum of {least} instance(s) running")
                return False
            spare = self.settings.spare
            if spare > 0 and self.active - busy - len(self.ending) <= spare:
                self._tell(f"{refusal} minimum of {spare} spare instance(s) running")
                return False
        self._tell(
            f"Scheduling instance '{instance}' for termination on cloud {self.settings.name} because of reason: {reason}"
        )
        self.ending[instance] = reason
        return True

    # The update

    async def update(self, nodes: Nodes) -> None:
        """Bring group and nodes together; AwsFailed if a call fails, and then the next update tries again."""
        group = self.settings.group
        present: GroupState = await self._run(self._aws.describe_group, group)
        if self.settings.spare > 0:
            missing = self.settings.spare - (present.desired - nodes.count_busy(group))
            self.to_add += max(0, missing)
        adding = self.to_add
        ending = [instance for instance in self.ending if nodes.may_end(instance)]
        for instance in ending:
            await nodes.remove(instance)
        target = max(self.settings.minimum, min(self.settings.maximum, present.desired - len(ending) + adding))
        if adding > 0 or ending or target != present.desired:
            await self._run(self._aws.resize_group, group, self.settings.minimum, self.settings.maximum, target)
            self._tell(f"Set target capacity to '{target}'")
        for instance in ending:
            await self._terminate(instance)
        described = await self._compare(nodes, present, set(ending))
        for instance in ending:
            self.ending.pop(instance, None)
        self.to_add -= adding
        self.state, self.active = GroupState(target, present.instances, present.status), described
        for timer in self._timers[:adding]:
            timer.cancel()
        del self._timers[:adding]
        self._forget_surplus()

    async def _terminate(self, instance: str) -> None:
        try:
            await self._run(self._aws.terminate, instance)
        except AwsFailed as fault:
            self._tell(f"Failed to terminate instance {instance} in Auto Scaling group: {fault}", "WARNING")
            return
        self._tell(f"Terminated instances: {{{instance}={self.ending.get(instance)}}}")

    async def _compare(self, nodes: Nodes, present: GroupState, ended: set[str]) -> int:
        """Remove the nodes whose instances are gone, make nodes of new instances; the number of living instances."""
        described: dict[str, Instance] = await self._run(self._aws.describe_instances, present.instances)
        described = {name: instance for name, instance in described.items() if name not in ended}
        known = nodes.list_instances(self.settings.group)
        for instance in sorted((present.instances - described.keys()) | (known - present.instances)):
            if instance in known:
                words = f"Fleet '{self.settings.labels}' no longer has the instance '{instance}'."
                self._tell(f"{words} Removing instance from Jenkins")
                await nodes.remove(instance)
        for instance in known & described.keys():
            nodes.relabel(instance, self.settings)
        new = [described[name] for name in sorted(described.keys() - known)]
        if new:
            await self._tag([instance.identifier for instance in new])
        for found in new:
            planned = self.planned[0] if self.planned else None
            if nodes.add(self.settings, found, planned) and planned is not None:
                self.planned.remove(planned)
        return len(described)

    async def _tag(self, instances: list[str]) -> None:
        try:
            await self._run(self._aws.tag, instances, self.settings.name)
        except AwsFailed as fault:
            self._tell(f"Failed to tag new instances: {instances}\n{fault}", "WARNING")

    def _forget_surplus(self) -> None:
        """Cancel planned nodes beyond what the group will have."""
        assert self.state is not None
        target = max(0, self.state.desired - len(self.ending) + self.to_add)
        while len(self.planned) > target:
            words = f"Planned number of nodes '{len(self.planned)}' is greater than the targetCapacity '{target}'."
            self._tell(f"{words} Canceling a node")
            self.planned.pop(0).finish()

    def close(self) -> None:
        """Give the cloud up: nobody finishes its planned nodes any more, so they are forgotten after their time.

        A Jenkins whose clouds were made anew while a node was planned asked for another one after three intervals.
        """
        for timer in self._timers:
            timer.cancel()
        seconds = _AFTER_INTERVALS * self.settings.interval
        for planned in self.planned:
            asyncio.get_running_loop().call_later(seconds, planned.finish)
