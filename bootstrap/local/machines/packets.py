"""The packet filter between an environment's machines: one nftables table for each region, replaced in one transaction.

Its hook gets traffic that this machine routes between subnets and, with br_netfilter, traffic that it bridges within one
subnet. Traffic between this machine itself and a machine (the operator's connections, the cloud's APIs, DNS) is not forwarded,
so it is not filtered.
"""

from __future__ import annotations

import hashlib

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.machines.names import Names
from bootstrap.local.machines.podman import run

_REMEDY = "Check 'nft list ruleset'; the previous rules are still in force."


def make_prefix(names: Names) -> str:
    """The prefix of the names of this checkout's tables. Names of environments have no dot, so prefixes are unambiguous."""
    return f"bootstrap.{names.environment}.{hashlib.sha256(str(names.state).encode()).hexdigest()[:8]}."


def enforce(names: Names, region: str, chains: str) -> None:
    """Replace the content of the table in one transaction; '' removes the table. LocalCloudFailed if nft refuses."""
    table = make_prefix(names) + region
    text = f"table ip {table}\ndelete table ip {table}\n"
    if chains:
        text += f"table ip {table} {{\n{chains}\n}}\n"
    run(["nft", "-f", "-"], doing=f"setting the packet filter of {region}", remedy=_REMEDY, stdin=text.encode())


def list_table(names: Names, region: str) -> str:
    """The table of a region as the kernel has it now, without counters; '' if there is none."""
    try:
        return run(
            ["nft", "--stateless", "list", "table", "ip", make_prefix(names) + region],
            doing=f"reading the packet filter of {region}",
            remedy=_REMEDY,
        )
    except LocalCloudFailed:
        return ""


def remove(names: Names) -> None:
    """Remove the tables of all regions, if there are any."""
    listed = run(["nft", "list", "tables", "ip"], doing="listing packet filters", remedy=_REMEDY)
    for table in (line.split()[-1] for line in listed.splitlines() if line.strip()):
        if table.startswith(make_prefix(names)):
            enforce(names, table.removeprefix(make_prefix(names)), "")
