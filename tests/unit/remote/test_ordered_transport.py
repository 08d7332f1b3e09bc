"""The numbers that channels have on the wire, against a peer that gives a number again as soon as it may (as OpenSSH does)."""

import contextlib
import socket
import struct
from collections.abc import Iterator

import paramiko
import pytest

from bootstrap.remote.ordered_transport import OrderedTransport

EOF, CLOSE = 96, 97
LOWEST = 0


class Wire:
    """Takes what is sent instead of a packetizer: the kind and the channel of each message."""

    def __init__(self) -> None:
        self.sent: list[tuple[int, int]] = []

    def send_message(self, message: paramiko.Message) -> None:
        self.sent.append(struct.unpack(">BI", message.asbytes()[:5]))

    def close(self) -> None:
        return


@pytest.fixture
def transport() -> Iterator[OrderedTransport]:
    ours, theirs = socket.socketpair()
    with contextlib.closing(ours), contextlib.closing(theirs):
        made = OrderedTransport(ours)
        made.packetizer = Wire()
        made.active = True
        made.clear_to_send.set()
        yield made
        made.active = False


def opened(transport: OrderedTransport, own: int) -> paramiko.Channel:
    """A channel that the peer confirmed with the lowest free number."""
    channel = paramiko.Channel(own)
    transport._channels.put(own, channel)
    channel._set_transport(transport)  # type: ignore[attr-defined]
    channel._set_window(1 << 20, 1 << 15)  # type: ignore[attr-defined]
    transport._parse_channel_open_success(paramiko.Message(struct.pack(">IIII", own, LOWEST, 1 << 20, 1 << 15)))
    return channel


def test_an_eof_that_comes_after_its_channels_close_does_not_end_the_channel_that_has_its_number(
    transport: OrderedTransport,
) -> None:
    old = opened(transport, 1)
    prepared = old._send_eof()  # type: ignore[attr-defined]  # its thread pauses here
    old.close()
    new = opened(transport, 2)

    transport._send_user_message(prepared)  # its thread goes on
    assert [(CLOSE, LOWEST)] == transport.packetizer.sent

    new.shutdown_write()
    assert [(CLOSE, LOWEST), (EOF, LOWEST)] == transport.packetizer.sent


def test_two_channels_keep_their_own_numbers(transport: OrderedTransport) -> None:
    first = opened(transport, 1)
    transport._channels.put(2, second := paramiko.Channel(2))
    second._set_transport(transport)  # type: ignore[attr-defined]
    second._set_window(1 << 20, 1 << 15)  # type: ignore[attr-defined]
    transport._parse_channel_open_success(paramiko.Message(struct.pack(">IIII", 2, 77, 1 << 20, 1 << 15)))

    second.shutdown_write()
    first.shutdown_write()
    assert [(EOF, 77), (EOF, LOWEST)] == transport.packetizer.sent
