"""Podman's options for a machine, decided from what podman says about the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bootstrap.local.machines.flags import Limits, machine_options, own_limits, runtime_options

LIMITS = Limits(nofile=524288, nproc=96365, pid_max=4194304)


def info(
    cgroups: str = "v2", runtime: str = "crun", *, apparmor: bool = False, selinux: bool = False
) -> dict[str, Any]:
    return {
        "host": {
            "cgroupVersion": cgroups,
            "ociRuntime": {"name": runtime},
            "security": {"apparmorEnabled": apparmor, "selinuxEnabled": selinux},
        }
    }


@pytest.mark.parametrize(
    ("cgroups", "runtime", "expected"),
    [
        ("v2", "crun", ()),
        ("v2", "runc", ()),
        ("v1", "crun", ("--runtime", "runc")),
        ("v1", "runc", ()),
    ],
)
def test_runc_is_asked_for_only_where_crun_refuses(cgroups: str, runtime: str, expected: tuple[str, ...]) -> None:
    assert runtime_options(info(cgroups, runtime)) == expected


@pytest.mark.parametrize(
    ("limits", "nofile", "nproc"),
    [
        (LIMITS, "1024:524288", "96365:96365"),
        (Limits(nofile=20000, nproc=96365, pid_max=32768), "1024:20000", "32768:32768"),
        (Limits(nofile=512, nproc=100, pid_max=32768), "512:512", "100:100"),
        (Limits(nofile=-1, nproc=-1, pid_max=32768), "1024:-1", "32768:32768"),
    ],
)
def test_limits_stay_within_what_the_caller_has(limits: Limits, nofile: str, nproc: str) -> None:
    options = machine_options(info(), limits)
    assert [each for each in options if each.startswith("--ulimit")] == [
        f"--ulimit=nofile={nofile}",
        f"--ulimit=nproc={nproc}",
    ]


@pytest.mark.parametrize(
    ("apparmor", "selinux", "expected"),
    [
        (False, False, []),
        (True, False, ["--security-opt=apparmor=unconfined"]),
        (False, True, ["--security-opt=label=disable"]),
        (True, True, ["--security-opt=apparmor=unconfined", "--security-opt=label=disable"]),
    ],
)
def test_profiles_that_forbid_mounting_are_lifted(apparmor: bool, selinux: bool, expected: list[str]) -> None:
    options = machine_options(info(apparmor=apparmor, selinux=selinux), LIMITS)
    assert [each for each in options if each.startswith("--security-opt")] == expected


def test_machine_is_never_privileged() -> None:
    options = machine_options(info(apparmor=True, selinux=True), LIMITS)
    assert not [
        each for each in options if "privileged" in each or "unmask" in each or "SYS_MODULE" in each or "=ALL" in each
    ]


def test_own_limits_can_be_given_to_podman() -> None:
    limits = own_limits()
    assert limits.pid_max == int(Path("/proc/sys/kernel/pid_max").read_text())
    assert limits.nofile == -1 or limits.nofile > 0
