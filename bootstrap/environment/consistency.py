"""Checks between the keys of an environment file, its name, and the other environment files in its folder.

Each fault is the path of a key, and a message. Nothing here calls a cloud.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bootstrap.environment import agents, mail_server, other_environments, people, secret_names, sign_in
from bootstrap.environment.models import Settings
from bootstrap.environment.network_options import QUERY_LOGS_REGION
from bootstrap.environment.network_section import find_faults as faults_of_intentions
from bootstrap.environment.other_environments import Neighbour

Found = tuple[tuple[str | int, ...], str]
# EC2's default: 20 rules in each direction of a network ACL, with the last one of each IP version. The public ACL has 15 for
# outbound packets with IPv6, beside one for each block of operators and of the bastion.
_MOST_WITH_IPV6 = 5
_SESSION_ENDPOINTS = ("ssm", "ssmmessages", "ec2messages")
NO_WAY = (
    "The key is on the page 'Verifying the signature of SSM Agent' in the user guide of AWS Systems Manager; "
    "access.ssh 'direct' or 'bastion' needs neither agent nor endpoints."
)
"""The remedy for the faults of `find_agent_faults`."""


def find_faults(path: Path, settings: Settings) -> Iterator[Found]:
    """Every fault of a file in which each key is valid by itself."""
    if settings.environment != path.stem:
        message = f"the name must equal the file's: '{path.stem}', not '{settings.environment}'"
        yield ("environment",), message
    yield from _find_block_faults(path, settings)
    yield from _find_access_faults(settings)
    yield from _find_zone_faults(settings)
    yield from _find_arn_faults(settings)
    yield from _find_option_faults(path, settings)
    yield from secret_names.find_faults(settings.jenkins.secrets)
    yield from mail_server.find_faults(settings)
    yield from people.find_faults(settings.people, settings.partition)
    emulator = settings.emulator_key if settings.cloud == "aws" else ""
    ports = {80, 443, settings.mail_port}  # of the controller's security group in cloudformation/network.yaml
    yield from sign_in.find_faults(settings.sign_in, settings.jenkins.secrets, ports, emulator)
    is_local, has_way_out = settings.cloud == "local", settings.network.nat != "none"
    yield from agents.find_faults(settings.agents, is_local=is_local, has_way_out=has_way_out)
    yield from _find_intention_faults(path, settings)


def _find_intention_faults(path: Path, settings: Settings) -> Iterator[Found]:
    network = settings.network
    bastion = network.bastion.allow if network.bastion else ()
    named = find_named_environments(path, settings, network.intentions.list_environments())
    if (
        not network.intentions.list_environments() <= named.keys()
    ):  # a name is unknown: the message lists all environments
        named = find_named_environments(path, settings, sorted(it.stem for it in path.parent.glob("*.yaml")))
    for place, message in faults_of_intentions(
        *(network.intentions, settings.access.operator_cidrs, bastion),
        environments={name: block for name, (_, block) in named.items()},
        own=settings.name,
        is_ssh_direct=settings.ssh == "direct",
        is_isolated=settings.network.isolated,
    ):
        yield ("network", "intentions", *place), message


def find_named_environments(path: Path, settings: Settings, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Those of the names that are environments of the same cloud and region, with project and block; and this environment."""
    environments = {settings.name: (settings.project, settings.network.cidr)}
    for name in names:
        other = other_environments.read(path.with_name(f"{name}.yaml"), settings.cloud, settings.region)
        if name != settings.name and other is not None:
            environments[name] = (other.project, str(other.block))
    return environments


def find_agent_faults(settings: Settings) -> Iterator[Found]:
    """Faults if a machine is reached through Session Manager, but its agent cannot be installed or cannot connect.

    They are not in `find_faults`, because only commands that make a machine need this: other commands accept the example file
    as it is.
    """
    network, bastion = settings.network, settings.network.bastion
    # SSH reaches a bastion with a public address directly, so it does not need Session Manager.
    closed = bastion if bastion is not None and not bastion.allow and settings.cloud == "aws" else None
    is_by_session = settings.ssh == "session-manager"
    owner = "machine's" if is_by_session else "bastion's"
    missing = [it for it in _SESSION_ENDPOINTS if it not in network.endpoints]
    if (is_by_session or closed) and network.nat == "none" and missing:
        reason = f"without NAT the {owner} agent reaches Session Manager by interface endpoints only"
        yield ("network", "endpoints"), f"{reason}; endpoints are missing for {', '.join(missing)}"
    if is_by_session and settings.access.agent_key is None:
        reason = "Debian's image has no agent of Session Manager, and the machine installs only one that Amazon signed"
        yield ("access", "agent_key"), f"is missing: {reason}"
    if closed and not closed.brings_agent:
        reason = (
            "may have no agent of Session Manager, and a bastion without 'allow' is reached only by Session Manager"
        )
        remedy = "leave it out for Amazon Linux, name an image of Ubuntu, or name blocks in 'allow'"
        yield ("network", "bastion", "image"), f"{closed.image} {reason}; {remedy}"


