"""SSH through Session Manager: a stand-in for AWS' plugin, a real SSH server behind it, StartSession answered by a stub."""

import os
import time
from pathlib import Path

import pytest
import sshd as server_module
from sshd import Sshd

from bootstrap.cloud.session_manager import NotConnected
from bootstrap.cloud.world import World
from bootstrap.environment.models import Settings
from bootstrap.errors import HostKeyMismatch, SessionRefused, Unreachable
from bootstrap.remote import openssh
from tests.unit.cloud.sessions import Ssm, shell


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
