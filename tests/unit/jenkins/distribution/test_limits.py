"""What a source sends has limits before anything of it is proved: size, time and rate."""

import contextlib
import hashlib
import http.server
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import load_lock, stream, transfer
from bootstrap.jenkins.distribution.sources import choose
from bootstrap.jenkins.distribution.stream import Limit
from bootstrap.jenkins.distribution.transfer import Unobtainable
from tests.unit.jenkins.distribution.stand_ins import ROOT, filed, refusal

Serve = Callable[[Callable[[http.server.BaseHTTPRequestHandler], None]], str]
SHA256 = hashlib.sha256(b"right").hexdigest()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that answers each request by a function; returns its URL."""
    servers: list[http.server.ThreadingHTTPServer] = []

    def start(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                with contextlib.suppress(ConnectionError):
                    answer(self)

            def log_message(self, *_: object) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()


def test_two_commands_do_not_write_the_same_part(serve: Serve, tmp_path: Path) -> None:
    """The second one waits, also in another process, and takes what the first one downloaded."""
    asked: list[str] = []
    two_asked = threading.Event()

    def send_in_halves(request: http.server.BaseHTTPRequestHandler) -> None:
        asked.append(request.path)
        if len(asked) == 2:
            two_asked.set()
        request.send_response(200)
        request.send_header("Content-Length", "5")
        request.end_headers()
        request.wfile.write(b"ri")
        two_asked.wait(3)
        request.wfile.write(b"ght")

    url = serve(send_in_halves)
    program = (
        "import pathlib, sys\nfrom bootstrap.jenkins.distribution import transfer\n"
        "print(transfer.download(sys.argv[1], pathlib.Path(sys.argv[2]), 'one.hpi', sys.argv[3]).read_text())"
    )
    command = [sys.executable, "-c", program, url, str(tmp_path), SHA256]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    assert ["right\n", "right\n"] == [each.communicate(timeout=60)[0] for each in running]
    assert ["/"] == asked


def send_endlessly(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    for _ in range(10_000):
        request.wfile.write(b"x" * 65536)


def send_a_byte_now_and_then(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", "1000")
    request.end_headers()
    for _ in range(600):
        request.wfile.write(b"x")
        time.sleep(0.05)


def announce_much(request: http.server.BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(1 << 40))
    request.end_headers()
    time.sleep(30)


@pytest.mark.parametrize("answer", [send_endlessly, announce_much])
def test_a_list_that_is_too_large_is_given_up(serve: Serve, answer: Callable[..., None]) -> None:
    with pytest.raises(Unobtainable, match="it has more than 1 MiB, which is the limit"):
        transfer.fetch(serve(answer), Limit(1 << 20, 10))


@pytest.mark.parametrize("answer", [send_endlessly, announce_much])
def test_a_file_that_is_too_large_is_given_up_and_deleted(
    serve: Serve, answer: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "FILE", Limit(1 << 20, 10))

    with pytest.raises(DistributionFailed) as raised:
        transfer.download(serve(answer), tmp_path, "one.hpi", SHA256)

    assert "it has more than 1 MiB, which is the limit for such a file" == raised.value.found
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_limit_counts_what_was_downloaded_before(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_rest(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(206)
        request.end_headers()
        request.wfile.write(b"x" * 1000)

    monkeypatch.setattr(stream, "FILE", Limit(1 << 20, 10))
    part = tmp_path / SHA256 / "one.hpi.part"
    part.parent.mkdir()
    part.write_bytes(b"x" * (1 << 20))

    with pytest.raises(DistributionFailed, match="more than 1 MiB"):
        transfer.download(serve(send_rest), tmp_path, "one.hpi", SHA256)


def test_a_server_that_only_drips_is_given_up(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte begins the time-out of the socket again."""
    monkeypatch.setattr(stream, "_WINDOW_SECONDS", 0.3)
    url = serve(send_a_byte_now_and_then)

    with pytest.raises(Unobtainable, match="the server sends less than 4096 bytes a second"):
        transfer.fetch(url, stream.LIST)
    with pytest.raises(DistributionFailed) as raised:
        transfer.download(url, tmp_path, "one.hpi", SHA256)
    assert "the server sends less than 4096 bytes a second" == raised.value.found


def test_a_server_that_is_fast_enough_for_each_window_has_a_time_for_all(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def send_steadily(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        for _ in range(600):
            request.wfile.write(b"x" * 1000)
            time.sleep(0.05)

    monkeypatch.setattr(stream, "_WINDOW_SECONDS", 0.3)
    monkeypatch.setattr(stream, "FILE", Limit(1 << 30, 1.2))

    with pytest.raises(DistributionFailed) as raised:
        transfer.download(serve(send_steadily), tmp_path, "one.hpi", SHA256)

    assert "it was not complete after 0.02 minutes" == raised.value.found
    assert raised.value.remedy.startswith("The downloaded part is kept")


def test_an_answer_that_never_begins_is_given_up(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    def send_headers_slowly(request: http.server.BaseHTTPRequestHandler) -> None:
        request.wfile.write(b"HTTP/1.0 200 OK\r\n")
        for number in range(600):
            request.wfile.write(f"X-{number}: x\r\n".encode())
            time.sleep(0.3)

    monkeypatch.setattr(stream, "_HEAD_SECONDS", 0.5)

    with pytest.raises(Unobtainable, match=r"no answer within 0\.5 s"):
        transfer.fetch(serve(send_headers_slowly), stream.LIST)


def test_a_list_that_ends_too_early_is_no_list(serve: Serve) -> None:
    def break_off(request: http.server.BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Length", "10")
        request.end_headers()
        request.wfile.write(b"{}")

    with pytest.raises(Unobtainable, match="the connection broke 8 bytes before the end"):
        transfer.fetch(serve(break_off), stream.LIST)


@pytest.mark.parametrize("name", ["jenkins.war.asc", "jenkins.key"])
def test_a_file_of_a_folder_has_a_limit(folder: Path, lock: Path, tmp_path: Path, name: str) -> None:
    with (folder / name).open("wb") as file:
        file.truncate((1 << 20) + 1)

    assert f"{folder / name} cannot be read: it has more than 1 MiB" in refusal(filed(folder), lock, tmp_path).found


def test_a_list_of_a_folder_has_a_limit(folder: Path, lock: Path) -> None:
    for name in ("plugin-versions.json", "update-center.actual.json"):
        with (folder / "plugins" / name).open("wb") as file:
            file.truncate((256 << 20) + 1)
    source = choose(filed(folder), load_lock(lock))

    with pytest.raises(DistributionFailed, match="it has more than 256 MiB"):
        source.read_metadata()
    with pytest.raises(Unobtainable, match="it has more than 256 MiB"):
        source.read_current("2.568.2")
