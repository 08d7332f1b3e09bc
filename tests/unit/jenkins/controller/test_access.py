"""Whether Jenkins accepts the toolkit with another user database, and the way back if it does not."""

from typing import Any

import pytest
import requests

from bootstrap.errors import CascRejected
from bootstrap.jenkins.controller import access
from bootstrap.jenkins.controller.settings_record import FOLDER


class Client:
    """A Jenkins that answers every request with one status, as python-jenkins returns it."""

    server = "http://127.0.0.1:8080/"

    def __init__(self, status: int) -> None:
        self.status, self.asked = status, list[str]()

    def jenkins_request(self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True) -> Any:
        assert not add_crumb
        assert resolve_auth
        self.asked.append(req.url)
        answer = requests.Response()
        answer.status_code, answer._content, answer.reason = self.status, b"", "Unauthorized"
        return answer


class Shell:
    """A machine that notes its commands."""

    def __init__(self) -> None:
        self.commands: list[str] = []

    def run(self, command: list[str], **_: Any) -> None:
        self.commands.append(" ".join(command))


def test_a_token_that_counts_changes_nothing() -> None:
    client, shell = Client(200), Shell()

    access.require(shell, client)  # type: ignore[arg-type]

    assert ["http://127.0.0.1:8080/me/api/json"] == client.asked
    assert [] == shell.commands


def test_the_previous_settings_are_put_back_before_the_restart() -> None:
    shell = Shell()

    with pytest.raises(CascRejected, match="does not accept the toolkit's own user: Jenkins answered 401"):
        access.require(shell, Client(401))  # type: ignore[arg-type]

    put_back, restart = shell.commands
    assert f"{FOLDER}.previous" in put_back
    assert "systemctl restart jenkins.service" == restart
