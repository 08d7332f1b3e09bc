"""The boxes of a picture: text and colours of each part of its content."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence

from bootstrap.network.picture import natlines
from bootstrap.network.picture.boxes import Box, Text
from bootstrap.network.picture.colours import LIGHT, Colour
from bootstrap.network.picture.parts import Band, Cell, Chip, Content, Gate, Way
from bootstrap.network.picture.rules import EVERYBODY, Rule

__all__ = ["Colour", "Pieces", "make_matrix"]

_MEANING = {
    "public": ("the Internet", "both ways"),
    "private": ("out of the VPC,", "never in from", "the Internet"),
    "isolated": ("inside the VPC", "only"),
}
_ROUTES = 4  # how many lines the routes at a gateway may take; more are counted
PASSES, STANDS = "●", "○"


class Pieces:
    """All boxes of a picture except the table of who may reach whom."""

    def __init__(self, content: Content) -> None:
        gates = {it.key: it.name for it in (content.internet, content.egress_only, content.vpn, *content.others) if it}
        drawn_starts = {it.start for it in natlines.list_drawn_ways(content)}
        self.internet, self.region, self.title = (
            _make_internet_box(),
            _make_region_box(content),
            _make_title_box(content),
        )
        self.heading, self.legend = _make_heading_box(), _make_legend_box()
        self.zones = {name: _make_zone_box(name) for name in content.zones}
        self.tiers = {it.tier: _make_tier_box(it, gates, _list_ways_in_words(content, it.tier)) for it in content.bands}
        by_nat = {it.start: it.to for it in content.nat_ways if it.start not in drawn_starts}
        self.cells = {
            cell.key: _make_cell_box(cell, by_nat.get(cell.key, ()))
            for band in content.bands
            for cells in band.cells.values()
            for cell in cells
        }
        strips = {band.tier: _make_endpoints_box(band, len(content.zones)) for band in content.bands}
        self.strips = {name: it for name, it in strips.items() if it}
        self.upper_gates = [it for it in (content.internet, content.egress_only) if it]
        self.upper = [
            _make_gate_box(
                gate,
                content.ways,
                *(("internet", "internet-paper") if gate is content.internet else ("out", "out-paper")),
            )
            for gate in self.upper_gates
        ]
        self.vpn = _make_gate_box(content.vpn, content.ways, "net", "net-paper") if content.vpn else None
        self.beyond = list(_make_far_boxes(content.vpn)) if content.vpn else []
        self.others = [_make_gate_box(it, content.ways, "net", "net-paper") for it in content.others]
        self.peers = [box for it in content.others for box in _make_far_boxes(it)]
        self.facts = list(_make_fact_boxes(content))
        self.labels = {
            it.start: _make_label_box(f"{it.start} label", ", ".join(it.to), "out")
            for it in natlines.list_drawn_ways(content)
        }
        self.lanes = content.egress_only is not None

    def list_boxes(self) -> list[Box]:
        """All boxes, to be measured."""
        groups = (self.zones, self.tiers, self.cells, self.strips, self.labels)
        listed = (self.upper, self.beyond, self.others, self.peers, self.facts)
        alone = [self.internet, self.region, self.title, self.heading, self.legend, *([self.vpn] if self.vpn else [])]
        return [*alone, *(it for group in groups for it in group.values()), *(it for group in listed for it in group)]


def _list_ways_in_words(content: Content, tier_name: str) -> list[Way]:
    """The ways of a tier that no line shows, so that text must."""
    upper = content.internet.key if content.internet else ""
    drawn_tier = "public" if tier_name == "public" else "private"
    has_private = any(it.tier == "private" for it in content.bands)
    return [
        way
        for way in content.ways
        if way.start == tier_name
        and not (way.gate == upper and drawn_tier == "public")
        and not (way.gate != upper and (tier_name == "private" or not has_private))
    ]


def _make_internet_box() -> Box:
    """The Internet."""
    return Box(
        EVERYBODY,
        (Text("Internet", "internet", 12, bold=True),),
        fill="internet-paper",
        stroke="internet",
        centred=True,
    )


def _make_title_box(content: Content) -> Box:
    """The VPC's own name and blocks."""
    name = (Text("VPC ", "dim", 11), Text(content.name, "ink", 12, bold=True))
    return Box("the VPC", (name, Text("  ".join(content.blocks), "dim")), fill=None, stroke=None, padding=0)


