"""What every gatherer is given: everything through which a question may be asked, and a signed-in client of Jenkins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import requests
from handshake import Place
from testinfra.host import Host

from bootstrap.context import Context
from bootstrap.jenkins.controller.api import ask, expect

SECONDS = 60


@dataclass(frozen=True)
class Subject:
    """Everything through which a question may be asked; all of it is open before the first is."""

    context: Context
    host: Host
    server: str  # the controller's URL at this end of the tunnel, ending in '/'
    place: Place  # where its TLS is spoken


class Client:
    """One thread's own signed-in client: python-jenkins' single session is not made for several threads."""

    def __init__(self, subject: Subject) -> None:
        controller = subject.context.controller
        self.server = subject.server
        self._session = requests.Session()
        self._session.auth = (controller.user, controller.token.reveal())

    def jenkins_request(self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True) -> Any:
        """Send it; an API token needs no crumb."""
        return self._session.send(self._session.prepare_request(req), timeout=SECONDS)

    def json(self, path: str, tree: str) -> Any:
        """The answer of the API at `path`, cut to `tree`."""
        answer = ask(self, "GET", f"{path}api/json", params={"tree": tree})
        return expect(answer, f"asking Jenkins for {path or '/'}").json()


def place_of(context: Context) -> tuple[str, str, str]:
    """Partition, region and account, as the ARN of the machine's role and the settings tell them."""
    _, partition, _, _, account, _ = context.outputs("controller")["RoleArn"].split(":", 5)
    return partition, context.settings.region, account
