"""Containers as machines: made halfway, of an earlier version, of another copy, two at once."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from single_machine import ENVIRONMENT, SUBNET
from waiting import wait_until

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines import InstanceSpec, Machines, ensure_image, flags, ids
from bootstrap.local.machines.podman import read_podman_info


def test_network_with_a_machine_in_it_is_not_removed(machines: Machines, machine: InstanceSpec) -> None:
    with pytest.raises(LocalCloudFailed, match="removing the network"):
        machines.delete_network(SUBNET)


def test_failing_user_data_is_told_with_what_it_said(machines: Machines, spec: InstanceSpec) -> None:
    failing = replace(
        spec, instance_id="i-0bad", private_ip="10.213.7.66", user_data=b"#!/bin/sh\necho no such luck\nexit 3\n"
    )
    with pytest.raises(LocalCloudFailed) as failure:
        machines.boot(failing)
    assert "cloud-init failed" in failure.value.found
    assert "no such luck" in failure.value.found
    machines.terminate(failing.instance_id)
    machines.terminate(failing.instance_id)
    assert machines.read_state(failing.instance_id) == "absent"


def test_machine_survives_the_killing_of_the_process_that_makes_it(
    machines: Machines, spec: InstanceSpec, state: Path
) -> None:
    mine = replace(spec, instance_id="i-0fee", private_ip="10.213.7.67", user_data=b"#!/bin/sh\nsleep 2\n")
    program = "import sys, pathlib\nfrom bootstrap.local.machines import *\n"
    program += f"Machines({ENVIRONMENT!r}, pathlib.Path({str(state)!r})).boot({mine!r})"
    maker = subprocess.Popen([sys.executable, "-c", program], start_new_session=True)
    wait_until(lambda: machines.read_state(mine.instance_id) == "running")
    os.killpg(maker.pid, signal.SIGKILL)
    maker.wait()
    machines.boot(mine)
    assert machines.read_state(mine.instance_id) == "running"
    machines.terminate(mine.instance_id)


def test_half_made_container_is_made_again(machines: Machines, spec: InstanceSpec, state: Path) -> None:
    mine = replace(spec, instance_id="i-0daf", private_ip="10.213.7.68")
    name = f"bootstrap-{ENVIRONMENT}-{mine.instance_id}"
    labels = [f"--label=bootstrap.environment={ENVIRONMENT}", f"--label=bootstrap.state={state}"]
    subprocess.run(
        ["podman", "create", *labels, f"--name={name}", ensure_image(print)], check=True, capture_output=True
    )
    assert machines.read_state(mine.instance_id) == "absent"
    machines.boot(mine)
    assert machines.read_state(mine.instance_id) == "running"
    machines.terminate(mine.instance_id)


def test_machine_of_an_earlier_version_is_not_started_and_can_be_removed(
    machines: Machines, spec: InstanceSpec, state: Path
) -> None:
    former = replace(spec, instance_id="i-0e1d", private_ip="10.213.7.69")
    name = f"bootstrap-{ENVIRONMENT}-{former.instance_id}"
    labels = [f"--label=bootstrap.environment={ENVIRONMENT}", f"--label=bootstrap.state={state}"]
    limits = [
        it
        for it in flags.list_machine_options(read_podman_info(), flags.read_own_limits(), ids.FIRST)
        if "--ulimit" in it
    ]
    run = [
        "podman",
        *flags.list_runtime_options(read_podman_info()),
        "run",
        "--detach",
        *labels,
        *limits,
        f"--name={name}",
    ]
    subprocess.run([*run, ensure_image(print), "sleep", "1"], check=True, capture_output=True)
    wait_until(lambda: machines.read_state(former.instance_id) == "stopped")
    assert machines.list_without_namespace() == [former.instance_id]
    for start in (machines.start, machines.reboot, lambda each: machines.attach("vol-0e1d", each, "/dev/sdf")):
        with pytest.raises(LocalCloudFailed, match="without a user namespace"):
            start(former.instance_id)
    with pytest.raises(LocalCloudFailed, match="without a user namespace"):
        machines.boot(former)
    with pytest.raises(LocalCloudFailed, match="without a user namespace") as refusal:
        machines.require_namespaces()
    assert "without --delete-data" in refusal.value.remedy
    machines.terminate(former.instance_id)
    assert machines.list_without_namespace() == []
    machines.require_namespaces()


def test_machine_of_another_copy_is_neither_used_nor_removed(
    machines: Machines, machine: InstanceSpec, tmp_path: Path, ssh
) -> None:
    other = Machines(ENVIRONMENT, tmp_path)
    for use in (other.read_state, other.stop, other.terminate, other.read_console):
        with pytest.raises(LocalCloudFailed, match="another copy of this environment"):
            use(machine.instance_id)
    with pytest.raises(LocalCloudFailed, match="another copy of this environment"):
        other.delete_network(SUBNET)
    other.remove_all(with_volumes=True)
    assert ssh("id -un") == "admin"


def test_two_machines_boot_and_end_at_once_and_their_addresses_are_free(machines: Machines, spec: InstanceSpec) -> None:
    pair = [replace(spec, instance_id=f"i-0c0{n}", private_ip=f"10.213.7.{80 + n}") for n in (1, 2)]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(machines.boot, pair))
    assert [machines.read_state(each.instance_id) for each in pair] == ["running", "running"]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(machines.terminate, [each.instance_id for each in pair]))
    assert [machines.read_state(each.instance_id) for each in pair] == ["absent", "absent"]
    for each in pair:
        machines.boot(replace(each, instance_id=each.instance_id.replace("c0", "c1")))
        machines.terminate(each.instance_id.replace("c0", "c1"))
