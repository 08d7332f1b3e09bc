"""The machines of EC2 instances: moto changes the records of instances, and this module does the same to their machines.

Each instance has a queue, so its work is done in order. An instance is `pending` until its machine runs, and `stopping` or
`shutting-down` until its machine has ended. A boot that fails terminates the instance with the reason, as EC2 does. A machine
that goes down by itself, or cannot be started again, leaves its instance `stopped`, with the reason. Work starts when the
request that caused it is on disk; after a restart `reconcile` brings the machines to the state that the journal gives.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bootstrap.errors import BootstrapError
from bootstrap.local.aws.compute.instance_records import (
    PENDING,
    RUNNING,
    SHUTTING_DOWN,
    STOPPED,
    STOPPING,
    TERMINATED,
    State,
    describe,
    every_instance,
    find_recorded,
    gateway_of,
    place_of,
    set_reason,
    set_state,
)
from bootstrap.local.aws.compute.machine_interface import Machines
from bootstrap.local.aws.persistence.journal import Record
from bootstrap.local.aws.server.door import Door

log = logging.getLogger(__name__)

POWERED_OFF = "Client.InstanceInitiatedShutdown", "Instance initiated shutdown"
NOT_STARTED = "Server.InternalError"


class Instances:
    """The machines of all instances; `open_gateway` is called with the first address of a machine's subnet."""

    def __init__(self, door: Door, machines: Machines, open_gateway: Callable[[str], None]) -> None:
        self._door = door
        self._machines = machines
        self._open_gateway = open_gateway
        self._queues: dict[str, ThreadPoolExecutor] = {}
        self._data_volumes: set[str] = set()
        self._subnets: set[str] = set()
        self._launched: set[str] = set()
        self._booted: set[str] = set()
        self._watched: set[str] = set()
        self._lock = threading.Lock()
        door.events["booted"] = lambda record: self._booted.add(record["instance"])
        door.events["boot-failed"] = self._end_failed
        door.events["powered-off"] = self._power_off

    def launched(self, instance: Any) -> None:
        """RunInstances has created this instance."""
        self._launched.add(instance.id)
        self._subnets.add(instance.subnet_id)
        self._later(instance, PENDING, RUNNING, lambda: self._boot(instance))

    def started(self, instance: Any) -> None:
        """StartInstances."""
        self._later(instance, PENDING, RUNNING, lambda: self._start(instance))

    def stopped(self, instance: Any) -> None:
        """StopInstances."""
        self._later(instance, STOPPING, STOPPED, lambda: self._machines.stop(instance.id))

    def rebooted(self, instance: Any) -> None:
        """RebootInstances: the state stays running."""
        self._later(instance, RUNNING, RUNNING, lambda: self._reboot(instance))

    def terminated(self, instance: Any) -> None:
        """TerminateInstances."""
        self._later(instance, SHUTTING_DOWN, TERMINATED, lambda: self._machines.terminate(instance.id))

    def attached(self, volume_id: str, instance: Any, device: str) -> None:
        """AttachVolume; the root disk belongs to the machine itself."""
        if device != instance.root_device_name:
            self._data_volumes.add(volume_id)
            if instance.id in self._launched:  # else it is attached when the machine has booted
                self._queue(instance.id, lambda: self._machines.attach(volume_id, instance.id, device))

    def detached(self, volume_id: str, instance_id: str) -> None:
        """DetachVolume."""
        if volume_id in self._data_volumes:
            self._queue(instance_id, lambda: self._machines.detach(volume_id, instance_id))

    def volume_deleted(self, volume_id: str) -> None:
        """DeleteVolume: its content is deleted too."""
        if volume_id in self._data_volumes:
            self._queue(volume_id, lambda: self._machines.delete_volume(volume_id))

    def subnet_deleted(self, subnet_id: str) -> None:
        """DeleteSubnet: the network of a subnet that had machines is deleted too."""
        if subnet_id in self._subnets:
            self._queue(subnet_id, lambda: self._machines.delete_network(subnet_id))

    def console(self, instance_id: str) -> str:
        """What the machine printed while it booted."""
        try:
            return self._machines.console(instance_id)
        except BootstrapError as failure:
            log.warning("console of %s: %s", instance_id, failure)
            return ""

    def find(self, address: str) -> Any | None:
        """The living instance at a private address."""
        living = (instance for instance in every_instance() if instance.state not in {"terminated", "shutting-down"})
        return next((instance for instance in living if instance.private_ip == address), None)

    def reconcile(self) -> None:
        """Bring every machine to the state that the replayed journal gives its instance."""
        for instance in every_instance():
            self._subnets.add(instance.subnet_id)
            if instance.state in {"running", "pending"}:
                self._later(instance, PENDING, RUNNING, functools.partial(self._bring_up, instance))
            else:
                self._submit("reconcile", functools.partial(self._bring_down, instance))

    def wait(self) -> None:
        """Cancel the work that has not begun (the server stops)."""
        with self._lock:
            queues = list(self._queues.values())
        for queue in queues:
            queue.shutdown(wait=False, cancel_futures=True)

    def _bring_up(self, instance: Any) -> None:
        """Start the machine if it does not run; finish a boot that the last server began."""
        gateway = gateway_of(instance)
        if gateway:
            self._open_gateway(gateway)
        state = self._machines.state(instance.id)
        if state == "absent" or instance.id not in self._booted:
            self._boot(instance)
        elif state == "stopped":
            self._start(instance)

    def _bring_down(self, instance: Any) -> None:
        state = self._machines.state(instance.id)
        if instance.state == "stopped" and state == "running":
            self._machines.stop(instance.id)
        elif instance.state == "terminated" and state != "absent":
            self._machines.terminate(instance.id)

    def _start(self, instance: Any) -> None:
        try:
            self._machines.start(instance.id)
        except BootstrapError as failure:
            raise _NotStarted(str(failure)) from failure

    def _reboot(self, instance: Any) -> None:
        if instance.state != "running":
            return  # it went down before the work began
        try:
            self._machines.reboot(instance.id)
        except BootstrapError as failure:
            raise _NotStarted(str(failure)) from failure

    def _boot(self, instance: Any) -> None:
        wanted = describe(instance)
        if wanted.gateway:
            self._open_gateway(wanted.gateway)
        self._machines.boot(wanted)
        for device, block in instance.get_block_device_mapping:
            if device != instance.root_device_name:
                self._data_volumes.add(block.volume_id)
                self._machines.attach(block.volume_id, instance.id, device)
        self._door.event("booted", **place_of(instance))

    def _later(self, instance: Any, during: State, after: State, act: Callable[[], None]) -> None:
        if self._door.is_replaying:
            return
        set_state(instance, during)

        def work() -> None:
            try:
                act()
            except _NotStarted as failure:
                log.warning("instance %s: %s", instance.id, failure)
                self._door.event("powered-off", **place_of(instance), code=NOT_STARTED, reason=str(failure))
                return
            except Exception as failure:
                log.exception("instance %s", instance.id)
                if after is RUNNING:
                    self._door.event("boot-failed", **place_of(instance), reason=str(failure))
                    return
            if instance.state == during[0]:
                set_state(instance, after)
            if after is RUNNING:
                self._watch(instance)

        self._queue(instance.id, work)

    def _watch(self, instance: Any) -> None:
        """Check the instance when its machine has ended, in its queue: after the work that was requested before."""
        with self._lock:
            if instance.id in self._watched:
                return
            self._watched.add(instance.id)

        def ended() -> None:
            with self._lock:
                self._watched.discard(instance.id)
            self._submit(instance.id, lambda: self._check_ended(instance))

        self._machines.watch(instance.id, ended)

    def _check_ended(self, instance: Any) -> None:
        """Stop the instance whose machine has ended by itself; a reboot or a request can have ended it too."""
        if instance.state != "running":
            return
        if self._machines.state(instance.id) == "running":
            self._watch(instance)
            return
        code, reason = POWERED_OFF
        if self._machines.has_rebooted(instance.id):
            try:
                self._start(instance)
            except _NotStarted as failure:
                code, reason = NOT_STARTED, str(failure)
            else:
                self._watch(instance)
                return
        log.warning("instance %s is down: %s", instance.id, reason)
        self._door.event("powered-off", **place_of(instance), code=code, reason=reason)

    def _queue(self, name: str, work: Callable[[], None]) -> None:
        self._door.afterwards(lambda: self._submit(name, work))

    def _submit(self, name: str, work: Callable[[], None]) -> None:
        with self._lock:
            queue = self._queues.setdefault(name, ThreadPoolExecutor(1, thread_name_prefix=name))

        def logged() -> None:
            try:
                work()
            except Exception:
                log.exception("machine work for %s", name)

        queue.submit(logged)

    def _end_failed(self, record: Record) -> None:
        """Terminate the instance as EC2 does: its interfaces and disks are deleted, otherwise they would remain."""
        instance = find_recorded(record)
        for interface in list(instance.nics.values()):
            interface.stop()
            if interface.delete_on_termination:
                interface.delete()
        instance.teardown_defaults()
        set_state(instance, TERMINATED)
        set_reason(instance, "Server.InternalError", record["reason"])
        if not self._door.is_replaying:
            self._submit(instance.id, lambda: self._machines.terminate(instance.id))

    def _power_off(self, record: Record) -> None:
        """Stop the instance as EC2 does, or terminate it by its InstanceInitiatedShutdownBehavior; later requests prevail."""
        instance = find_recorded(record)
        if instance.state not in {"running", "pending"}:
            return
        if instance.instance_initiated_shutdown_behavior == "terminate":
            instance.terminate()
        else:
            for interface in instance.nics.values():
                interface.stop()
            set_state(instance, STOPPED)
        set_reason(instance, record["code"], record["reason"])


class _NotStarted(Exception):
    """An existing machine could not be started: its instance is stopped, and keeps its disk."""
