"""The composition of an environment's stacks: which stacks it has, in which order, and which outputs each takes from others.

Each template has one concern. An optional stack exists as long as its option is set. An output of one stack becomes a parameter
with the same name of a later stack (`parameters`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bootstrap.environment.agents import INFRASTRUCTURE
from bootstrap.environment.models import Settings
from bootstrap.errors import StackFailed
from bootstrap.values import Stack

ORDER = (
    *("network", "acls", "endpoints", "traffic-logs", "vpn", "transit-gateway", "peering", "public-zone"),
    *("data", "distribution", "people", "bastion", "controller", "names"),
)
"""Every possible stack of the toolkit, in the order of creation; stacks are deleted in the reverse order.

Stacks of one's own (`stacks` in the environment file) are created behind them, in the order of the file.
"""

AGENTS = "agents-"
"""The begin of the name of a stack with a group of agents; the group's label follows.

They come before the controller: 'destroy', in the reverse order, ends Jenkins first, which would start agents again. And
before the roles for people, which name their keys.
"""

ALWAYS = frozenset({"network", "acls", "data", "controller"})
NETWORK = frozenset(ORDER) - {"data", "distribution", "people", "controller"}
"""The stacks of the network, which the command `network` changes."""

# The outputs of earlier stacks that each stack takes as parameters with the same names.
TAKES: Mapping[str, tuple[str, ...]] = {
    "acls": ("VpcId", "VpcCidr", "PublicSubnetIds", "PrivateSubnetIds", "PrivateSubnetCidrs", "DataSubnetIds"),
    "endpoints": ("VpcId", "PrivateSubnetIds", "EndpointsSecurityGroupId"),
    "traffic-logs": ("VpcId",),
    "bastion": ("PublicSubnetIds", "PrivateSubnetIds", "BastionSecurityGroupId", "PublicAclId", "KeyName"),
    "vpn": ("VpcId", "VpcCidr", "PrivateRouteTableIds"),
    "transit-gateway": ("VpcId", "VpcCidr", "PrivateSubnetIds", "PrivateRouteTableIds"),
    "peering": ("VpcId", "VpcCidr", "PrivateRouteTableIds", "PrivateAclId", "ControllerSecurityGroupId"),
    AGENTS: ("VpcId", "PrivateSubnetIds", "AgentsSecurityGroupId", "ControllerSecurityGroupId"),
    "controller": (
        *("ControllerSubnetId", "ControllerSecurityGroupId", "DataVolumeId", "KeyName"),
        *("AdminPasswordSecret", "ToolkitPasswordSecret", "ToolkitTokenSecret", "CertificatesSecret"),
        *("AuthorityKeySecret", "PeopleSecret"),
    ),
    "names": ("VpcId", "PrivateIp"),
}
# The outputs that the toolkit itself reads, and those that stacks take from another stack than the network.
_PRODUCED: Mapping[str, tuple[str, ...]] = {
    "network": ("VpcId", "ControllerSubnetId", "ControllerZone", "ZoneNames"),
    "acls": ("PublicAclId", "PrivateAclId"),
    "data": (
        *("DataVolumeId", "KeyName", "KeyPairId", "AdminPasswordSecret", "ToolkitPasswordSecret"),
        *("ToolkitTokenSecret", "CertificatesSecret", "AuthorityKeySecret", "PeopleSecret"),
    ),
    "distribution": ("DistributionBucket",),
    AGENTS: ("AgentsGroup", "ClientKeyPairId", "HostKeyPairId", "JobsRole", "ControllerKeyPairId"),
    "controller": ("InstanceId", "PrivateIp", "RoleArn", "PromotionRoleArn"),
    "public-zone": ("PublicZoneId", "PublicDomain", "NameServers"),
    "names": ("ZoneId",),
}
SUBNETS = ("PublicSubnetIds", "PrivateSubnetIds", "DataSubnetIds")
"""The outputs of the network with the subnets of each tier, in the order of the zones, separated by commas."""
ISOLATED = "DataSubnetIds"  # the isolated tier, which is optional
PER_ZONE = frozenset({*SUBNETS, "PrivateSubnetCidrs", "PrivateRouteTableIds"})
_INPUTS: Mapping[str, tuple[str, ...]] = {
    "network": (),
    "bastion": ("network", "acls", "data"),
    "peering": ("network", "acls"),
    "controller": ("network", "data", "distribution", f"{AGENTS}{INFRASTRUCTURE}"),
    "public-zone": (),
    "distribution": (),
    "people": (),
    "names": ("network", "public-zone", "controller"),
}


def name_agents_stack(label: str) -> str:
    """The short name of the stack of a group of agents."""
    return f"{AGENTS}{label}"


OF_JOBS = name_agents_stack(INFRASTRUCTURE)
"""The short name of the stack of the group for the toolkit's own jobs; the controller's stack gives its role their rights."""


def is_of_toolkit(name: str) -> bool:
    """Whether a stack is the toolkit's, and not one of one's own, by its short name."""
    return name in ORDER or name.startswith(AGENTS)


def name_template(name: str) -> str:
    """The name of the template of a stack, without '.yaml': the groups of agents have one for all."""
    return AGENTS.rstrip("-") if name.startswith(AGENTS) else name


def is_template_of_agents(name: str) -> bool:
    """Whether a template is that of the groups of agents: no stack has its name."""
    return name == AGENTS.rstrip("-")


def find_kind(name: str) -> str:
    """What the tables here call a stack: its name, but one name for the stacks of all groups of agents."""
    return AGENTS if name.startswith(AGENTS) else name


def place_agents(names: Iterable[str]) -> tuple[str, ...]:
    """ORDER with these stacks of groups of agents in it."""
    place = ORDER.index("data") + 1
    return (*ORDER[:place], *sorted(set(names)), *ORDER[place:])


def list_taken(name: str) -> tuple[str, ...]:
    """The outputs of earlier stacks that a stack of the toolkit takes as parameters of the same names."""
    return TAKES.get(find_kind(name), ())


def list_wanted_stacks(settings: Settings) -> tuple[str, ...]:
    """The stacks of an environment by its settings, in the order of creation."""
    network = settings.network
    is_chosen = {
        "endpoints": bool(network.endpoints),
        "traffic-logs": network.flow_logs is not None,
        "distribution": settings.jenkins.bucket,
        "people": any(person.aws for person in settings.people.values()),
        "bastion": network.bastion is not None,
        "vpn": network.vpn is not None,
        "transit-gateway": network.transit_gateway is not None,
        "peering": network.peering is not None,
        "public-zone": network.public_zone is not None,
        "names": network.private_zone is not None or network.public_zone is not None,
    }
    agents = [name_agents_stack(label) for label in settings.agents]
    always = {*ALWAYS, *agents}
    return (*(name for name in place_agents(agents) if name in always or is_chosen.get(name, False)), *settings.stacks)


def belongs(settings: Settings, name: str, tags: Mapping[str, str]) -> bool:
    """Whether a stack that has the full name of this environment's stack `name` is this environment's, by its tags.

    With environments 'prod' and 'prod-eu', the stack 'eu-network' of the first has the full name of 'network' of the second.
    A stack of one's own needs both tags. One of the toolkit may lack them: nobody else makes stacks of such a name.
    """
    wished = {"Project": settings.project, "Environment": settings.name}
    return all(tags.get(key, value if is_of_toolkit(name) else None) == value for key, value in wished.items())


def refuse_foreign(settings: Settings, found: Stack) -> StackFailed:
    """The error for a stack that an environment needs, and whose name belongs to another environment already."""
    tags = " and ".join(f"{key}={found.tags.get(key, '')}" for key in ("Project", "Environment"))
    return StackFailed(
        f"reading the stacks of '{settings.name}'",
        f"the stack {found.name} is not of this environment: its tags are {tags}",
        "Give 'project', 'environment' or the stack of your own another name in the environment file. Nothing was changed.",
    )


def list_inputs(name: str) -> tuple[str, ...]:
    """The stacks whose outputs a stack takes; the environment need not have all of them. A stack of one's own may take all."""
    return _INPUTS.get(name, ("network",)) if is_of_toolkit(name) else ORDER


