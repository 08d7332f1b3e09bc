"""The pieces that the picture is put together from, as graphviz takes them: boxes of text, frames, and lines between points.

A box is as large as graphviz measures it, or as large as the grid wants it. Coordinates are points, x to the right and y
down, as people read; graphviz counts y upwards, which only this module knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from bootstrap.network.picture.colours import LIGHT, Colour
from bootstrap.network.picture.content import shown

FONT = "DejaVu Sans"  # wide: where a reader has another, its letters need no more room
_TIP = 6.0  # how long an arrow's head is
_ROUND = 7.0  # the radius of a line's corners
Point = tuple[float, float]


@dataclass(frozen=True)
class Size:
    """Width and height of something measured."""

    width: float
    height: float


@dataclass(frozen=True)
class Text:
    """A piece of a line."""

    text: str
    colour: Colour = "ink"
    size: int = 10
    bold: bool = False

    def __str__(self) -> str:
        inner = f"<B>{_plain(self.text)}</B>" if self.bold else _plain(self.text)
        return f'<FONT POINT-SIZE="{self.size}" COLOR="{LIGHT[self.colour]}">{inner}</FONT>'


def _plain(text: str) -> str:
    """Whatever a name is made of, as text of the description."""
    return escape(shown(text)) or " "


@dataclass(frozen=True)
class Box:
    """A box with lines of text, and smaller boxes below them; `key` is what graphviz calls it and a reader's pointer shows.

    `whole` is a table of the description's language that stands in the place of all of it.
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

    def table(self, width: float = 0, height: float = 0) -> str:
        """The box as a table of graphviz' language, at least as large as that; its text stands at the top left, or centred."""
        if self.whole:
            return self.whole
        across, down = ("CENTER", "MIDDLE") if self.centred else ("LEFT", "TOP")
        rows = [f'<TR><TD ALIGN="{across}">{"".join(map(str, _parts(it)))}</TD></TR>' for it in self.lines]
        within = max(width - 2 * self.padding - 8, 0)
        rows += [f'<TR><TD ALIGN="LEFT" CELLPADDING="2">{it.table(within)}</TD></TR>' for it in self.inner]
        paint = f' BGCOLOR="{LIGHT[self.fill]}"' if self.fill else ""
        border = f' BORDER="1" COLOR="{LIGHT[self.stroke]}"' if self.stroke else ' BORDER="0"'
        # The width is the cell's, and the height too where the text is centred: graphviz enlarges a table, not what is in it.
        wide = f' WIDTH="{width - 2:.0f}"' * bool(width)
        high = f' HEIGHT="{height - 2:.0f}"' * bool(height)
        text = f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="1" CELLPADDING="0">{"".join(rows)}</TABLE>'
        of_table, of_cell = ("", wide + high) if self.centred else (high, wide)
        return (
            f'<TABLE{border} STYLE="ROUNDED" CELLBORDER="0" CELLSPACING="0" CELLPADDING="{self.padding}"{paint}{of_table}>'
            f'<TR><TD ALIGN="{across}" VALIGN="{down}"{of_cell}>{text}</TD></TR></TABLE>'
        )


def _parts(line: Text | tuple[Text, ...]) -> tuple[Text, ...]:
    return (line,) if isinstance(line, Text) else line


@dataclass(frozen=True)
class Placed:
    """A box where it stands: its upper left corner and its size."""

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
    """An outline around other things, drawn beneath them."""

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
    """A line by points that follow each other across or down; an arrow at its end, or at both."""

    key: str
    points: tuple[Point, ...]
    colour: Colour
    both: bool = False
    dashed: bool = False


@dataclass(frozen=True)
class Drawing:
    """All of a picture, in the order in which it is drawn."""

    frames: tuple[Frame, ...]
    lines: tuple[Line, ...]
    boxes: tuple[Placed, ...]


def measuring(boxes: Iterable[Box]) -> str:
    """The description of boxes that are only to be measured."""
    return _described(f'"{_quoted(it.key)}" [pos="0,0", label=<{it.table()}>];' for it in boxes)


def described(drawing: Drawing) -> str:
    """The description of the whole, each thing at its place."""
    return _described((*map(_frame, drawing.frames), *_lines(drawing.lines), *map(_box, drawing.boxes)))


def _described(statements: Iterable[str]) -> str:
    head = [
        "digraph network {",
        f'graph [bgcolor="{LIGHT["paper"]}", pad=0.05, fontname="{FONT}"];',
        f'node [shape=plain, fontname="{FONT}", fontsize=10];',
        "edge [arrowsize=0.6];",
    ]
    return "\n".join([*head, *statements, "}"]) + "\n"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _box(it: Placed) -> str:
    x, y = it.middle
    label = it.box.table(it.size.width, it.size.height)
    return f'"{_quoted(it.box.key)}" [pos="{x:.1f},{-y:.1f}", class="{it.box.kind}", label=<{label}>];'


def _frame(it: Frame) -> str:
    width, height = (it.right - it.x) / 72, (it.bottom - it.y) / 72
    middle = f"{(it.x + it.right) / 2:.1f},{-(it.y + it.bottom) / 2:.1f}"
    style = ",".join(["rounded", *(["dashed"] if it.dashed else []), *(["filled"] if it.fill else [])])
    fill = f', fillcolor="{LIGHT[it.fill]}"' if it.fill else ""
    return (
        f'"{_quoted(it.key)}" [shape=box, label="", style="{style}", color="{LIGHT[it.stroke]}"{fill}, class="frame", '
        f'fixedsize=true, width={width:.4f}, height={height:.4f}, pos="{middle}"];'
    )


def _lines(lines: Sequence[Line]) -> Iterator[str]:
    """Graphviz wants a line to have two ends: nodes of no size, whose place is the line's own."""
    for it in lines:
        ends = [f"{it.key} {end}" for end in ("begins", "ends")]
        for name, (x, y) in zip(ends, (it.points[0], it.points[-1]), strict=True):
            yield f'"{_quoted(name)}" [shape=point, style=invis, width=0, height=0, pos="{x:.1f},{-y:.1f}"];'
        style = ', style="dashed"' if it.dashed else ""
        yield (
            f'"{_quoted(ends[0])}" -> "{_quoted(ends[1])}" [pos="{_course(it)}", color="{LIGHT[it.colour]}", '
            f'dir={"both" if it.both else "forward"}, class="line"{style}];'
        )


def _course(it: Line) -> str:
    """The line as a spline of graphviz: straight pieces, round corners, room for the arrows' heads at its ends."""
    points = list(it.points)
    tips = f"e,{points[-1][0]:.1f},{-points[-1][1]:.1f} "
    points[-1] = _towards(points[-1], points[-2], _TIP)
    if it.both:
        tips = f"s,{points[0][0]:.1f},{-points[0][1]:.1f} {tips}"
        points[0] = _towards(points[0], points[1], _TIP)
    course = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _towards(corner, before, _ROUND), _towards(corner, after, _ROUND)
        course += [course[-1], start, start, corner, corner, end]
    course += [course[-1], points[-1], points[-1]]
    return tips + " ".join(f"{x:.1f},{-y:.1f}" for x, y in course)


def _towards(start: Point, end: Point, by: float) -> Point:
    """The point that lies that far from one towards another, or half way where they are near."""
    across, down = end[0] - start[0], end[1] - start[1]
    length = max(abs(across), abs(down)) or 1.0
    part = min(by, length / 2) / length
    return start[0] + across * part, start[1] + down * part
