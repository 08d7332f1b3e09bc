"""What already has addresses of a VPC's block on this machine: a way of its own, or another network of podman's.

Machines there could not be reached, or podman refuses to make their subnet's network. A route through a gateway to a larger
block (a company's VPN that takes all of 10.0.0.0/8) is no such thing: the subnets' own routes are longer, so they win.
"""

from __future__ import annotations

import ipaddress
import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bootstrap.local.machines.names import LABEL, STATE_LABEL

ROUTES = Path("/proc/net/route")
_DIRECT = ipaddress.IPv4Address(0)


def find_conflicts(block: str, environment: str, state: Path) -> tuple[str, ...]:
    """Each as '10.88.0.0/16 of the podman network podman'; `state` is the local cloud's folder, whose own do not count."""
    networks = _list_networks()
    own = {it["network_interface"] for it in networks if is_own(it, environment, state)}
    others = [it for it in networks if it["network_interface"] not in own]
    return tuple(
        sorted(
            find_podman_conflicts(block, others)
            | find_route_conflicts(block, ROUTES.read_text("ascii").splitlines()[1:], own)
        )
    )


def is_own(network: Mapping[str, Any], environment: str, state: Path) -> bool:
    """Whether podman has this network from this environment's cloud."""
    labels = network.get("labels") or {}
    return bool(labels.get(LABEL) == environment and labels.get(STATE_LABEL) == str(state.resolve()))


def find_podman_conflicts(block: str, networks: Iterable[Mapping[str, Any]]) -> set[str]:
    """The networks of podman's that have a part of the block, as `podman network ls` lists them."""
    ours = ipaddress.ip_network(block)
    return {
        f"{it['subnet']} of the podman network {network['name']}"
        for network in networks
        for it in network.get("subnets") or ()
        if ipaddress.ip_network(it["subnet"]).overlaps(ours)
    }


def find_route_conflicts(block: str, routes: Iterable[str], own: Iterable[str] = ()) -> set[str]:
    """The routes into the block, as /proc/net/route lists them, but for those by the interfaces that are the cloud's own."""
    ours, mine = ipaddress.IPv4Network(block), frozenset(own)
    conflicts = set()
    for interface, gateway, route in map(_parse_route, routes):
        leads_there = route.overlaps(ours) if gateway == _DIRECT else route.subnet_of(ours)
        if interface not in mine and route.prefixlen and leads_there:
            conflicts.add(f"{route} by {interface}")
    return conflicts


def _parse_route(line: str) -> tuple[str, ipaddress.IPv4Address, ipaddress.IPv4Network]:
    """Interface, gateway, destination; the kernel writes addresses as numbers in this machine's own order of bytes."""
    columns = line.split()
    address, gateway, mask = (ipaddress.IPv4Address(bytes.fromhex(columns[place])[::-1]) for place in (1, 2, 7))
    return columns[0], gateway, ipaddress.IPv4Network((address, str(mask)))


def _list_networks() -> list[dict[str, Any]]:
    if shutil.which("podman") is None:
        return []
    listed = subprocess.run(["podman", "network", "ls", "--format", "json"], capture_output=True, text=True).stdout
    found: list[dict[str, Any]] = json.loads(listed or "[]") or []
    return found