def list_outputs(name: str) -> frozenset[str]:
    """The outputs that the template of a stack must have: those that the toolkit reads, and those that other stacks take."""
    own = frozenset(_PRODUCED.get(find_kind(name), ()))
    if name != "network":
        return own
    elsewhere = frozenset[str]().union(*(names for stack, names in _PRODUCED.items() if stack != name))
    return own.union(*TAKES.values()) - elsewhere


def is_widened(settings: Settings, existing: Mapping[str, Stack]) -> bool:
    """Whether the settings have a zone or a tier that the existing network does not have."""
    return bool(_list_outputs_to_add(settings, existing))


def is_narrowed(settings: Settings, existing: Mapping[str, Stack]) -> bool:
    """Whether the existing network has a zone or a tier that the settings do not have."""
    return bool(_list_outputs_to_remove(settings, existing))


def is_awaiting(
    name: str, settings: Settings, existing: Mapping[str, Stack], takes: Mapping[str, Sequence[str]] = TAKES
) -> bool:
    """Whether a stack takes subnets or route tables of a zone or tier that does not exist yet: they have no ids."""
    return bool(_list_outputs_to_add(settings, existing).intersection(takes.get(find_kind(name), ())))


def sort_stacks(
    names: Sequence[str],
    settings: Settings,
    existing: Mapping[str, Stack],
    takes: Mapping[str, Sequence[str]] = TAKES,
) -> tuple[str, ...]:
    """Sort stacks into the order in which they are changed. `takes` is TAKES, with the stacks of one's own.

    If a zone or a tier is removed, every stack that uses it is updated before the network. Otherwise EC2 refuses to delete a
    subnet that still has the interface of an endpoint; CloudFormation then drops the subnet from the stack and reports success.
    """
    removed = _list_outputs_to_remove(settings, existing)
    first = [name for name in names if name in existing and removed.intersection(takes.get(find_kind(name), ()))]
    return (*first, *(name for name in names if name not in first))


