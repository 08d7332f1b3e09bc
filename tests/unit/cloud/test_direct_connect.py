"""Direct Connect through its API: a model of the calls that are made, each held to botocore's own description by a Stubber."""

from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from bootstrap.cloud import direct_connect
from bootstrap.environment.models import Settings
from bootstrap.errors import AwsRefused
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


@pytest.fixture
def cloud() -> Cloud:
    return Cloud()


def apply(cloud: Cloud, wished: Settings) -> Any:
    found = direct_connect.apply(cloud, wished, TAGS, cloud, lambda _: None)
    cloud.is_done()
    return found


def asked_for(**differing: Any) -> dict[str, Any]:
    tags = [{"key": key, "value": value} for key, value in TAGS.items()]
    return {
        "virtualInterfaceName": "jenkins-trial",
        "vlan": 101,
        "mtu": 1500,
        "addressFamily": "ipv4",
        "directConnectGatewayId": GATEWAY,
        "tags": tags,
        "asn": 65000,
        **differing,
    }


def test_a_hosted_connection_is_accepted_waited_for_and_gets_its_interface(cloud: Cloud) -> None:
    cloud.connection("ordering")
    cloud.answers("confirm_connection", {"connectionState": "pending"}, connectionId="dxcon-ffabc123")
    cloud.connection("pending")
    cloud.connection("available")
    cloud.has_tagged()
    cloud.interfaces()
    cloud.answers(
        "create_private_virtual_interface", {}, connectionId="dxcon-ffabc123", newPrivateVirtualInterface=asked_for()
    )
    cloud.interfaces(THERE | {"virtualInterfaceState": "pending"})
    cloud.interfaces(THERE | {"virtualInterfaceState": "down"})

    made = apply(cloud, settings())

    assert "dxvif-1" == made["virtualInterfaceId"]
    assert [(ChangeKind.ALTER, "dxcon-ffabc123"), (ChangeKind.ADD, "jenkins-trial/VirtualInterface")] == cloud.told
    assert "until the customer's router starts BGP" in cloud.notices[0]


def test_a_transit_interface_and_a_number_of_four_bytes_have_calls_and_names_of_their_own(cloud: Cloud) -> None:
    wished = settings(type="transit", mtu=8500, customer_asn=4200000001)
    there = THERE | {"virtualInterfaceType": "transit", "mtu": 8500, "asnLong": 4200000001}
    cloud.connection("available")
    cloud.connection("available")
    cloud.has_tagged()
    cloud.interfaces()
    request = asked_for(mtu=8500, asnLong=4200000001)
    del request["asn"]
    cloud.answers(
        "create_transit_virtual_interface", {}, connectionId="dxcon-ffabc123", newTransitVirtualInterface=request
    )
    cloud.interfaces(there)
    apply(cloud, wished)

    cloud.connection("available")
    cloud.has_tagged("dxvif-1")
    cloud.interface(there)
    cloud.interfaces(there)
    assert () == direct_connect.plan(cloud, wished)
    cloud.is_done()


def test_what_is_as_it_should_be_is_left_alone(cloud: Cloud) -> None:
    cloud.connection("available")
    cloud.connection("available")
    cloud.has_tagged("dxvif-1")
    cloud.interface(THERE)
    cloud.interfaces(THERE)
    cloud.interfaces(THERE)

    apply(cloud, settings())

    assert [] == cloud.changes


def test_an_interface_whose_tags_are_not_listed_yet_is_found_by_its_name(cloud: Cloud) -> None:
    cloud.connection("available")
    cloud.has_tagged()
    cloud.interfaces({**THERE, "virtualInterfaceName": "another", "virtualInterfaceId": "dxvif-2"}, THERE)

    assert () == direct_connect.plan(cloud, settings())


def test_the_mtu_changes_in_place(cloud: Cloud) -> None:
    cloud.connection("available")
    cloud.connection("available")
    cloud.has_tagged("dxvif-1")
    cloud.interface(THERE)
    cloud.interfaces(THERE)
    cloud.answers("update_virtual_interface_attributes", {}, virtualInterfaceId="dxvif-1", mtu=9001)
    cloud.interfaces(THERE | {"mtu": 9001})

    apply(cloud, settings(mtu=9001))

    assert ["virtual interface: mtu 1500 -> 9001"] == [it.detail for it in cloud.changes]