def _make_region_box(content: Content) -> Box:
    """The region's name."""
    words = (Text("region ", "dim", 11), Text(content.region, "ink", 11, bold=True))
    return Box("the region", (words,), fill=None, stroke=None, padding=0)


def _make_zone_box(name: str) -> Box:
    """The name of an availability zone, on the outline of its column."""
    return Box(f"zone {name}", (Text(name, "dim", 11, bold=True),), fill="paper", stroke=None, padding=2)


def _make_tier_box(band: Band, gates: Mapping[str, str], ways: Sequence[Way]) -> Box:
    """The name of a tier, what it reaches, its ACL, and its ways that no line shows: through endpoints and other gateways."""
    lines = [Text(band.tier, "ink", 12, bold=True), *(Text(it, "dim") for it in _MEANING[band.tier])]
    lines += [Text(f"ACL {it}", "dim") for it in band.acls]
    lines += [Text(f"{it} by endpoint", "dim") for it in band.gateway_endpoints]
    lines += [Text(f"{', '.join(it.to)} by {gates[it.gate]}", "dim") for it in ways]
    return Box(f"tier {band.tier}", tuple(lines), fill=None, stroke=None, padding=0)


def _make_cell_box(cell: Cell, by_nat: Sequence[str]) -> Box:
    """A subnet; `by_nat` are the blocks of its routes to a NAT gateway that no line shows."""
    lines = [Text(cell.name, "ink", 11, bold=True), *(Text(block, "dim") for block in cell.blocks)]
    lines += [Text(f"{block} by NAT elsewhere", "out") for block in by_nat]
    lines += [Text(f"! {broken}", "internet") for broken in cell.broken]
    return Box(cell.key, tuple(lines), tuple(_make_chip_box(each) for each in cell.chips), kind="subnet")


def _make_chip_box(chip: Chip) -> Box:
    colours: tuple[Colour, Colour] = ("out-paper", "out") if chip.is_nat else ("chip", "edge")
    lines = (Text(chip.name, "out" if chip.is_nat else "ink", 10, bold=True), Text(chip.address))
    return Box(chip.key, lines, fill=colours[0], stroke=colours[1], padding=3, kind="chip")


def _make_endpoints_box(band: Band, columns: int) -> Box | None:
    """The interface endpoints of a tier, in one box across its zones."""
    if not band.interface_endpoints:
        return None
    words = textwrap.wrap(", ".join(band.interface_endpoints), 27 * columns - 6)
    head = Text("interface endpoints", "net", 10, bold=True)
    return Box(
        f"endpoints {band.tier}", (head, *map(Text, words)), fill="net-paper", stroke="net", padding=4, kind="endpoints"
    )


def _make_gate_box(gate: Gate, ways: Sequence[Way], colour: Colour, paper: Colour) -> Box:
    """A gateway and the routes that lead to it."""
    routes = list(dict.fromkeys(block for way in ways if way.gate == gate.key for block in way.to))
    more = [f"and {len(routes) - _ROUTES + 1} more"] if len(routes) > _ROUTES else []
    listed = [*routes[: _ROUTES - bool(more)], *more] if routes else ["no route leads here"]
    words = [Text(word, colour, 10, bold=True) for word in gate.name.rsplit(" ", 1)]
    lines = (*words, *([Text(gate.detail, "dim")] if gate.detail else []), *map(Text, listed))
    return Box(gate.key, lines, fill=paper, stroke=colour, padding=4, centred=True, kind="gate")


def _make_far_boxes(gate: Gate) -> Iterator[Box]:
    """The other sides of a gateway."""
    for number, (name, lines) in enumerate(gate.far):
        words = (Text(name, "net", 10, bold=True), *(Text(line, "dim") for line in lines))
        yield Box(f"{gate.key} {number}", words, fill="net-paper", stroke="net", kind="far")


def _make_fact_boxes(content: Content) -> Iterator[Box]:
    """What is beside the VPC: hosted zones and logs."""
    for number, (name, lines) in enumerate(content.facts):
        yield Box(
            f"beside {number}",
            (Text(name, "ink", 10, bold=True), *(Text(it, "dim") for it in lines)),
            fill="head",
            kind="beside",
        )


