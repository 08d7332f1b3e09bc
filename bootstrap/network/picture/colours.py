"""The colours of the picture, named by their purpose, for light mode and dark mode.

Graphviz gets the light colours. The style sheet of the page replaces each by a CSS variable, so that the picture follows the
mode of the browser. The hues are blue, teal and vermilion of the palette of Okabe and Ito, which people with colour blindness
can distinguish; a word, a dash or an arrow always says the same as the colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Colour = Literal[
    "paper", "ink", "dim", "edge", "frame", "zone", "cell", "vpc", "public", "private", "isolated", "chip", "head",
    "internet", "internet-paper", "out", "out-paper", "net", "net-paper",
]  # fmt: skip

_BOTH: Mapping[Colour, tuple[str, str]] = {
    "paper": ("#ffffff", "#14171b"),
    "ink": ("#1c2128", "#e6e9ee"),
    "dim": ("#57616d", "#a3adba"),
    "edge": ("#aab3bf", "#4a5361"),
    "frame": ("#5f6b7a", "#8a95a5"),
    "zone": ("#8792a1", "#6b7686"),
    "cell": ("#fefefe", "#1c2026"),
    "vpc": ("#fcfdfe", "#171b20"),
    "public": ("#dcebfa", "#182c41"),
    "private": ("#e0f2ea", "#15332a"),
    "isolated": ("#faf0d8", "#372d12"),
    "chip": ("#edf0f4", "#2c343f"),
    "head": ("#f1f4f8", "#20262e"),
    "internet": ("#a8420a", "#ff9a5c"),
    "internet-paper": ("#fdeee4", "#3b2213"),
    "out": ("#006b56", "#52d3b4"),
    "out-paper": ("#d9f1ea", "#123a31"),
    "net": ("#1d5bb0", "#82b4ff"),
    "net-paper": ("#e3eefb", "#19304f"),
}
LIGHT: Mapping[Colour, str] = {name: light for name, (light, _) in _BOTH.items()}


def make_style_sheet() -> str:
    """The style sheet of a picture: a CSS variable for each colour; print always uses the light ones."""
    light, dark = (" ".join(f"--net-{name}: {both[which]};" for name, both in _BOTH.items()) for which in (0, 1))
    rules = "\n".join(
        f'.network [{kind}="{value}"] {{ {kind}: var(--net-{name}) }}'
        for name, value in LIGHT.items()
        for kind in ("fill", "stroke")
    )
    return (
        f".network {{ {light} }}\n"
        f"@media screen and (prefers-color-scheme: dark) {{ .network {{ {dark} }} }}\n"
        f"{rules}\n"
        '.network text { font-family: "DejaVu Sans", Verdana, "Segoe UI", system-ui, sans-serif }\n'
    )
