"""Sockets of the local cloud on addresses that may not be there yet."""

from __future__ import annotations

import socket

IP_FREEBIND = 15  # linux/in.h; Python's socket module has no name for it


def bind_socket(address: str, port: int) -> socket.socket:
    """A listening TCP socket, before the bridge with its address exists, too; OSError where the port is taken."""
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.setsockopt(socket.IPPROTO_IP, IP_FREEBIND, 1)
        opened.bind((address, port))
        opened.listen(128)
    except OSError:
        opened.close()
        raise
    return opened
