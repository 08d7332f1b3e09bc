"""The output of graphviz as a part of a page: one SVG element that loads nothing from elsewhere."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Sequence

from bootstrap.network.picture import colours
from bootstrap.network.picture.boxes import Size
from bootstrap.network.picture.content import replace_unprintable
from bootstrap.network.picture.parts import Content, Gate
from bootstrap.network.picture.rules import Rule

_SVG = "http://www.w3.org/2000/svg"
_WIDER = 1.06
_TITLE, _DESCRIPTION = "network-title", "network-description"


def read_sizes(text: str) -> dict[str, Size]:
    """The size of each node in points, from graphviz' JSON; a little wider, because letters in a browser need more room."""
    nodes = json.loads(text)["objects"]
    return {node["name"]: Size(float(node["width"]) * 72 * _WIDER, float(node["height"]) * 72) for node in nodes}


def add_style(svg: str, content: Content, rules: Sequence[Rule]) -> str:
    """The SVG with its style sheet, as wide as its place allows, and with a title and a description for screen readers."""
    ElementTree.register_namespace("", _SVG)
    root = ElementTree.fromstring(svg)
    width = float(root.attrib["viewBox"].split()[2])
    for name in ("height", "width"):
        del root.attrib[name]
    root.attrib |= {
        "class": "network",
        "role": "img",
        "aria-labelledby": f"{_TITLE} {_DESCRIPTION}",
        "style": f"display: block; width: 100%; max-width: {width:.0f}px; height: auto; margin: 0 auto",
    }
    _remove_noise(root)
    for name, key, text in (
        ("style", "", colours.make_style_sheet()),
        ("desc", _DESCRIPTION, replace_unprintable(" ".join(describe_content(content, rules)))),
        ("title", _TITLE, f"The network {content.name}"),
    ):
        element = ElementTree.Element(f"{{{_SVG}}}{name}", {"id": key} if key else {})
        element.text = text
        root.insert(0, element)
    return ElementTree.tostring(root, encoding="unicode")


def _remove_noise(root: ElementTree.Element) -> None:
    """Remove graphviz' ids and the titles of lines and frames. Subnets and gateways keep theirs: it is their tooltip."""
    for group in root.iter(f"{{{_SVG}}}g"):
        group.attrib.pop("id", None)
        kinds = group.attrib.get("class", "").split()
        title = group.find(f"{{{_SVG}}}title")
        if title is not None and not {"subnet", "gate"} & set(kinds):
            group.remove(title)


def describe_content(content: Content, rules: Sequence[Rule]) -> Iterator[str]:
    """The content of the picture as sentences."""
    zones = f"in the zones {', '.join(content.zones)}" if content.zones else "without subnets"
    yield f"VPC {content.name} ({', '.join(content.blocks)}) {f'in {content.region}, ' if content.region else ''}{zones}."
    for band in content.bands:
        cells = ", ".join(
            f"{it.name} {' '.join(it.blocks)}{_describe_chips(it.chips)}"
            for those in band.cells.values()
            for it in those
        )
        served = f"; interface endpoints: {', '.join(band.interface_endpoints)}" if band.interface_endpoints else ""
        yield f"The {band.tier} tier: {cells}{served}."
    for gate in (content.internet, content.egress_only, content.vpn, *content.others):
        if gate is not None:
            yield _describe_gate(gate, content)
    for name, lines in content.facts:
        yield f"{name}: {', '.join(lines)}."
    for rule in rules:
        yield f"{rule.source} to {rule.destination}: {rule.port}{'' if rule.passes else ' (no connection passes now)'}."


def _describe_chips(chips: Sequence[object]) -> str:
    return "".join(f" with {getattr(it, 'name', '')} {getattr(it, 'address', '')}" for it in chips)


def _describe_gate(gate: Gate, content: Content) -> str:
    ways = ", ".join(f"{' '.join(it.to)} from {it.start}" for it in content.ways if it.gate == gate.key)
    behind = ", ".join(f"{name} ({', '.join(lines)})" for name, lines in gate.far)
    return f"{gate.name}{f' to {behind}' if behind else ''}{f', for {ways}' if ways else ''}."
