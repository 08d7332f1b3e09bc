"""SSH through Session Manager: a stand-in for AWS' plugin, a real SSH server behind it, StartSession answered by a stub."""

import contextlib
import json
import os
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.credentials import Credentials
from botocore.stub import Stubber

sys.path.insert(0, str(Path(__file__).parents[1] / "remote"))
import sshd as server_module
from sshd import Sshd

from bootstrap.cloud import data_channel, session_manager
from bootstrap.cloud.lent_credentials import Lender
from bootstrap.cloud.session_manager import NotConnected
from bootstrap.cloud.world import World
from bootstrap.doctor import this_machine
from bootstrap.doctor.findings import Health
from bootstrap.environment.models import Settings
from bootstrap.errors import HostKeyMismatch, Missing, SessionRefused, Unreachable
from bootstrap.remote import openssh
from bootstrap.remote.shell import FabricShell

REQUEST = {"Target": "i-1", "DocumentName": "AWS-StartSSHSession", "Parameters": {"portNumber": ["22"]}}
TOKEN = "AAEAAprecious"


@pytest.fixture
def sshd() -> Iterator[Sshd]:
    with server_module.running() as running:
        yield running


class Ssm:
    """The client of a stubbed Systems Manager, and what the plugin was called with."""

    def __init__(self, calls: Path, port: int) -> None:
        self.client: Any = boto3.session.Session("a", "b", region_name="eu-central-1").client("ssm")
        self.stub = Stubber(self.client)
        self.stub.activate()
        self.credentials = Credentials("a", "b", "session")
        self.lender = Lender(self.credentials)
        self._calls = calls
        self._port = port

    def open(self) -> session_manager.Session:
        return session_manager.open_session(self.client, self.credentials, self.lender, "i-1")

    def starts(self, port: int | None = None, url: str = "") -> None:
        url = url or f"wss://127.0.0.1:{port or self._port}"
        answer = {"SessionId": "operator-0123", "TokenValue": TOKEN, "StreamUrl": url}
        self.stub.add_response("start_session", answer, REQUEST)

    def refuses(self, code: str) -> None:
        self.stub.add_client_error("start_session", code, f"{code} was said", expected_params=REQUEST)

    def ends(self) -> None:
        self.stub.add_response("terminate_session", {"SessionId": "operator-0123"}, {"SessionId": "operator-0123"})

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._calls.read_text().splitlines()]


@pytest.fixture
def ssm(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ssm]:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / session_manager.PLUGIN).symlink_to(Path(__file__).parents[1] / "plugin.py")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    monkeypatch.setenv("PLUGIN_CALLS", str(tmp_path / "calls"))
    made = Ssm(tmp_path / "calls", sshd.port)
    monkeypatch.setenv("AWS_PROFILE", "operators")
    yield made
    made.lender.close()


def shell(ssm: Ssm, sshd: Sshd, patience: float = 20) -> FabricShell:
    return FabricShell(sshd.machine(), patience=patience, dial=ssm.open, remedy="Look.")


def test_commands_input_and_forwarded_ports_go_through_one_session(ssm: Ssm, sshd: Sshd) -> None:
    ssm.starts()
    ssm.ends()
    data = os.urandom(1 << 19).hex()
    through = shell(ssm, sshd)

    assert "hello\n" == through.run(["echo", "hello"]).stdout
    assert data == through.run(["cat"], stdin=data.encode()).stdout
    with through.forward(sshd.port) as port:
        assert port > 0
    through.close()

    assert 1 == len(ssm.calls)
    ssm.stub.assert_no_pending_responses()


def test_the_token_is_in_no_argument_and_in_no_environment_but_the_plugins(ssm: Ssm, sshd: Sshd) -> None:
    ssm.starts()
    ssm.ends()
    through = shell(ssm, sshd)
    through.run(["true"])
    (call,) = ssm.calls
    arguments = Path(f"/proc/{call['pid']}/cmdline").read_text()
    through.close()

    assert TOKEN == call["answer"]["TokenValue"]
    assert TOKEN not in arguments + " ".join(call["argv"])
    assert "AWS_SSM_START_SESSION_RESPONSE" not in os.environ
    assert ["eu-central-1", "StartSession", ""] == call["argv"][2:5]


