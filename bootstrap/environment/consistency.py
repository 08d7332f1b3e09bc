"""What is wrong in an environment file only in view of its other keys, of its name and of its neighbours.

Each fault is the place of a key, as the path that leads to it, and what is wrong there. Nothing here asks a cloud.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bootstrap.environment import neighbours
from bootstrap.environment.models import Settings
from bootstrap.environment.neighbours import Neighbour
from bootstrap.environment.network_options import QUERY_LOGS_REGION
from bootstrap.environment.network_section import faults as faults_of_intentions

Found = tuple[tuple[str | int, ...], str]
_SESSION_ENDPOINTS = ("ssm", "ssmmessages", "ec2messages")
NO_WAY = (
    "The key is on the page 'Verifying the signature of SSM Agent' in the user guide of AWS Systems Manager; "
    "access.ssh 'direct' or 'bastion' needs neither agent nor endpoints."
)
"""What to do about the faults of `of_agents`."""


def faults(path: Path, settings: Settings) -> Iterator[Found]:
    """Every fault of the file, which is readable and whose every key is right by itself."""
    if settings.environment != path.stem:
        message = f"the name must equal the file's: '{path.stem}', not '{settings.environment}'"
        yield ("environment",), message
    yield from _blocks(path, settings)
    yield from _access(settings)
    yield from _zones(settings)
    yield from _options(path, settings)
    yield from _intentions(path, settings)


def _intentions(path: Path, settings: Settings) -> Iterator[Found]:
    network = settings.network
    bastion = network.bastion.allow if network.bastion else ()
    named = spoken_of(path, settings, network.intentions.environments())
    if not network.intentions.environments() <= named.keys():  # only then are all of them wanted, to name what there is
        named = spoken_of(path, settings, sorted(it.stem for it in path.parent.glob("*.yaml")))
    for place, message in faults_of_intentions(
        *(network.intentions, settings.access.operator_cidr, bastion),
        environments={name: block for name, (_, block) in named.items()},
        own=settings.name,
        is_ssh_direct=settings.ssh == "direct",
        is_isolated=settings.network.isolated,
    ):
        yield ("network", "intentions", *place), message


def spoken_of(path: Path, settings: Settings, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Which of these names are environments of the same cloud and region: each with its project and its network's block."""
    found = {settings.name: (settings.project, settings.network.cidr)}
    for name in names:
        other = neighbours.read(path.with_name(f"{name}.yaml"), settings.cloud, settings.region)
        if name != settings.name and other is not None:
            found[name] = (other.project, str(other.block))
    return found


def of_agents(settings: Settings) -> Iterator[Found]:
    """Where a machine is to be reached through Session Manager, and its agent could not be had or be heard.

    Apart from `faults`, for only what makes a machine asks for this: a copy of the example can be looked at as it is.
    """
    network, bastion = settings.network, settings.network.bastion
    # A bastion with a public address has a way of its own, and is not in need of sessions.
    closed = bastion if bastion is not None and not bastion.allow and settings.cloud == "aws" else None
    is_by_session = settings.ssh == "session-manager"
    who = "machine's" if is_by_session else "bastion's"
    missing = [it for it in _SESSION_ENDPOINTS if it not in network.endpoints]
    if (is_by_session or closed) and network.nat == "none" and missing:
        told = f"without NAT the {who} agent reaches Session Manager by interface endpoints only"
        yield ("network", "endpoints"), f"{told}; endpoints are missing for {', '.join(missing)}"
    if is_by_session and settings.access.agent_key is None:
        told = "Debian's image has no agent of Session Manager, and the machine installs only one that Amazon signed"
        yield ("access", "agent_key"), f"is missing: {told}"
    if closed and not closed.brings_agent:
        told = "may have no agent of Session Manager, and a bastion without 'allow' is reached only by Session Manager"
        remedy = "leave it out for Amazon Linux, name an image of Ubuntu, or name blocks in 'allow'"
        yield ("network", "bastion", "image"), f"{closed.image} {told}; {remedy}"


