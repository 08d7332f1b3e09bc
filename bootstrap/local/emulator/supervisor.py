"""Tells systemd how far the start has come (sd_notify(3)): one datagram, not worth the package python3-systemd."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(state: str) -> bool:
    """Send `state` (such as 'READY=1') to NOTIFY_SOCKET; false when there is none or nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel, contextlib.suppress(OSError):
        channel.connect(address)
        channel.sendall(state.encode())
        return True
    return False