def list_lost_subnets(settings: Settings, existing: Mapping[str, Stack]) -> frozenset[str]:
    """The ids of the existing subnets that the settings no longer have."""
    outputs, network = existing["network"].outputs if "network" in existing else {}, settings.network
    kept_counts = {key: 0 if key == ISOLATED and not network.isolated else network.zone_count for key in SUBNETS}
    return frozenset(it for key in SUBNETS for it in outputs.get(key, "").split(",")[kept_counts[key] :] if it)


def _list_outputs_to_add(settings: Settings, existing: Mapping[str, Stack]) -> frozenset[str]:
    """The outputs of the network that lack a zone or a tier of the settings; empty if there is no network."""
    if not _count_zones(existing):
        return frozenset()
    zones = PER_ZONE if _count_zones(existing) < settings.network.zone_count else frozenset[str]()
    return zones | ({ISOLATED} if settings.network.isolated and not _is_isolated(existing) else set())


def _list_outputs_to_remove(settings: Settings, existing: Mapping[str, Stack]) -> frozenset[str]:
    """The outputs of the network that name a zone or a tier which the settings no longer have."""
    zones = PER_ZONE if _count_zones(existing) > settings.network.zone_count else frozenset[str]()
    return zones | ({ISOLATED} if _is_isolated(existing) and not settings.network.isolated else set())


def _is_isolated(existing: Mapping[str, Stack]) -> bool:
    """Whether the existing network has isolated subnets."""
    return "network" in existing and bool(existing["network"].outputs.get(ISOLATED))


def _count_zones(existing: Mapping[str, Stack]) -> int:
    """The number of zones of the existing network; 0 if there is none."""
    subnet_ids = existing["network"].outputs.get("PrivateSubnetIds", "") if "network" in existing else ""
    return len(subnet_ids.split(",")) if subnet_ids else 0
