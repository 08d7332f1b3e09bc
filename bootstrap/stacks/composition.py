"""How an environment's stacks compose: which there are, in which order, and what each takes from the settings and the others.

Each template is one concern. Stacks that an option of the settings asks for exist only while it does; what one stack makes
reaches the next as a parameter of the same name as the output.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from bootstrap.environment import agent_key
from bootstrap.environment.models import Settings
from bootstrap.environment.network_options import PLACES, PublicZone, Queries, Service, TransitGateway, Vpn
from bootstrap.values import Stack

ORDER = (
    *("network", "acls", "endpoints", "traffic-logs", "vpn", "transit-gateway", "peering", "public-zone"),
    *("data", "bastion", "controller", "names"),
)
"""Every stack that there can be, in the order in which they are made; deleted in the reverse order."""

ALWAYS = frozenset({"network", "acls", "data", "controller"})
NETWORK = frozenset(ORDER) - {"data", "controller"}
"""Those that are the network, which the network command is about."""

# What each stack takes, as parameters of the same names, from the outputs of those before it.
TAKES: Mapping[str, tuple[str, ...]] = {
    "acls": ("VpcId", "VpcCidr", "PublicSubnetIds", "PrivateSubnetIds", "PrivateSubnetCidrs", "DataSubnetIds"),
    "endpoints": ("VpcId", "PrivateSubnetIds", "EndpointsSecurityGroupId"),
    "traffic-logs": ("VpcId",),
    "bastion": ("PublicSubnetIds", "PrivateSubnetIds", "BastionSecurityGroupId", "PublicAclId", "KeyName"),
    "vpn": ("VpcId", "VpcCidr", "PrivateRouteTableIds"),
    "transit-gateway": ("VpcId", "VpcCidr", "PrivateSubnetIds", "PrivateRouteTableIds"),
    "peering": ("VpcId", "VpcCidr", "PrivateRouteTableIds", "PrivateAclId", "ControllerSecurityGroupId"),
    "controller": (
        *("ControllerSubnetId", "ControllerSecurityGroupId", "DataVolumeId", "KeyName"),
        *("AdminPasswordSecret", "ToolkitPasswordSecret", "ToolkitTokenSecret", "CertificatesSecret"),
    ),
    "names": ("VpcId", "PrivateIp"),
}
# The outputs that the tool itself reads, and those of other stacks than the network that stacks take.
_PRODUCED: Mapping[str, tuple[str, ...]] = {
    "network": ("VpcId", "ControllerSubnetId", "ControllerZone", "ZoneNames"),
    "acls": ("PublicAclId", "PrivateAclId"),
    "data": (
        *("DataVolumeId", "KeyName", "KeyPairId", "AdminPasswordSecret", "ToolkitPasswordSecret"),
        *("ToolkitTokenSecret", "CertificatesSecret"),
    ),
    "controller": ("InstanceId", "PrivateIp"),
    "public-zone": ("PublicZoneId", "PublicDomain", "NameServers"),
    "names": ("ZoneId",),
}
SUBNETS = ("PublicSubnetIds", "PrivateSubnetIds", "DataSubnetIds")
"""The network's outputs that name the subnets of each tier, in zone order, separated by commas."""
_ISOLATED = "DataSubnetIds"  # the tier that the settings may leave out
_PER_ZONE = frozenset({*SUBNETS, "PrivateSubnetCidrs", "PrivateRouteTableIds"})
_INPUTS: Mapping[str, tuple[str, ...]] = {
    "network": (),
    "bastion": ("network", "acls", "data"),
    "peering": ("network", "acls"),
    "controller": ("network", "data"),
    "public-zone": (),
    "names": ("network", "public-zone", "controller"),
}
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


def wanted(settings: Settings) -> tuple[str, ...]:
    """The stacks of this environment, in the order in which they are made."""
    network = settings.network
    asked = {
        "endpoints": bool(network.endpoints),
        "traffic-logs": network.flow_logs is not None,
        "bastion": network.bastion is not None,
        "vpn": network.vpn is not None,
        "transit-gateway": network.transit_gateway is not None,
        "peering": network.peering is not None,
        "public-zone": network.public_zone is not None,
        "names": network.private_zone is not None or network.public_zone is not None,
    }
    return tuple(name for name in ORDER if name in ALWAYS or asked.get(name, False))


