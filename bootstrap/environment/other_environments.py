"""The other environment files in the folder: the values that matter for the environment that is read.

They are not checked here. A file that cannot be read, or that has another cloud or region, is no neighbour: its own commands
report its faults.
"""

from __future__ import annotations

import contextlib
import ipaddress
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap.environment import yaml_source

# Defaults of keys that an environment file need not have; `models` uses them, too.
PROJECT = "jenkins"
REGION = "eu-central-1"
CIDR = "10.77.0.0/16"
ROUTING = ("vpn", "transit_gateway")
"""The options of a network that have 'routes': blocks that they route elsewhere."""


@dataclass(frozen=True)
class Neighbour:
    """Another environment of the same cloud and region: its VPC's block, the blocks that it routes elsewhere, its operators.

    `routes` are blocks with the option that routes them: 'vpn' or 'transit_gateway'.
    """

    name: str
    file: str
    project: str
    block: ipaddress.IPv4Network
    routes: tuple[tuple[str, ipaddress.IPv4Network], ...]
    operators: tuple[ipaddress.IPv4Network, ...]


def read(path: Path, cloud: str, region: str) -> Neighbour | None:
    """The neighbour in a file; None if the file cannot be read or has another cloud or region."""
    try:
        document, faults = yaml_source.parse_mapping(str(path), yaml_source.read_text(path))
        if faults or (document.get("cloud"), document.get("region", REGION)) != (cloud, region):
            return None
        network = _read_part(document, "network")
        access = _read_part(document, "access")
        # An older file has one block; its own commands say what to write.
        operators = access.get("operator_cidrs") or filter(None, [access.get("operator_cidr")])
        return Neighbour(
            name=path.stem,
            file=path.name,
            project=str(document.get("project", PROJECT)),
            block=ipaddress.IPv4Network(network.get("cidr", CIDR)),
            routes=tuple(
                (option, ipaddress.IPv4Network(route))
                for option in ROUTING
                for route in _read_part(network, option).get("routes") or ()
            ),
            operators=tuple(map(ipaddress.IPv4Network, operators)),
        )
    except (OSError, ValueError, AttributeError, TypeError):
        return None


def list_neighbours(path: Path, cloud: str, region: str) -> Iterator[Neighbour]:
    """The neighbours of the environment in a file, sorted by the names of their files."""
    for file in sorted(path.parent.glob("*.yaml")):
        neighbour = read(file, cloud, region) if file.stem != path.stem else None
        if neighbour is not None:
            yield neighbour


def find_usual_project(folder: Path) -> str:
    """The key `project` that most environment files in a folder have; '' without a file that has one."""
    counts = Counter[str]()
    for file in sorted(folder.glob("*.yaml")):
        with contextlib.suppress(OSError, ValueError):
            document, faults = yaml_source.parse_mapping(str(file), yaml_source.read_text(file))
            named = "" if faults else document.get("project", PROJECT)
            counts.update([named] if isinstance(named, str) and named else ())
    return counts.most_common(1)[0][0] if counts else ""


def _read_part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    part = document.get(key)
    return part if isinstance(part, Mapping) else {}
