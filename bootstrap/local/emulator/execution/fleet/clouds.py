"""All clouds of the settings and their nodes, with the periodic work of Jenkins and of the plugin ec2-fleet on them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from ...model.builds import Build
from ...model.home import Home
from ..environment import read_node_timeout
from ..executors import Executors, QuietMode, Slot
from ..queue import Queue
from .aws import Aws, AwsFailed, GroupState, Instance
from .computer import FleetComputer
from .demand import Demand
from .fleet import DELETED, EXCESS, EXHAUSTED, IDLE, Fleet
from .planning import PlannedNode
from .settings import FleetSettings, read_fleets

_PROVISIONER = "hudson.slaves.NodeProvisioner#update"
_SUSPENSION = 0.5  # seconds
_CHECK_SECONDS = 60.0  # how often idle nodes are looked for
Tell = Callable[[str, str, str], None]  # level, logger, message


class Clouds:
    """The clouds and their computers; `lost` is called with each build whose agent was lost, if the cloud starts it again."""

    def __init__(self, home: Home, executors: Executors, queue: Queue, quiet_mode: QuietMode, tell: Tell) -> None:
        self._home, self._executors, self._queue, self._quiet_mode, self._tell = (
            home,
            executors,
            queue,
            quiet_mode,
            tell,
        )
        self.fleets: list[Fleet] = []
        self.computers: dict[str, FleetComputer] = {}
        self.lost: Callable[[str, Build], None] | None = None
        self._thread = ThreadPoolExecutor(1, "aws")
        self._demand = Demand(
            home, executors, queue, quiet_mode, self.computers, self._list_fleets, partial(self._tell_of, _PROVISIONER)
        )
        self.is_closing = False  # whether the controller is ending: then no agent is lost
        self._checkers: set[asyncio.Task[None]] = set()
        executors.claimed.append(self._claim)
        executors.released.append(self._release)

    def load(self) -> None:
        """Make the clouds that were stored, without asking AWS, unless the settings have named clouds already."""
        if not self.fleets:
            self.replace({})

    def replace(self, states: Mapping[str, GroupState]) -> None:
        """Make the clouds of the settings anew; `states` has the groups that their constructors read."""
        for fleet in self.fleets:
            fleet.close()
        variables = dict(self._home.options.variables)
        wanted = read_fleets(self._home.configuration.read("jenkins", "clouds"))
        self.fleets = [self._make_fleet(each, variables, states.get(each.name)) for each in wanted]

    def _make_fleet(self, settings: FleetSettings, variables: dict[str, str], state: GroupState | None) -> Fleet:
        tell = partial(self._tell_of, "c.a.j.ec2fleet.EC2FleetCloud#info")
        return Fleet(settings, Aws(settings.region, settings.endpoint, variables), self._run, tell, state)

    def _tell_of(self, logger: str, level: str, words: str) -> None:
        self._tell(level, logger, words)

    async def _run(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._thread, partial(work, *arguments))

    def _list_fleets(self) -> list[Fleet]:
        return self.fleets

    def find_fleet(self, name: str) -> Fleet | None:
        """The cloud of a name."""
        return next((fleet for fleet in self.fleets if fleet.settings.name == name), None)

    # Periodic work

    async def work(self) -> None:
        """Update the clouds, plan nodes and look for idle ones, for ever."""
        tasks = [
            asyncio.create_task(work())
            for work in (self._update_all, self._demand.plan, self._check_all, self._demand.measure)
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()

    async def close(self) -> None:
        """End all connections; what runs on the agents goes on."""
        self.is_closing = True
        for task in list(self._checkers):
            task.cancel()
        for computer in list(self.computers.values()):
            await computer.disconnect()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _update_all(self) -> None:
        while True:
            await asyncio.sleep(1)
            for fleet in list(self.fleets):
                fleet.due -= 1
                if fleet.due > 0:
                    continue
                fleet.due = fleet.settings.interval
                try:
                    await fleet.update(self)
                except AwsFailed as fault:
                    words = f"Error during fleet '{fleet.settings.name}' stats update"
                    self._tell("INFO", "c.a.j.ec2fleet.CloudNanny#doRun", f"{words}\n{fault}")

    async def _check_all(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_SECONDS)
            for computer in list(self.computers.values()):
                self.check_retention(computer)

    def check_retention(self, computer: FleetComputer) -> None:
        """Schedule a node to end if it is idle for too long, surplus, used up or deleted; else connect it again if told to."""
        fleet = self.find_fleet(computer.cloud)
        if fleet is None:
            words = f"Cloud is null for computer {computer.shown_title}"
            note = "This should be autofixed in a few minutes, if not please create an issue for the plugin"
            self._tell("WARNING", "c.a.j.ec2fleet.EC2RetentionStrategy#check", f"{words}. {note}")
            return
        reason = "" if computer.busy else self._find_reason(fleet, computer)
        if reason and fleet.schedule_to_terminate(
            computer.instance, reason, self.count_busy(fleet.settings.group), ignores_minimum=reason == EXHAUSTED
        ):
            self._executors.suspend(computer.instance)
        elif fleet.settings.reconnects and not computer.node.is_attached:
            computer.connect()

    @staticmethod
    def _find_reason(fleet: Fleet, computer: FleetComputer) -> str:
        idle, most = time.time() - computer.idle_since, fleet.settings.idle_minutes * 60
        if computer.is_marked_for_deletion:
            return DELETED
        if fleet.has_excess:
            return EXCESS
        if computer.uses.left == 0:
            return EXHAUSTED
        return IDLE if 0 < most < idle else ""

    # Executors

    def _claim(self, slot: Slot) -> None:
        computer = self.computers.get(slot.node)
        if computer is not None and computer.uses.take():
            words = f"maxTotalUses drained - suspending agent {computer.instance} after current build"
            self._tell("INFO", "c.a.j.ec2fleet.EC2RetentionStrategy#taskAccepted", words)
            self._executors.suspend(computer.instance)

    def _release(self, slot: Slot) -> None:
        computer = self.computers.get(slot.node)
        if computer is None:
            return
        computer.idle_since = time.time()
        fleet = self.find_fleet(computer.cloud)
        if fleet is not None and not computer.busy and slot.node in self._executors.suspended:
            fleet.schedule_to_terminate(slot.node, EXHAUSTED, 0, ignores_minimum=True)

    # Nodes, for an update

    def list_instances(self, group: str) -> set[str]:
        """The nodes of a group; raises AwsFailed if the cloud of some node is gone, as the plugin does."""
        listed = set()
        for computer in self.computers.values():
            fleet = self.find_fleet(computer.cloud)
            if fleet is None:
                raise AwsFailed('java.lang.NullPointerException: Cannot invoke "EC2FleetCloud.getFleet()"')
            if fleet.settings.group == group:
                listed.add(computer.instance)
        return listed

    def count_busy(self, group: str) -> int:
        """How many nodes of a group are not idle."""
        return sum(bool(self.computers[instance].busy) for instance in self.list_instances(group))

    def may_end(self, instance: str) -> bool:
        """Whether an instance runs nothing and takes nothing."""
        computer = self.computers.get(instance)
        return computer is None or (not computer.busy and instance in self._executors.suspended)

    async def remove(self, instance: str) -> None:
        """Remove a node from Jenkins; builds on it learn of it."""
        computer = self.computers.pop(instance, None)
        if computer is not None and computer.busy:
            seconds = read_node_timeout(self._home)
            asyncio.get_running_loop().call_later(seconds, self._executors.cancel_bodies, instance)
        self._home.nodes.remove_ephemeral(instance)
        if computer is not None:
            await computer.disconnect()
        self._executors.forget(instance)

    async def delete(self, computer: FleetComputer) -> None:
        """Delete a node as a user asks for it: its instance ends with the next update."""
        self._executors.suspend(computer.instance)
        computer.is_marked_for_deletion = True
        fleet = self.find_fleet(computer.cloud)
        if fleet is not None:
            busy = self.count_busy(fleet.settings.group)
            fleet.schedule_to_terminate(computer.instance, DELETED, busy, ignores_minimum=False)
        await self.remove(computer.instance)

    def add(self, fleet: FleetSettings, instance: Instance, planned: PlannedNode | None) -> bool:
        """Make a node of an instance; False if it has no address yet."""
        address = instance.private_address if fleet.is_private else instance.public_address
        if not address or (fleet.only_running and instance.state != "running"):
            return False
        folder = fleet.folder.rstrip("/") or str(Path("/tmp", f"jenkins-{str(uuid.uuid4())[:8]}"))
        computer = FleetComputer(self._home, self._executors, fleet, instance.identifier, address, folder)
        computer.disconnected = self._disconnect
        self.computers[instance.identifier] = computer
        self._home.nodes.put_ephemeral(computer.settings)
        self._executors.notify()
        checker = asyncio.get_running_loop().create_task(self._await_online(computer, fleet, planned))
        self._checkers.add(checker)
        checker.add_done_callback(self._checkers.discard)
        return True

    def relabel(self, instance: str, fleet: FleetSettings) -> None:
        """Give a node the labels and variables of its cloud."""
        computer = self.computers[instance]
        if computer.adopt(fleet):
            self._home.nodes.put_ephemeral(computer.settings)
            self._executors.notify()

    async def _await_online(self, computer: FleetComputer, fleet: FleetSettings, planned: PlannedNode | None) -> None:
        """Try to connect until the agent is online or its time is out; the planned node counts until then."""
        planned = planned or PlannedNode(computer.instance, fleet.executors)
        end = time.monotonic() + fleet.online_timeout
        computer.connect()
        while fleet.online_timeout >= 1 and fleet.online_interval >= 1 and not computer.node.is_attached:
            if self.computers.get(computer.instance) is not computer:
                planned.finish()
                return
            if time.monotonic() > end:
                node, milliseconds = computer.title, int(fleet.online_timeout * 1000)
                words = (
                    f"Failed to provision node. Could not connect to node '{node}' before timeout ({milliseconds}ms)"
                )
                planned.finish(f"java.lang.IllegalStateException: {words}")
                return
            computer.connect()
            with suppress(TimeoutError):
                await asyncio.wait_for(computer.came_online.wait(), fleet.online_interval)
        planned.finish()

    def _disconnect(self, computer: FleetComputer) -> None:
        # When systemd stops the service, the SSH client may end just before this process knows of it.
        asyncio.get_running_loop().call_later(_SUSPENSION, self._report_lost, computer)

    def _report_lost(self, computer: FleetComputer) -> None:
        fleet = self.find_fleet(computer.cloud)
        is_over = self.is_closing or computer.instance not in self.computers or computer.node.is_attached
        if fleet is not None and fleet.settings.is_resubmitting and self.lost is not None and not is_over:
            for build in [build for slot, build in self._executors.busy.items() if slot.node == computer.instance]:
                self.lost(computer.title, build)
