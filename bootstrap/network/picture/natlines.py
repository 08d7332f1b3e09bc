"""The lines from private subnets up to NAT gateways in the public tier: straight, or through the gap between the tiers.

If several subnets share a NAT gateway, the line of a nearer subnet ends nearer to the middle of the gateway and turns lower. So
their lines do not cross.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

from bootstrap.network.picture.boxes import Box, Line, Placed
from bootstrap.network.picture.parts import Content, Way

Put = Callable[[Box, float, float], Placed]
_APART = 16.0  # between the ends of lines at one gateway
_STEP = 6.0  # between the turns of lines in one gap


def list_drawn_ways(content: Content) -> tuple[Way, ...]:
    """The routes to NAT gateways that a line can show: from the top row of one tier to the bottom row of the tier above."""
    rows = [band.cells for band in content.bands]
    shown = []
    for way in content.nat_ways:
        for upper, lower in itertools.pairwise(rows):
            is_top = any(cells[0].key == way.start for cells in lower.values())
            is_bottom = any(cells[-1].key == way.gate for cells in upper.values())
            if is_top and is_bottom:
                shown.append(way)
    return tuple(shown)


def draw(
    lines: list[Line],
    boxes: Mapping[str, Placed],
    content: Content,
    labels: Mapping[str, Box],
    put: Put,
    width: Callable[[Box], float],
) -> None:
    """Add the lines, and at the start of each a label with its block."""
    ways = list_drawn_ways(content)
    for target in dict.fromkeys(it.gate for it in ways):
        for way, end, rank in _rank_ways([it for it in ways if it.gate == target], boxes):
            start = boxes[way.start]
            x, middle = start.middle[0], (boxes[target].bottom + start.y) / 2 + 2 - _STEP * rank
            bend = () if rank == 0 else ((x, middle), (end, middle))
            points = ((x, start.y), *bend, (end, boxes[target].bottom))
            lines.append(Line(f"{way.start} nat", points, "out", dashed=True))
            # The label is on the side to which the line does not turn, and below the turns of other lines.
            put(labels[way.start], x + 5 if end <= x else x - 5 - width(labels[way.start]), start.y - 22)


def _rank_ways(ways: Sequence[Way], boxes: Mapping[str, Placed]) -> Iterator[tuple[Way, float, int]]:
    """Each way with the x where its line ends and its rank: 0 is straight from below, higher ranks are further outwards."""
    for way in ways:
        at, own = boxes[ways[0].gate].middle[0], boxes[way.start].middle[0]
        side = 0 if abs(own - at) < 1 else 1 if own > at else -1
        nearer = [it for it in ways if 0 < (boxes[it.start].middle[0] - at) * side <= abs(own - at)] if side else []
        yield way, at + side * _APART * len(nearer), len(nearer)
