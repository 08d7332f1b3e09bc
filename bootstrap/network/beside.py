"""What stands beside a network and decides no packet's way: VPN connections, Direct Connect, logs and DNS zones.

Read for the picture alone, as AWS tells it. What cannot be asked (a permission, a service that is not there) is left out and
named, so that a picture never says 'there is none' of what nobody saw.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

Aws = Callable[[str], Any]
_GONE = {"deleting", "deleted", "rejected", "disassociated"}


@dataclass(frozen=True)
class Connection:
    """A site-to-site VPN connection of a VPN gateway. `routes` are its static ones; none with BGP."""

    id: str
    gateway: str
    customer_address: str
    customer_asn: str
    is_static: bool
    tunnels_up: int = 0
    routes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DirectConnect:
    """A Direct Connect gateway associated with a VPN or transit gateway, and the virtual interfaces to it, in words."""

    id: str
    gateway: str
    state: str
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Log:
    """Something of the network that is logged: 'flow logs' or 'DNS queries', of which traffic, and where to."""

    what: str
    of: str
    to: str


@dataclass(frozen=True)
class Zone:
    """A hosted zone: its name and its records' names and values, those of its own administration left out."""

    name: str
    is_private: bool
    records: tuple[str, ...] = ()


@dataclass(frozen=True)
class Beside:
    """All of it, for one VPC. `asns` are the VPN gateways' own; `unseen` says what could not be asked, and why."""

    region: str = ""
    asns: tuple[tuple[str, int], ...] = ()
    connections: tuple[Connection, ...] = ()
    direct_connects: tuple[DirectConnect, ...] = ()
    logs: tuple[Log, ...] = ()
    zones: tuple[Zone, ...] = ()
    unseen: tuple[str, ...] = ()


def read(
    aws: Aws,
    vpc_id: str,
    region: str,
    is_refusal: Callable[[Exception], bool],
    *,
    with_direct_connect: bool,
    transit_gateways: Collection[str] = (),
    public_zones: Mapping[str, str],
) -> Beside:
    """Ask AWS. `is_refusal` tells AWS' own answers, which leave a part out, from bugs, which are raised.

    `public_zones` are the environment's, name by id: nothing at AWS ties a public zone to a VPC.
    """
    found, unseen = Beside(region), []
    looks: tuple[tuple[str, Callable[[], dict[str, Any]]], ...] = (
        ("VPN connections", lambda: _vpn(aws("ec2"), vpc_id)),
        ("flow logs", lambda: {"logs": tuple(_flow_logs(aws("ec2"), vpc_id))}),
        ("DNS query logs", lambda: {"logs": (*found.logs, *_query_logs(aws("route53resolver"), vpc_id))}),
        ("DNS zones", lambda: {"zones": tuple(_zones(aws("route53"), vpc_id, region))}),
        (
            "public DNS zones",
            lambda: {"zones": (*found.zones, *_public(aws("route53"), public_zones))} if public_zones else {},
        ),
        (
            "Direct Connect",
            lambda: {"direct_connects": tuple(_direct_connects(aws("directconnect"), found.asns, transit_gateways))},
        ),
    )
    for what, look in looks:
        if what == "Direct Connect" and not with_direct_connect:
            continue
        try:
            found = replace(found, **look())
        except Exception as error:
            if not is_refusal(error):
                raise
            unseen.append(f"{what}: {str(error).splitlines()[0]}")
    return replace(found, unseen=tuple(unseen))


def _vpn(ec2: Any, vpc_id: str) -> dict[str, Any]:
    here = {"Filters": [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]}
    asns = {it["VpnGatewayId"]: int(it["AmazonSideAsn"]) for it in ec2.describe_vpn_gateways(**here)["VpnGateways"]}
    customers = {it["CustomerGatewayId"]: it for it in ec2.describe_customer_gateways()["CustomerGateways"]}
    connections = [
        _connection(it, customers.get(it["CustomerGatewayId"], {}))
        for it in ec2.describe_vpn_connections()["VpnConnections"]
        if it.get("VpnGatewayId") in asns and it["State"] not in _GONE
    ]
    return {"asns": tuple(asns.items()), "connections": tuple(connections)}


