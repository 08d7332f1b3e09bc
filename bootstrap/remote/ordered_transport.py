"""An SSH transport that sends nothing on a channel after that channel's CLOSE message.

Paramiko prepares a message under the channel's lock and sends it after it has released the lock. When the peer closes the
channel in between, paramiko's own thread answers with CLOSE first, and the prepared message (EOF or data) follows. OpenSSH ends
the whole connection then ("packet referred to nonexistent channel"), with all its commands and forwarded ports. The window is
short, but a command that ends at once on a busy machine meets it.
"""

from __future__ import annotations

import struct
from typing import Any

import paramiko

_CLOSE = 97  # the numbers of RFC 4254, section 9
_OF_A_CHANNEL = range(93, 101)  # from WINDOW_ADJUST to FAILURE; each begins with the number of the channel


# Its type stubs leave out what begins with an underscore.
_Transport: Any = paramiko.Transport


class OrderedTransport(_Transport):  # type: ignore[misc]
    """Paramiko's transport, which drops what comes too late for a channel."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._closed_channels: set[int] = set()  # by the peer's numbers
        super().__init__(*arguments, **options)

    def _send_message(self, data: Any) -> None:
        """What paramiko sends a message with. It comes here with one message at a time, after it has waited for new keys."""
        message = data.asbytes()
        if message[0] in _OF_A_CHANNEL:
            channel: int = struct.unpack_from(">I", message, 1)[0]
            if channel in self._closed_channels:
                return
            if message[0] == _CLOSE:
                self._closed_channels.add(channel)
        super()._send_message(data)

    def _parse_channel_open_success(self, m: Any) -> None:
        """The peer may give a new channel the number of one that is closed."""
        m.get_int()  # our number
        self._closed_channels.discard(m.get_int())
        m.rewind()
        super()._parse_channel_open_success(m)
