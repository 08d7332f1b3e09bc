"""The parameters of each stack, from the settings and from the outputs of the stacks before it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from bootstrap.environment import agent_key
from bootstrap.environment.models import Settings
from bootstrap.environment.network_options import PLACES, PublicZone, Queries, Service, TransitGateway, Vpn
from bootstrap.stacks.composition import ISOLATED, PER_ZONE, TAKES
from bootstrap.values import Stack

ENDPOINTS: Mapping[Service, str] = {
    "ssm": "Ssm",
    "ssmmessages": "SsmMessages",
    "ec2messages": "Ec2Messages",
    "secretsmanager": "SecretsManager",
    "logs": "Logs",
    "cloudformation": "CloudFormation",
    "ec2": "Ec2",
    "kms": "Kms",
    "sts": "Sts",
}
"""Each service that may have an interface endpoint, and the parameter of the endpoints' template that asks for it."""


def parameters(settings: Settings, name: str, made: Mapping[str, Stack]) -> dict[str, str]:
    """The parameters of one stack; KeyError where an output that it takes is not there."""
    outputs = {key: value for stack in made.values() for key, value in stack.outputs.items()}
    common = {"Project": settings.project, "Environment": settings.name}
    absent = {} if settings.network.isolated else {ISOLATED: ""}
    taken = {key: outputs[key] if key not in absent else absent[key] for key in TAKES.get(name, ())}
    lists = {
        key: ",".join(taken[key].split(",")[: settings.network.zone_count]) for key in PER_ZONE.intersection(taken)
    }
    return common | taken | lists | _own(settings, name, outputs)


def _own(settings: Settings, name: str, outputs: Mapping[str, str]) -> dict[str, str]:
    network = settings.network
    match name:
        case "network":
            placed = _addresses(settings) | _placed(settings, outputs)
            return placed | _ways_in_and_out(settings) | _ssh(settings) | {"Nat": network.nat}
        case "acls":
            return _ways_in_and_out(settings) | {"OperatorSsh": _ssh(settings)["OperatorSsh"]}
        case "endpoints":
            return {parameter: "yes" for service, parameter in ENDPOINTS.items() if service in network.endpoints}
        case "data":
            return {"Zone": outputs["ControllerZone"], "DataGib": str(settings.controller.data_gib)}
        case "controller":
            machine = settings.controller
            served = {"FirstNetwork": settings.networks[0], "NextNetwork": settings.networks[-1]}
            sizes = {"InstanceType": machine.instance_type, "RootGib": str(machine.root_gib)}
            return served | sizes | _agent(settings)
        case _:
            return _names(settings, outputs) if name == "names" else _optional(settings, name)


def _optional(settings: Settings, name: str) -> dict[str, str]:
    network = settings.network
    if name == "traffic-logs" and network.flow_logs is not None:
        logs = network.flow_logs
        return {
            "RetentionDays": str(logs.retention_days),
            "KmsKeyArn": logs.kms_key_arn or "",
            "QueryLogs": "yes" if logs.queries else "no",
        }
    if name == "bastion" and network.bastion is not None:
        image = {"ImageId": network.bastion.image} if network.bastion.image else {}
        return image | {"InstanceType": network.bastion.instance_type} | _places("Allowed", network.bastion.allow)
    if name == "vpn" and network.vpn is not None:
        return _vpn(network.vpn)
    if name == "transit-gateway" and network.transit_gateway is not None:
        return {"Zones": str(network.zone_count)} | _transit(network.transit_gateway)
    if name == "peering":
        return {"Zones": str(network.zone_count)}
    if name == "public-zone" and network.public_zone is not None:
        return _public_zone(network.public_zone)
    return {}


def _addresses(settings: Settings) -> dict[str, str]:
    """/24 subnets, or smaller ones where the VPC could not hold eight of them; isolated ones are half as large."""
    bits = min(8, 29 - int(settings.network.cidr.rpartition("/")[2]))
    return {
        "VpcCidr": settings.network.cidr,
        "SubnetBits": str(bits),
        "DataSubnetBits": str(bits - 1),
        "DomainName": settings.network.private_zone or "",
    }


