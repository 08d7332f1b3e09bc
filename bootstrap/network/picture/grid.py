"""The places in the picture: tiers are rows, zones are columns, gateways are on the border of the VPC, and no two lines cross.

Above the region is what lies outside of it: the Internet, and the other sides of the VPN gateway. To the right of the VPC is
the rest of the region: logs, hosted zones, peered VPCs. Lines from the private tier to gateways go up through two lanes at the
right of the tiers: the inner lane is for the egress-only gateway, the outer one for the VPN gateway. Lines to peered VPCs are
below them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bootstrap.network.picture import natlines, pieces
from bootstrap.network.picture.boxes import Box, Drawing, Frame, Line, Placed, Size
from bootstrap.network.picture.parts import Band, Content, Gate, Way
from bootstrap.network.picture.rules import Rule

Measure = Callable[[Sequence[Box]], Mapping[str, Size]]
_GAP, _PAD = 14.0, 9.0
_BETWEEN = 46.0  # between tiers: room for a line, its corners and its label
_ABOVE = 40.0  # above the region: room for the lines to what is outside
_LANES = 104.0  # width of the space for lanes, right of the tiers and inside the VPC
# The lanes of the egress-only and the VPN gateway: distances from the right side of the tiers.
_INNER, _OUTER = 20.0, 50.0
_MARGIN = 10.0


@dataclass
class Sheet:
    """The elements that have a place already, and the measured sizes of all boxes."""

    content: Content
    sizes: Mapping[str, Size]
    frames: list[Frame] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    boxes: dict[str, Placed] = field(default_factory=dict)
    rows: dict[str, Frame] = field(default_factory=dict)
    gutter: float = 0.0  # the y between the gateways on the upper border of the VPC and everything else in it

    def put(self, box: Box, x: float, y: float, width: float = 0, height: float = 0) -> Placed:
        """Place a box with its upper left corner at a point; it gets at least its measured size."""
        known = self.sizes[box.key]
        placed = Placed(box, x, y, Size(max(known.width, width), max(known.height, height)))
        self.boxes[box.key] = placed
        return placed

    def put_at(self, box: Box, x: float, y: float) -> Placed:
        """Place a box with its centre at a point."""
        known = self.sizes[box.key]
        return self.put(box, x - known.width / 2, y - known.height / 2)


@dataclass(frozen=True)
class Columns:
    """The columns: one for the names of the tiers, then one for each zone."""

    names: tuple[str, ...]
    left: float
    tier_width: float
    width: float

    def find_start(self, zone: str) -> float:
        """The x where the cells of a zone begin."""
        return self.left + _PAD + self.tier_width + 8 + self.names.index(zone) * (self.width + _GAP)

    @property
    def right(self) -> float:
        """The x where the tiers end."""
        return self.find_start(self.names[-1]) + self.width + _PAD


def arrange(content: Content, rules: Sequence[Rule], destinations: Mapping[str, int], measure: Measure) -> Drawing:
    """Give every element its place; `measure` returns the sizes of boxes, in points."""
    boxes = pieces.Pieces(content)
    table = pieces.make_matrix(rules, destinations, 0)
    sheet = Sheet(content, measure([*boxes.list_boxes(), table]))
    columns = _measure_columns(sheet, boxes)
    top = max(sheet.sizes[it.key].height for it in (boxes.internet, *boxes.beyond)) + _ABOVE
    bottom = _place_vpc(sheet, boxes, columns, top)
    right, bottom = _place_surroundings(sheet, boxes, columns, top, bottom)
    _place_outside(sheet, boxes, columns, top)
    right = max(right, *(it.right + _MARGIN for it in sheet.boxes.values()))
    sheet.frames.insert(0, Frame("region", 0, top, right, bottom))
    wide = max(right, sheet.sizes[table.key].width)
    below = sheet.put(boxes.heading, 2, bottom + 20).bottom + 6
    below = sheet.put(pieces.make_matrix(rules, destinations, wide), 0, below, wide).bottom + 8
    sheet.put(boxes.legend, 2, below)
    return Drawing(tuple(sheet.frames), tuple(sheet.lines), tuple(sheet.boxes.values()))


def _measure_columns(sheet: Sheet, boxes: pieces.Pieces) -> Columns:
    """Columns that are wide enough for each cell, and together for the VPC's title and the gateways beside it."""
    tiers = max((sheet.sizes[it.key].width for it in boxes.tiers.values()), default=0)
    cells = max((sheet.sizes[it.key].width for it in (*boxes.cells.values(), *boxes.zones.values())), default=0)
    least = sheet.sizes[boxes.title.key].width + sum(sheet.sizes[it.key].width + 40 for it in boxes.upper)
    strips = max((sheet.sizes[it.key].width for it in boxes.strips.values()), default=0)
    count = max(len(sheet.content.zones), 1)
    return Columns(
        sheet.content.zones or ("",),
        _MARGIN * 2,
        tiers,
        max(cells, (max(least - tiers, strips) - _GAP * (count - 1)) / count),
    )


