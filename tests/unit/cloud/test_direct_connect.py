"""Direct Connect through its API: a model of the calls that are made, each held to botocore's own description by a Stubber."""

from collections.abc import Callable
from typing import Any

import pytest

from bootstrap.cloud import direct_connect
from bootstrap.environment.models import Settings
from bootstrap.errors import AwsRefused
from bootstrap.values import ChangeKind
from tests.unit.cloud.direct_connect_model import GATEWAY, TAGS, THERE, Cloud, apply, settings


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
