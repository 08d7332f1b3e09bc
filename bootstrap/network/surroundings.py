"""The surroundings of a network, for the picture alone: VPN connections, Direct Connect, logs and hosted zones.

No verdict of the analyser depends on them. What AWS refuses to answer (a missing permission, a service that the region does not
have) is left out, and `unseen` names it: the picture must not say 'there is none' where nothing could be read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

Aws = Callable[[str], Any]
_GONE = {"deleting", "deleted", "rejected", "disassociated"}


@dataclass(frozen=True)
class Connection:
    """A site-to-site VPN connection of a VPN gateway. `routes` are its static routes; with BGP there are none."""

    id: str
    gateway: str
    customer_address: str
    customer_asn: str
    is_static: bool
    tunnels_up: int = 0
    routes: tuple[str, ...] = ()


@dataclass(frozen=True)
class DirectConnect:
    """A Direct Connect gateway that is associated with a VPN or transit gateway.

    `interfaces` describe its virtual interfaces.
    """

    id: str
    gateway: str
    state: str
    interfaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Log:
    """A log of the network: its kind (`what`: 'flow logs' or 'DNS queries'), its traffic, and where it is written to."""

    what: str
    of: str
    to: str


@dataclass(frozen=True)
class Zone:
    """A hosted zone: its name, and its A, AAAA and CNAME records as 'name = value'."""

    name: str
    is_private: bool
    records: tuple[str, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """The surroundings of one VPC. `asns` has the ASN of each VPN gateway; `unseen` says what could not be read, and why."""

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
) -> Surroundings:
    """Read the surroundings of a VPC from AWS.

    Where `is_refusal` says that an exception is an answer of AWS, that part is left out and named in `unseen`; any other
    exception is raised. `public_zones` are the environment's public hosted zones, names by id: AWS does not associate a
    public hosted zone with a VPC.
    """
    surroundings, unseen = Surroundings(region), []
    readers: tuple[tuple[str, Callable[[], dict[str, Any]]], ...] = (
        ("VPN connections", lambda: _read_vpn(aws("ec2"), vpc_id)),
        ("flow logs", lambda: {"logs": tuple(_list_flow_logs(aws("ec2"), vpc_id))}),
        ("DNS query logs", lambda: {"logs": (*surroundings.logs, *_list_query_logs(aws("route53resolver"), vpc_id))}),
        ("hosted zones", lambda: {"zones": tuple(_list_zones(aws("route53"), vpc_id, region))}),
        (
            "public hosted zones",
            lambda: (
                {"zones": (*surroundings.zones, *_list_public_zones(aws("route53"), public_zones))}
                if public_zones
                else {}
            ),
        ),
        (
            "Direct Connect",
            lambda: {
                "direct_connects": tuple(
                    _list_direct_connects(aws("directconnect"), surroundings.asns, transit_gateways)
                )
            },
        ),
    )
    for subject, reader in readers:
        if subject == "Direct Connect" and not with_direct_connect:
            continue
        try:
            surroundings = replace(surroundings, **reader())
        except Exception as error:
            if not is_refusal(error):
                raise
            unseen.append(f"{subject}: {str(error).splitlines()[0]}")
    return replace(surroundings, unseen=tuple(unseen))


def _read_vpn(ec2: Any, vpc_id: str) -> dict[str, Any]:
    filters = {"Filters": [{"Name": "attachment.vpc-id", "Values": [vpc_id]}]}
    asns = {
        item["VpnGatewayId"]: int(item["AmazonSideAsn"]) for item in ec2.describe_vpn_gateways(**filters)["VpnGateways"]
    }
    customers = {item["CustomerGatewayId"]: item for item in ec2.describe_customer_gateways()["CustomerGateways"]}
    connections = [
        _parse_connection(item, customers.get(item["CustomerGatewayId"], {}))
        for item in ec2.describe_vpn_connections()["VpnConnections"]
        if item.get("VpnGatewayId") in asns and item["State"] not in _GONE
    ]
    return {"asns": tuple(asns.items()), "connections": tuple(connections)}


def _parse_connection(description: Any, customer: Any) -> Connection:
    """One connection. The answer of AWS also has the keys of the tunnels; they are not taken over."""
    return Connection(
        id=description["VpnConnectionId"],
        gateway=description["VpnGatewayId"],
        customer_address=customer.get("IpAddress", description["CustomerGatewayId"]),
        customer_asn=str(customer.get("BgpAsnExtended") or customer.get("BgpAsn", "")),
        is_static=bool(description.get("Options", {}).get("StaticRoutesOnly")),
        tunnels_up=sum(item.get("Status") == "UP" for item in description.get("VgwTelemetry", ())),
        routes=tuple(
            item["DestinationCidrBlock"] for item in description.get("Routes", ()) if item.get("State") not in _GONE
        ),
    )


def _list_flow_logs(ec2: Any, vpc_id: str) -> Iterator[Log]:
    # Only this call names its argument `Filter`; the others name it `Filters`.
    pages = ec2.get_paginator("describe_flow_logs").paginate(Filter=[{"Name": "resource-id", "Values": [vpc_id]}])
    for log in (each for page in pages for each in page["FlowLogs"]):
        yield Log("flow logs", f"{log['TrafficType'].lower()} traffic", _shorten_arn(log.get("LogDestination", "")))


def _list_query_logs(resolver: Any, vpc_id: str) -> Iterator[Log]:
    filters = [{"Name": "ResourceId", "Values": [vpc_id]}]
    associations = resolver.get_paginator("list_resolver_query_log_config_associations").paginate(Filters=filters)
    config_ids = {
        item["ResolverQueryLogConfigId"] for page in associations for item in page["ResolverQueryLogConfigAssociations"]
    }
    pages = resolver.get_paginator("list_resolver_query_log_configs").paginate() if config_ids else ()
    for item in (each for page in pages for each in page["ResolverQueryLogConfigs"]):
        if item["Id"] in config_ids:
            yield Log("DNS queries", "every name asked for", _shorten_arn(item["DestinationArn"]))


def _shorten_arn(arn: str) -> str:
    """The name in the ARN of a log group or a bucket."""
    return arn.removesuffix(":*").rpartition(":")[2]


def _list_zones(route53: Any, vpc_id: str, region: str) -> Iterator[Zone]:
    summaries = route53.list_hosted_zones_by_vpc(VPCId=vpc_id, VPCRegion=region)["HostedZoneSummaries"]
    for summary in summaries:
        yield Zone(summary["Name"].rstrip("."), True, tuple(_list_records(route53, summary["HostedZoneId"])))


def _list_public_zones(route53: Any, zones: Mapping[str, str]) -> Iterator[Zone]:
    for zone_id, name in zones.items():
        yield Zone(name, False, tuple(_list_records(route53, zone_id)))


def _list_records(route53: Any, zone: str) -> Iterator[str]:
    for page in route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone):
        for record in page["ResourceRecordSets"]:
            if record["Type"] in {"A", "AAAA", "CNAME"}:
                values = ", ".join(each["Value"] for each in record.get("ResourceRecords", ())) or "an alias"
                yield f"{record['Name'].rstrip('.')} = {values}"


def _list_direct_connects(
    client: Any, asns: tuple[tuple[str, int], ...], transit_gateways: Collection[str]
) -> Iterator[DirectConnect]:
    interfaces = client.describe_virtual_interfaces()["virtualInterfaces"]
    lookups = [*(("virtualGatewayId", it) for it, _ in asns), *(("associatedGatewayId", it) for it in transit_gateways)]
    for name, gateway in lookups:
        answer = client.describe_direct_connect_gateway_associations(**{name: gateway})
        for item in answer["directConnectGatewayAssociations"]:
            if item["associationState"] not in _GONE:
                attached = (
                    interface
                    for interface in interfaces
                    if interface.get("directConnectGatewayId") == item["directConnectGatewayId"]
                )
                descriptions = tuple(
                    f"{interface['virtualInterfaceType']} interface, VLAN {interface['vlan']}, "
                    f"{interface['virtualInterfaceState']}"
                    for interface in attached
                    if interface["virtualInterfaceState"] not in _GONE
                )
                yield DirectConnect(item["directConnectGatewayId"], gateway, item["associationState"], descriptions)
