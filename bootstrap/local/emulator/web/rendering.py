"""Writes what the remote API exports as JSON, XML or Python literals, in the bytes that Jenkins sends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from json import dumps
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

from ..failures import Refused
from ..model import xmlfile
from .api import Exported, TreeParser, prune

FLAVOURS = frozenset({"json", "xml", "python"})
XML, PLAIN = "application/xml;charset=UTF-8", "text/plain;charset=utf-8"
_WORDS = {"json": {None: "null", True: "true", False: "false"}, "python": {None: "None", True: "True", False: "False"}}
_WRAPPER = (
    "The wrapper parameter can only contain alphanumeric characters or dash/dot/underscore. "
    "The first character has to be a letter or underscore."
)
_PRIMITIVE = "primitive XPath result sets forbidden; implement jenkins.security.SecureRequester"


class PlainAnswer(Exception):
    """The remote API answers with a plain text: a wrapper or an XPath that does not fit."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def render(exported: Exported, flavour: str, query: Mapping[str, str], *, is_open: bool = False) -> tuple[str, str]:
    """Render an object as json, xml or python (`flavour`); returns the body and the content type.

    Raises Refused as Jenkins does, and PlainAnswer. With `is_open` an XPath may give a bare text, as for the crumb.
    """
    try:
        depth = int(query.get("depth") or 0)
    except ValueError as fault:
        raise Refused(500, f"Invalid depth: {query.get('depth')}") from fault
    selection = TreeParser(query["tree"]).parse() if "tree" in query else None
    data = prune(exported, selection, depth)
    if flavour == "xml":
        return _render_xml(data, exported.kind, query, is_open=is_open)
    if "jsonp" in query:
        raise Refused(403, "jsonp forbidden; implement jenkins.security.SecureRequester", is_bare=True)
    body = "".join(_write(data, _WORDS[flavour], 0 if "pretty" in query else None))
    return body, "application/json;charset=utf-8" if flavour == "json" else "text/x-python;charset=UTF-8"


def _write(value: Any, words: Mapping[bool | None, str], level: int | None) -> Iterator[str]:
    """Write JSON or its Python twin; with a `level` on lines of their own, also for what is empty."""
    if value is None or isinstance(value, bool):
        yield words[value]
    elif isinstance(value, dict | list):
        is_mapping = isinstance(value, dict)
        inner = None if level is None else level + 1
        separator = "," if inner is None else ",\n" + "  " * inner
        yield ("{" if is_mapping else "[") + ("" if inner is None else "\n" + "  " * inner)
        for place, entry in enumerate(value):
            yield separator if place else ""
            if is_mapping:
                yield f"{_quote(str(entry))}{':' if inner is None else ' : '}"
                yield from _write(value[entry], words, inner)
            else:
                yield from _write(entry, words, inner)
        yield ("" if level is None else "\n" + "  " * level) + ("}" if is_mapping else "]")
    else:
        yield _quote(value) if isinstance(value, str) else dumps(value)


def _quote(text: str) -> str:
    """Quote a text; only characters beyond the basic plane are escaped."""
    return re.sub(r"[\U00010000-\U0010ffff]", lambda match: dumps(match[0])[1:-1], dumps(text, ensure_ascii=False))


def _render_xml(data: dict[str, Any], kind: str, query: Mapping[str, str], *, is_open: bool) -> tuple[str, str]:
    simple = re.split(r"[.$]", kind)[-1] or "object"
    body = "".join(_write_element(simple[0].lower() + simple[1:], data))
    excluded = query.getall("exclude", []) if hasattr(query, "getall") else []
    if "xpath" not in query and not excluded:
        return body, XML
    root = etree.fromstring(body.encode())
    for expression in excluded:
        for node in _select(root, expression):
            node.getparent().remove(node)
    if "xpath" not in query:
        return f'<?xml version="1.0" encoding="UTF-8"?>\n{_write_node(root)}', XML
    found = _select(etree.ElementTree(root), query["xpath"])
    if "wrapper" in query:
        return _wrap(query["wrapper"], found), XML
    if isinstance(found, list):
        if not found:
            raise PlainAnswer(404, f"XPath {query['xpath']} didn?t match")
        if len(found) > 1:
            raise PlainAnswer(
                500,
                f'XPath "{query["xpath"]}" matched {len(found)} nodes. Create XPath that only matches one, '
                'or use the "wrapper" query parameter to wrap them all under a root element.',
            )
        found = found[0]
    if isinstance(found, etree._Element):
        return _write_node(found), XML
    if getattr(found, "is_attribute", False):
        return f' {found.attrname}="{escape(str(found))}"', XML
    if not is_open:
        raise Refused(403, _PRIMITIVE, is_bare=True)
    return str(found), PLAIN


def _wrap(name: str, found: Any) -> str:
    if not re.fullmatch(r"[A-Za-z_][\w.-]*", name, re.ASCII):
        raise PlainAnswer(400, _WRAPPER)
    if not isinstance(found, list):
        raise Refused(500, "java.lang.ClassCastException: the XPath gives no nodes")
    wrapper, texts = etree.Element(name), ""
    for node in found:
        if isinstance(node, etree._Element):
            wrapper.append(node)
        elif node.is_attribute:
            wrapper.set(node.attrname, str(node))
        else:
            texts += str(node)
    wrapper.text = texts or None
    return _write_node(wrapper)


def _write_node(node: Any) -> str:
    return str(etree.tostring(node, encoding="unicode", with_tail=False))


def _select(root: Any, expression: str) -> Any:
    try:
        return root.xpath(expression)
    except etree.XPathError as fault:
        raise Refused(500, f"Invalid XPath: {fault}") from fault


def _write_element(tag: str, value: Any) -> Iterator[str]:
    """Write an element and what it holds; what is null is omitted, and a list is one element for each entry."""
    kind = value.get("_class") if isinstance(value, dict) else None
    yield f"<{tag} _class='{escape(str(kind))}'>" if kind else f"<{tag}>"
    if isinstance(value, dict):
        for name, content in value.items():
            if name == "_class":
                continue
            single = name[:-3] + "y" if name.endswith("ies") else name[:-1] if name.endswith("s") else name
            for entry in content if isinstance(content, list) else [content]:
                if entry is not None:
                    yield from _write_element(single if isinstance(content, list) else name, entry)
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
        yield escape(xmlfile.remove_unprintable(text))
    yield f"</{tag}>"
