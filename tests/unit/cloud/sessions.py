"""Sessions of Session Manager: StartSession answered by a stub, a stand-in for AWS' plugin, a real SSH server behind it."""

import json
from pathlib import Path
from typing import Any

import boto3
from botocore.credentials import Credentials
from botocore.stub import Stubber
from sshd import Sshd

from bootstrap.cloud import session_manager
from bootstrap.cloud.lent_credentials import Lender
from bootstrap.remote.shell import FabricShell

REQUEST = {"Target": "i-1", "DocumentName": "AWS-StartSSHSession", "Parameters": {"portNumber": ["22"]}}
TOKEN = "AAEAAprecious"


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


def shell(ssm: Ssm, sshd: Sshd, patience: float = 20) -> FabricShell:
    return FabricShell(sshd.machine(), patience=patience, dial=ssm.open, remedy="Look.")