def test_the_plugin_has_the_toolkits_credentials_and_no_other_way_to_find_some(
    ssm: Ssm, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(name, "/other")
    for _ in "12":
        ssm.starts()
        ssm.ends()
    for key in ("a", "refreshed"):
        ssm.credentials.access_key = key
        through = shell(ssm, sshd)
        through.run(["true"])
        through.close()

    first, second = (it["credentials"] for it in ssm.calls)
    assert ("a", "b", "session") == (first["AccessKeyId"], first["SecretAccessKey"], first["Token"])
    assert "refreshed" == second["AccessKeyId"]
    assert first["Expiration"].endswith("Z")
    assert [
        *("AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_SHARED_CREDENTIALS_FILE"),
    ] == ssm.calls[0]["aws"]


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


def test_closing_ends_the_plugin_and_the_session(ssm: Ssm, sshd: Sshd) -> None:
    ssm.starts()
    ssm.ends()
    through = shell(ssm, sshd)
    through.run(["true"])
    through.close()
    (call,) = ssm.calls

    deadline = time.monotonic() + 30
    while Path(f"/proc/{call['pid']}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{call['pid']}").exists()
    ssm.stub.assert_no_pending_responses()


def test_a_session_that_broke_is_opened_again(ssm: Ssm, sshd: Sshd) -> None:
    for _ in range(2):
        ssm.starts()
        ssm.ends()
    through = shell(ssm, sshd)
    through.run(["true"])
    sshd.drop()

    deadline = time.monotonic() + 30
    while through._connection.is_connected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "again\n" == through.run(["echo", "again"]).stdout
    through.close()
    assert 2 == len(ssm.calls)


def test_an_agent_that_has_not_reported_yet_is_waited_for(ssm: Ssm, sshd: Sshd) -> None:
    ssm.refuses("TargetNotConnected")
    ssm.starts()
    ssm.ends()
    through = shell(ssm, sshd)

    assert 0 == through.run(["true"]).exit_code
    through.close()


def test_an_agent_that_never_reports_is_told_with_its_remedy(ssm: Ssm, sshd: Sshd) -> None:
    ssm.refuses("TargetNotConnected")

    with pytest.raises(Unreachable, match="TargetNotConnected was said") as caught:
        shell(ssm, sshd, patience=0).run(["true"])

    assert "Look." == caught.value.remedy


@pytest.mark.parametrize(("code", "words"), [("AccessDeniedException", "ssm:StartSession"), ("ExpiredToken", "doctor")])
def test_what_another_attempt_would_not_change_is_told_at_once(ssm: Ssm, sshd: Sshd, code: str, words: str) -> None:
    ssm.refuses(code)  # one answer: a second attempt would fail otherwise

    with pytest.raises(SessionRefused, match=f"{code} was said") as caught:
        shell(ssm, sshd).run(["true"])

    assert words in caught.value.remedy


def test_what_the_plugin_says_is_told(ssm: Ssm, sshd: Sshd) -> None:
    ssm.starts(port=9)
    ssm.ends()

    with pytest.raises(Unreachable, match=r"Cannot perform start session: .*refused"):
        shell(ssm, sshd, patience=0).run(["true"])


def test_what_a_plugin_says_that_ended_before_the_first_byte_was_sent_is_told(ssm: Ssm, sshd: Sshd) -> None:
    ssm.starts(port=9)
    ssm.ends()

    def open_late() -> session_manager.Session:
        session = ssm.open()
        session._plugin.wait(30)
        return session

    with pytest.raises(Unreachable, match=r"Cannot perform start session: .*refused"):
        FabricShell(sshd.machine(), patience=0, dial=open_late, remedy="Look.").run(["true"])


def test_a_missing_plugin_is_told_before_any_session_is_asked_for(
    ssm: Ssm, sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(Missing, match="session-manager-plugin is not installed") as caught:
        shell(ssm, sshd).run(["true"])

    assert "Install the Session Manager plugin" in caught.value.remedy


def test_host_keys_are_verified_here_too(ssm: Ssm, sshd: Sshd) -> None:
    ssm.starts()
    ssm.ends()
    sshd.shown_key = server_module.new_host_key()

    with pytest.raises(HostKeyMismatch):
        shell(ssm, sshd).run(["true"])

    assert 0 == sshd.logins


def test_openssh_comes_along_the_same_way(ssm: Ssm, sshd: Sshd) -> None:
    ssm.starts()
    ssm.ends()

    with openssh.make_client_command(sshd.machine(), ssm.open) as command:
        told = " ".join(command)
        with server_module.socket.create_connection(("127.0.0.1", int(command[command.index("-p") + 1]))) as stream:
            banner = b""
            while b"SSH-2.0" not in banner:
                banner += stream.recv(100)

    assert "HostKeyAlias=i-1" in told
    assert command[-1] == "admin@127.0.0.1"


def test_openssh_is_not_begun_where_there_is_no_session(ssm: Ssm, sshd: Sshd) -> None:
    ssm.refuses("TargetNotConnected")

    with (
        pytest.raises(NotConnected),
        openssh.make_client_command(sshd.machine(), ssm.open),
    ):
        pytest.fail("the client was handed out")


def test_a_machine_is_reached_through_the_bastion(sshd: Sshd) -> None:
    chosen = Settings.model_validate(
        {
            "environment": "trial",
            "cloud": "aws",
            "owner": "a",
            "cost_center": "b",
            "access": {"ssh": "bastion"},
            "network": {"bastion": {"allow": ("198.51.100.0/24",)}},
        }
    )
    with server_module.running() as bastion:
        world = World(chosen, bastion=bastion.machine)
        through = world.open_shell(sshd.machine())

        assert "there\n" == through.run(["echo", "there"]).stdout
        assert [("127.0.0.1", sshd.port)] == bastion.forwards
        assert [] == bastion.commands
        world.close()


@pytest.mark.parametrize(
    ("version", "health"),
    [("1.2.764.0", Health.GOOD), ("1.2.896.0", Health.GOOD), ("1.2.536.0", Health.BAD), ("", Health.BAD)],
)
def test_doctor_asks_the_plugin_for_its_version(
    ssm: Ssm, monkeypatch: pytest.MonkeyPatch, version: str, health: Health
) -> None:
    assert ssm
    monkeypatch.setenv("PLUGIN_VERSION", version)

    (found,) = this_machine.check_plugin("session-manager")

    assert health == found.health


def test_doctor_says_how_to_get_a_missing_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")

    (found,) = this_machine.check_plugin("session-manager")

    assert (Health.BAD, session_manager.INSTALL) == (found.health, found.remedy)
    assert () == tuple(this_machine.check_plugin("direct"))
