"""The packet filter between an environment's machines: one nftables table for each region, set as a whole or not at all.

Its hook sees what this machine routes between subnets and, through br_netfilter, what it bridges within one. What this machine
itself says to a machine, and a machine to it (the operator's connections, the cloud's APIs, names), is not forwarded, so it is
not judged.
"""

from __future__ import annotations

import hashlib

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines.names import Names
from bootstrap.local.machines.podman import run

_REMEDY = "Check 'nft list ruleset'; the previous rules are still in force."


def prefix(names: Names) -> str:
    """What the names of this copy's tables begin with; no environment's name has a dot, so no two are mixed up."""
    return f"bootstrap.{names.environment}.{hashlib.sha256(str(names.state).encode()).hexdigest()[:8]}."


def enforce(names: Names, region: str, chains: str) -> None:
    """Put the table's content in the place of what it was, in one transaction; '' removes the table."""
    table = prefix(names) + region
    text = f"table ip {table}\ndelete table ip {table}\n"
    if chains:
        text += f"table ip {table} {{\n{chains}\n}}\n"
    run(["nft", "-f", "-"], doing=f"setting the packet filter of {region}", remedy=_REMEDY, stdin=text.encode())


def listing(names: Names, region: str) -> str:
    """What the kernel holds of a region's table now, without counters; '' where there is no such table."""
    try:
        return run(
            ["nft", "--stateless", "list", "table", "ip", prefix(names) + region],
            doing=f"reading the packet filter of {region}",
            remedy=_REMEDY,
        )
    except LocalCloudFailed:
        return ""


def remove(names: Names) -> None:
    """Remove the tables of all regions; none is fine."""
    listed = run(["nft", "list", "tables", "ip"], doing="listing packet filters", remedy=_REMEDY)
    for table in (line.split()[-1] for line in listed.splitlines() if line.strip()):
        if table.startswith(prefix(names)):
            enforce(names, table.removeprefix(prefix(names)), "")
