"""Hosted virtual interfaces of Direct Connect: they are accepted, and what their owner decides is left alone."""

from typing import Any

import pytest

from bootstrap.cloud import direct_connect
from bootstrap.errors import AwsRefused
from bootstrap.values import ChangeKind
from tests.unit.cloud.direct_connect_model import GATEWAY, THERE, Cloud, apply, settings

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