def test_another_vlan_makes_another_interface_once_the_old_is_gone(cloud: Cloud) -> None:
    cloud.connection("available")
    cloud.connection("available")
    cloud.has_tagged("dxvif-1")
    cloud.interface(THERE)
    cloud.interfaces(THERE)
    cloud.answers("delete_virtual_interface", {"virtualInterfaceState": "deleting"}, virtualInterfaceId="dxvif-1")
    cloud.interface(THERE | {"virtualInterfaceState": "deleting"})
    cloud.interface(THERE | {"virtualInterfaceState": "deleted"})
    cloud.answers(
        "create_private_virtual_interface",
        {},
        connectionId="dxcon-ffabc123",
        newPrivateVirtualInterface=asked_for(vlan=102),
    )
    cloud.interfaces(THERE | {"vlan": 102})

    apply(cloud, settings(vlan=102))

    assert [(ChangeKind.REMOVE, "dxvif-1"), (ChangeKind.ADD, "jenkins-trial/VirtualInterface")] == cloud.told


def test_a_plan_says_that_a_replacement_interrupts_and_changes_nothing(cloud: Cloud) -> None:
    cloud.connection("ordering")
    cloud.has_tagged("dxvif-1")
    cloud.interface(THERE)
    cloud.interfaces(THERE)

    accepted, replaced = direct_connect.plan(cloud, settings(vlan=102))

    assert "hourly costs begin" in accepted.detail
    assert (ChangeKind.REPLACE, "virtual interface: vlan (its traffic is interrupted)") == (
        replaced.kind,
        replaced.detail,
    )
    cloud.is_done()


@pytest.mark.parametrize("end", ["apply", "destroy"])
def test_what_is_no_longer_asked_for_is_deleted_and_the_connection_stays(cloud: Cloud, end: str) -> None:
    cloud.has_tagged("dxvif-1")
    cloud.interface(THERE)
    cloud.answers("delete_virtual_interface", {"virtualInterfaceState": "deleting"}, virtualInterfaceId="dxvif-1")
    cloud.interface()

    ends: dict[str, Callable[[], Any]] = {
        "apply": lambda: direct_connect.apply(cloud, settings(connection=""), TAGS, cloud, lambda _: None),
        "destroy": lambda: direct_connect.destroy(cloud, settings(), cloud, lambda _: None),
    }
    ends[end]()

    cloud.is_done()
    assert [(ChangeKind.REMOVE, "dxvif-1")] == cloud.told


def test_an_environment_without_it_asks_direct_connect_nothing(cloud: Cloud) -> None:
    cloud.has_tagged()

    assert () == direct_connect.plan(cloud, settings(connection=""))
    cloud.is_done()


@pytest.mark.parametrize("state", ["rejected", "deleted"])
def test_a_connection_that_is_not_to_be_had_is_told(cloud: Cloud, state: str) -> None:
    cloud.connection(state)

    with pytest.raises(AwsRefused, match=f"it is {state}"):
        apply(cloud, settings())


