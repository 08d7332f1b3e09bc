"""Direct Connect where CloudFormation has no type: a hosted connection or interface is accepted, a virtual interface made.

The interface that is made is the environment's own, found by its name and its tags. What is hosted belongs to whoever ordered
it: it is accepted where it still waits, and never deleted. CloudFormation associates the Direct Connect gateway with the VPN
gateway or the transit gateway (network.vpn, network.transit_gateway). Names, states and what changes in place are those of the
Direct Connect API reference.
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

PATIENCE = 900.0  # seconds in which a connection or an interface settles
_SHORT_ASN = 2147483646  # the largest that the API takes as 'asn'; a greater one is its 'asnLong'
_GONE = {"deleting", "deleted", "rejected"}
_SETTLED = {"available", "down"}  # an interface is down until the customer's router starts BGP
Aws = Callable[[str], Any]
Pause = Callable[[float], None]


def plan(aws: Aws, settings: Settings) -> tuple[Change, ...]:
    """What `apply` would do."""
    wished = settings.network.direct_connect
    if wished is None:
        return tuple(_removal(it) for it in _own(aws, settings))
    client = aws("directconnect")
    if wished.interface is not None:
        offered = [_acceptance_of(wished)] if _offered(client, wished)["virtualInterfaceState"] == "confirming" else []
        return (*(_removal(it) for it in _own(aws, settings)), *offered)
    assert wished.connection is not None  # so says the section of an interface that is made
    changes = [_acceptance(wished)] if _connection(client, wished)["connectionState"] == "ordering" else []
    strays = [_removal(it) for it in _own(aws, settings) if it["connectionId"] != wished.connection]
    found = _interface(client, wished.connection, _name(settings))
    change = _difference(settings, wished, found)
    return (*changes, *strays, *([change] if change else []))


def apply(
    aws: Aws, settings: Settings, tags: Mapping[str, str], report: Reporter, sleep: Pause = time.sleep
) -> dict[str, Any] | None:
    """Bring connection and interface to what the settings say; the interface as the API then describes it, or None."""
    wished = settings.network.direct_connect
    if wished is None:
        destroy(aws, settings, report, sleep)
        return None
    client, name = aws("directconnect"), _name(settings)
    if wished.interface is not None:
        _offered(client, wished)  # before anything is deleted for it
        destroy(aws, settings, report, sleep)
        return _accept_interface(client, wished, report, sleep)
    assert wished.connection is not None  # so says the section of an interface that is made
    _accept(client, wished, report, sleep)
    for stray in [it for it in _own(aws, settings) if it["connectionId"] != wished.connection]:
        _delete(client, stray, report, sleep)
    found = _interface(client, wished.connection, name)
    change = _difference(settings, wished, found)
    if change is not None and change.kind is ChangeKind.ALTER and found is not None:
        client.update_virtual_interface_attributes(virtualInterfaceId=found["virtualInterfaceId"], mtu=wished.mtu)
        report.change(change)
    elif change is not None:
        if found is not None:
            _delete(client, found, report, sleep)
        _create(client, wished, name, tags)
        report.change(Change("stack", ChangeKind.ADD, change.name, _told(wished)))
    return _told_up(_settled(client, wished.connection, name, report, sleep), report)


def _told_up(made: dict[str, Any], report: Reporter) -> dict[str, Any]:
    if made["virtualInterfaceState"] == "down":
        report.notice(
            f"the virtual interface {made['virtualInterfaceId']} is down until the customer's router starts BGP"
        )
    return made


def destroy(aws: Aws, settings: Settings, report: Reporter, sleep: Pause = time.sleep) -> None:
    """Delete the environment's virtual interfaces; the connection, and a hosted interface, stay."""
    for each in _own(aws, settings):
        _delete(aws("directconnect"), each, report, sleep)


# --- what is there


def _name(settings: Settings) -> str:
    return f"{settings.project}-{settings.name}"


def _own(aws: Aws, settings: Settings) -> list[dict[str, Any]]:
    """The interfaces that carry the environment's tags; who has none of them needs no permission of Direct Connect."""
    listed = [it for it in tagged.resources(aws, settings) if it.kind == "directconnect dxvif"]
    found = (_described(aws("directconnect"), it.identity) for it in listed)
    return [it for it in found if it is not None]


