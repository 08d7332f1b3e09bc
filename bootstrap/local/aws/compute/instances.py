"""The machines of EC2 instances: moto changes the records of instances, and this module does the same to their machines.

Each instance has a queue, so its work is done in order. An instance is `pending` until its machine runs, and `stopping` or
`shutting-down` until its machine has ended. If a boot fails, its instance is terminated with the reason, as EC2 does. If a
machine stops by itself or cannot be started again, its instance becomes `stopped`, with the reason. Work starts when the
request that caused it is on disk. After a restart of the server, `reconcile` brings the machines to the states that the journal
gives.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bootstrap.errors import BootstrapError
from bootstrap.local.aws.compute import addresses
from bootstrap.local.aws.compute.instance_records import (
    PENDING,
    RUNNING,
    SHUTTING_DOWN,
    STOPPED,
    STOPPING,
    TERMINATED,
    State,
    find_gateway,
    find_instance,
    list_instances,
    make_reference,
    make_spec,
    set_reason,
    set_state,
)
from bootstrap.local.aws.compute.machine_interface import Machines
from bootstrap.local.aws.persistence.journal import Record
from bootstrap.local.aws.scaling import health
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
        door.event_handlers["booted"] = self._note_booted
        door.event_handlers["machine-ended"] = _note_ended
        door.event_handlers["boot-failed"] = self._end_failed
        door.event_handlers["powered-off"] = self._stop_powered_off

    def launch_machine(self, instance: Any) -> None:
        """Boot the machine of a new instance (RunInstances)."""
        self._launched.add(instance.id)
        self._subnets.add(instance.subnet_id)
        self._change_state(instance, PENDING, RUNNING, lambda: self._boot(instance))

    def start_machine(self, instance: Any) -> None:
        """Start the machine again (StartInstances)."""
        self._change_state(instance, PENDING, RUNNING, lambda: self._start(instance))

    def stop_machine(self, instance: Any) -> None:
        """Stop the machine (StopInstances)."""
        self._change_state(instance, STOPPING, STOPPED, lambda: self._machines.stop(instance.id))

    def reboot_machine(self, instance: Any) -> None:
        """Restart the machine (RebootInstances); the instance stays `running`."""
        self._change_state(instance, RUNNING, RUNNING, lambda: self._reboot(instance))

    def terminate_machine(self, instance: Any) -> None:
        """Remove the machine with its disk (TerminateInstances)."""
        self._change_state(instance, SHUTTING_DOWN, TERMINATED, lambda: self._end(instance))

    def attach_volume(self, volume_id: str, instance: Any, device: str) -> None:
        """Attach a data volume (AttachVolume); the root disk is a part of the machine."""
        if device != instance.root_device_name:
            self._data_volumes.add(volume_id)
            if instance.id in self._launched:  # otherwise `_boot` attaches it
                self._submit_after_request(instance.id, lambda: self._machines.attach(volume_id, instance.id, device))

    def detach_volume(self, volume_id: str, instance_id: str) -> None:
        """Detach a data volume (DetachVolume)."""
        if volume_id in self._data_volumes:
            self._submit_after_request(instance_id, lambda: self._machines.detach(volume_id, instance_id))

    def delete_volume(self, volume_id: str) -> None:
        """Delete the content of a data volume (DeleteVolume)."""
        if volume_id in self._data_volumes:
            self._submit_after_request(volume_id, lambda: self._machines.delete_volume(volume_id))

    def delete_subnet_network(self, subnet_id: str) -> None:
        """Delete the network of a subnet that had machines (DeleteSubnet)."""
        if subnet_id in self._subnets:
            self._submit_after_request(subnet_id, lambda: self._machines.delete_network(subnet_id))

    def read_console(self, instance_id: str) -> str:
        """The console output of the machine; '' if it cannot be read."""
        try:
            return self._machines.read_console(instance_id)
        except BootstrapError as failure:
            log.warning("cannot read the console of %s: %s", instance_id, failure)
            return ""

    def find_at(self, address: str) -> Any | None:
        """The instance with this private address that is neither terminated nor shutting down."""
        living = (instance for instance in list_instances() if instance.state not in {"terminated", "shutting-down"})
        return next((instance for instance in living if instance.private_ip == address), None)

    def reconcile(self) -> None:
        """Bring every machine to the state that its instance has after the replay of the journal."""
        for instance in list_instances():
            self._subnets.add(instance.subnet_id)
            if instance.state in {"running", "pending"}:
                self._change_state(instance, PENDING, RUNNING, functools.partial(self._ensure_running, instance))
            elif instance.state == "stopped":
                self._submit(instance.id, functools.partial(self._stop_if_running, instance))
            elif not getattr(instance, "has_ended", False):
                self._change_state(instance, SHUTTING_DOWN, TERMINATED, functools.partial(self._end, instance))

    def cancel_work(self) -> None:
        """Cancel the work that has not begun, because the server stops; returns at once."""
        with self._lock:
            queues = list(self._queues.values())
        for queue in queues:
            queue.shutdown(wait=False, cancel_futures=True)

    def _ensure_running(self, instance: Any) -> None:
        """Start the machine if it does not run. A boot that the last server began, but did not finish, is repeated."""
        gateway = find_gateway(instance)
        if gateway:
            self._open_gateway(gateway)
        state = self._machines.read_state(instance.id)
        if state == "absent" or instance.id not in self._booted:
            self._boot(instance)
        elif state == "stopped":
            self._start(instance)

    def _stop_if_running(self, instance: Any) -> None:
        if self._machines.read_state(instance.id) == "running":
            self._machines.stop(instance.id)

    def _start(self, instance: Any) -> None:
        try:
            self._machines.start(instance.id)
        except BootstrapError as failure:
            raise _NotStarted(str(failure)) from failure

    def _reboot(self, instance: Any) -> None:
        if instance.state != "running":
            return  # it stopped before the work began
        try:
            self._machines.reboot(instance.id)
        except BootstrapError as failure:
            raise _NotStarted(str(failure)) from failure

    def _end(self, instance: Any) -> None:
        self._machines.terminate(instance.id)
        self._door.record_event("machine-ended", **make_reference(instance))

    def _boot(self, instance: Any) -> None:
        spec = make_spec(instance)
        if spec.gateway:
            self._open_gateway(spec.gateway)
        self._machines.boot(spec)
        for device, block in instance.get_block_device_mapping:
            if device != instance.root_device_name:
                self._data_volumes.add(block.volume_id)
                self._machines.attach(block.volume_id, instance.id, device)
        self._door.record_event("booted", **make_reference(instance))

    def _change_state(self, instance: Any, during: State, after: State, change: Callable[[], None]) -> None:
        if self._door.is_replaying:
            return
        set_state(instance, during)

        def finish_change() -> None:
            try:
                change()
            except _NotStarted as failure:
                log.warning("cannot start the machine of instance %s: %s", instance.id, failure)
                self._door.record_event(
                    "powered-off", **make_reference(instance), code=NOT_STARTED, reason=str(failure)
                )
                return
            except Exception as failure:
                log.exception("cannot change the machine of instance %s", instance.id)
                if after is RUNNING:
                    self._door.record_event("boot-failed", **make_reference(instance), reason=str(failure))
                    return
            if instance.state == during[0]:
                set_state(instance, after)
            if after is RUNNING:
                self._watch(instance)

        self._submit_after_request(instance.id, finish_change)

    def _watch(self, instance: Any) -> None:
        """Check the instance when its machine has ended, after the work that is already in its queue."""
        with self._lock:
            if instance.id in self._watched:
                return
            self._watched.add(instance.id)

        def handle_end() -> None:
            with self._lock:
                self._watched.discard(instance.id)
            self._submit(instance.id, lambda: self._check_ended(instance))

        self._machines.watch(instance.id, handle_end)

    def _check_ended(self, instance: Any) -> None:
        """Stop the instance if its machine ended by itself, not by a reboot or a request."""
        if instance.state != "running":
            return
        if self._machines.read_state(instance.id) == "running":
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
        log.warning("the machine of instance %s stopped: %s", instance.id, reason)
        self._door.record_event("powered-off", **make_reference(instance), code=code, reason=reason)

    def _submit_after_request(self, name: str, work: Callable[[], None]) -> None:
        self._door.run_afterwards(lambda: self._submit(name, work))

    def _submit(self, name: str, work: Callable[[], None]) -> None:
        with self._lock:
            queue = self._queues.setdefault(name, ThreadPoolExecutor(1, thread_name_prefix=name))

        def run_and_log() -> None:
            try:
                work()
            except Exception:
                log.exception("work on the machine or resource %s failed", name)

        queue.submit(run_and_log)

    def _note_booted(self, record: Record) -> None:
        self._booted.add(record["instance"])
        instance = find_instance(record)
        if instance.state == PENDING[0]:  # no later request has changed it
            set_state(instance, RUNNING)
        health.note_booted(instance)

    def _end_failed(self, record: Record) -> None:
        """Terminate an instance whose boot failed, as EC2 does: also delete its network interfaces and disks."""
        instance = find_instance(record)
        addresses.delete_interfaces(instance)
        instance.teardown_defaults()
        set_state(instance, TERMINATED)
        set_reason(instance, "Server.InternalError", record["reason"])
        self._submit_after_request(instance.id, lambda: self._end(instance))

    def _stop_powered_off(self, record: Record) -> None:
        """Stop or terminate an instance, by its InstanceInitiatedShutdownBehavior, as EC2 does.

        An instance that a later request has stopped or terminated is not changed.
        """
        instance = find_instance(record)
        if instance.state not in {"running", "pending"}:
            return
        if instance.instance_initiated_shutdown_behavior == "terminate":
            instance.terminate()
        else:
            for interface in instance.nics.values():
                interface.stop()
            set_state(instance, STOPPED)
        set_reason(instance, record["code"], record["reason"])


def _note_ended(record: Record) -> None:
    instance = find_instance(record)
    addresses.release(instance)
    health.note_ended(instance)


class _NotStarted(Exception):
    """An existing machine cannot be started. Its instance becomes `stopped` and keeps its disk."""
