"""Sessions of Jenkins' command line: frames, input, requests that belong to no session, and the WebSocket.

All of it was read in the sources of Jenkins and of its library args4j.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
import pytest
import requests

from .command_line import END_STDIN, EXIT, START, STDOUT, CommandLine, Session, write_text

only_read = pytest.mark.only_read


@only_read
def test_caller_who_goes_away_aborts_the_build_that_he_waits_for(
    line: CommandLine, server: Any, name: str, freestyle: Callable[..., str]
) -> None:
    server.create("", name, freestyle("sleep 600"))
    with line.open() as session:
        begin(session, "build", name, "-s")
        while not session.ended.out:
            session.read_frame()
        server.until(lambda: server.client.get_build_info(name, 1)["building"])
        session.hang_up()

        assert "ABORTED" == server.finish(name, 1)[0]["result"]
        assert session.wait().code is None


def begin(session: Session, *words: str) -> None:
    """Send a command, and leave the side of the caller open."""
    for word in words:
        session.say(write_text(0, word))
    session.say(bytes([START]))


@only_read
def test_command_reads_until_the_caller_ends_his_input(
    line: CommandLine, server: Any, name: str, freestyle: Callable[..., str]
) -> None:
    with line.open() as session:
        begin(session, "create-job", name)
        xml = freestyle("true").encode()
        for half in (xml[:20], xml[20:]):
            session.say(b"\x05" + half)
        assert not server.client.job_exists(name)
        session.say(bytes([END_STDIN]))

        assert 0 == session.wait().code
    assert server.client.job_exists(name)
    assert 200 == session.upload_status


@only_read
def test_start_without_words_is_refused(line: CommandLine) -> None:
    with line.open() as session:
        session.say(bytes([START]))
        ended = session.wait()

    assert (2, "Connection closed before arguments received\n") == (ended.code, ended.faults)


@only_read
def test_frames_come_in_order_and_the_exit_code_last(line: CommandLine) -> None:
    ended = line.run("version")

    assert [STDOUT, EXIT] == ended.frames


@pytest.fixture
def rejected(server: Any) -> Iterator[Callable[..., requests.Response]]:
    """How a request is sent that is none of a caller's two."""

    def send(headers: dict[str, str], query: str = "remoting=false") -> requests.Response:
        return server.anonymous.post(f"{server.url}/cli?{query}", headers=headers, timeout=30)  # type: ignore[no-any-return]

    yield send


@only_read
def test_request_that_belongs_to_no_session_is_refused(rejected: Callable[..., requests.Response]) -> None:
    session = "6f1b1e0e-0000-4000-8000-000000000000"

    assert 403 == rejected({}, "remoting=true").status_code
    assert 500 == rejected({}).status_code
    assert 500 == rejected({"Session": "x", "Side": "download"}).status_code
    assert 500 == rejected({"Session": session, "Side": "upload"}).status_code


@only_read
def test_socket_carries_the_same_commands(line: CommandLine, server: Any, job: str) -> None:
    ended = line.run_by_socket("build", job, "-s")

    assert (0, [f"Started {job} #1", f"Completed {job} #1 : SUCCESS"]) == (ended.code, ended.words.splitlines())
    assert "<name>WORD</name>" in line.run_by_socket("get-job", job).words


@only_read
def test_socket_of_another_site_is_refused(line: CommandLine) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        line.run_by_socket("version", origin="http://elsewhere.example")

    assert 403 == refusal.value.status
    assert refusal.value.headers is not None
    assert "Unexpected request origin (check your reverse proxy settings)" == refusal.value.headers["X-CLI-Error"]
