"""How an environment's stacks compose: which there are, in which order, and which outputs each takes from the others.

Each template is one concern. Stacks that an option of the settings asks for exist only while it does; what one stack makes
reaches the next as a parameter of the same name as the output (`parameters`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bootstrap.environment.models import Settings
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
        "AuthorityKeySecret",
    ),
    "names": ("VpcId", "PrivateIp"),
}
# The outputs that the tool itself reads, and those of other stacks than the network that stacks take.
_PRODUCED: Mapping[str, tuple[str, ...]] = {
    "network": ("VpcId", "ControllerSubnetId", "ControllerZone", "ZoneNames"),
    "acls": ("PublicAclId", "PrivateAclId"),
    "data": (
        *("DataVolumeId", "KeyName", "KeyPairId", "AdminPasswordSecret", "ToolkitPasswordSecret"),
        *("ToolkitTokenSecret", "CertificatesSecret", "AuthorityKeySecret"),
    ),
    "controller": ("InstanceId", "PrivateIp", "RoleArn", "PromotionRoleArn"),
    "public-zone": ("PublicZoneId", "PublicDomain", "NameServers"),
    "names": ("ZoneId",),
}
SUBNETS = ("PublicSubnetIds", "PrivateSubnetIds", "DataSubnetIds")
"""The network's outputs that name the subnets of each tier, in zone order, separated by commas."""
ISOLATED = "DataSubnetIds"  # the tier that the settings may leave out
PER_ZONE = frozenset({*SUBNETS, "PrivateSubnetCidrs", "PrivateRouteTableIds"})
_INPUTS: Mapping[str, tuple[str, ...]] = {
    "network": (),
    "bastion": ("network", "acls", "data"),
    "peering": ("network", "acls"),
    "controller": ("network", "data"),
    "public-zone": (),
    "names": ("network", "public-zone", "controller"),
}


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

    Where a zone or a tier goes, every stack that uses it is updated before the network: EC2 keeps a subnet in which
    an endpoint's interface stands, and CloudFormation then forgets it and calls the update complete.
    """
    going = _going(settings, made)
    first = [name for name in names if name in made and going.intersection(TAKES.get(name, ()))]
    return (*first, *(name for name in names if name not in first))


def leaving(settings: Settings, made: Mapping[str, Stack]) -> frozenset[str]:
    """The subnets that are there and that the settings no longer ask for."""
    outputs, network = made["network"].outputs if "network" in made else {}, settings.network
    kept = {key: 0 if key == ISOLATED and not network.isolated else network.zone_count for key in SUBNETS}
    return frozenset(it for key in SUBNETS for it in outputs.get(key, "").split(",")[kept[key] :] if it)


def _coming(settings: Settings, made: Mapping[str, Stack]) -> frozenset[str]:
    """The network's outputs that are there, or will be, and do not name all that the settings ask for."""
    if not _zones(made):
        return frozenset()
    zones = PER_ZONE if _zones(made) < settings.network.zone_count else frozenset[str]()
    return zones | ({ISOLATED} if settings.network.isolated and not _is_isolated(made) else set())


def _going(settings: Settings, made: Mapping[str, Stack]) -> frozenset[str]:
    """The network's outputs that name something that the settings no longer ask for."""
    zones = PER_ZONE if _zones(made) > settings.network.zone_count else frozenset[str]()
    return zones | ({ISOLATED} if _is_isolated(made) and not settings.network.isolated else set())


def _is_isolated(made: Mapping[str, Stack]) -> bool:
    """Whether the network that is there has isolated subnets."""
    return "network" in made and bool(made["network"].outputs.get(ISOLATED))


def _zones(made: Mapping[str, Stack]) -> int:
    """How many zones the network that is there has; 0 where there is none."""
    known = made["network"].outputs.get("PrivateSubnetIds", "") if "network" in made else ""
    return len(known.split(",")) if known else 0
