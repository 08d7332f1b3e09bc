"""Ways by which people outside of the VPC reach the controller on AWS, as far as the environment file configures any.

An intention that no configured way can satisfy would let the acceptance suite fail at the end of a launch. So commands that
make a machine refuse it before anything is made. Other commands accept such a file: what exists must be destroyable.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from bootstrap.environment.models import Settings
from bootstrap.network.intentions import Intention, parse
from bootstrap.network.path_ends import INTERNET, OPERATORS

Found = tuple[tuple[str | int, ...], str]
NO_WAY_IN = (
    "environments/office.yaml is an example with a VPN; or remove access.operator_cidrs and its intentions, and open Jenkins "
    "through the command 'tunnel' (docs/aws.md)."
)
"""The remedy for the faults of `find_faults`."""
_CONTROLLER = "controller"
_HTTPS, _SSH = (443, 443), (22, 22)


def find_faults(settings: Settings) -> Iterator[Found]:
    """Every block without a way in, and every intention that nothing in the file can satisfy.

    In the local cloud this machine is in every network: none there.
    """
    if settings.cloud != "aws":
        return
    section, operators = settings.network.intentions, settings.access.operator_cidrs
    for number, block in enumerate(operators):
        if not _leads_to(settings, block):
            yield ("access", "operator_cidrs", number), _explain_missing_route(block)
    is_written = "allow" in section.model_fields_set
    for number, text in enumerate(section.list_allow_texts(operators)):
        reason = _find_hindrance(settings, parse(text))
        if reason:
            place = ("network", "intentions", "allow", number) if is_written else ("access", "operator_cidrs")
            yield place, f"'{text}'{'' if is_written else ', a default of network.intentions,'} cannot hold: {reason}"


def _find_hindrance(settings: Settings, intention: Intention) -> str:
    """Why nothing in the file can satisfy an intention of people outside to the controller; '' for any other intention."""
    if intention.destination != _CONTROLLER or intention.source not in {OPERATORS, INTERNET}:
        return ""
    if intention.source == INTERNET:
        return "the controller has only a private address, which the Internet never reaches"
    if not settings.access.operator_cidrs:
        return ""  # `consistency` refuses operators who do not exist
    open_ports = [_HTTPS, *([_SSH] if settings.ssh == "direct" else [])]
    if intention.protocol != "tcp" or intention.ports not in open_ports:
        if intention.ports == _SSH and intention.protocol == "tcp":
            return f"port 22 is open only with 'access.ssh: direct', and 'access.ssh' is '{settings.ssh}'"
        return f"the controller is open to operators only on port 443{', and 22' if len(open_ports) > 1 else ''}"
    return ""  # whether the blocks have a way is a fault of the blocks, not of the intention


def _explain_missing_route(block: str) -> str:
    return (
        f"no way leads from {block} to the VPC: neither network.vpn nor network.transit_gateway has a route to it. "
        "A tunnel through the toolkit's SSH connection needs no block"
    )


def _leads_to(settings: Settings, operators: str) -> bool:
    """Whether an option of the network routes a block of operators; by BGP, the other side announces it."""
    vpn, transit = settings.network.vpn, settings.network.transit_gateway
    routes = [*(vpn.routes if vpn else ()), *(transit.routes if transit else ())]
    is_announced = vpn is not None and (not vpn.routes or vpn.direct_connect_gateway is not None)
    block = ipaddress.ip_network(operators)
    return is_announced or any(block.overlaps(ipaddress.ip_network(route)) for route in routes)
