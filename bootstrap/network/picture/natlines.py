"""The lines from private subnets to the NAT gateways in the public tier above: straight up, or along the gap between both.

Where several subnets share a NAT gateway, the nearer one ends nearer to the gateway and turns lower, so that
their lines never cross.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence

from bootstrap.network.picture.boxes import Box, Line, Placed
from bootstrap.network.picture.parts import Content, Way

Put = Callable[[Box, float, float], Placed]
_APART = 16.0  # ends of lines at one gateway
_STEP = 6.0  # turns of lines in one gap


def drawn(content: Content) -> tuple[Way, ...]:
    """The routes to NAT gateways that a line can show: from the top of one tier to the bottom of the tier above it."""
    rows = [band.cells for band in content.bands]
    found = []
    for way in content.nat_ways:
        for upper, lower in itertools.pairwise(rows):
            is_top = any(cells[0].key == way.start for cells in lower.values())
            is_bottom = any(cells[-1].key == way.gate for cells in upper.values())
            if is_top and is_bottom:
                found.append(way)
    return tuple(found)


def draw(
    lines: list[Line],
    boxes: Mapping[str, Placed],
    content: Content,
    labels: Mapping[str, Box],
    put: Put,
    width: Callable[[Box], float],
) -> None:
    """Add the lines, and at the start of each the block that it is for."""
    ways = drawn(content)
    for target in dict.fromkeys(it.gate for it in ways):
        for way, end, rank in _ranked([it for it in ways if it.gate == target], boxes):
            start = boxes[way.start]
            x, middle = start.middle[0], (boxes[target].bottom + start.y) / 2 + 2 - _STEP * rank
            bend = () if rank == 0 else ((x, middle), (end, middle))
            points = ((x, start.y), *bend, (end, boxes[target].bottom))
            lines.append(Line(f"{way.start} nat", points, "out", dashed=True))
            # Beside the line, on the side to which it does not turn, and below the turns of others.
            put(labels[way.start], x + 5 if end <= x else x - 5 - width(labels[way.start]), start.y - 22)


def _ranked(ways: Sequence[Way], boxes: Mapping[str, Placed]) -> Iterator[tuple[Way, float, int]]:
    """Each way with where it ends and how far it comes: 0 straight from below, then outwards to both sides."""
    for way in ways:
        at, own = boxes[ways[0].gate].middle[0], boxes[way.start].middle[0]
        side = 0 if abs(own - at) < 1 else 1 if own > at else -1
        nearer = [it for it in ways if 0 < (boxes[it.start].middle[0] - at) * side <= abs(own - at)] if side else []
        yield way, at + side * _APART * len(nearer), len(nearer)