def inputs_of(name: str) -> tuple[str, ...]:
    """The stacks whose outputs this one takes, where there are to be such."""
    return _INPUTS.get(name, ("network",))


def outputs_of(name: str) -> frozenset[str]:
    """The outputs that a stack's template must produce: what the tool reads, and what the stacks that build on it take."""
    own = frozenset(_PRODUCED.get(name, ()))
    if name != "network":
        return own
    elsewhere = frozenset[str]().union(*(names for stack, names in _PRODUCED.items() if stack != name))
    return own.union(*TAKES.values()) - elsewhere


def is_widened(settings: Settings, made: Mapping[str, Stack]) -> bool:
    """Whether the settings ask for a zone or a tier that the network that is there has not."""
    return bool(_coming(settings, made))


def is_narrowed(settings: Settings, made: Mapping[str, Stack]) -> bool:
    """Whether the network that is there has a zone or a tier that the settings do not ask for."""
    return bool(_going(settings, made))


def is_awaiting(name: str, settings: Settings, made: Mapping[str, Stack]) -> bool:
    """Whether a stack takes subnets or tables of a zone or a tier that is still to come: they have no ids yet."""
    return bool(_coming(settings, made).intersection(TAKES.get(name, ())))


def in_order(names: Sequence[str], settings: Settings, made: Mapping[str, Stack]) -> tuple[str, ...]:
    """These stacks in the order in which they are changed.

    Where a zone or a tier goes, whatever has a part in it lets go of that before the network does: EC2 keeps a subnet in which
    an endpoint's interface stands, and CloudFormation then forgets it and calls the update complete.
    """
    going = _going(settings, made)
    first = [name for name in names if name in made and going.intersection(TAKES.get(name, ()))]
    return (*first, *(name for name in names if name not in first))


def leaving(settings: Settings, made: Mapping[str, Stack]) -> frozenset[str]:
    """The subnets that are there and that the settings no longer ask for."""
    outputs, network = made["network"].outputs if "network" in made else {}, settings.network
    kept = {key: 0 if key == _ISOLATED and not network.isolated else network.zone_count for key in SUBNETS}
    return frozenset(it for key in SUBNETS for it in outputs.get(key, "").split(",")[kept[key] :] if it)


def _coming(settings: Settings, made: Mapping[str, Stack]) -> frozenset[str]:
    """The network's outputs that are there, or will be, and do not name all that the settings ask for."""
    if not _zones(made):
        return frozenset()
    zones = _PER_ZONE if _zones(made) < settings.network.zone_count else frozenset[str]()
    return zones | ({_ISOLATED} if settings.network.isolated and not _is_isolated(made) else set())


def _going(settings: Settings, made: Mapping[str, Stack]) -> frozenset[str]:
    """The network's outputs that name something that the settings no longer ask for."""
    zones = _PER_ZONE if _zones(made) > settings.network.zone_count else frozenset[str]()
    return zones | ({_ISOLATED} if _is_isolated(made) and not settings.network.isolated else set())


def _is_isolated(made: Mapping[str, Stack]) -> bool:
    """Whether the network that is there has isolated subnets."""
    return "network" in made and bool(made["network"].outputs.get(_ISOLATED))


def _zones(made: Mapping[str, Stack]) -> int:
    """How many zones the network that is there has; 0 where there is none."""
    known = made["network"].outputs.get("PrivateSubnetIds", "") if "network" in made else ""
    return len(known.split(",")) if known else 0


def parameters(settings: Settings, name: str, made: Mapping[str, Stack]) -> dict[str, str]:
    """The parameters of one stack; KeyError where an output that it takes is not there."""
    outputs = {key: value for stack in made.values() for key, value in stack.outputs.items()}
    common = {"Project": settings.project, "Environment": settings.name}
    absent = {} if settings.network.isolated else {_ISOLATED: ""}
    taken = {key: outputs[key] if key not in absent else absent[key] for key in TAKES.get(name, ())}
    lists = {
        key: ",".join(taken[key].split(",")[: settings.network.zone_count]) for key in _PER_ZONE.intersection(taken)
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