def _place_vpc(sheet: Sheet, boxes: pieces.Pieces, columns: Columns, top: float) -> float:
    """Place the VPC with its tiers; returns the y where it ends."""
    sheet.put(boxes.region, _MARGIN, top + 7)
    gates = [it for it in (*boxes.upper, *([boxes.vpn] if boxes.vpn else [])) if it is not None]
    half = max((sheet.sizes[it.key].height / 2 for it in gates), default=10)
    border = top + max(30, half + 12)
    title = sheet.put(boxes.title, columns.left + 2, border + 7)
    sheet.gutter = border + half + 10
    y = max(title.bottom + 8, border + half + 24)
    first = y + 22
    for zone, box in boxes.zones.items():
        sheet.put(box, columns.find_start(zone) + 6, y - sheet.sizes[box.key].height / 2)
    end = _place_tiers(sheet, boxes, columns, first)
    for zone in sheet.content.zones:
        x = columns.find_start(zone) - 4
        sheet.frames.append(Frame(f"column {zone}", x, y, x + columns.width + 8, end + 8, "zone", dashed=True))
    edge = columns.right + (_LANES if boxes.vpn or boxes.lanes or boxes.others else _MARGIN)
    sheet.frames.insert(0, Frame("vpc", _MARGIN, border, edge, end + 20, "frame", "vpc"))
    natlines.draw(
        sheet.lines, sheet.boxes, sheet.content, boxes.labels, sheet.put, lambda it: sheet.sizes[it.key].width
    )
    return end + 20 + _MARGIN


def _place_tiers(sheet: Sheet, boxes: pieces.Pieces, columns: Columns, y: float) -> float:
    """Place the tiers below each other; returns the y where the last one ends."""
    end = y
    for band in sheet.content.bands:
        inside = _place_cells(sheet, boxes, columns, band, y + _PAD)
        label = sheet.put(boxes.tiers[band.tier], columns.left + _PAD, y + _PAD)
        strip = boxes.strips.get(band.tier)
        if strip:
            x = columns.find_start(columns.names[0])
            inside = sheet.put(strip, x, inside + 8, columns.right - _PAD - x).bottom
        end = max(inside, label.bottom) + _PAD
        row = Frame(f"row {band.tier}", columns.left, y, columns.right, end, "edge", _choose_paper(band.tier))
        sheet.rows[band.tier] = row
        sheet.frames.append(row)
        y = end + _BETWEEN - 2 * _PAD
    return end


def _choose_paper(tier: str) -> pieces.Colour:
    return "public" if tier == "public" else "private" if tier == "private" else "isolated"


def _place_cells(sheet: Sheet, boxes: pieces.Pieces, columns: Columns, band: Band, y: float) -> float:
    """Place the subnets of a tier; those in one row have one height. Returns the y where the lowest one ends."""
    end = y
    for place in range(max(len(it) for it in band.cells.values())):
        row = [(zone, cells[place]) for zone, cells in band.cells.items() if place < len(cells)]
        height = max(sheet.sizes[it.key].height for _, it in row)
        for zone, it in row:
            end = sheet.put(boxes.cells[it.key], columns.find_start(zone), y, columns.width, height).bottom
        y = end + 6
    return end


def _place_surroundings(
    sheet: Sheet, boxes: pieces.Pieces, columns: Columns, top: float, bottom: float
) -> tuple[float, float]:
    """Place what is to the right of the VPC; returns the x of the region's right side and the y of its lower side."""
    edge = sheet.frames[0].right
    wide = max((sheet.sizes[it.key].width for it in boxes.others), default=0)
    x = edge + (wide / 2 + 34 if boxes.others else 16)
    y, width = top + 30, max((sheet.sizes[it.key].width for it in (*boxes.facts, *boxes.peers)), default=0)
    for box in boxes.facts:
        y = sheet.put(box, x, y, width).bottom + 8
    y = max(y + 6, _find_lowest(sheet) + 50)
    for gate, box in zip(sheet.content.others, boxes.others, strict=True):
        y = _place_other_gate(sheet, gate, box, boxes, (edge, x, y, width)) + 14
    return (x + width if width else edge) + _MARGIN, max(bottom, y)


def _find_lowest(sheet: Sheet) -> float:
    """The y of the upper side of the tier from which lines go to the right: the private one if there is one, else the last."""
    rows = list(sheet.rows.values())
    return sheet.rows["private"].y if "private" in sheet.rows else rows[-1].y if rows else 0


def _place_other_gate(
    sheet: Sheet, gate: Gate, box: Box, boxes: pieces.Pieces, place: tuple[float, float, float, float]
) -> float:
    """Place a gateway on the right border of the VPC, and what is behind it; returns the y where they end."""
    edge, x, y, width = place
    behind = [it for it in boxes.peers if it.key.startswith(f"{gate.key} ")]
    high = max(sheet.sizes[it.key].height for it in (box, *behind))
    placed = sheet.put_at(box, edge, y + high / 2)
    middle = placed.middle[1]
    for far_box in behind:
        far = sheet.put(far_box, x, middle - sheet.sizes[far_box.key].height / 2, width)
        sheet.lines.append(Line(f"{far_box.key} line", ((placed.right, middle), (far.x, middle)), "net", both=True))
    for way in (it for it in sheet.content.ways if it.gate == gate.key):
        _draw_sideways(sheet, way, placed)
    return y + high


