"""What podman leaves of a network when the removal of a container fails halfway: the network's own removal takes it away."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.local.machines import Machines, network

CIDR = "10.213.8.0/24"
SUBNET = "subnet-0f01"
CHAIN = f"NETAVARK-TEST{os.getpid()}"
NAMESPACE = f"netns-test-{os.getpid()}"
INSIDE, OUTSIDE = f"in{os.getpid()}", f"out{os.getpid()}"


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    made = Machines(f"remains{os.getpid()}", tmp_path, print)
    try:
        yield made
    finally:
        made.remove_all()


def leave(interface: str) -> None:
    """As podman 4.3 left it: a bridge with its address, a namespace with a machine's one, a chain of NAT rules."""
    run("ip", "link", "add", interface, "type", "bridge")
    run("ip", "address", "add", "10.213.8.1/24", "dev", interface)
    run("ip", "netns", "add", NAMESPACE)
    run("ip", "link", "add", OUTSIDE, "type", "veth", "peer", "name", INSIDE, "netns", NAMESPACE)
    run("ip", "link", "set", OUTSIDE, "master", interface)
    run("ip", "-n", NAMESPACE, "address", "add", "10.213.8.4/24", "dev", INSIDE)
    run("iptables", "-t", "nat", "-N", CHAIN)
    run("iptables", "-t", "nat", "-A", CHAIN, "-d", CIDR, "-j", "ACCEPT")
    run("iptables", "-t", "nat", "-A", "POSTROUTING", "-s", CIDR, "-j", CHAIN)


def test_the_removal_of_a_network_takes_away_what_podman_left(machines: Machines) -> None:
    name = network.ensure_network(machines._engine, machines._names, SUBNET, CIDR)
    interface = run("podman", "network", "inspect", "--format", "{{.NetworkInterface}}", name).strip()
    leave(interface)

    machines.delete_network(SUBNET)

    assert not Path("/sys/class/net", interface).exists()
    assert not Path("/sys/class/net", OUTSIDE).exists()
    assert not Path("/run/netns", NAMESPACE).exists()
    assert CHAIN not in run("iptables", "-t", "nat", "-S")
    assert name not in run("podman", "network", "ls", "--format", "{{.Name}}").split()
    machines.delete_network(SUBNET)
