"""The network as a picture, drawn by graphviz from what is there and from nothing else.

`content` says what is in it, `rules` who may reach whom, `pieces` how each thing is written, `grid` where it stands,
`boxes` puts all of it into graphviz' language, and `page` makes a page of what graphviz drew: colours that follow the
reader's light or dark, a title and a description for who cannot see it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bootstrap.network.beside import Beside
from bootstrap.network.model import Network
from bootstrap.network.picture import boxes, content, grid, page, rules
from bootstrap.network.picture.boxes import Box, Size

__all__ = ["draw"]
Graphviz = Callable[[str, str], str]
"""A description and the format that is wanted of it, 'json0' or 'svg', to what graphviz makes of it."""


def draw(network: Network, beside: Beside, name: str, graphviz: Graphviz) -> str:
    """The environment's VPC, called `name` (its resources' names begin so), and what it joins, as SVG."""
    told = content.of(network, beside, name)
    open_to = rules.of(network, name)

    def measure(wanted: Sequence[Box]) -> dict[str, Size]:
        return page.sizes(graphviz(boxes.measuring(wanted), "json0"))

    drawing = grid.arrange(told, open_to, rules.destinations(network, name), measure)
    return page.dressed(graphviz(boxes.described(drawing), "svg"), told, open_to)