def _draw_sideways(sheet: Sheet, way: Way, gate: Placed) -> None:
    """Draw the line from a tier to a gateway at its right: straight, or with a corner if the gateway is further down."""
    row, middle = sheet.rows[way.start], gate.middle[1]
    if way.start != "private" and "private" in sheet.rows:
        return  # the text of the tier has it
    start = min(max(middle, row.y + 44), row.bottom - 8)
    bend = gate.x - 12
    corner = () if start == middle else ((bend, start), (bend, middle))
    points = ((row.right, start), *corner, (gate.x, middle))
    sheet.lines.append(Line(f"{way.start} {way.gate}", points, "net", both=True))


def _place_outside(sheet: Sheet, boxes: pieces.Pieces, columns: Columns, top: float) -> None:
    """Place the gateways on the upper border of the VPC, and above them what they lead to."""
    border = next(it.y for it in sheet.frames if it.key == "vpc")
    bar_right = columns.right - 4
    if boxes.vpn:
        x = columns.right + _OUTER
        gate = sheet.put_at(boxes.vpn, x, border)
        _draw_upwards(sheet, gate, x, 30, "net", both=True)
        _place_far_sides(sheet, boxes, gate, x, top)
        bar_right = min(bar_right, gate.x - 12)
    last = bar_right
    for box, gate_of in reversed(list(zip(boxes.upper, boxes.upper_gates, strict=True))):
        half = sheet.sizes[box.key].width / 2
        x = last - half if gate_of is sheet.content.egress_only else _find_x_between(columns, last - half)
        placed = sheet.put_at(box, x, border)
        last = placed.x - 16
        _draw_to_internet(sheet, placed, gate_of, columns, top)
    height = top - _ABOVE
    sheet.put(boxes.internet, columns.left, 0, bar_right - columns.left, height)


def _find_x_between(columns: Columns, most: float) -> float:
    """The x of a line between two columns, the furthest to the right that is at most `most`; else `most` itself."""
    places = [columns.find_start(zone) - _GAP / 2 for zone in columns.names[1:]]
    return max((it for it in places if it <= most), default=most)


def _draw_to_internet(sheet: Sheet, placed: Placed, gate: Gate, columns: Columns, top: float) -> None:
    x = placed.middle[0]
    is_out = gate is sheet.content.egress_only
    colour: pieces.Colour = "out" if is_out else "internet"
    ends = ((x, placed.y), (x, top - _ABOVE))
    sheet.lines.append(Line(f"{gate.key} outside", ends, colour, both=not is_out, dashed=is_out))
    ways = [it for it in sheet.content.ways if it.gate == gate.key]
    if is_out and any(it.start == "private" for it in ways):
        row, lane, gutter = sheet.rows["private"], columns.right + _INNER, sheet.gutter
        points = ((columns.right, row.y + 14), (lane, row.y + 14), (lane, gutter), (x, gutter), (x, placed.bottom))
        sheet.lines.append(Line(f"{gate.key} inside", points, colour, dashed=True))
    elif not is_out and any(it.start == "public" for it in ways):
        ends = ((x, placed.bottom), (x, sheet.rows["public"].y))
        sheet.lines.append(Line(f"{gate.key} inside", ends, colour, both=True))


def _draw_upwards(sheet: Sheet, gate: Placed, lane: float, below: float, colour: pieces.Colour, *, both: bool) -> None:
    """Draw the line from the right side of the private tier, up through a lane, to a gateway."""
    ways = [it for it in sheet.content.ways if it.gate == gate.box.key and it.start == "private"]
    if ways:
        row = sheet.rows["private"]
        points = ((row.right, row.y + below), (lane, row.y + below), (lane, gate.bottom))
        sheet.lines.append(Line(f"{gate.box.key} inside", points, colour, both=both))


def _place_far_sides(sheet: Sheet, boxes: pieces.Pieces, gate: Placed, x: float, top: float) -> None:
    """Place the other sides of the VPN gateway beside each other above the region.

    The first one is directly above the gateway.
    """
    left = gate.x
    for number, box in enumerate(boxes.beyond):
        placed = sheet.put(box, left, 0, 0, top - _ABOVE)
        start = x + 14 * number
        middle, turn = max(placed.middle[0], start), placed.bottom + 16 + 5 * number
        bend = ((start, turn), (middle, turn)) if number else ()
        points = ((start, gate.y), *bend, (middle if number else start, placed.bottom))
        sheet.lines.append(Line(f"{box.key} line", points, "net", both=True))
        left = placed.right + 12
