"""Direct Connect without a CloudFormation type: accepts hosted connections and interfaces, and makes virtual interfaces.

A virtual interface that is made here belongs to the environment, and is found by its name and its tags. A hosted connection or
interface belongs to somebody else: it is accepted if it waits for that, and never deleted. CloudFormation associates the Direct
Connect gateway with the VPN gateway or the transit gateway (network.vpn, network.transit_gateway). Names, states and the
attributes that can be changed are those of the Direct Connect API reference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from bootstrap.cloud import tags as tagged
from bootstrap.environment.models import Settings
from bootstrap.environment.network_options import DirectConnect
from bootstrap.errors import AwsRefused
from bootstrap.values import Change, ChangeKind, Reporter

PATIENCE = 900.0  # the longest time to wait for a connection or an interface, in seconds
_SHORT_ASN = 2147483646  # the largest number for the key 'asn' of the API; larger ones need 'asnLong'
_DELETED_STATES = {"deleting", "deleted", "rejected"}
_SETTLED_STATES = {"available", "down"}  # an interface is down until the customer's router starts BGP
Aws = Callable[[str], Any]
Pause = Callable[[float], None]


def plan(aws: Aws, settings: Settings) -> tuple[Change, ...]:
    """The changes that `apply` would make; changes nothing. AwsRefused if the connection or the interface cannot be used."""
    desired = settings.network.direct_connect
    if desired is None:
        return tuple(_describe_removal(item) for item in _list_own(aws, settings))
    client = aws("directconnect")
    if desired.interface is not None:
        offered = (
            [_describe_interface_acceptance(desired)]
            if _find_offered_interface(client, desired)["virtualInterfaceState"] == "confirming"
            else []
        )
        return (*(_describe_removal(item) for item in _list_own(aws, settings)), *offered)
    assert desired.connection is not None  # the section of the environment file requires one of the two
    changes = (
        [_describe_connection_acceptance(desired)]
        if _find_connection(client, desired)["connectionState"] == "ordering"
        else []
    )
    strays = [
        _describe_removal(item) for item in _list_own(aws, settings) if item["connectionId"] != desired.connection
    ]
    interface = _find_interface(client, desired.connection, _make_interface_name(settings))
    change = _compare(settings, desired, interface)
    return (*changes, *strays, *([change] if change else []))


def apply(
    aws: Aws, settings: Settings, tags: Mapping[str, str], report: Reporter, sleep: Pause = time.sleep
) -> dict[str, Any] | None:
    """Make connection and interface equal to the settings; returns the description of the interface, None if there is none.

    AwsRefused if the connection or the interface cannot be used, or does not settle within PATIENCE.
    """
    desired = settings.network.direct_connect
    if desired is None:
        destroy(aws, settings, report, sleep)
        return None
    client, name = aws("directconnect"), _make_interface_name(settings)
    if desired.interface is not None:
        _find_offered_interface(client, desired)  # raises AwsRefused before anything is deleted
        destroy(aws, settings, report, sleep)
        return _accept_interface(client, desired, report, sleep)
    assert desired.connection is not None  # the section of the environment file requires one of the two
    _accept(client, desired, report, sleep)
    for stray in [it for it in _list_own(aws, settings) if it["connectionId"] != desired.connection]:
        _delete(client, stray, report, sleep)
    interface = _find_interface(client, desired.connection, name)
    change = _compare(settings, desired, interface)
    if change is not None and change.kind is ChangeKind.ALTER and interface is not None:
        client.update_virtual_interface_attributes(virtualInterfaceId=interface["virtualInterfaceId"], mtu=desired.mtu)
        report.change(change)
    elif change is not None:
        if interface is not None:
            _delete(client, interface, report, sleep)
        _create(client, desired, name, tags)
        report.change(Change("stack", ChangeKind.ADD, change.name, _describe_interface(desired)))
    return _report_if_down(_wait_until_settled(client, desired.connection, name, report, sleep), report)


def _report_if_down(interface: dict[str, Any], report: Reporter) -> dict[str, Any]:
    if interface["virtualInterfaceState"] == "down":
        report.notice(
            f"the virtual interface {interface['virtualInterfaceId']} is down until the customer's router starts BGP"
        )
    return interface


def destroy(aws: Aws, settings: Settings, report: Reporter, sleep: Pause = time.sleep) -> None:
    """Delete the environment's own virtual interfaces, but neither the connection nor a hosted interface."""
    for interface in _list_own(aws, settings):
        _delete(aws("directconnect"), interface, report, sleep)


