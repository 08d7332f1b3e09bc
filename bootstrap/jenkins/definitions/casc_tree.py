"""A settings file as Jenkins' own parser reads it: YAML 1.1, each value with its place, its style and its tag.

PyYAML's scanner is the one that SnakeYAML, Jenkins' parser, was written after, so what it refuses (a tab where a value begins)
Jenkins refuses as well. Aliases stay what they are, with what they stand for beside them: who blanks a part of a file must see
where each anchor is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import yaml

# What SnakeYAML makes of a plain scalar: the types that Configuration as Code drops or refuses.
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
    """What a node is."""

    SCALAR = "value"
    LIST = "list"
    MAPPING = "mapping"
    ALIAS = "alias"


@dataclass(eq=False)
class Node:
    """One node of a file. `start` and `end` are offsets of characters, `line` and `column` count from 1."""

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
        """What an alias stands for; every other node is itself."""
        return self.target or self

    @property
    def is_null(self) -> bool:
        """Whether it is nothing: left empty, or a plain ~ or null."""
        return self.kind is Kind.SCALAR and self.is_plain and self.tag in {"", "null"} and self.text in _NULLS

    @property
    def is_decimal(self) -> bool:
        """Whether Jenkins' parser makes a decimal number of it, which no setting takes."""
        return self._is_typed(_DECIMAL)

    @property
    def is_date(self) -> bool:
        """Whether Jenkins' parser makes a date of it, which no setting takes."""
        return self._is_typed(_DATE)

    def _is_typed(self, form: re.Pattern[str]) -> bool:
        return self.kind is Kind.SCALAR and self.is_plain and not self.tag and form.fullmatch(self.text) is not None


def parse(text: str) -> Node | None:
    """The first document of a text, None where there is none; yaml.YAMLError where Jenkins' parser would fail."""
    loader: Any = yaml.SafeLoader(text)
    try:
        loader.get_event()
        if loader.check_event(yaml.StreamEndEvent):
            return None
        loader.get_event()
        return _node(loader, {})
    finally:
        loader.dispose()


def walk(node: Node) -> Iterator[Node]:
    """The node and everything that is written in it, keys as well; aliases as they are written."""
    yield node
    for key, value in node.entries:
        yield from walk(key)
        yield from walk(value)
    for item in node.items:
        yield from walk(item)


def _node(loader: Any, anchors: dict[str, Node]) -> Node:
    event: Any = loader.get_event()
    start, end = event.start_mark, event.end_mark
    if isinstance(event, yaml.AliasEvent):
        if event.anchor not in anchors:
            raise yaml.MarkedYAMLError(None, None, f"found undefined alias '{event.anchor}'", start)
        made = Node(Kind.ALIAS, start.index, end.index, start.line + 1, start.column + 1)
        made.target = anchors[event.anchor].meant
        return made
    made = Node(Kind.SCALAR, start.index, end.index, start.line + 1, start.column + 1)
    made.tag = (event.tag or "").removeprefix("tag:yaml.org,2002:")
    if event.anchor:
        made.anchor = event.anchor
        anchors[event.anchor] = made
    if isinstance(event, yaml.ScalarEvent):
        made.text, made.is_plain = event.value, event.style is None or event.style == ""
    elif isinstance(event, yaml.SequenceStartEvent):
        made.kind = Kind.LIST
        while not loader.check_event(yaml.SequenceEndEvent):
            made.items.append(_node(loader, anchors))
        made.end = loader.get_event().end_mark.index
    else:
        made.kind = Kind.MAPPING
        while not loader.check_event(yaml.MappingEndEvent):
            key = _node(loader, anchors)
            made.entries.append((key, _node(loader, anchors)))
        made.end = loader.get_event().end_mark.index
    return made
