"""The limits of a request's body by its service, of the time to read it, and of the connections of an address."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bootstrap.local.aws.server import request_limits, requests
from bootstrap.local.aws.server.request_limits import BodyRefused, Connections, TimedReader

SCOPE = "AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-central-1/{}/aws4_request, SignedHeaders=host, Signature=0"


def environ(length: int | str = 0, service: str = "", path: str = "/", **more: Any) -> requests.Environ:
    authorization = {"HTTP_AUTHORIZATION": SCOPE.format(service)} if service else {}
    return {"PATH_INFO": path, "CONTENT_LENGTH": str(length), **authorization, **more}


@pytest.mark.parametrize(
    "sent",
    [
        environ(0),
        environ(""),
        environ(15_000_000, "cloudformation"),
        environ(60_000_000, "lambda"),
        environ(900_000_000, "s3"),
        environ(900_000_000, QUERY_STRING="X-Amz-Credential=KEY%2F20260101%2Feu-central-1%2Fs3%2Faws4_request"),
        environ(900_000, path="/_bootstrap/faults"),
    ],
)
def test_a_body_within_the_limit_of_its_service_is_accepted(sent: requests.Environ) -> None:
    request_limits.check_length(sent)


@pytest.mark.parametrize(
    "sent",
    [
        environ(20_000_000),
        environ(20_000_000, "cloudformation"),
        environ(80_000_000, "lambda"),
        environ(2_000_000_000, "s3"),
        environ(1_100_000, "s3", "/_bootstrap/signal/x"),
        environ(1_100_000, "s3", "/latest/api/token"),
    ],
)
def test_a_longer_body_is_refused_by_its_length(sent: requests.Environ) -> None:
    with pytest.raises(BodyRefused) as refusal:
        request_limits.check_length(sent)
    assert 413 == refusal.value.status


@pytest.mark.parametrize("length", ["-1", "1e9", "0x10", " 1", "²"])
def test_a_length_that_is_no_number_is_refused(length: str) -> None:
    with pytest.raises(BodyRefused) as refusal:
        request_limits.check_length(environ(length))
    assert 400 == refusal.value.status


def test_a_body_without_a_length_is_read_to_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "_LIMIT", 1000)
    fitting, longer = (
        {"PATH_INFO": "/", "wsgi.input_terminated": True, "wsgi.input": io.BytesIO(b"x" * size)}
        for size in (1000, 1001)
    )
    for each in (fitting, longer):
        request_limits.check_length(each)
    assert 1000 == len(requests.read_body(fitting))
    with pytest.raises(BodyRefused):
        requests.read_body(longer)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_body_that_arrives_byte_by_byte_must_arrive_in_time(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    stop = threading.Event()

    def trickle() -> None:
        while not stop.wait(0.02):
            theirs.sendall(b"x")

    thread = threading.Thread(target=trickle)
    thread.start()
    try:
        reader = TimedReader(ours)
        reader.set_deadline(0.3)
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            io.BufferedReader(reader).read(1_000_000)
        assert time.monotonic() - begun < 5
    finally:
        stop.set()
        thread.join()


def test_a_silent_connection_times_out(pair: tuple[socket.socket, socket.socket]) -> None:
    reader = TimedReader(pair[0])
    reader.set_deadline(0.05)
    with pytest.raises(TimeoutError):
        reader.read(1)


def test_after_the_answer_only_a_part_of_the_rest_is_read(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_limits, "_LIMIT_AFTER_ANSWER", 1000)
    ours, theirs = pair
    theirs.sendall(b"x" * 100_000)
    reader = TimedReader(ours)
    reader.limit_rest()
    passed = io.BufferedReader(reader).read(100_000)
    assert 1000 <= len(passed) < 100_000


def test_the_connections_of_an_address_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_limits, "CONNECTIONS_OF_AN_ADDRESS", 2)
    connections = Connections()
    with connections.count_connection("10.0.0.1") as first, connections.count_connection("10.0.0.1") as second:
        with connections.count_connection("10.0.0.1") as third, connections.count_connection("10.0.0.2") as other:
            assert (True, True, False, True) == (first, second, third, other)
        with connections.count_connection("10.0.0.1") as again:
            assert not again
    with connections.count_connection("10.0.0.1") as later:
        assert later
