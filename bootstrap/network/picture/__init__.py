"""The network as a picture: made from what AWS returned, drawn by graphviz.

`content` decides what is in the picture, `rules` who may reach whom, `pieces` the text and colours of each box, `grid` the
places. `boxes` writes it in graphviz' language, and `page` makes one SVG element of graphviz' output: with colours for light
and dark mode, and with a title and a description for screen readers. It asks AWS for nothing.
Imported by: views.network_diagram.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bootstrap.network.model import Network
from bootstrap.network.picture import boxes, content, grid, page, rules
from bootstrap.network.picture.boxes import Box, Size
from bootstrap.network.surroundings import Surroundings

__all__ = ["draw"]
Graphviz = Callable[[str, str], str]
"""Takes a description in graphviz' language and an output format, 'json0' or 'svg'; returns graphviz' output."""


def draw(network: Network, surroundings: Surroundings, name: str, graphviz: Graphviz) -> str:
    """The picture of the environment's VPC and its connections, as SVG. `name` is the prefix of the names of its resources."""
    description = content.build_content(network, surroundings, name)
    open_to = rules.list_rules(network, name)

    def measure(boxes_to_measure: Sequence[Box]) -> dict[str, Size]:
        return page.read_sizes(graphviz(boxes.describe_for_measuring(boxes_to_measure), "json0"))

    drawing = grid.arrange(description, open_to, rules.count_members(network, name), measure)
    return page.add_style(graphviz(boxes.describe_drawing(drawing), "svg"), description, open_to)
