"""The elements of the picture in graphviz' language: boxes of text, frames, and lines between points.

A box has the size that graphviz measures, or a larger one that the grid sets. Coordinates are in points (1/72 inch), x to the
right and y down. Graphviz counts y upwards; only this module converts it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bootstrap.network.picture.colours import LIGHT, Colour
from bootstrap.network.picture.content import replace_unprintable

FONT = "DejaVu Sans"  # a wide font: with another font on the reader's machine, texts need no more room
_TIP = 6.0  # the length of an arrow's head
_ROUND = 7.0  # the radius of a line's corners
Point = tuple[float, float]


@dataclass(frozen=True)
class Size:
    """Width and height of a box, in points."""

    width: float
    height: float


@dataclass(frozen=True)
class Text:
    """A part of a line of text, with its style."""

    text: str
    colour: Colour = "ink"
    size: int = 10
    bold: bool = False

    def __str__(self) -> str:
        inner = f"<B>{_escape(self.text)}</B>" if self.bold else _escape(self.text)
        return f'<FONT POINT-SIZE="{self.size}" COLOR="{LIGHT[self.colour]}">{inner}</FONT>'


def _escape(text: str) -> str:
    """A text, escaped for graphviz' language."""
    return escape(replace_unprintable(text)) or " "


@dataclass(frozen=True)
class Box:
    """A box with lines of text, and smaller boxes below them; `key` is its name in graphviz, and its tooltip.

    `whole` is a complete table in graphviz' language; if it is set, it replaces lines and inner boxes.
    """

    key: str
    lines: tuple[Text | tuple[Text, ...], ...]
    inner: tuple[Box, ...] = ()
    fill: Colour | None = "cell"
    stroke: Colour | None = "edge"
    padding: int = 5
    centred: bool = False
    kind: str = "box"
    whole: str = ""

    def format_table(self, width: float = 0, height: float = 0) -> str:
        """The box as a table in graphviz' language, of at least this size; its text is at the top left, or centred."""
        if self.whole:
            return self.whole
        across, down = ("CENTER", "MIDDLE") if self.centred else ("LEFT", "TOP")
        rows = [f'<TR><TD ALIGN="{across}">{"".join(map(str, _split_line(it)))}</TD></TR>' for it in self.lines]
        within = max(width - 2 * self.padding - 8, 0)
        rows += [f'<TR><TD ALIGN="LEFT" CELLPADDING="2">{it.format_table(within)}</TD></TR>' for it in self.inner]
        paint = f' BGCOLOR="{LIGHT[self.fill]}"' if self.fill else ""
        border = f' BORDER="1" COLOR="{LIGHT[self.stroke]}"' if self.stroke else ' BORDER="0"'
        # The cell gets the width, and with centred text the height too: graphviz enlarges a table, but not its cells.
        wide = f' WIDTH="{width - 2:.0f}"' * bool(width)
        high = f' HEIGHT="{height - 2:.0f}"' * bool(height)
        text = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="0">{"".join(rows)}</TABLE>'
        of_table, of_cell = ("", wide + high) if self.centred else (high, wide)
        return (
            f'<TABLE{border} STYLE="ROUNDED" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{self.padding}"{paint}{of_table}>'
            f'<TR><TD ALIGN="{across}" VALIGN="{down}"{of_cell}>{text}</TD></TR></TABLE>'
        )


def _split_line(line: Text | tuple[Text, ...]) -> tuple[Text, ...]:
    return (line,) if isinstance(line, Text) else line


@dataclass(frozen=True)
class Placed:
    """A box with its place: its upper left corner and its size."""

    box: Box
    x: float
    y: float
    size: Size

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.size.width

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y + self.size.height

    @property
    def middle(self) -> Point:
        """Its centre."""
        return self.x + self.size.width / 2, self.y + self.size.height / 2


@dataclass(frozen=True)
class Frame:
    """An outline around other elements, drawn behind them."""

    key: str
    x: float
    y: float
    right: float
    bottom: float
    stroke: Colour = "frame"
    fill: Colour | None = None
    dashed: bool = False


