"""The order of work on machines, without moto: an instance is pending until its machine runs; a failed boot ends it."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.local.aws.compute.instance_records import make_spec
from bootstrap.local.aws.compute.instances import Instances
from bootstrap.local.aws.compute.machine_interface import MachineSpec
from bootstrap.local.aws.persistence.journal import Journal
from bootstrap.local.aws.server.door import Door
from tests.unit.local.aws.compute.slow_machines import Instance, Slow


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events find the instance of the test, as they find one in moto."""
    monkeypatch.setattr("bootstrap.local.aws.compute.instances.find_instance", lambda _: Instance.latest)


@pytest.fixture
def machines() -> Slow:
    return Slow()


@pytest.fixture
def instances(tmp_path: Path, machines: Slow) -> Instances:
    door = Door(lambda *_: [], Journal(tmp_path / "journal"))
    return Instances(door, machines, lambda _: None)


def until(ready: Any) -> None:
    end = time.monotonic() + 10
    while not ready() and time.monotonic() < end:
        time.sleep(0.005)
    assert ready()


def test_instance_is_pending_until_its_machine_runs(instances: Instances, machines: Slow) -> None:
    instance = Instance()
    instances.launch_machine(instance)
    assert "pending" == instance.state
    machines.may_go_on.set()
    until(lambda: instance.state == "running")


def test_a_volume_is_attached_after_the_boot_but_not_the_root_disk(instances: Instances, machines: Slow) -> None:
    instance = Instance()
    instances.launch_machine(instance)
    instances.attach_volume("vol-data", instance, "/dev/sdf")
    instances.attach_volume("vol-root", instance, "/dev/xvda")
    machines.may_go_on.set()
    until(lambda: machines.done == ["boot i-1", "attach vol-data"])


def test_boot_that_fails_is_an_event_with_its_reason(instances: Instances, machines: Slow) -> None:
    seen: list[dict[str, Any]] = []
    instances._door.event_handlers["boot-failed"] = seen.append
    machines.problem = "no image"
    machines.may_go_on.set()
    instances.launch_machine(Instance())
    until(lambda: seen)
    assert ("i-1", True) == (seen[0]["instance"], "no image" in seen[0]["reason"])


def test_termination_waits_for_the_boot_and_then_ends_the_instance(instances: Instances, machines: Slow) -> None:
    instance = Instance()
    instances.launch_machine(instance)
    instances.terminate_machine(instance)
    assert "shutting-down" == instance.state
    machines.may_go_on.set()
    until(lambda: instance.state == "terminated")


@pytest.fixture
def powered_off(instances: Instances) -> list[dict[str, Any]]:
    """The events of machines that stopped by themselves."""
    events: list[dict[str, Any]] = []
    instances._door.event_handlers["powered-off"] = events.append
    return events


def up(instances: Instances, machines: Slow) -> Instance:
    """An instance whose machine runs and is watched."""
    instance = Instance()
    machines.may_go_on.set()
    instances.launch_machine(instance)
    until(lambda: machines.watchers)
    return instance


@pytest.mark.parametrize("is_booted", [False, True])
def test_after_a_kill_an_unfinished_boot_is_repeated(
    tmp_path: Path, instances: Instances, machines: Slow, monkeypatch: pytest.MonkeyPatch, is_booted: bool
) -> None:
    if is_booted:
        up(instances, machines)
        machines.may_go_on.clear()
    machines.states["i-1"], machines.done = "running", []
    instances._door._journal.close()
    door = Door(lambda *_: [], Journal(tmp_path / "journal"))
    again, instance = Instances(door, machines, lambda _: None), Instance()  # moto's replay says 'running' of both
    assert door.replay() == is_booted
    monkeypatch.setattr("bootstrap.local.aws.compute.instances.list_instances", lambda: [instance])

    again.reconcile()

    if not is_booted:
        assert "pending" == instance.state
        machines.may_go_on.set()
    until(lambda: instance.state == "running")
    assert machines.done == ([] if is_booted else ["boot i-1"])