def _described(client: Any, interface: str) -> dict[str, Any] | None:
    told = _pages(client.describe_virtual_interfaces, "virtualInterfaces", virtualInterfaceId=interface)
    return next((it for it in told if it["virtualInterfaceState"] not in _GONE), None)


def _interface(client: Any, connection: str, name: str) -> dict[str, Any] | None:
    """The interface of that name on the connection: found also where its tags are not listed yet."""
    told = _pages(client.describe_virtual_interfaces, "virtualInterfaces", connectionId=connection)
    alive = [it for it in told if it["virtualInterfaceState"] not in _GONE]
    return next((it for it in alive if it["virtualInterfaceName"] == name), None)


def _offered(client: Any, wished: DirectConnect) -> dict[str, Any]:
    """The hosted interface; AwsRefused where it is not to be had, is of the other type or leads elsewhere already."""
    assert wished.interface is not None
    found = _described(client, wished.interface)
    doing = f"looking for the hosted virtual interface {wished.interface}"
    if found is None:
        remedy = "Check that it belongs to this account and region. The connection's owner offers it to an account id."
        raise AwsRefused(doing, "it is absent, rejected or deleted", remedy)
    if found["virtualInterfaceType"] != wished.type:
        remedy = f"Write 'type: {found['virtualInterfaceType']}', or ask the connection's owner for another interface."
        raise AwsRefused(
            doing, f"it is a {found['virtualInterfaceType']} interface, not a {wished.type} interface", remedy
        )
    leads = found.get("directConnectGatewayId")
    if found["virtualInterfaceState"] != "confirming" and leads != wished.gateway:
        remedy = "An accepted interface cannot change its gateway: ask the connection's owner for another interface."
        raise AwsRefused(doing, f"it was accepted for {leads or 'no Direct Connect gateway'}", remedy)
    return found


def _connection(client: Any, wished: DirectConnect) -> dict[str, Any]:
    found = _pages(client.describe_connections, "connections", connectionId=wished.connection)
    state = found[0]["connectionState"] if found else "absent"
    if state in {"absent", "rejected", "deleting", "deleted"}:
        raise AwsRefused(
            f"looking for the Direct Connect connection {wished.connection}",
            f"it is {state}",
            "Check that it belongs to this account and region. A partner offers a hosted connection to an account id.",
        )
    return found[0]


def _pages(call: Callable[..., Any], key: str, **request: Any) -> list[dict[str, Any]]:
    """All that a call lists. Its own paging: botocore has paginators for other calls of this service only."""
    found: list[dict[str, Any]] = []
    token: str | None = None
    while True:
        answer = call(**request, **({"nextToken": token} if token else {}))
        found += answer[key]
        token = answer.get("nextToken")
        if not token:
            return found


# --- what differs


def _difference(settings: Settings, wished: DirectConnect, found: Mapping[str, Any] | None) -> Change | None:
    name = f"{_name(settings)}/VirtualInterface"
    if found is None:
        return Change("stack", ChangeKind.ADD, name, _told(wished))
    fixed = {
        "virtualInterfaceType": wished.type,
        "vlan": wished.vlan,
        "directConnectGatewayId": wished.gateway,
        ("asn" if wished.customer_asn <= _SHORT_ASN else "asnLong"): wished.customer_asn,
    }
    differing = [key for key, value in fixed.items() if found.get(key) != value]
    if differing:
        detail = f"virtual interface: {', '.join(differing)} (its traffic is interrupted)"
        return Change("stack", ChangeKind.REPLACE, name, detail)
    if found.get("mtu") != wished.mtu:
        return Change("stack", ChangeKind.ALTER, name, f"virtual interface: mtu {found.get('mtu')} -> {wished.mtu}")
    return None


def _acceptance(wished: DirectConnect) -> Change:
    return Change(
        "stack", ChangeKind.ALTER, str(wished.connection), "hosted connection: accepted; its hourly costs begin"
    )


