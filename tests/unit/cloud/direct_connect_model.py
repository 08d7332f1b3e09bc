"""A model of the calls to Direct Connect, each held to botocore's own description by a Stubber."""

from typing import Any

import boto3
from botocore.stub import Stubber

from bootstrap.cloud import direct_connect
from bootstrap.environment.models import Settings
from bootstrap.values import Change, ChangeKind

GATEWAY = "00000000-0000-0000-0000-000000000001"
WISHED = {"connection": "dxcon-ffabc123", "gateway": GATEWAY, "vlan": 101}
TAGS = {"Project": "jenkins", "Environment": "trial"}
THERE: dict[str, Any] = {
    "virtualInterfaceId": "dxvif-1",
    "connectionId": "dxcon-ffabc123",
    "virtualInterfaceName": "jenkins-trial",
    "virtualInterfaceType": "private",
    "virtualInterfaceState": "available",
    "vlan": 101,
    "asn": 65000,
    "mtu": 1500,
    "directConnectGatewayId": GATEWAY,
}


def settings(**direct: Any) -> Settings:
    base = {"gateway": GATEWAY} if "interface" in direct else WISHED
    network = {"direct_connect": {**base, **direct}} if direct.get("connection", True) else {}
    given = {"environment": "trial", "cloud": "aws", "owner": "a", "cost_center": "b", "network": network}
    return Settings.model_validate(given)


class Cloud:
    """Direct Connect and the tags, stubbed: a call that was not foreseen, or has other parameters, fails the test."""

    def __init__(self) -> None:
        session = boto3.session.Session("a", "b", region_name="eu-central-1")
        self.clients: dict[str, Any] = {
            name: session.client(name) for name in ("directconnect", "resourcegroupstaggingapi")
        }
        self.stubs = {name: Stubber(client) for name, client in self.clients.items()}
        for stub in self.stubs.values():
            stub.activate()
        self.changes: list[Change] = []
        self.notices: list[str] = []

    def __call__(self, service: str) -> Any:
        return self.clients[service]

    def answers(self, method: str, answer: dict[str, Any], **asked: Any) -> None:
        self.stubs["directconnect"].add_response(method, answer, asked)

    def has_tagged(self, *interfaces: str) -> None:
        arns = [f"arn:aws:directconnect:eu-central-1:111122223333:dxvif/{it}" for it in interfaces]
        filters = [{"Key": key, "Values": [value]} for key, value in TAGS.items()]
        mapped = [{"ResourceARN": arn, "Tags": []} for arn in arns]
        self.stubs["resourcegroupstaggingapi"].add_response(
            "get_resources", {"ResourceTagMappingList": mapped}, {"TagFilters": filters}
        )

    def connection(self, state: str) -> None:
        found = [{"connectionId": "dxcon-ffabc123", "connectionState": state}]
        self.answers("describe_connections", {"connections": found}, connectionId="dxcon-ffabc123")

    def interfaces(self, *found: dict[str, Any]) -> None:
        self.answers("describe_virtual_interfaces", {"virtualInterfaces": list(found)}, connectionId="dxcon-ffabc123")

    def interface(self, *found: dict[str, Any]) -> None:
        self.answers("describe_virtual_interfaces", {"virtualInterfaces": list(found)}, virtualInterfaceId="dxvif-1")

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None: ...

    def notice(self, text: str) -> None:
        self.notices.append(text)

    @property
    def told(self) -> list[tuple[ChangeKind, str]]:
        return [(it.kind, it.name) for it in self.changes]

    def is_done(self) -> None:
        for stub in self.stubs.values():
            stub.assert_no_pending_responses()


def apply(cloud: Cloud, wished: Settings) -> Any:
    found = direct_connect.apply(cloud, wished, TAGS, cloud, lambda _: None)
    cloud.is_done()
    return found
