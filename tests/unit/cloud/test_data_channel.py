"""The data channel of a session: a refused one is told at once, and credentials are lent for the token alone."""

import contextlib
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from sshd import Sshd

from bootstrap.cloud import data_channel, session_manager
from bootstrap.cloud.lent_credentials import Lender
from bootstrap.errors import SessionRefused, Unreachable
from bootstrap.remote import openssh
from tests.unit.cloud.sessions import Ssm, shell


@contextlib.contextmanager
def channel(status: int, text: str) -> Iterator[tuple[str, list[Any]]]:
    """The URL of a service that answers the handshake of a data channel so, and the requests that it got."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            got.append((self.path, dict(self.headers)))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield f"ws://127.0.0.1:{server.server_port}/v1/data-channel/operator-0123?role=publish_subscribe", got
        server.shutdown()


DENIED = "User: arn:aws:iam::1:user/operator is not authorized to perform: ssmmessages:OpenDataChannel"


def test_a_refused_data_channel_is_told_at_once_with_the_permission(
    ssm: Ssm, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_manager, "_SILENCE", 0.2)
    with channel(403, DENIED) as (url, got):
        ssm.starts(url=url)  # once: a second attempt would fail otherwise
        ssm.ends()
        with pytest.raises(SessionRefused) as caught:
            shell(ssm, sshd, patience=600).run(["true"])

    assert f"127.0.0.1 refuses the data channel of the session: HTTP 403: {DENIED}" == caught.value.found
    assert "ssmmessages:OpenDataChannel on session/operator-*" in caught.value.remedy
    ((path, headers),) = got
    assert "/v1/data-channel/operator-0123?role=publish_subscribe" == path
    assert "websocket" == headers["Upgrade"]
    assert "Credential=a/" in headers["Authorization"] and "/ssmmessages/aws4_request" in headers["Authorization"]
    assert "session" == headers["X-Amz-Security-Token"]


def test_openssh_is_told_of_a_refused_data_channel_too(ssm: Ssm, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_manager, "_SILENCE", 0.2)
    with channel(403, DENIED) as (url, _):
        ssm.starts(url=url)
        ssm.ends()
        with (
            pytest.raises(SessionRefused, match="refuses the data channel"),
            openssh.make_client_command(sshd.machine(), ssm.open) as command,
            socket.create_connection(("127.0.0.1", int(command[command.index("-p") + 1]))) as stream,
        ):
            # What the plugin says comes before the end of the stream.
            assert b"SSH-" not in b"".join(iter(lambda: stream.recv(100), b""))


@pytest.mark.parametrize("status", [101, 400, 503])
def test_a_channel_that_opens_or_may_open_later_is_waited_for(
    ssm: Ssm, sshd: Sshd, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setattr(session_manager, "_SILENCE", 0.2)
    monkeypatch.setattr("bootstrap.remote.shell._BANNER", 1.0)
    with channel(status, "") as (url, got):
        ssm.starts(url=url)
        ssm.ends()
        with pytest.raises(Unreachable, match="no connection within 0 s"):
            shell(ssm, sshd, patience=0).run(["true"])
    assert 1 == len(got)


def test_a_presigned_channel_is_not_signed_again(ssm: Ssm) -> None:
    with channel(403, "no") as (url, got):
        presigned = f"{url}&X-Amz-Signature=abc"
        assert "HTTP 403: no" == data_channel.find_refusal(presigned, ssm.credentials, "eu-central-1")
    assert "Authorization" not in got[0][1]
    closed = url.replace("/v1", "/x")
    assert "" == data_channel.find_refusal(closed, ssm.credentials, "eu-central-1")  # nobody listens any more


def test_credentials_are_lent_only_for_the_token_and_a_login_that_ended_is_told(ssm: Ssm) -> None:
    class Ended:
        def get_frozen_credentials(self) -> None:
            raise LookupError("log in again")

    lender = Lender(Ended())
    url = lender.make_environment({})["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    token = lender.make_environment({})["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
    for given, status in (("", 403), (f"{token}x", 403), (token, 500)):
        request = urllib.request.Request(url, headers={"Authorization": given} if given else {})
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=10)
        assert status == caught.value.code
        assert token not in (told := caught.value.read().decode())
        assert ("log in again" in told) is (status == 500)
    lender.close()