def _blocks(path: Path, settings: Settings) -> Iterator[Found]:
    """Blocks of addresses that would mean two things: networks of one cloud, what is routed elsewhere, the operators."""
    block = ipaddress.ip_network(settings.network.cidr)
    for other in neighbours.beside(path, settings.cloud, settings.region):
        if block.overlaps(other.block):
            message = f"{block} overlaps with {other.block} of the environment '{other.name}' ({other.file})"
            yield ("network", "cidr"), message
    peer = _peer(path, settings)
    led: dict[str, str] = {}  # by the block that is led elsewhere, the option that does
    for option in neighbours.ROUTING:
        for number, text in enumerate(_routes(settings, option)):
            route, place = ipaddress.ip_network(text), ("network", option, "routes", number)
            if block.overlaps(route):
                yield place, f"{route} overlaps with the VPC's own {block}"
            if peer is not None and peer.block.overlaps(route):
                yield place, f"{route} overlaps with {peer.block} of '{peer.name}', the peer in network.peering"
            if text in led:
                yield (
                    place,
                    f"{route} is there twice"
                    if led[text] == option
                    else f"network.{led[text]} has the route {route}, too",
                )
            led[text] = option
    yield from _of_operators(settings, peer)
    if peer is not None:
        yield from _of_peer(block, peer)


def _routes(settings: Settings, option: str) -> tuple[str, ...]:
    network = settings.network
    found = {"vpn": network.vpn, "transit_gateway": network.transit_gateway}[option]
    return found.routes if found is not None else ()


def _of_operators(settings: Settings, peer: Neighbour | None) -> Iterator[Found]:
    """On AWS operators are nobody in the VPC; here, this machine is the operators' place and stands in its networks."""
    if settings.access.operator_cidr is None:
        return
    operators, block = ipaddress.ip_network(settings.access.operator_cidr), ipaddress.ip_network(settings.network.cidr)
    place = ("access", "operator_cidr")
    if settings.cloud == "aws" and operators.overlaps(block):
        told = "all machines in it would be operators"
        yield place, f"{operators} overlaps with the VPC's own {block}: {told}; name the block of the people"
    if peer is not None and operators.overlaps(peer.block):
        told = "all machines in it would be operators, not only its controller"
        yield place, f"{operators} overlaps with {peer.block} of '{peer.name}', the peer in network.peering: {told}"


def _of_peer(block: ipaddress.IPv4Network | ipaddress.IPv6Network, peer: Neighbour) -> Iterator[Found]:
    """What the peer has itself: a block that it routes elsewhere would take the way of the replies."""
    place = ("network", "peering", "environment")
    for option, route in peer.routes:
        if block.overlaps(route):
            told = f"to its {'VPN' if option == 'vpn' else 'transit gateway'} ({option}.routes in {peer.file})"
            yield place, f"'{peer.name}' routes {route} {told}, which overlaps with {block}"
    if peer.operators is not None and block.overlaps(peer.operators):
        told = f"access.operator_cidr in {peer.file}"
        yield place, f"'{peer.name}' takes {peer.operators} for its operators ({told}), which overlaps with {block}"


def _peer(path: Path, settings: Settings) -> Neighbour | None:
    asked = settings.network.peering
    if asked is None or asked.environment == settings.name:
        return None
    return neighbours.read(path.with_name(f"{asked.environment}.yaml"), settings.cloud, settings.region)


def _access(settings: Settings) -> Iterator[Found]:
    """What the way of SSH needs beside itself."""
    network, access, place = settings.network, settings.access, ("access", "ssh")
    if settings.ssh == "bastion" and network.bastion is None:
        yield place, "there is no bastion; add network.bastion"
    if settings.ssh == "direct" and settings.cloud == "aws" and access.operator_cidr is None:
        yield place, "nobody may reach port 22; name access.operator_cidr, or leave 'ssh' out to use Session Manager"
    if settings.ssh == "session-manager" and settings.cloud == "local":
        yield place, "the local cloud has no Session Manager; leave 'ssh' out to connect directly"