def _find_block_faults(path: Path, settings: Settings) -> Iterator[Found]:
    """Blocks that overlap: networks of one cloud, blocks that are routed elsewhere, and the operators' block."""
    block = ipaddress.ip_network(settings.network.cidr)
    for neighbour in other_environments.list_neighbours(path, settings.cloud, settings.region):
        if block.overlaps(neighbour.block):
            message = (
                f"{block} overlaps with {neighbour.block} of the environment '{neighbour.name}' ({neighbour.file})"
            )
            yield ("network", "cidr"), message
    peer = _find_peer(path, settings)
    option_by_route: dict[str, str] = {}  # by routed block, the option that routes it
    for option in other_environments.ROUTING:
        for number, text in enumerate(_list_routes(settings, option)):
            route, place = ipaddress.ip_network(text), ("network", option, "routes", number)
            if block.overlaps(route):
                yield place, f"{route} overlaps with the VPC's own {block}"
            if peer is not None and peer.block.overlaps(route):
                yield place, f"{route} overlaps with {peer.block} of '{peer.name}', the peer in network.peering"
            if text in option_by_route:
                yield (
                    place,
                    f"{route} is there twice"
                    if option_by_route[text] == option
                    else f"network.{option_by_route[text]} has the route {route}, too",
                )
            option_by_route[text] = option
    yield from _find_operator_faults(settings, peer)
    if peer is not None:
        yield from _find_peer_faults(block, peer)


def _list_routes(settings: Settings, option: str) -> tuple[str, ...]:
    network = settings.network
    section = {"vpn": network.vpn, "transit_gateway": network.transit_gateway}[option]
    return section.routes if section is not None else ()


def _find_operator_faults(settings: Settings, peer: Neighbour | None) -> Iterator[Found]:
    """On AWS no operator is in the VPC. In the local cloud, this machine is the operators' machine and is in its networks."""
    block = ipaddress.ip_network(settings.network.cidr)
    blocks = [ipaddress.ip_network(it) for it in settings.access.operator_cidrs]
    for number, operators in enumerate(blocks):
        place = ("access", "operator_cidrs", number)
        if settings.cloud == "aws" and operators.overlaps(block):
            reason = "every machine in the VPC would be an operator"
            yield (
                place,
                f"{operators} overlaps with the VPC's own {block}: {reason}; write the block of the people alone",
            )
        if peer is not None and operators.overlaps(peer.block):
            reason = "every machine there would be an operator, not only its controller"
            yield (
                place,
                f"{operators} overlaps with {peer.block} of '{peer.name}', the peer in network.peering: {reason}",
            )
        # EC2 refuses a second rule that is equal to another.
        if operators in blocks[:number]:
            yield place, f"{operators} is there twice"
    bastion = len(settings.network.bastion.allow) if settings.network.bastion else 0
    if settings.network.ipv6 and len(blocks) + bastion > _MOST_WITH_IPV6:
        reason = f"a network ACL has at most 20 rules, and with network.ipv6 {_MOST_WITH_IPV6} are left for blocks"
        counts = f"{len(blocks)} blocks here and {bastion} in network.bastion.allow are too many"
        yield ("access", "operator_cidrs"), f"{counts}: {reason}"


def _find_peer_faults(block: ipaddress.IPv4Network | ipaddress.IPv6Network, peer: Neighbour) -> Iterator[Found]:
    """Faults of the peer's own blocks: if it routes a block of this VPC elsewhere, replies do not come back."""
    place = ("network", "peering", "environment")
    for option, route in peer.routes:
        if block.overlaps(route):
            detail = f"to its {'VPN' if option == 'vpn' else 'transit gateway'} ({option}.routes in {peer.file})"
            yield place, f"'{peer.name}' routes {route} {detail}, which overlaps with {block}"
    for operators in peer.operators:
        if block.overlaps(operators):
            detail = f"access.operator_cidrs in {peer.file}"
            yield place, f"'{peer.name}' takes {operators} for its operators ({detail}), which overlaps with {block}"


def _find_peer(path: Path, settings: Settings) -> Neighbour | None:
    peering = settings.network.peering
    if peering is None or peering.environment == settings.name:
        return None
    return other_environments.read(path.with_name(f"{peering.environment}.yaml"), settings.cloud, settings.region)


def _find_access_faults(settings: Settings) -> Iterator[Found]:
    """Other keys that the chosen way of SSH needs."""
    network, access, place = settings.network, settings.access, ("access", "ssh")
    if settings.ssh == "bastion" and network.bastion is None:
        yield place, "there is no bastion; add network.bastion"
    if settings.ssh == "direct" and settings.cloud == "aws" and not access.operator_cidrs:
        yield place, "nobody may reach port 22; name access.operator_cidrs, or leave 'ssh' out to use Session Manager"
    if settings.ssh == "session-manager" and settings.cloud == "local":
        yield place, "the local cloud has no Session Manager; leave 'ssh' out to connect directly"


