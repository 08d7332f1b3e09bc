"""Environment files beside the one that is read: what of them counts for it, without judging them.

A neighbour that cannot be read, or that lies in another cloud or region, is none: its own commands say what is wrong with it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.environment import yaml_source

# What an environment file need not say; the settings take their defaults from here.
PROJECT = "jenkins"
REGION = "eu-central-1"
CIDR = "10.77.0.0/16"
ROUTING = ("vpn", "transit_gateway")
"""The options of a network that lead blocks elsewhere, by their 'routes'."""


@dataclass(frozen=True)
class Neighbour:
    """Another environment of the same cloud and region: its VPC's block, what it routes elsewhere, who its operators are.

    `routes` are blocks with the option of the network that leads them away: 'vpn' or 'transit_gateway'.
    """

    name: str
    file: str
    project: str
    block: ipaddress.IPv4Network
    routes: tuple[tuple[str, ipaddress.IPv4Network], ...]
    operators: ipaddress.IPv4Network | None


def read(path: Path, cloud: str, region: str) -> Neighbour | None:
    """The neighbour in that file, or None."""
    try:
        document, faults = yaml_source.mapping(str(path), yaml_source.text(path))
        if faults or (document.get("cloud"), document.get("region", REGION)) != (cloud, region):
            return None
        network = _part(document, "network")
        operators = _part(document, "access").get("operator_cidr")
        return Neighbour(
            name=path.stem,
            file=path.name,
            project=str(document.get("project", PROJECT)),
            block=ipaddress.IPv4Network(network.get("cidr", CIDR)),
            routes=tuple(
                (option, ipaddress.IPv4Network(it))
                for option in ROUTING
                for it in _part(network, option).get("routes") or ()
            ),
            operators=ipaddress.IPv4Network(operators) if operators else None,
        )
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def beside(path: Path, cloud: str, region: str) -> Iterator[Neighbour]:
    """The neighbours of the environment in that file, by their files' names."""
    for other in sorted(path.parent.glob("*.yaml")):
        found = read(other, cloud, region) if other.stem != path.stem else None
        if found is not None:
            yield found


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = document.get(key)
    return found if isinstance(found, Mapping) else {}
