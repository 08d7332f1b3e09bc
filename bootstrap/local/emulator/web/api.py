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
    """An object with its Java class and its properties; a callable property is computed only when it is shown.

    `hidden` properties appear only when `tree` names them; `brief` ones are shown below the depth too.
    """

    kind: str
    properties: Mapping[str, Any]
    hidden: frozenset[str] = frozenset()
    brief: frozenset[str] = BRIEF
    is_inline: bool = False  # counts as part of the object that holds it, as stapler's inline properties do
    is_whole: bool = False  # shown in full at any depth, as beans of a high visibility are


@dataclass
class Selection:
    """A parsed `tree`: names with their own selections and ranges."""

    names: dict[str, Selection] = field(default_factory=dict)
    first: int = 0
    last: int | None = None

    def find(self, name: str) -> Selection | None:
        """The selection below a property, or None when it is not selected."""
        return self.names.get(name) or self.names.get("*")


_TOKEN = re.compile(r"\s*([^\[\],{}\s]+|[\[\],{}])")


class TreeParser:
    """`a,b[c,d[e]]{0,10}`."""

    def __init__(self, text: str) -> None:
        self._tokens = _TOKEN.findall(text)
        self._index = 0

    def parse(self) -> Selection:
        """The whole text; status 500 when it is malformed, as from stapler."""
        selection = self._names()
        if self._index < len(self._tokens):
            raise Refused(500, f"Malformed tree expression at {self._tokens[self._index]}")
        return selection

    def _next(self) -> str:
        return self._tokens[self._index] if self._index < len(self._tokens) else ""

    def _take(self, expected: str = "") -> str:
        token = self._next()
        if not token or (expected and token != expected):
            raise Refused(500, "Malformed tree expression")
        self._index += 1
        return token

    def _names(self) -> Selection:
        selection = Selection()
        while self._next() and self._next() != "]":
            name = self._take()
            below = Selection()
            if self._next() == "[":
                self._take()
                below = self._names()
                self._take("]")
            if self._next() == "{":
                below.first, below.last = self._range()
            selection.names[name] = below
            if self._next() == ",":
                self._take()
            elif self._next() not in {"", "]"}:
                raise Refused(500, "Malformed tree expression")
        return selection

    def _range(self) -> tuple[int, int | None]:
        self._take("{")
        text = ""
        while self._next() != "}":
            text += self._take()
        self._take("}")
        match = re.fullmatch(r"(\d*)(,?)(\d*)", text)
        if not match:
            raise Refused(500, "Malformed tree expression")
        if not match[2]:
            return int(match[1]), int(match[1]) + 1
        return int(match[1] or 0), int(match[3]) if match[3] else None


def prune(value: Any, selection: Selection | None, depth: int, above: int = -1) -> Any:
    """Plain data of an exported value; `above` is the level of the object that holds it."""
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
    """Body and content type of an API answer."""
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
    return _xml(data, exported.kind, query)


def _xml(data: dict[str, Any], kind: str, query: Mapping[str, str]) -> tuple[str, str]:
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
                child.text = xmlfile.printable(str(entry).lower() if isinstance(entry, bool) else str(entry))