def _connection(told: Any, customer: Any) -> Connection:
    """One connection; its tunnels' keys, which AWS tells along, go no further than here."""
    return Connection(
        id=told["VpnConnectionId"],
        gateway=told["VpnGatewayId"],
        customer_address=customer.get("IpAddress", told["CustomerGatewayId"]),
        customer_asn=str(customer.get("BgpAsnExtended") or customer.get("BgpAsn", "")),
        is_static=bool(told.get("Options", {}).get("StaticRoutesOnly")),
        tunnels_up=sum(it.get("Status") == "UP" for it in told.get("VgwTelemetry", ())),
        routes=tuple(it["DestinationCidrBlock"] for it in told.get("Routes", ()) if it.get("State") not in _GONE),
    )


def _flow_logs(ec2: Any, vpc_id: str) -> Iterator[Log]:
    # This call alone spells the argument without a plural.
    told = ec2.get_paginator("describe_flow_logs").paginate(Filter=[{"Name": "resource-id", "Values": [vpc_id]}])
    for it in (each for page in told for each in page["FlowLogs"]):
        yield Log("flow logs", f"{it['TrafficType'].lower()} traffic", _short(it.get("LogDestination", "")))


def _query_logs(resolver: Any, vpc_id: str) -> Iterator[Log]:
    here = [{"Name": "ResourceId", "Values": [vpc_id]}]
    asked = resolver.get_paginator("list_resolver_query_log_config_associations").paginate(Filters=here)
    wanted = {it["ResolverQueryLogConfigId"] for page in asked for it in page["ResolverQueryLogConfigAssociations"]}
    pages = resolver.get_paginator("list_resolver_query_log_configs").paginate() if wanted else ()
    for it in (each for page in pages for each in page["ResolverQueryLogConfigs"]):
        if it["Id"] in wanted:
            yield Log("DNS queries", "every name asked for", _short(it["DestinationArn"]))


def _short(arn: str) -> str:
    """What people call the target of an ARN: a log group's or a bucket's name."""
    return arn.removesuffix(":*").rpartition(":")[2]


def _zones(route53: Any, vpc_id: str, region: str) -> Iterator[Zone]:
    told = route53.list_hosted_zones_by_vpc(VPCId=vpc_id, VPCRegion=region)["HostedZoneSummaries"]
    for it in told:
        yield Zone(it["Name"].rstrip("."), True, tuple(_records(route53, it["HostedZoneId"])))


def _public(route53: Any, zones: Mapping[str, str]) -> Iterator[Zone]:
    for zone_id, name in zones.items():
        yield Zone(name, False, tuple(_records(route53, zone_id)))


def _records(route53: Any, zone: str) -> Iterator[str]:
    for page in route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone):
        for it in page["ResourceRecordSets"]:
            if it["Type"] in {"A", "AAAA", "CNAME"}:
                values = ", ".join(each["Value"] for each in it.get("ResourceRecords", ())) or "an alias"
                yield f"{it['Name'].rstrip('.')} = {values}"


def _direct_connects(
    client: Any, asns: tuple[tuple[str, int], ...], transit_gateways: Collection[str]
) -> Iterator[DirectConnect]:
    interfaces = client.describe_virtual_interfaces()["virtualInterfaces"]
    asked = [*(("virtualGatewayId", it) for it, _ in asns), *(("associatedGatewayId", it) for it in transit_gateways)]
    for name, gateway in asked:
        told = client.describe_direct_connect_gateway_associations(**{name: gateway})
        for it in told["directConnectGatewayAssociations"]:
            if it["associationState"] not in _GONE:
                leading = (
                    each for each in interfaces if each.get("directConnectGatewayId") == it["directConnectGatewayId"]
                )
                words = tuple(
                    f"{each['virtualInterfaceType']} interface, VLAN {each['vlan']}, {each['virtualInterfaceState']}"
                    for each in leading
                    if each["virtualInterfaceState"] not in _GONE
                )
                yield DirectConnect(it["directConnectGatewayId"], gateway, it["associationState"], words)