def _find_zone_faults(settings: Settings) -> Iterator[Found]:
    """Named zones: each must be of the region, and each must be named once. Whether the account has them, only EC2 knows."""
    names = settings.network.zone_names
    for number, name in enumerate(names):
        place = ("network", "zones", number)
        if not re.fullmatch(f"{re.escape(settings.region)}[a-z]", name):
            hint = f"a zone's name is the region and a letter, for example {settings.region}a"
            yield place, f"'{name}' is not an availability zone of the region {settings.region}; {hint}"
        elif name in names[:number]:
            yield place, f"'{name}' is there twice"


def _find_arn_faults(settings: Settings) -> Iterator[Found]:
    """Keys and boundary of another partition or region: a key encrypts only in its own region."""
    network, account = settings.network, settings.account
    queries = network.public_zone.queries if network.public_zone else None
    logs_key = network.flow_logs.kms_key_arn if network.flow_logs else None
    named = (
        (("account", "permissions_boundary"), account.permissions_boundary, ""),
        (("account", "kms_key_arn"), account.kms_key_arn, settings.region),
        (("network", "flow_logs", "kms_key_arn"), logs_key, settings.region),
        (
            ("network", "public_zone", "queries", "kms_key_arn"),
            queries.kms_key_arn if queries else None,
            QUERY_LOGS_REGION,
        ),
    )
    for place, arn, region in named:
        if arn is None:
            continue
        partition, found_region = arn.split(":")[1], arn.split(":")[3]
        if partition != settings.partition:
            yield place, f"is an ARN of the partition {partition}; {settings.region} is in {settings.partition}"
        elif found_region != region:
            reason = f"is a key of {found_region}, and what it shall encrypt is in {region}"
            yield place, f"{reason}; name a key of {region}, for example the replica of a multi-Region key"


def _find_option_faults(path: Path, settings: Settings) -> Iterator[Found]:
    """Options of the network that contradict each other or another file."""
    network = settings.network
    if network.peering is not None:
        peer_name = network.peering.environment
        if peer_name == settings.name:
            yield ("network", "peering", "environment"), "an environment cannot peer with itself"
        elif _find_peer(path, settings) is None:
            yield (
                ("network", "peering", "environment"),
                f"'{peer_name}' is not an environment of the same cloud and region",
            )
    for number, name in enumerate(network.promotion):
        if name in network.promotion[:number]:
            yield ("network", "promotion", number), f"'{name}' is there twice"
        elif name != settings.name and not _is_of_the_project(path.with_name(f"{name}.yaml"), settings):
            reason = f"'{name}' is not an environment of the same project, cloud and region"
            yield ("network", "promotion", number), reason
    yield from _find_direct_connect_faults(settings)
    zone = network.public_zone
    if zone and zone.queries and zone.queries.log_group is None and settings.region != QUERY_LOGS_REGION:
        rule = f"Route 53 writes the query logs of a public hosted zone to {QUERY_LOGS_REGION}"
        reason = f"{rule}, this region is {settings.region}"
        remedy = f"name a log group of {QUERY_LOGS_REGION} as 'log_group', or leave 'queries' out"
        yield ("network", "public_zone", "queries"), f"{reason}; {remedy}"


def _find_direct_connect_faults(settings: Settings) -> Iterator[Found]:
    network = settings.network
    if settings.cloud == "local" and network.direct_connect is not None:
        yield ("network", "direct_connect"), "the local cloud has no virtual interfaces"
    vpn_gateway = network.vpn.direct_connect_gateway if network.vpn else None
    transit_gateway = network.transit_gateway.direct_connect_gateway if network.transit_gateway else None
    if vpn_gateway is not None and vpn_gateway == transit_gateway:
        reason = "a gateway is either for VPN gateways or for transit gateways"
        place = ("network", "transit_gateway", "direct_connect_gateway")
        yield place, f"{vpn_gateway} is vpn.direct_connect_gateway, too: {reason}"
    section = network.direct_connect
    if section is None:
        return
    if section.type == "transit" and network.transit_gateway is None:
        reason = "a transit virtual interface needs a transit gateway, and this environment has none"
        yield ("network", "direct_connect", "type"), f"{reason}; add network.transit_gateway, or choose 'private'"
    expected, excluded = (transit_gateway, vpn_gateway) if section.type == "transit" else (vpn_gateway, transit_gateway)
    expected_option, excluded_option = (
        ("transit_gateway", "vpn") if section.type == "transit" else ("vpn", "transit_gateway")
    )
    if expected is not None and section.gateway != expected:
        yield (
            ("network", "direct_connect", "gateway"),
            f"{expected_option}.direct_connect_gateway is another: {expected}",
        )
    elif section.gateway == excluded:
        reason = f"is {excluded_option}.direct_connect_gateway, which accepts no {section.type} virtual interface"
        yield ("network", "direct_connect", "gateway"), f"{section.gateway} {reason}"


def _is_of_the_project(path: Path, settings: Settings) -> bool:
    neighbour = other_environments.read(path, settings.cloud, settings.region)
    return neighbour is not None and neighbour.project == settings.project