def _acceptance_of(wished: DirectConnect) -> Change:
    told = f"hosted {wished.type} virtual interface: accepted for {wished.gateway}"
    return Change("stack", ChangeKind.ALTER, str(wished.interface), told)


def _removal(found: Mapping[str, Any]) -> Change:
    return Change(
        "stack", ChangeKind.REMOVE, found["virtualInterfaceId"], f"virtual interface on {found['connectionId']}"
    )


def _told(wished: DirectConnect) -> str:
    return f"{wished.type} virtual interface, VLAN {wished.vlan} of {wished.connection}"


# --- what is done


def _accept(client: Any, wished: DirectConnect, report: Reporter, sleep: Pause) -> None:
    if _connection(client, wished)["connectionState"] == "ordering":
        client.confirm_connection(connectionId=wished.connection)
        report.change(_acceptance(wished))
    begun = time.monotonic()
    while (state := _connection(client, wished)["connectionState"]) not in _SETTLED:
        _wait(f"the connection {wished.connection}", state, begun, report, sleep)


def _accept_interface(client: Any, wished: DirectConnect, report: Reporter, sleep: Pause) -> dict[str, Any]:
    """Accept a hosted interface for the gateway, which makes it this account's to use; then wait until it is settled."""
    if _offered(client, wished)["virtualInterfaceState"] == "confirming":
        asked = {"virtualInterfaceId": wished.interface, "directConnectGatewayId": wished.gateway}
        if wished.type == "transit":
            client.confirm_transit_virtual_interface(**asked)
        else:
            client.confirm_private_virtual_interface(**asked)
        report.change(_acceptance_of(wished))
    begun = time.monotonic()
    while True:
        found = _described(client, str(wished.interface))
        state = found["virtualInterfaceState"] if found else "absent"
        if found is not None and state in _SETTLED:
            return _told_up(found, report)
        _wait(f"the virtual interface {wished.interface}", state, begun, report, sleep)


def _create(client: Any, wished: DirectConnect, name: str, tags: Mapping[str, str]) -> None:
    """Ask for the interface. A request that is repeated makes no second one: a VLAN is taken once on a connection."""
    number = {("asn" if wished.customer_asn <= _SHORT_ASN else "asnLong"): wished.customer_asn}
    asked = {
        "virtualInterfaceName": name,
        "vlan": wished.vlan,
        "mtu": wished.mtu,
        "addressFamily": "ipv4",
        "directConnectGatewayId": wished.gateway,
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    } | number
    if wished.type == "transit":
        client.create_transit_virtual_interface(connectionId=wished.connection, newTransitVirtualInterface=asked)
    else:
        client.create_private_virtual_interface(connectionId=wished.connection, newPrivateVirtualInterface=asked)


def _settled(client: Any, connection: str, name: str, report: Reporter, sleep: Pause) -> dict[str, Any]:
    begun = time.monotonic()
    while True:
        found = _interface(client, connection, name)
        state = found["virtualInterfaceState"] if found else "absent"
        if found is not None and state in _SETTLED:
            return found
        _wait(f"the virtual interface {name}", state, begun, report, sleep)


def _delete(client: Any, found: Mapping[str, Any], report: Reporter, sleep: Pause) -> None:
    client.delete_virtual_interface(virtualInterfaceId=found["virtualInterfaceId"])
    report.change(_removal(found))
    begun = time.monotonic()
    while True:
        told = _pages(
            client.describe_virtual_interfaces, "virtualInterfaces", virtualInterfaceId=found["virtualInterfaceId"]
        )
        state = told[0]["virtualInterfaceState"] if told else "deleted"
        if state == "deleted":
            return
        _wait(f"the virtual interface {found['virtualInterfaceId']}", state, begun, report, sleep)


def _wait(what: str, state: str, begun: float, report: Reporter, sleep: Pause) -> None:
    if time.monotonic() - begun > PATIENCE or state == "rejected":
        raise AwsRefused(
            f"waiting for {what}",
            f"it is {state} after {time.monotonic() - begun:.0f} s",
            "Ask the partner that provides the connection; the same command continues from there.",
        )
    report.progress(f"waiting for {what}, which is {state}")
    sleep(5)