# --- reading


def _make_interface_name(settings: Settings) -> str:
    return f"{settings.project}-{settings.name}"


def _list_own(aws: Aws, settings: Settings) -> list[dict[str, Any]]:
    """The interfaces with the environment's tags; if there are none, no permission for Direct Connect is needed."""
    resources = [item for item in tagged.list_resources(aws, settings) if item.kind == "directconnect dxvif"]
    interfaces = (_read_interface(aws("directconnect"), item.identity) for item in resources)
    return [item for item in interfaces if item is not None]


def _read_interface(client: Any, interface: str) -> dict[str, Any] | None:
    interfaces = _read_pages(client.describe_virtual_interfaces, "virtualInterfaces", virtualInterfaceId=interface)
    return next((item for item in interfaces if item["virtualInterfaceState"] not in _DELETED_STATES), None)


def _find_interface(client: Any, connection: str, name: str) -> dict[str, Any] | None:
    """The interface with a name on a connection; it is found even if its tags are not listed yet."""
    interfaces = _read_pages(client.describe_virtual_interfaces, "virtualInterfaces", connectionId=connection)
    existing = [item for item in interfaces if item["virtualInterfaceState"] not in _DELETED_STATES]
    return next((item for item in existing if item["virtualInterfaceName"] == name), None)


def _find_offered_interface(client: Any, desired: DirectConnect) -> dict[str, Any]:
    """The hosted interface; AwsRefused if it does not exist, has another type, or was accepted for another gateway."""
    assert desired.interface is not None
    interface = _read_interface(client, desired.interface)
    doing = f"looking for the hosted virtual interface {desired.interface}"
    if interface is None:
        remedy = "Check that it belongs to this account and region. The connection's owner offers it to an account id."
        raise AwsRefused(doing, "it is absent, rejected or deleted", remedy)
    if interface["virtualInterfaceType"] != desired.type:
        remedy = (
            f"Write 'type: {interface['virtualInterfaceType']}', or ask the connection's owner for another interface."
        )
        raise AwsRefused(
            doing, f"it is a {interface['virtualInterfaceType']} interface, not a {desired.type} interface", remedy
        )
    gateway = interface.get("directConnectGatewayId")
    if interface["virtualInterfaceState"] != "confirming" and gateway != desired.gateway:
        remedy = "An accepted interface cannot change its gateway: ask the connection's owner for another interface."
        raise AwsRefused(doing, f"it was accepted for {gateway or 'no Direct Connect gateway'}", remedy)
    return interface


def _find_connection(client: Any, desired: DirectConnect) -> dict[str, Any]:
    connections = _read_pages(client.describe_connections, "connections", connectionId=desired.connection)
    state = connections[0]["connectionState"] if connections else "absent"
    if state in {"absent", "rejected", "deleting", "deleted"}:
        raise AwsRefused(
            f"looking for the Direct Connect connection {desired.connection}",
            f"it is {state}",
            "Check that it belongs to this account and region. A partner offers a hosted connection to an account id.",
        )
    return connections[0]


def _read_pages(call: Callable[..., Any], key: str, **request: Any) -> list[dict[str, Any]]:
    """The items of all pages of a call; botocore has no paginators for these calls."""
    items: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        answer = call(**request, **({"nextToken": token} if token else {}))
        items += answer[key]
        token = answer.get("nextToken")
        if not token:
            return items


# --- comparing


def _compare(settings: Settings, desired: DirectConnect, interface: Mapping[str, Any] | None) -> Change | None:
    name = f"{_make_interface_name(settings)}/VirtualInterface"
    if interface is None:
        return Change("stack", ChangeKind.ADD, name, _describe_interface(desired))
    fixed_values = {
        "virtualInterfaceType": desired.type,
        "vlan": desired.vlan,
        "directConnectGatewayId": desired.gateway,
        ("asn" if desired.customer_asn <= _SHORT_ASN else "asnLong"): desired.customer_asn,
    }
    changed_keys = [key for key, value in fixed_values.items() if interface.get(key) != value]
    if changed_keys:
        detail = f"virtual interface: {', '.join(changed_keys)} (its traffic is interrupted)"
        return Change("stack", ChangeKind.REPLACE, name, detail)
    if interface.get("mtu") != desired.mtu:
        return Change(
            "stack", ChangeKind.ALTER, name, f"virtual interface: mtu {interface.get('mtu')} -> {desired.mtu}"
        )
    return None


