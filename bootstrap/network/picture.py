"""The network as a picture: a description for graphviz's `dot`, drawn from what is there and from nothing else.

Zones stand side by side, tiers below each other, gateways above; under it all a table says who reaches whom.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from html import escape

from bootstrap.network.model import Interface, Nat, Network, Route, Subnet
from bootstrap.network.places import INTERNET, OPERATORS, ROLES, spots
from bootstrap.network.proof import openings

_FONT = "DejaVu Sans, Helvetica, sans-serif"
# Public, private and isolated subnets: how far a subnet's routes lead.
_COLOURS = ("#dbeafe", "#dcfce7", "#fef3c7")
_TIERS = ("public", "private", "isolated")
_MANY = 3  # interfaces of one role in a subnet, from which on they are counted and not listed


def draw(network: Network, name: str) -> str:
    """The description of the environment's VPC, called `name` (its resources' names begin so), and of what it joins."""
    own = [it for it in network.subnets.values() if it.vpc_id == network.vpc_id]
    lines = [
        "digraph network {",
        "graph [rankdir=TB, newrank=true, compound=true, nodesep=0.35, ranksep=0.55, pad=0.3];",
        f'graph [fontname="{_FONT}", fontsize=14];',
        f'node [shape=plain, fontname="{_FONT}", fontsize=11];',
        f'edge [fontname="{_FONT}", fontsize=9, color="#64748b", arrowsize=0.7];',
        *_outside(network),
        *_vpc(network, own, name),
        *_edges(network, own),
        *_open(network, own),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _outside(network: Network) -> Iterator[str]:
    """What lies around the VPC: the Internet, the operators, gateways and peers."""
    yield _round("internet", "Internet", "#fee2e2")
    if network.operators is not None:
        yield _round("operators", f"operators\n{network.operators}", "#ede9fe")
    for gateway, kind in _gateways(network):
        yield _round(gateway, f"{kind}\n{gateway}", "#f1f5f9", shape="box")
    for peering in network.peerings.values():
        far = next((vpc for vpc in peering.vpcs if vpc != network.vpc_id), "")
        known = network.vpcs.get(far)
        blocks = ", ".join(map(str, known.blocks)) if known else ""
        state = "" if peering.is_active else "\nnot active"
        yield _round(peering.id, f"peered with {known.name if known else far}\n{blocks}{state}", "#f1f5f9", shape="box")


def _gateways(network: Network) -> Iterator[tuple[str, str]]:
    for found, kind in (
        (network.internet_gateways, "Internet gateway"),
        (network.egress_only_gateways, "egress-only gateway"),
        (network.vpn_gateways, "VPN gateway"),
    ):
        for it in found.values():
            if network.vpc_id in it.vpcs:
                yield it.id, kind


def _round(node: str, text: str, colour: str, shape: str = "ellipse") -> str:
    label = escape(text, quote=True).replace("\n", "\\n")
    return f'"{node}" [shape={shape}, style="filled,rounded", fillcolor="{colour}", color="#475569", label="{label}"];'


def _vpc(network: Network, own: Sequence[Subnet], name: str) -> Iterator[str]:
    vpc = network.vpcs[network.vpc_id]
    title = escape(f"{vpc.name or vpc.id}   {', '.join(map(str, vpc.blocks))}")
    yield f'subgraph "cluster_vpc" {{ label="{title}"; labeljust=l; color="#475569"; style=rounded;'
    tops: list[str] = []
    for zone in sorted({it.zone for it in own}):
        yield f'subgraph "cluster_{zone}" {{ label="{zone}"; color="#94a3b8"; style="rounded,dashed";'
        ordered = sorted((it for it in own if it.zone == zone), key=lambda it: (_tier(network, it), it.name, it.id))
        for subnet in ordered:
            yield f'"{subnet.id}" [label=<{_table(network, subnet, name)}>];'
        for upper, lower in itertools.pairwise(ordered):
            yield f'"{upper.id}" -> "{lower.id}" [style=invis];'
        yield "}"
        if ordered:
            tops.append(ordered[0].id)
    for left, right in itertools.pairwise(tops):
        yield f'{{ rank=same; "{left}" -> "{right}" [style=invis]; }}'
    yield "}"


def _tier(network: Network, subnet: Subnet) -> int:
    """0 with a way in from the Internet, 1 with any way out of the VPC, 2 with none."""
    targets = {it.target for it in _written(network, subnet)}
    return 0 if targets & set(network.internet_gateways) else 1 if targets else 2


def _written(network: Network, subnet: Subnet) -> tuple[Route, ...]:
    table = network.route_tables[subnet.route_table_id]
    return tuple(it for it in table.routes if it.target != "local")


def _table(network: Network, subnet: Subnet, name: str) -> str:
    tier = _tier(network, subnet)
    title = escape(subnet.name.removeprefix(f"{name}-") or subnet.id)
    blocks = escape(", ".join(map(str, subnet.blocks)))
    rows = [
        f'<TR><TD BGCOLOR="{_COLOURS[tier]}"><B>{title}</B>  {blocks}<BR/><FONT POINT-SIZE="9">{_TIERS[tier]}</FONT></TD></TR>',
        *(_row(port, text) for port, text in _members(network, subnet)),
        _row("", "ACL " + _short(network.nacls[subnet.nacl_id].name or subnet.nacl_id, name), "#64748b"),
        *(_row("", text, "#64748b") for text in _ways(network, subnet, name)),
    ]
    return f'<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="4" COLOR="#475569">{"".join(rows)}</TABLE>'


def _short(text: str, name: str) -> str:
    return text.removeprefix(f"{name}-")


def _row(port: str, text: str, colour: str = "#0f172a") -> str:
    place = f' PORT="{port}"' if port else ""
    return f'<TR><TD ALIGN="LEFT"{place}><FONT COLOR="{colour}">{escape(text)}</FONT></TD></TR>'


def _members(network: Network, subnet: Subnet) -> Iterator[tuple[str, str]]:
    """What is in a subnet: the NAT gateways, then the interfaces, those of one role counted where they are many."""
    for nat in network.nats.values():
        if nat.subnet_id == subnet.id:
            yield nat.id, _of_nat(nat)
    here = [it for it in network.interfaces.values() if it.subnet_id == subnet.id and it.kind != "nat_gateway"]
    for role in sorted({_called(it) for it in here}):
        those = [it for it in here if _called(it) == role]
        if len(those) >= _MANY:
            yield "", f"{role}: {len(those)} interfaces"
            continue
        for it in those:
            addresses = ", ".join(map(str, it.addresses))
            yield it.id, f"{role}  {addresses}{f' = {it.public}' if it.public else ''}"


def _of_nat(nat: Nat) -> str:
    return f"NAT gateway  {nat.public or 'private'}{'' if nat.is_available else ' (not available)'}"


def _called(interface: Interface) -> str:
    return ", ".join(interface.roles) or interface.name or interface.kind


def _ways(network: Network, subnet: Subnet, name: str) -> Iterator[str]:
    """The routes out of the VPC, in words."""
    for it in _written(network, subnet):
        if it.is_blackhole:
            yield f"{it.to} to nowhere: {it.target} is gone"
        elif it.target in network.endpoints:
            yield f"{network.endpoints[it.target].service.rpartition('.')[2]} by endpoint"
        elif it.target in network.nats:
            yield f"{it.to} to NAT {_short(network.nats[it.target].name or it.target, name)}"
        else:
            yield f"{it.to} to {dict(_gateways(network)).get(it.target, it.target)}"


def _edges(network: Network, own: Sequence[Subnet]) -> Iterator[str]:
    """Ways out and in: gateways to the subnets that route to them, private subnets to their NAT gateways."""
    for gateway, kind in _gateways(network):
        if kind != "VPN gateway":
            yield f'"internet" -> "{gateway}" [dir=both];'
    routed = {it.target for subnet in own for it in _written(network, subnet)}
    for vpn in network.vpn_gateways.values():
        if network.vpc_id in vpn.vpcs and vpn.id not in routed and own:
            yield f'"{vpn.id}" -> "{own[0].id}" [lhead="cluster_vpc", style=dotted, label="attached, no routes"];'
    drawn: set[tuple[str, str]] = set()
    for subnet in own:
        for it in _written(network, subnet):
            nat = network.nats.get(it.target)
            if (subnet.id, it.target) in drawn or it.is_blackhole or it.target in network.endpoints:
                continue
            drawn.add((subnet.id, it.target))
            if nat is not None:
                yield f'"{nat.subnet_id}":"{nat.id}" -> "{subnet.id}" [dir=back, style=dashed, color="#16a34a"];'
            else:
                yield f'"{it.target}" -> "{subnet.id}" [dir=both];'


def _open(network: Network, own: Sequence[Subnet]) -> Iterator[str]:
    """A table of who reaches whom, below everything."""
    present = [role for role in ROLES if spots(network, role)]
    rows = [
        (source, destination, found)
        for source in (INTERNET, OPERATORS, *present)
        for destination in (*present, INTERNET)
        if source != destination and not (source == OPERATORS and destination == INTERNET)
        if (found := openings(network, source, destination))
    ]
    head = "".join(f'<TD BGCOLOR="#e2e8f0" ALIGN="LEFT"><B>{it}</B></TD>' for it in ("from", "reaches", "by"))
    body = "".join(_line(*row) for row in rows) or '<TR><TD COLSPAN="3">nobody reaches anybody</TD></TR>'
    yield (
        f'"open" [label=<<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="4" COLOR="#475569">'
        f"<TR>{head}</TR>{body}</TABLE>>];"
    )
    for zone in sorted({it.zone for it in own}):
        last = max((it for it in own if it.zone == zone), key=lambda it: (_tier(network, it), it.name, it.id))
        yield f'"{last.id}" -> "open" [style=invis];'


def _line(source: str, destination: str, found: Sequence[str]) -> str:
    colour = "#fee2e2" if source == INTERNET else "white"
    cells = (source, destination, ", ".join(found))
    return "<TR>" + "".join(f'<TD ALIGN="LEFT" BGCOLOR="{colour}">{escape(it)}</TD>' for it in cells) + "</TR>"
