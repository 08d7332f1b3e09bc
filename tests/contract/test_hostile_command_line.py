"""The command line given what no client sends: wrong encodings, numbers, names and streams, and two callers of one session.

The server answers each with an exit code, or ends the stream, and goes on to serve others at once.
"""

from __future__ import annotations

import re
import socket
import struct
import time
import urllib.parse
from collections.abc import Callable
from typing import Any

import pytest
import requests

from .command_line import ARGUMENT, ENCODING, END_STDIN, EXIT, START, CommandLine, encode_login, lengthen, write_text

pytestmark = [pytest.mark.own_process]


@pytest.fixture
def line(server: Any) -> CommandLine:
    """The command line of the administrator."""
    return CommandLine(server.url, (server.user, server.password))


@pytest.fixture
def nobody(server: Any) -> CommandLine:
    """The command line of somebody who has not signed in."""
    return CommandLine(server.url, None)


@pytest.mark.parametrize(
    "encoding",
    ["hex", "zlib", "undefined", "idna", "punycode", "unicode_escape", "a\0b", "../os", "é", "x" * 60_000, ""],
)
def test_a_name_of_no_character_set_is_ignored(line: CommandLine, encoding: str) -> None:
    with line.open() as session:
        for frame in (
            write_text(ARGUMENT, "version"),
            write_text(ENCODING, encoding),
            bytes([START]),
            bytes([END_STDIN]),
        ):
            session.say(frame)
        ended = session.wait()
    assert 0 == ended.code
    assert re.fullmatch(r"2\.[0-9.]+\n", ended.words)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("console", "NAME", "9" * 5000), 3),
        (("console", "NAME", "99999999999"), 3),
        (("console", "NAME", "-n", "9" * 5000), 2),
        (("console", "NAME", "-n", "2147483648"), 2),
        (("console", "NAME", "-n", "1_0"), 2),
        (("quiet-down", "-timeout", "9" * 400), 2),
        (("build", "NAME", "-r", "99999999999999999999"), 2),
        (("build", "NAME", "-p", "\0=\0"), 4),
        (("console", "a\0b"), 3),
        (("create-job", "a\0b"), 1),
        (("create-job", "../../../tmp/x"), 3),
        (("get-job", "/"), 3),
        (("get-job", "x" * 65_000), 3),
        (("x" * 65_000,), 2),
        (("list-jobs", "\0"), 3),
        (("delete-job", "a\0b", "c"), 5),
    ],
    ids=lambda it: "-".join(word[:12] for word in it).replace("\0", "NUL") if isinstance(it, tuple) else str(it),
)
def test_bad_arguments_end_with_an_exit_code(
    line: CommandLine, server: Any, name: str, freestyle: Callable[..., str], words: tuple[str, ...], code: int
) -> None:
    server.create("", name, freestyle("true")).raise_for_status()
    begun = time.monotonic()
    ended = line.run(*(name if word == "NAME" else word for word in words))

    assert code == ended.code, ended.faults[-500:]
    assert "a fault of the emulator" not in ended.faults
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("command", ["get-job", "list-jobs", "create-job", "console", "help", "nothing"])
def test_half_a_letter_ends_with_an_exit_code(line: CommandLine, command: str) -> None:
    """Java's form of UTF-8 can have one surrogate alone."""
    half = bytes([ARGUMENT]) + struct.pack(">H", 3) + b"\xed\xa0\x80"
    with line.open() as session:
        for frame in (write_text(ARGUMENT, command), half, bytes([START]), bytes([END_STDIN])):
            session.say(frame)
        ended = session.wait()
    assert ended.code in {1, 2, 3, 5}, ended
    assert "a fault of the emulator" not in ended.faults


def test_many_arguments_do_not_keep_the_server_busy(line: CommandLine, server: Any) -> None:
    begun = time.monotonic()
    with line.open() as session:
        for frame in (write_text(ARGUMENT, "delete-job"), *(write_text(ARGUMENT, "x") for _ in range(50_000))):
            session.say(frame)
        session.say(bytes([START]))
        longest = 0.0
        while session.ended.code is None and time.monotonic() - begun < 40:
            asked = time.monotonic()
            server.get("login").raise_for_status()
            longest = max(longest, time.monotonic() - asked)
            session.read_frame()
    assert 3 == session.ended.code
    assert longest < 10


def test_two_callers_of_one_session_end_both(server: Any) -> None:
    """The second takes it over; the end of the first does not take it away."""
    target, login = f"{server.url}/cli?remoting=false", (server.user, server.password)
    head = {"Session": "12345678-1234-1234-1234-123456789012", "Content-Type": "application/octet-stream"}
    down = [
        requests.post(target, headers={**head, "Side": "download"}, auth=login, stream=True, timeout=60) for _ in "ab"
    ]
    words = (write_text(ARGUMENT, "version"), bytes([START]), bytes([END_STDIN]))
    body = b"".join(map(lengthen, words))
    assert (
        200 == requests.post(target, headers={**head, "Side": "upload"}, auth=login, data=body, timeout=60).status_code
    )
    first, second = (answer.content for answer in down)
    assert b"\0" == first and b"\x072." in second and lengthen(bytes([EXIT]) + bytes(4)) in second
    again = requests.post(target, headers={**head, "Side": "upload"}, auth=login, data=body, timeout=60)
    assert 500 == again.status_code


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",  # no length of a chunk
        b"5\r\n\xff\xff\xff\xff\x00\r\n0\r\n\r\n",  # a frame of -1 bytes
        b"5\r\n\x7f\xff\xff\xff\x00\r\n0\r\n\r\n",  # a frame of two gigabytes
        b"6\r\n\x00\x00\x00\x01\x00\x00\r\n0\r\n\r\n",  # a text without its length
        b"6\r\n\x00\x00\x00\x01\x63\x00\r\n0\r\n\r\n",  # an operation that nobody knows
        b"",
    ],
)
def test_a_broken_stream_is_a_caller_who_has_gone(server: Any, line: CommandLine, body: bytes) -> None:
    with line.open() as session:
        place = urllib.parse.urlsplit(server.url)
        assert place.hostname and place.port
        with socket.create_connection((place.hostname, place.port), 20) as raw:
            head = (
                f"POST /cli?remoting=false HTTP/1.1\r\nHost: x\r\nSession: {session._identifier}\r\nSide: upload\r\n"
                f"Authorization: {encode_login(server.user, server.password)}\r\nTransfer-Encoding: chunked\r\n\r\n"
            )
            raw.sendall(head.encode() + body)
            raw.shutdown(socket.SHUT_WR)
            raw.settimeout(20)
            raw.recv(100)
        session.wait()
    assert 0 == line.run("version").code