@dataclass(frozen=True)
class Line:
    """A line through points; each piece is horizontal or vertical.

    It has an arrow at its end, with `both` also at its start.
    """

    key: str
    points: tuple[Point, ...]
    colour: Colour
    both: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Drawing:
    """The elements of a picture, in the order in which they are drawn."""

    frames: tuple[Frame, ...]
    lines: tuple[Line, ...]
    boxes: tuple[Placed, ...]


def describe_for_measuring(boxes: Iterable[Box]) -> str:
    """The description of boxes that are only to be measured."""
    return _wrap_statements(f'"{_quote(it.key)}" [pos="0,0", label=<{it.format_table()}>];' for it in boxes)


def describe_drawing(drawing: Drawing) -> str:
    """The description of the whole picture, each element at its place."""
    return _wrap_statements(
        (*map(_format_frame, drawing.frames), *_format_lines(drawing.lines), *map(_format_box, drawing.boxes))
    )


def _wrap_statements(statements: Iterable[str]) -> str:
    head = [
        "digraph network {",
        f'graph [bgcolor="{LIGHT["paper"]}", pad=0.05, fontname="{FONT}"];',
        f'node [shape=plain, fontname="{FONT}", fontsize=10];',
        "edge [arrowsize=0.6];",
    ]
    return "\n".join([*head, *statements, "}"]) + "\n"


def _quote(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _format_box(placed: Placed) -> str:
    x, y = placed.middle
    label = placed.box.format_table(placed.size.width, placed.size.height)
    return f'"{_quote(placed.box.key)}" [pos="{x:.1f},{-y:.1f}", class="{placed.box.kind}", label=<{label}>];'


def _format_frame(frame: Frame) -> str:
    width, height = (frame.right - frame.x) / 72, (frame.bottom - frame.y) / 72
    middle = f"{(frame.x + frame.right) / 2:.1f},{-(frame.y + frame.bottom) / 2:.1f}"
    style = ",".join(["rounded", *(["dashed"] if frame.dashed else []), *(["filled"] if frame.fill else [])])
    fill = f', fillcolor="{LIGHT[frame.fill]}"' if frame.fill else ""
    return (
        f'"{_quote(frame.key)}" [shape=box, label="", style="{style}", color="{LIGHT[frame.stroke]}"{fill}, class="frame", '
        f'fixedsize=true, width={width:.4f}, height={height:.4f}, pos="{middle}"];'
    )


def _format_lines(lines: Sequence[Line]) -> Iterator[str]:
    """The statements of lines. Graphviz needs a node at each end of a line: invisible nodes without size are put there."""
    for line in lines:
        ends = [f"{line.key} {end}" for end in ("begins", "ends")]
        for name, (x, y) in zip(ends, (line.points[0], line.points[-1]), strict=True):
            yield f'"{_quote(name)}" [shape=point, style=invis, width=0, height=0, pos="{x:.1f},{-y:.1f}"];'
        style = ', style="dashed"' if line.dashed else ""
        yield (
            f'"{_quote(ends[0])}" -> "{_quote(ends[1])}" [pos="{_format_course(line)}", color="{LIGHT[line.colour]}", '
            f'dir={"both" if line.both else "forward"}, class="line"{style}];'
        )


def _format_course(line: Line) -> str:
    """The line as a spline in graphviz' language: straight pieces, round corners, room for the heads of arrows."""
    points = list(line.points)
    tips = f"e,{points[-1][0]:.1f},{-points[-1][1]:.1f} "
    points[-1] = _find_point(points[-1], points[-2], _TIP)
    if line.both:
        tips = f"s,{points[0][0]:.1f},{-points[0][1]:.1f} {tips}"
        points[0] = _find_point(points[0], points[1], _TIP)
    spline = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _find_point(corner, before, _ROUND), _find_point(corner, after, _ROUND)
        spline += [spline[-1], start, start, corner, corner, end]
    spline += [spline[-1], points[-1], points[-1]]
    return tips + " ".join(f"{x:.1f},{-y:.1f}" for x, y in spline)


def _find_point(start: Point, end: Point, by: float) -> Point:
    """The point at the distance `by` from `start` towards `end`; at most half way."""
    across, down = end[0] - start[0], end[1] - start[1]
    length = max(abs(across), abs(down)) or 1.0
    part = min(by, length / 2) / length
    return start[0] + across * part, start[1] + down * part
