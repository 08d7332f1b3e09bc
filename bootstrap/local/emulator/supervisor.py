"""Notifies systemd of the state of the start (sd_notify(3)): one datagram, for which python3-systemd is not needed."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(state: str) -> bool:
    """Send `state` (such as 'READY=1') to NOTIFY_SOCKET; False if there is no socket, or nobody listens."""
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