def _zones(settings: Settings) -> Iterator[Found]:
    """Zones that are named: each of the region, and each once. Which of them the account has, only EC2 knows."""
    names = settings.network.zone_names
    for number, name in enumerate(names):
        place = ("network", "zones", number)
        if not re.fullmatch(f"{re.escape(settings.region)}[a-z]", name):
            told = f"a zone's name is the region and a letter, for example {settings.region}a"
            yield place, f"'{name}' is not an availability zone of the region {settings.region}; {told}"
        elif name in names[:number]:
            yield place, f"'{name}' is there twice"


def _options(path: Path, settings: Settings) -> Iterator[Found]:
    """What an option of the network cannot be beside the others."""
    network = settings.network
    if network.peering is not None:
        other = network.peering.environment
        if other == settings.name:
            yield ("network", "peering", "environment"), "an environment cannot peer with itself"
        elif _peer(path, settings) is None:
            yield ("network", "peering", "environment"), f"'{other}' is not an environment of the same cloud and region"
    for number, name in enumerate(network.promotion):
        if name in network.promotion[:number]:
            yield ("network", "promotion", number), f"'{name}' is there twice"
        elif name != settings.name and not _is_of_the_project(path.with_name(f"{name}.yaml"), settings):
            told = f"'{name}' is not an environment of the same project, cloud and region"
            yield ("network", "promotion", number), told
    yield from _direct_connect(settings)
    zone = network.public_zone
    if zone and zone.queries and zone.queries.log_group is None and settings.region != QUERY_LOGS_REGION:
        told = (
            f"Route 53 writes the query logs of a public zone to {QUERY_LOGS_REGION}, this region is {settings.region}"
        )
        remedy = f"name a log group of {QUERY_LOGS_REGION} as 'log_group', or leave 'queries' out"
        yield ("network", "public_zone", "queries"), f"{told}; {remedy}"


def _direct_connect(settings: Settings) -> Iterator[Found]:
    network = settings.network
    if settings.cloud == "local" and network.direct_connect is not None:
        yield ("network", "direct_connect"), "the local cloud has no virtual interfaces"
    of_vpn = network.vpn.direct_connect_gateway if network.vpn else None
    of_transit = network.transit_gateway.direct_connect_gateway if network.transit_gateway else None
    if of_vpn is not None and of_vpn == of_transit:
        told = (
            f"{of_vpn} is vpn.direct_connect_gateway, too: a gateway is either for VPN gateways or for transit gateways"
        )
        yield ("network", "transit_gateway", "direct_connect_gateway"), told
    wished = network.direct_connect
    if wished is None:
        return
    if wished.type == "transit" and network.transit_gateway is None:
        told = "a transit virtual interface needs a transit gateway, and this environment has none"
        yield ("network", "direct_connect", "type"), f"{told}; add network.transit_gateway, or choose 'private'"
    ours, others = (of_transit, of_vpn) if wished.type == "transit" else (of_vpn, of_transit)
    of_ours, of_others = ("transit_gateway", "vpn") if wished.type == "transit" else ("vpn", "transit_gateway")
    if ours is not None and wished.gateway != ours:
        yield ("network", "direct_connect", "gateway"), f"{of_ours}.direct_connect_gateway is another: {ours}"
    elif wished.gateway == others:
        told = f"is {of_others}.direct_connect_gateway, which accepts no {wished.type} virtual interface"
        yield ("network", "direct_connect", "gateway"), f"{wished.gateway} {told}"


def _is_of_the_project(path: Path, settings: Settings) -> bool:
    found = neighbours.read(path, settings.cloud, settings.region)
    return found is not None and found.project == settings.project
