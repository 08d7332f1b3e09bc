"""The configuration for the other side of a site-to-site VPN, as EC2 generates it: XML with both tunnels and their keys."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from bootstrap.context import Context
from bootstrap.errors import Missing, StackMissing
from bootstrap.runs import terminal
from bootstrap.runs.journal import Run


def show(context: Context, run: Run, target: Path | None) -> None:
    """Write the configuration to a file that only this user can read, or to standard output if `target` is None.

    StackMissing if the environment has no VPN connection; Missing if EC2 has no configuration or the file cannot be written.
    """
    text = read(context.world.aws("ec2"), _find_connection(context))
    if target is None:
        terminal.write(f"{text}\n")
        return
    write(target, text)
    run.event("vpn-configuration", path=str(target))
    run.say(f"{target}: both tunnels, with their keys; readable by you alone")


def read(ec2: Any, connection: str) -> str:
    """The configuration of one connection; Missing if EC2 has none, for example because it is deleted."""
    answer = ec2.describe_vpn_connections(Filters=[{"Name": "vpn-connection-id", "Values": [connection]}])
    text = next((it.get("CustomerGatewayConfiguration", "") for it in answer["VpnConnections"]), "")
    if not text:
        raise Missing(
            f"reading the configuration of the VPN connection {connection}",
            "EC2 has none",
            "'network plan' shows whether the connection still exists; 'network apply' creates it again.",
        )
    return str(text)


def write(target: Path, text: str) -> None:
    """Write a file with mode 0600 from the beginning; an existing file is replaced. Missing if that fails."""
    scratch = target.with_name(f"{target.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text if text.endswith("\n") else f"{text}\n")
        scratch.replace(target)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        raise Missing(f"writing {target}", str(error), "Name a file in an existing folder.") from error


def _find_connection(context: Context) -> str:
    stack = context.stacks.get("vpn")
    connection = stack.outputs.get("VpnConnectionId") if stack else None
    if connection is None:
        raise StackMissing(
            f"looking for the VPN connection of '{context.settings.name}'",
            "it has no VPN connection",
            "Name network.vpn.customer_address in the environment file, then: network apply",
        )
    return connection
