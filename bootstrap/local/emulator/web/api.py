"""Jenkins' remote API: exported objects cut by `depth` or `tree`; `rendering` writes them as JSON, XML or Python literals.

Rules: stapler's NamedPathPruner (tree) and TreePruner.ByDepth; an object below the depth shows its brief properties only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..failures import Refused

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
    is_exact: bool = False  # is of the class that the property declares: Stapler names the class only where it differs


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
        """Parse the whole text; raises Refused with status 500 if it is malformed or empty, as Stapler answers."""
        if not self._tokens:
            raise Refused(500, "Malformed tree expression: it is empty")
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


def prune(value: Any, selection: Selection | None, depth: int, above: int = -1, *, is_root: bool = True) -> Any:
    """Select what `tree` names or `depth` allows, as plain data; `above` is the level of the object that holds the value."""
    if isinstance(value, list):
        picked = value[selection.first : selection.last] if selection else value
        return [prune(entry, selection, depth, above, is_root=False) for entry in picked]
    if isinstance(value, dict):
        # A map of Java: all its keys are shown, and `tree` selects within its objects (Property of stapler).
        return {name: prune(entry, selection, depth, above, is_root=False) for name, entry in value.items()}
    if not isinstance(value, Exported):
        return value
    level = above if value.is_inline else above + 1
    shown: dict[str, Any] = {"_class": value.kind} if value.kind and (is_root or not value.is_exact) else {}
    for name, content in value.properties.items():
        below = selection.find(name) if selection is not None else None
        if selection is not None and below is None:
            continue
        if selection is None and (
            name in value.hidden or (level > depth and not value.is_whole and name not in value.brief)
        ):
            continue
        computed = content() if isinstance(content, Callable) else content  # type: ignore[arg-type]
        shown[name] = prune(computed, below, depth, level, is_root=False)
    return shown