def _make_label_box(key: str, text: str, colour: Colour) -> Box:
    """A label at a line."""
    return Box(key, (Text(text, colour),), fill="paper", stroke=None, padding=1)


def _make_heading_box() -> Box:
    """The heading of the table."""
    return Box("heading", (Text("Who may reach whom", "ink", 13, bold=True),), fill=None, stroke=None, padding=0)


def make_matrix(rules: Sequence[Rule], destinations: Mapping[str, int], width: float) -> Box:
    """The table of who may reach whom: a row for each source, a column for each destination; cells have the open ports.

    `destinations` has the number of interfaces of each; `width` is the width of the table in points, 0 for the least.
    """
    across = [*destinations, *([EVERYBODY] if any(it.destination == EVERYBODY for it in rules) else [])]
    down = sorted(dict.fromkeys(it.source for it in rules), key=lambda it: _rank(it, across))
    outside = {it.source for it in rules if it.is_from_outside}
    first = max((7 * len(it) for it in down), default=0)
    widths = [first, *([(width - first) / len(across)] * len(across))] if width and across else []
    head = _format_cells(
        "head", [Text("from  \\  to", "dim"), *(_format_head(it, destinations.get(it)) for it in across)], widths
    )
    rows = [
        _format_cells(
            "internet-paper" if source in outside else "cell",
            [
                Text(source, "internet" if source in outside else "ink", 10, bold=True),
                *(_format_ports([it for it in rules if (it.source, it.destination) == (source, to)]) for to in across),
            ],
        )
        for source in down
    ] or [f'<TR><TD BGCOLOR="{LIGHT["cell"]}" COLSPAN="{len(across) + 1}">{Text("no rule lets anybody in")}</TD></TR>']
    table = (
        f'<TABLE BORDER="0" CELLBORDER="1" CELLSPACING="0" CELLPADDING="4" COLOR="{LIGHT["edge"]}">'
        f"{head}{''.join(rows)}</TABLE>"
    )
    return Box("who may reach whom", (), whole=table, kind="matrix")


def _rank(source: str, across: Sequence[str]) -> tuple[int, str]:
    """The order of rows: the Internet, then blocks and other networks, then the roles in the order of the columns."""
    return (0, "") if source == EVERYBODY else (2 + across.index(source), "") if source in across else (1, source)


def _format_head(name: str, members: int | None) -> Text | tuple[Text, Text]:
    note = Text("no machine", "dim", 9) if members == 0 else None
    first = Text(name, "ink", 10, bold=True)
    return (first, note) if note else first


def _format_ports(rules: Sequence[Rule]) -> tuple[Text, ...]:
    return tuple(
        Text(f"{PASSES if it.passes else STANDS} {it.port}", "ink" if it.passes else "dim", 10, bold=it.passes)
        for it in rules
    ) or (Text(""),)


def _format_cells(fill: Colour, cells: Sequence[Text | tuple[Text, ...]], widths: Sequence[float] = ()) -> str:
    """A row of the table; several texts in one cell are below each other."""
    row = ""
    for number, it in enumerate(cells):
        lines = "".join(f'{each}<BR ALIGN="LEFT"/>' for each in ((it,) if isinstance(it, Text) else it))
        width = f' WIDTH="{widths[number]:.0f}"' if widths else ""
        row += f'<TD BGCOLOR="{LIGHT[fill]}" ALIGN="LEFT" BALIGN="LEFT"{width}>{lines}</TD>'
    return f"<TR>{row}</TR>"


def _make_legend_box() -> Box:
    """The legend: what the signs and lines mean."""
    signs = (
        (Text(f"{PASSES} 443", bold=True), Text("  a connection to this port passes now (TCP unless a protocol is named)")),
        (
            Text(f"{STANDS} 443", "dim"),
            Text("  a security group allows it, but no machine is there, or a route, an ACL or the other group blocks it"),
        ),
        (
            Text("━▶", "internet"), Text(" Internet, ◀▶ both ways     "), Text("╍▶", "out"), Text(" outbound only     "),
            Text("━▶", "net"), Text(" other networks"),
        ),
    )  # fmt: skip
    return Box("legend", signs, fill=None, stroke=None, padding=0)