def _placed(settings: Settings, outputs: Mapping[str, str]) -> dict[str, str]:
    """The zones by name: those of the settings, else those where the subnets stand, which so never move."""
    kept = tuple(it for it in outputs.get("ZoneNames", "").split(",") if it)
    names = (settings.network.zone_names or kept)[: settings.network.zone_count]
    return {f"Zone{place + 1}": name for place, name in enumerate(names)}


def _public_zone(zone: PublicZone) -> dict[str, str]:
    """All but the zone above, which Route 53 is asked for."""
    queries = zone.queries or Queries()
    return {
        "Domain": zone.domain,
        "QueryLogs": "yes" if zone.queries and not zone.queries.log_group else "no",
        "LogGroupArn": queries.log_group or "",
        "RetentionDays": str(queries.retention_days),
        "KmsKeyArn": queries.kms_key_arn or "",
    } | _places("Authority", zone.authorities)


def _names(settings: Settings, outputs: Mapping[str, str]) -> dict[str, str]:
    """The private zone, and where there is a public one, what it is."""
    public = ("PublicZoneId", "PublicDomain") if settings.network.public_zone else ()
    return {"Domain": settings.network.private_zone or ""} | {key: outputs[key] for key in public}


def _ways_in_and_out(settings: Settings) -> dict[str, str]:
    return {
        "Zones": str(settings.network.zone_count),
        "OperatorCidr": settings.access.operator_cidr or "",
        "SmtpPort": str(settings.mail.smtp_port),
        "Isolated": "yes" if settings.network.isolated else "no",
        "Ipv6": "yes" if settings.network.ipv6 else "no",
    }


def _ssh(settings: Settings) -> dict[str, str]:
    """From where port 22 of the controller is open: from nowhere at all where SSH comes through Session Manager."""
    by_bastion = settings.ssh != "session-manager" or settings.network.bastion is not None
    return {"OperatorSsh": "yes" if settings.ssh == "direct" else "no", "BastionSsh": "yes" if by_bastion else "no"}


def _agent(settings: Settings) -> dict[str, str]:
    """The key of Session Manager's agent, where the machine is to have one."""
    if settings.ssh != "session-manager" or settings.access.agent_key is None:
        return {}
    return {"AgentKey": base64.b64encode(agent_key.binary(settings.access.agent_key)).decode()}


def _vpn(vpn: Vpn) -> dict[str, str]:
    # EC2 takes a number above 2147483647 under another name.
    is_large = vpn.customer_asn > 2147483647
    return {
        "GatewayAsn": str(vpn.gateway_asn),
        "CustomerAddress": vpn.customer_address or "",
        "CustomerLargeAsn" if is_large else "CustomerAsn": str(vpn.customer_asn),
        "IsLargeAsn": "yes" if is_large else "no",
        "DirectConnectGatewayId": vpn.direct_connect_gateway or "",
    } | _places("Route", vpn.routes)


def _transit(gateway: TransitGateway) -> dict[str, str]:
    return {
        "TransitGatewayId": gateway.id or "",
        "GatewayAsn": str(gateway.asn),
        "DirectConnectGatewayId": gateway.direct_connect_gateway or "",
    } | _places("Route", gateway.routes)


def _places(name: str, blocks: Sequence[str]) -> dict[str, str]:
    """As many numbered parameters as a template has places; empty where the list is shorter."""
    return {f"{name}{place + 1}": blocks[place] if place < len(blocks) else "" for place in range(PLACES)}


def of_peer(outputs: Mapping[str, str]) -> dict[str, str]:
    """What a peering takes from the other environment's network stack."""
    tables = outputs["PrivateRouteTableIds"].split(",")
    return {
        "PeerVpcId": outputs["VpcId"],
        "PeerVpcCidr": outputs["VpcCidr"],
        "PeerControllerGroup": outputs["ControllerSecurityGroupId"],
        "PeerRouteTableIds": ",".join(tables),
        "PeerZones": str(len(tables)),
    }
