"""Podman's options for a machine, decided from what podman says about the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bootstrap.local.machines.flags import (
    Limits,
    keeps_cgroups,
    list_machine_options,
    list_nesting_options,
    list_runtime_options,
    read_own_limits,
)
from bootstrap.local.machines.ids import FIRST, WIDTH

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
    assert list_runtime_options(info(cgroups, runtime)) == expected


@pytest.mark.parametrize("runtime", ["crun", "runc"])
def test_runtime_that_hands_cgroups_over_is_used_only_where_the_others_do_not(runtime: str) -> None:
    ours = Path("/state/runtime/runc")
    assert keeps_cgroups(info("v1", runtime))
    assert list_runtime_options(info("v1", runtime), ours) == ("--runtime", str(ours))
    assert not keeps_cgroups(info("v2", runtime))
    assert list_runtime_options(info("v2", runtime), ours) == ()


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
    options = list_machine_options(info(), limits, FIRST)
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
    options = list_machine_options(info(apparmor=apparmor, selinux=selinux), LIMITS, FIRST)
    assert [each for each in options if each.startswith("--security-opt")] == expected


def test_machine_is_never_privileged() -> None:
    options = list_machine_options(info(apparmor=True, selinux=True), LIMITS, FIRST)
    wrong = ("privileged", "unmask", "seccomp", "SYS_MODULE", "SYS_BOOT", "=ALL", "--device", "=host")
    assert not [each for each in options if any(word in each for word in wrong)]


@pytest.mark.parametrize("cgroups", ["v1", "v2"])
def test_machine_always_has_a_user_namespace_of_the_environments_ids(cgroups: str) -> None:
    options = list_machine_options(info(cgroups), LIMITS, FIRST)
    assert {f"--uidmap=0:{FIRST}:65536", f"--gidmap=0:{FIRST}:65536"} <= set(options)


def test_machine_whose_user_runs_containers_gets_what_they_need_and_no_more() -> None:
    """A /proc that can be mounted again, a network device and a storage; no capability, and no device of this machine."""
    node = Path("/var/lib/x/tun")
    assert list_nesting_options(node) == (
        "--security-opt=unmask=/proc/*",
        "--volume=/var/lib/x/tun:/dev/net/tun:dev",
        "--volume=/var/lib/build-containers",
    )
    ordinary, wide = (set(list_machine_options(info(), LIMITS, FIRST, width)) for width in (WIDTH, 3 * WIDTH))
    assert wide - ordinary == {f"--uidmap=0:{FIRST}:196608", f"--gidmap=0:{FIRST}:196608"}


def test_podman_starts_no_machine_again_by_itself() -> None:
    assert not [each for each in list_machine_options(info(), LIMITS, FIRST) if "restart" in each]


def test_own_limits_can_be_given_to_podman() -> None:
    limits = read_own_limits()
    assert limits.pid_max == int(Path("/proc/sys/kernel/pid_max").read_text())
    assert limits.nofile == -1 or limits.nofile > 0