def test_an_interface_that_never_settles_is_given_up(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(direct_connect, "PATIENCE", -1)
    cloud.connection("pending")
    cloud.connection("pending")

    with pytest.raises(AwsRefused, match="it is pending") as caught:
        apply(cloud, settings())

    assert "Ask the partner" in caught.value.remedy


OFFERED = {
    **THERE,
    "connectionId": "dxcon-others",
    "virtualInterfaceName": "theirs",
    "virtualInterfaceId": "dxvif-ffabc123",
}


def offered(cloud: Cloud, *found: dict[str, Any]) -> None:
    answer = {"virtualInterfaces": list(found)}
    cloud.answers("describe_virtual_interfaces", answer, virtualInterfaceId="dxvif-ffabc123")


@pytest.mark.parametrize("kind", ["private", "transit"])
def test_a_hosted_interface_is_accepted_for_the_gateway_and_waited_for(cloud: Cloud, kind: str) -> None:
    waiting = {**OFFERED, "virtualInterfaceState": "confirming", "virtualInterfaceType": kind}
    waiting.pop("directConnectGatewayId")
    offered(cloud, waiting)
    cloud.has_tagged()
    offered(cloud, waiting)
    cloud.answers(
        f"confirm_{kind}_virtual_interface",
        {"virtualInterfaceState": "pending"},
        virtualInterfaceId="dxvif-ffabc123",
        directConnectGatewayId=GATEWAY,
    )
    for state in ("pending", "down"):
        offered(cloud, {**OFFERED, "virtualInterfaceState": state, "virtualInterfaceType": kind})

    made = apply(cloud, settings(interface="dxvif-ffabc123", type=kind))

    assert "down" == made["virtualInterfaceState"]
    assert [(ChangeKind.ALTER, "dxvif-ffabc123")] == cloud.told
    assert f"hosted {kind} virtual interface: accepted for {GATEWAY}" == cloud.changes[0].detail


def test_a_plan_tells_the_acceptance_and_what_was_made_before_goes(cloud: Cloud) -> None:
    offered(cloud, {**OFFERED, "virtualInterfaceState": "confirming"})
    cloud.has_tagged("dxvif-1")
    cloud.interface(THERE)

    gone, accepted = direct_connect.plan(cloud, settings(interface="dxvif-ffabc123"))

    cloud.is_done()
    assert [(ChangeKind.REMOVE, "dxvif-1"), (ChangeKind.ALTER, "dxvif-ffabc123")] == [
        (it.kind, it.name) for it in (gone, accepted)
    ]


def test_a_hosted_interface_that_was_accepted_is_left_alone_and_not_deleted(cloud: Cloud) -> None:
    offered(cloud, OFFERED)
    cloud.has_tagged()
    offered(cloud, OFFERED)
    offered(cloud, OFFERED)

    apply(cloud, settings(interface="dxvif-ffabc123"))
    cloud.has_tagged()
    direct_connect.destroy(cloud, settings(interface="dxvif-ffabc123"), cloud, lambda _: None)

    cloud.is_done()
    assert [] == cloud.changes


@pytest.mark.parametrize(
    ("found", "words", "remedy"),
    [
        ([], "it is absent, rejected or deleted", "to an account id"),
        (
            [{**OFFERED, "virtualInterfaceState": "rejected"}],
            "it is absent, rejected or deleted",
            "to an account id",
        ),
        (
            [{**OFFERED, "virtualInterfaceType": "transit"}],
            "a transit interface, not a private interface",
            "Write 'type: transit'",
        ),
        ([{**OFFERED, "directConnectGatewayId": "another"}], "it was accepted for another", "for another interface"),
    ],
    ids=["absent", "rejected", "of the other type", "led elsewhere"],
)
@pytest.mark.parametrize("act", ["plan", "apply"])
def test_a_hosted_interface_that_is_not_to_be_had_is_told_before_anything_is_done(
    cloud: Cloud, found: list[dict[str, Any]], words: str, remedy: str, act: str
) -> None:
    offered(cloud, *found)
    wished = settings(interface="dxvif-ffabc123")

    with pytest.raises(AwsRefused, match=words) as caught:
        direct_connect.plan(cloud, wished) if act == "plan" else apply(cloud, wished)

    cloud.is_done()
    assert remedy in caught.value.remedy


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"interface": "dxvif-ffabc123", "vlan": 101}, "sets its properties; remove 'vlan'"),
        (
            {"interface": "dxvif-ffabc123", "connection": "dxcon-ffabc123", "mtu": 1500},
            "remove 'connection' and 'mtu'",
        ),
        ({"interface": "vif"}, "should match pattern"),
    ],
)
def test_what_its_owner_decides_is_not_asked_for(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**wrong)


def test_neither_a_connection_nor_an_interface_is_nothing() -> None:
    given = {"environment": "trial", "cloud": "aws", "owner": "a", "cost_center": "b"}
    with pytest.raises(ValueError, match="name a 'connection' and a 'vlan'"):
        Settings.model_validate({**given, "network": {"direct_connect": {"gateway": GATEWAY}}})


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"mtu": 8500}, "an MTU of 1500 or 9001"),
        ({"mtu": 9001, "type": "transit"}, "an MTU of 1500 or 8500"),
        ({"vlan": 4095}, "less than or equal to 4094"),
        ({"customer_asn": 0}, "greater than or equal to 1"),
        ({"gateway": "dxgw"}, "should match pattern"),
    ],
)
def test_what_direct_connect_would_refuse_is_refused_here(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        settings(**wrong)
