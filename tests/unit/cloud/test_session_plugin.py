"""AWS' plugin for sessions: what it is given, what it says, and what is told where it is missing."""

import os
from pathlib import Path

import pytest
from sshd import Sshd

from bootstrap.cloud import session_manager
from bootstrap.doctor import this_machine
from bootstrap.doctor.findings import Health
from bootstrap.errors import Missing, Unreachable
from bootstrap.remote.shell import FabricShell
from tests.unit.cloud.sessions import TOKEN, Ssm, shell


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
