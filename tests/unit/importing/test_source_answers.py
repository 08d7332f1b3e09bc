"""Answers of the other Jenkins that are refused or asked for again: too large, too slow, broken off, of another form."""

import gzip
import json
import time
from http.server import BaseHTTPRequestHandler

import pytest

from bootstrap.errors import ImportFailed, Unreachable
from bootstrap.importing import source as module
from bootstrap.importing.source import Source
from bootstrap.values import Secret

SECRET = Secret("11token")


def test_an_answer_that_is_too_large_is_refused(other, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 100_000)
    sent = 0

    def flood(request: BaseHTTPRequestHandler) -> None:
        nonlocal sent
        request.send_response(200)
        request.end_headers()  # without a length: until the connection is closed
        try:
            while sent < 100_000_000:
                sent += request.wfile.write(b"x" * 10_000)
        except OSError:
            pass
        request.close_connection = True

    other.add("GET flood", flood)
    with pytest.raises(ImportFailed, match="larger than"):
        other.source().get("flood")
    assert sent < 50_000_000


def test_all_answers_together_have_a_greatest_size(other, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 25)
    source = other.source()
    other.add("GET ten", {"status": 200, "body": "x" * 10})
    source.get("ten"), source.get("ten")
    with pytest.raises(ImportFailed):
        source.get("ten")


def test_an_answer_that_drips_is_given_up(other, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLOWEST", 0.3)

    def drip(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        try:
            for _ in range(100):
                request.wfile.write(b"x")
                request.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass

    def drip_headers(request: BaseHTTPRequestHandler) -> None:
        try:
            for number in range(100):
                request.wfile.write(b"HTTP/1.1 200 OK\r\n" if not number else b"X: y\r\n")
                request.wfile.flush()
                time.sleep(0.05)
        except OSError:
            pass
        request.close_connection = True

    other.add("GET drip", drip)
    other.add("GET headers", drip_headers)
    for path in ("drip", "headers"):
        with pytest.raises(Unreachable) as failed:
            other.source().get(path)
        assert "not complete" in failed.value.found


def test_a_compressed_answer_is_refused(other) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    other.add("GET bomb", {"status": 200, "headers": {"Content-Encoding": "gzip"}, "body": bomb})
    with pytest.raises(ImportFailed, match="compressed"):
        other.source().get("bomb")


@pytest.mark.parametrize("body", ["<html>", "[" * 100_000, "\x00", '{"a": 1'])
def test_an_answer_that_is_no_json_is_refused(body: str, other) -> None:
    other.add("GET x", {"status": 200, "body": body})
    with pytest.raises(ImportFailed, match="not JSON"):
        other.source().get_json("x", "")


def test_a_connection_that_ends_in_the_middle_is_told(other) -> None:
    def end(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "1000")
        request.end_headers()
        request.wfile.write(json.dumps({}).encode())
        request.close_connection = True

    other.add("GET x", end)
    with pytest.raises(Unreachable):
        other.source().get("x")


def break_off(request: BaseHTTPRequestHandler) -> None:
    request.close_connection = True


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.0))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("failure", [break_off, {"status": 503, "body": "starting"}])
def test_a_get_that_fails_is_repeated_once_the_jenkins_has_answered(failure, other) -> None:
    source = other.source()
    source.get("api/json", "mode")

    def recover(request: BaseHTTPRequestHandler) -> None:
        other.add("GET x", {"status": 200, "body": "here"})
        request.close_connection = True

    other.add("GET x", recover)
    assert source.get("x").body == b"here"
    other.add("GET y", failure)
    with pytest.raises(ImportFailed):
        source.get("y")
    assert other.asked.count("GET y") == 3


@pytest.mark.usefixtures("impatient")
def test_a_jenkins_that_stops_to_answer_is_given_up_after_several_failures(other) -> None:
    source = other.source()
    source.get("api/json", "mode")
    other.add("GET x", break_off)
    for _ in range(module.FAILURES - 1):
        with pytest.raises(ImportFailed):
            source.get("x")
    source.get("api/json", "mode")  # an answer between them begins the count anew
    for _ in range(module.FAILURES - 1):
        with pytest.raises(ImportFailed):
            source.get("x")
    with pytest.raises(Unreachable):
        source.get("x")


@pytest.mark.usefixtures("impatient")
def test_the_first_request_and_the_export_are_not_repeated(other) -> None:
    source = other.source()
    other.add("GET x", break_off)
    with pytest.raises(Unreachable):
        source.get("x")
    source.get("api/json", "mode")
    other.add("POST configuration-as-code/export", break_off)
    with pytest.raises(ImportFailed):
        source.export_settings()
    assert other.asked.count("POST configuration-as-code/export") == other.asked.count("GET x") == 1


def test_a_jenkins_that_does_not_run_is_told() -> None:
    with pytest.raises(Unreachable) as failed:
        Source("http://127.0.0.1:1/", "alice", SECRET).get("api/json")
    assert "refused" in failed.value.found