def _describe_connection_acceptance(desired: DirectConnect) -> Change:
    return Change(
        "stack", ChangeKind.ALTER, str(desired.connection), "hosted connection: accepted; its hourly costs begin"
    )


def _describe_interface_acceptance(desired: DirectConnect) -> Change:
    detail = f"hosted {desired.type} virtual interface: accepted for {desired.gateway}"
    return Change("stack", ChangeKind.ALTER, str(desired.interface), detail)


def _describe_removal(interface: Mapping[str, Any]) -> Change:
    return Change(
        "stack", ChangeKind.REMOVE, interface["virtualInterfaceId"], f"virtual interface on {interface['connectionId']}"
    )


def _describe_interface(desired: DirectConnect) -> str:
    return f"{desired.type} virtual interface, VLAN {desired.vlan} of {desired.connection}"


# --- changing


def _accept(client: Any, desired: DirectConnect, report: Reporter, sleep: Pause) -> None:
    if _find_connection(client, desired)["connectionState"] == "ordering":
        client.confirm_connection(connectionId=desired.connection)
        report.change(_describe_connection_acceptance(desired))
    begun = time.monotonic()
    while (state := _find_connection(client, desired)["connectionState"]) not in _SETTLED_STATES:
        _wait(f"the connection {desired.connection}", state, begun, report, sleep)


def _accept_interface(client: Any, desired: DirectConnect, report: Reporter, sleep: Pause) -> dict[str, Any]:
    """Accept a hosted interface for the gateway, so that this account can use it; then wait until it settles."""
    if _find_offered_interface(client, desired)["virtualInterfaceState"] == "confirming":
        request = {"virtualInterfaceId": desired.interface, "directConnectGatewayId": desired.gateway}
        if desired.type == "transit":
            client.confirm_transit_virtual_interface(**request)
        else:
            client.confirm_private_virtual_interface(**request)
        report.change(_describe_interface_acceptance(desired))
    begun = time.monotonic()
    while True:
        interface = _read_interface(client, str(desired.interface))
        state = interface["virtualInterfaceState"] if interface else "absent"
        if interface is not None and state in _SETTLED_STATES:
            return _report_if_down(interface, report)
        _wait(f"the virtual interface {desired.interface}", state, begun, report, sleep)


def _create(client: Any, desired: DirectConnect, name: str, tags: Mapping[str, str]) -> None:
    """Create the interface. A repeated request makes no second one, because a connection has each VLAN only once."""
    number = {("asn" if desired.customer_asn <= _SHORT_ASN else "asnLong"): desired.customer_asn}
    request = {
        "virtualInterfaceName": name,
        "vlan": desired.vlan,
        "mtu": desired.mtu,
        "addressFamily": "ipv4",
        "directConnectGatewayId": desired.gateway,
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    } | number
    if desired.type == "transit":
        client.create_transit_virtual_interface(connectionId=desired.connection, newTransitVirtualInterface=request)
    else:
        client.create_private_virtual_interface(connectionId=desired.connection, newPrivateVirtualInterface=request)


def _wait_until_settled(client: Any, connection: str, name: str, report: Reporter, sleep: Pause) -> dict[str, Any]:
    begun = time.monotonic()
    while True:
        interface = _find_interface(client, connection, name)
        state = interface["virtualInterfaceState"] if interface else "absent"
        if interface is not None and state in _SETTLED_STATES:
            return interface
        _wait(f"the virtual interface {name}", state, begun, report, sleep)


def _delete(client: Any, interface: Mapping[str, Any], report: Reporter, sleep: Pause) -> None:
    client.delete_virtual_interface(virtualInterfaceId=interface["virtualInterfaceId"])
    report.change(_describe_removal(interface))
    begun = time.monotonic()
    while True:
        interfaces = _read_pages(
            client.describe_virtual_interfaces, "virtualInterfaces", virtualInterfaceId=interface["virtualInterfaceId"]
        )
        state = interfaces[0]["virtualInterfaceState"] if interfaces else "deleted"
        if state == "deleted":
            return
        _wait(f"the virtual interface {interface['virtualInterfaceId']}", state, begun, report, sleep)


def _wait(subject: str, state: str, begun: float, report: Reporter, sleep: Pause) -> None:
    if time.monotonic() - begun > PATIENCE or state == "rejected":
        raise AwsRefused(
            f"waiting for {subject}",
            f"it is {state} after {time.monotonic() - begun:.0f} s",
            "Ask the partner that provides the connection; the same command continues from there.",
        )
    report.progress(f"waiting for {subject}, which is {state}")
    sleep(5)
