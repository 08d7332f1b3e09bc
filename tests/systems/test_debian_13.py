"""A user's machine with Debian 13: Python 3.13, podman 5, cgroup version 2. The README's commands, with either OCI runtime.

It runs in a container, see `nested`. The kernel is that of the machine of the tests.
"""

import re
import time

from nested import System

DATA = "local"


def test_it_is_a_debian_13_with_nothing_installed(system: System) -> None:
    """So that the other tests try what they say."""
    assert "trixie" in system.done("cat /etc/os-release")
    assert "Python 3.13." in system.done("python3 --version")
    assert "cgroup2fs" == system.done("stat -f -c %T /sys/fs/cgroup").strip()
    assert 0 != system.run("command -v podman").returncode


def test_one_command_launches_a_verified_jenkins(system: System) -> None:
    """Everything that is missing is installed first, and said."""
    output = system.toolkit("launch")
    assert "this machine lacks podman," in output
    assert re.search(r"\d+ passed", output) and "failed" not in output
    assert re.search(r"podman version [5-9]", system.done("podman --version"))


def test_a_second_launch_changes_nothing(system: System) -> None:
    """Nothing of the machine or the cloud looks different through newer programs."""
    assert "nothing had to change" in system.toolkit("launch")


def test_builds_run_and_nothing_drifted(system: System) -> None:
    """The agent builds in its sandbox, which needs the cgroups and namespaces of the machine."""
    assert "Finished: SUCCESS" in system.toolkit("build canary")
    assert "no differences" in system.toolkit("drift")


def test_rules_between_machines_are_enforced(system: System) -> None:
    """Podman's own rules and the packet filter do not stand in each other's way, which the acceptance suite has seen."""
    output = system.toolkit("network verify")
    assert "enforced between machines by nftables" in output and "5 of 5 hold" in output


def test_a_machine_reboots(system: System) -> None:
    """A reboot from inside starts the container again, and the disk is there."""
    system.run("./bootstrap.py --yes ssh -- sudo systemctl reboot")
    end = time.monotonic() + 240
    while system.run("./bootstrap.py --yes verify").returncode and time.monotonic() < end:
        time.sleep(5)
    system.toolkit("verify")


def test_destroy_leaves_nothing(system: System) -> None:
    """No container, network, volume or rule of the environment stays."""
    system.toolkit(f"destroy --delete-data {DATA}")
    assert "" == system.done("podman ps --all --quiet").strip()
    assert "podman" == system.done("podman network ls --format '{{.Name}}'").strip()
    assert "bootstrap" not in system.done("nft list tables")
    assert "" == system.done("mount | grep /root/jenkins/ || true").strip()


def test_it_launches_with_crun_too(system: System) -> None:
    """Podman prefers crun where it is installed; `launch` installs runc."""
    system.done("DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends crun")
    assert "crun" == system.done("podman info --format '{{.Host.OCIRuntime.Name}}'").strip()
    output = system.toolkit("launch")
    assert re.search(r"\d+ passed", output) and "failed" not in output
    assert "nothing had to change" in system.toolkit("launch")
    system.toolkit(f"destroy --delete-data {DATA}")
