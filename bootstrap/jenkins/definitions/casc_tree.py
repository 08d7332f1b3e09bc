"""Parses a settings file as Jenkins' parser does: YAML 1.1, each value with its place, its style and its tag.

Jenkins' parser, SnakeYAML, is a port of PyYAML. So Jenkins also refuses what PyYAML's scanner refuses, for example a tab where
a value begins. An alias is a node of its own, with a reference to its target, because `casc_blanking` must know where an anchor
is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

import yaml

# Plain scalars for which SnakeYAML returns a type that Configuration as Code ignores or refuses.
_DECIMAL = re.compile(
    r"[-+]?[0-9][0-9_]*\.[0-9_]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+"
    r"|[-+]?\.[0-9][0-9_]*([eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+\.[0-9_]*"
    r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
)
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\.[0-9]*)?"
    r"([ \t]*(Z|[-+][0-9]{1,2}(:?[0-9]{2})?))?"
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


class Kind(Enum):
    """The kinds of nodes; the values are their names in messages."""

    SCALAR = "value"
    LIST = "list"
    MAPPING = "mapping"
    ALIAS = "alias"


@dataclass(eq=False)
class Node:
    """One node of a file.

    `start` and `end` are offsets in characters; `line` and `column` count from 1. A scalar has `text`, a list `items`, a
    mapping `entries` (key and value), an alias its `target`.
    """

    kind: Kind
    start: int
    end: int
    line: int
    column: int
    text: str = ""
    tag: str = ""
    anchor: str = ""
    is_plain: bool = False
    items: list[Node] = field(default_factory=list)
    entries: list[tuple[Node, Node]] = field(default_factory=list)
    target: Node | None = None

    @property
    def meant(self) -> Node:
        """The target of an alias; every other node itself."""
        return self.target or self

    @property
    def is_null(self) -> bool:
        """Whether the value is null: empty, or a plain ~ or null."""
        return self.kind is Kind.SCALAR and self.is_plain and self.tag in {"", "null"} and self.text in _NULLS

    @property
    def is_decimal(self) -> bool:
        """Whether Jenkins' parser reads it as a decimal number, which no setting accepts."""
        return self._is_typed(_DECIMAL)

    @property
    def is_date(self) -> bool:
        """Whether Jenkins' parser reads it as a date, which no setting accepts."""
        return self._is_typed(_DATE)

    def _is_typed(self, form: re.Pattern[str]) -> bool:
        return self.kind is Kind.SCALAR and self.is_plain and not self.tag and form.fullmatch(self.text) is not None


@lru_cache(64)
def parse(text: str) -> Node | None:
    """The first document of a text, or None if there is none; raises yaml.YAMLError if Jenkins' parser would fail.

    Several readers parse each settings file, so the last trees are kept: no reader changes one.
    """
    loader: Any = yaml.SafeLoader(text)
    try:
        loader.get_event()
        if loader.check_event(yaml.StreamEndEvent):
            return None
        loader.get_event()
        return _parse_node(loader, {})
    finally:
        loader.dispose()


def walk(node: Node) -> Iterator[Node]:
    """The node and all nodes inside of it, keys included; the target of an alias is not followed."""
    yield node
    for key, value in node.entries:
        yield from walk(key)
        yield from walk(value)
    for item in node.items:
        yield from walk(item)


def _parse_node(loader: Any, anchors: dict[str, Node]) -> Node:
    event: Any = loader.get_event()
    start, end = event.start_mark, event.end_mark
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise yaml.MarkedYAMLError(None, None, f"found undefined alias '{event.anchor}'", start)
        node = Node(Kind.ALIAS, start.index, end.index, start.line + 1, start.column + 1)
        node.target = anchors[event.anchor].meant
        return node
    node = Node(Kind.SCALAR, start.index, end.index, start.line + 1, start.column + 1)
    node.tag = (event.tag or "").removeprefix("tag:yaml.org,2002:")
    if event.anchor:
        node.anchor = event.anchor
        anchors[event.anchor] = node
    if isinstance(event, yaml.ScalarEvent):
        node.text, node.is_plain = event.value, event.style is None or event.style == ""
    elif isinstance(event, yaml.SequenceStartEvent):
        node.kind = Kind.LIST
        while not loader.check_event(yaml.SequenceEndEvent):
            node.items.append(_parse_node(loader, anchors))
        node.end = loader.get_event().end_mark.index
    else:
        node.kind = Kind.MAPPING
        while not loader.check_event(yaml.MappingEndEvent):
            key = _parse_node(loader, anchors)
            node.entries.append((key, _parse_node(loader, anchors)))
        node.end = loader.get_event().end_mark.index
    return node