def test_a_machine_that_stops_by_itself_is_an_event(
    instances: Instances, machines: Slow, powered_off: list[dict[str, Any]]
) -> None:
    up(instances, machines)
    machines.lose_power()
    until(lambda: powered_off)
    assert ("i-1", "Client.InstanceInitiatedShutdown") == (powered_off[0]["instance"], powered_off[0]["code"])


def test_a_machine_that_reboots_itself_is_started_again_and_its_instance_stays_running(
    instances: Instances, machines: Slow, powered_off: list[dict[str, Any]]
) -> None:
    instance = up(instances, machines)
    machines.reboot_itself()
    until(lambda: machines.watchers)
    assert ("running", "running", []) == (machines.states["i-1"], instance.state, powered_off)

    machines.problem = "no memory"
    machines.reboot_itself()
    until(lambda: powered_off)
    assert ("Server.InternalError", True) == (powered_off[0]["code"], "no memory" in powered_off[0]["reason"])


def test_machine_that_is_stopped_while_it_reboots_stays_down(
    instances: Instances, machines: Slow, powered_off: list[dict[str, Any]]
) -> None:
    instance = up(instances, machines)
    instances.stop_machine(instance)
    until(lambda: instance.state == "stopped")
    machines.reboot_itself()
    instances._queues["i-1"].submit(lambda: None).result(10)
    assert ("stopped", [], []) == (machines.states["i-1"], machines.watchers, powered_off)


def test_a_machine_that_a_request_stops_or_reboots_is_no_event(
    instances: Instances, machines: Slow, powered_off: list[dict[str, Any]]
) -> None:
    instance = Instance()
    machines.may_go_on.set()
    instances.launch_machine(instance)
    until(lambda: machines.watchers)
    machines.watchers.pop()()  # ended, and up again: a reboot
    until(lambda: machines.watchers)
    instances.stop_machine(instance)
    machines.watchers.pop()()
    until(lambda: instance.state == "stopped")
    instances._queues["i-1"].submit(lambda: None).result(10)
    assert ([], []) == (powered_off, machines.watchers)


def test_machine_that_cannot_be_started_again_leaves_its_instance_stopped(
    instances: Instances, machines: Slow, powered_off: list[dict[str, Any]]
) -> None:
    machines.problem = "no memory"
    instances.start_machine(Instance())
    until(lambda: powered_off)
    assert ("Server.InternalError", True) == (powered_off[0]["code"], "no memory" in powered_off[0]["reason"])


def test_the_specification_of_a_machine_is_complete() -> None:
    spec = make_spec(Instance())
    assert (
        MachineSpec(
            instance_id="i-1",
            private_ip="10.77.3.4",
            subnet_id="subnet-1",
            subnet_cidr="10.77.3.0/24",
            image_id="ami-1",
            user_data=b"#cloud-config",
            public_key="ssh-ed25519 AAAA",
            tags={"Name": "controller"},
            gateway="10.77.3.1",
        )
        == spec
    )


def test_a_machine_that_could_not_boot_leaves_no_interface(
    instances: Instances, machines: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    given = {"10.77.3.0", "10.77.3.1"}
    subnet = SimpleNamespace(_subnet_ips=dict.fromkeys(given), _unused_ips=set(), del_subnet_ip=given.remove)

    def interface(name: str, is_own: bool) -> Any:
        return SimpleNamespace(
            delete_on_termination=is_own,
            subnet=subnet,
            private_ip_addresses=[{"PrivateIpAddress": f"10.77.3.{name[-1]}"}],
            stop=lambda: ended.append(f"stop {name}"),
            delete=lambda: ended.append(f"delete {name}"),
        )

    instance: Any = Instance()
    instance.nics = {0: interface("eni-0", True), 1: interface("eni-1", False)}
    instance.teardown_defaults = lambda: ended.append("disks")
    monkeypatch.setattr("bootstrap.local.aws.compute.instances.set_reason", lambda *_: None)
    machines.problem = "no image"
    machines.may_go_on.set()
    instances.launch_machine(instance)
    until(lambda: instance.state == "terminated")
    assert ["stop eni-0", "delete eni-0", "stop eni-1", "disks"] == ended
    until(
        lambda: given == {"10.77.3.1"}
    )  # the address is free when the container is removed, the other one is of its user
