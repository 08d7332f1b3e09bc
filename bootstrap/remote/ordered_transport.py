"""An SSH transport on which a message reaches its own channel or none.

Paramiko prepares a message under the channel's lock and sends it after it has released the lock. When the peer closes the
channel in between, paramiko's own thread answers with CLOSE first, and the prepared message (EOF or data) follows:

- OpenSSH ends the whole connection then ("packet referred to nonexistent channel"), with all its commands and forwarded ports;
- or it has given the channel's number to a new channel meanwhile, which gets an EOF or data that is not its own: an HTTP
  server closes that client without an answer.

The window is short, but a busy machine meets it. So here every channel has a number that is never given again, and the peer's
number is put in when a message is sent: a message that comes after its channel's CLOSE is dropped.
"""

from __future__ import annotations

import itertools
import struct
from typing import Any

import paramiko

_CLOSE = 97  # the numbers of RFC 4254, section 9
_OF_A_CHANNEL = range(93, 101)  # from WINDOW_ADJUST to FAILURE; each begins with the number of the channel


# Its type stubs leave out what begins with an underscore.
_Transport: Any = paramiko.Transport


class OrderedTransport(_Transport):  # type: ignore[misc]
    """Paramiko's transport, which drops what comes too late for a channel.

    It knows the channels that this side opens; those that a server opens are refused, as paramiko does without handlers.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._own_numbers = itertools.count()
        self._peers_numbers: dict[int, int] = {}  # by our own, of the channels for which no CLOSE was sent
        super().__init__(*arguments, **options)

    def _send_message(self, data: Any) -> None:
        """What paramiko sends a message with. It comes here with one message at a time, after it has waited for new keys."""
        message = data.asbytes()
        if message[0] in _OF_A_CHANNEL:
            own: int = struct.unpack_from(">I", message, 1)[0]
            number = self._peers_numbers.get(own)
            if number is None:
                return
            if message[0] == _CLOSE:
                del self._peers_numbers[own]
            data = paramiko.Message(message[:1] + struct.pack(">I", number) + message[5:])
        super()._send_message(data)

    def _parse_channel_open_success(self, m: Any) -> None:
        """Give the new channel a number of our own instead of the peer's, which may be that of a channel before it."""
        channel, number = m.get_int(), m.get_int()
        own = next(self._own_numbers) % (1 << 32)
        if self._channels.get(channel) is not None:  # else nobody asked for it, and paramiko ignores it
            self._peers_numbers[own] = number
        super()._parse_channel_open_success(paramiko.Message(struct.pack(">II", channel, own) + m.get_remainder()))
