"""Jenkins' remote API: exported objects cut by `depth` or `tree`, written as JSON, XML or Python literals.

Rules: stapler's NamedPathPruner (tree) and TreePruner.ByDepth; an object below the depth shows its brief properties only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from ..failures import Refused
from ..model import xmlfile

BRIEF = frozenset(
    {"name", "url", "color", "number", "id", "displayName", "fullName", "shortName", "key", "value", "shortDescription"}
)


@dataclass(frozen=True)
class Exported:
    """An object with its Java class `kind` and its properties; a callable property is computed only when it is shown.

    `hidden` properties are shown only if `tree` names them; `brief` properties are shown below the depth, too.
    """

    kind: str
    properties: Mapping[str, Any]
    hidden: frozenset[str] = frozenset()
    brief: frozenset[str] = BRIEF
    is_inline: bool = False  # is part of the object that holds it, as an inline property of Stapler
    is_whole: bool = False  # is shown in full at any depth, as a bean of a high visibility


@dataclass
class Selection:
    """A parsed `tree`: the selected names, each with a selection of its own; `first` and `last` are the range of a list."""

    names: dict[str, Selection] = field(default_factory=dict)
    first: int = 0
    last: int | None = None

    def find(self, name: str) -> Selection | None:
        """The selection below a property, or None when it is not selected."""
        return self.names.get(name) or self.names.get("*")


_TOKEN = re.compile(r"\s*([^\[\],{}\s]+|[\[\],{}])")


class TreeParser:
    """Parses the query parameter `tree`, such as `a,b[c,d[e]]{0,10}`."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._index = 0

    def parse(self) -> Selection:
        """Parse the whole text; raises Refused with status 500 if it is malformed, as Stapler answers."""
        selection = self._parse_names()
        if self._index < len(self._tokens):
            raise Refused(500, f"Malformed tree expression at {self._tokens[self._index]}")
        return selection

    def _peek(self) -> str:
        return self._tokens[self._index] if self._index < len(self._tokens) else ""

    def _take(self, expected: str = "") -> str:
        token = self._peek()
        if not token or (expected and token != expected):
            raise Refused(500, "Malformed tree expression")
        self._index += 1
        return token

    def _parse_names(self) -> Selection:
        selection = Selection()
        while self._peek() and self._peek() != "]":
            name = self._take()
            below = Selection()
            if self._peek() == "[":
                self._take()
                below = self._parse_names()
                self._take("]")
            if self._peek() == "{":
                below.first, below.last = self._parse_range()
            selection.names[name] = below
            if self._peek() == ",":
                self._take()
            elif self._peek() not in {"", "]"}:
                raise Refused(500, "Malformed tree expression")
        return selection

    def _parse_range(self) -> tuple[int, int | None]:
        self._take("{")
        text = ""
        while self._peek() != "}":
            text += self._take()
        self._take("}")
        match = re.fullmatch(r"(\d*)(,?)(\d*)", text)
        if not match:
            raise Refused(500, "Malformed tree expression")
        if not match[2]:
            return int(match[1]), int(match[1]) + 1
        return int(match[1] or 0), int(match[3]) if match[3] else None


def prune(value: Any, selection: Selection | None, depth: int, above: int = -1) -> Any:
    """Select what `tree` names or `depth` allows, as plain data; `above` is the level of the object that holds the value."""
    if isinstance(value, list):
        picked = value[selection.first : selection.last] if selection else value
        return [prune(entry, selection, depth, above) for entry in picked]
    if not isinstance(value, Exported):
        return value
    level = above if value.is_inline else above + 1
    shown: dict[str, Any] = {"_class": value.kind} if value.kind else {}
    for name, content in value.properties.items():
        below = selection.find(name) if selection is not None else None
        if selection is not None and below is None:
            continue
        if selection is None and (
            name in value.hidden or (level > depth and not value.is_whole and name not in value.brief)
        ):
            continue
        computed = content() if isinstance(content, Callable) else content  # type: ignore[arg-type]
        shown[name] = prune(computed, below, depth, level)
    return shown


def render(exported: Exported, flavour: str, query: Mapping[str, str]) -> tuple[str, str]:
    """Render an object as json, xml or python (`flavour`); returns the body and the content type.

    Raises Refused, as Jenkins: a malformed `tree`, `depth` or `xpath`, an XPath that does not match one node, and `jsonp`.
    """
    try:
        depth = int(query.get("depth") or 0)
    except ValueError as fault:
        raise Refused(500, f"Invalid depth: {query.get('depth')}") from fault
    selection = TreeParser(query["tree"]).parse() if query.get("tree") else None
    data = prune(exported, selection, depth)
    if flavour == "json":
        if "jsonp" in query:
            raise Refused(403, "jsonp forbidden; implement jenkins.security.SecureRequester")
        indent = 2 if "pretty" in query else None
        return json.dumps(
            data, separators=(",", ":") if indent is None else None, indent=indent
        ), "application/json;charset=utf-8"
    if flavour == "python":
        return repr(data), "text/x-python;charset=utf-8"
    return _render_xml(data, exported.kind, query)


def _render_xml(data: dict[str, Any], kind: str, query: Mapping[str, str]) -> tuple[str, str]:
    simple = re.split(r"[.$]", kind)[-1] or "object"
    root = etree.Element(simple[0].lower() + simple[1:])
    _fill(root, data)
    for expression in query.getall("exclude") if hasattr(query, "getall") and "exclude" in query else []:
        for node in _select(root, expression):
            node.getparent().remove(node)
    if "xpath" not in query:
        return etree.tostring(root, encoding="unicode"), "application/xml;charset=utf-8"
    nodes = _select(etree.ElementTree(root), query["xpath"])
    if "wrapper" in query:
        wrapper = etree.Element(query["wrapper"])
        wrapper.extend(nodes)
        return etree.tostring(wrapper, encoding="unicode"), "application/xml;charset=utf-8"
    if not nodes:
        raise Refused(404, "XPath didn't match")
    if len(nodes) > 1:
        raise Refused(
            500,
            f"XPath matched {len(nodes)} nodes. Create XPath that only matches one, "
            'or use the "wrapper" query parameter to wrap them all under a root element.',
        )
    if isinstance(nodes[0], str):
        return str(nodes[0]), "text/plain;charset=utf-8"
    return etree.tostring(nodes[0], encoding="unicode"), "application/xml;charset=utf-8"


def _select(root: Any, expression: str) -> Any:
    try:
        nodes = root.xpath(expression)
    except etree.XPathError as fault:
        raise Refused(500, f"Invalid XPath: {fault}") from fault
    return nodes if isinstance(nodes, list) else [str(nodes)]


def _fill(node: Any, data: Mapping[str, Any]) -> None:
    for name, value in data.items():
        if name == "_class":
            node.set("_class", str(value))
            continue
        single = name[:-3] + "y" if name.endswith("ies") else name[:-1] if name.endswith("s") else name
        for entry in value if isinstance(value, list) else [value]:
            if entry is None:
                continue
            child = etree.SubElement(node, single if isinstance(value, list) else name)
            if isinstance(entry, dict):
                _fill(child, entry)
            else:
                child.text = xmlfile.remove_unprintable(str(entry).lower() if isinstance(entry, bool) else str(entry))
