"""Blanks three parts of a settings file, before the file is sent to Jenkins' check: those that a check applies.

Jenkins checks a file by configuring (DataBoundConfigurator.check). So a check creates the accounts of Jenkins' own user
database and sets their passwords, sets log levels and writes the files of log recorders, and writes the proxy. These parts, and
nothing else, are replaced by spaces: the lines of the file stay the same, and Jenkins ignores a key without a value. The values
in these parts are checked by `casc_schema` alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from bootstrap.jenkins.definitions import casc_tree
from bootstrap.jenkins.definitions.casc_tree import Kind, Node

# Jenkins ignores the case of the names of attributes and implementations.
PARTS = (
    ("jenkins", "securityRealm", "local", "users"),
    ("jenkins", "log"),
    ("jenkins", "proxy"),
)
"""The paths of the parts that a check applies."""

_OTHER_NAMES = {"hudsonprivate": "local", "hudsonprivatesecurityrealm": "local"}
_BREAKS = frozenset("\n\r\x85\u2028\u2029")
_FLOW_SAFE = re.compile(r"[\w.+/~-][\w.+/~:-]*(?<!:)")


def blank_applied_parts(text: str) -> str | None:
    """The text without the parts that a check applies; None if the file has no other settings.

    `text` must be a file that `casc.read` accepted.
    """
    document = casc_tree.parse(text)
    if document is None:
        return None
    blanked = list(_find_parts(document))
    if not blanked:
        return text
    if not _has_more(document, blanked):
        return None
    changes = [(node.start, node.end, _replace_by_spaces(text[node.start : node.end])) for node in blanked]
    changes += _expand_aliases(document, blanked)
    for start, end, replacement in sorted(changes, reverse=True):
        text = text[:start] + replacement + text[end:]
    return text


def is_applied_by_a_check(path: tuple[str, ...]) -> bool:
    """Whether the path is one of the parts that a check applies, or inside of one."""
    names = tuple(_normalize_name(name) for name in path)
    return any(names[: len(part)] == tuple(name.lower() for name in part) for part in PARTS)


def _normalize_name(name: str) -> str:
    return _OTHER_NAMES.get(name.lower(), name.lower())


def _find_parts(document: Node) -> Iterator[Node]:
    """The values of the parts in the file; a value inside of another one is left out."""
    values = [node for part in PARTS for node in _find_values(document, part)]
    for node in values:
        if not any(_contains(other, node) for other in values if other is not node):
            yield node


def _find_values(node: Node, part: tuple[str, ...]) -> Iterator[Node]:
    first, *rest = part
    for key, value in node.meant.entries:
        if _normalize_name(key.meant.text) == first.lower():
            if rest:
                yield from _find_values(value, tuple(rest))
            else:
                yield value


def _contains(outer: Node, inner: Node) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end and inner.end > inner.start


def _has_more(node: Node, blanked: Collection[Node], depth: int = 0) -> bool:
    """Whether the node has settings outside of the blanked values."""
    if node in blanked:
        return False
    entries = node.meant.entries
    if not entries:
        return True
    return any(
        _has_more(value, blanked, depth + 1)
        for key, value in entries
        if depth or not key.meant.text.startswith("x-")  # Jenkins ignores these roots; they hold anchors
    )


def _expand_aliases(document: Node, blanked: Collection[Node]) -> Iterator[tuple[int, int, str]]:
    """Start, end and replacement of aliases whose anchors are blanked; the replacement is the anchor's value in one line."""
    for node in casc_tree.walk(document):
        if node.target is None or any(_contains(part, node) for part in blanked):
            continue
        if any(_contains(part, node.target) for part in blanked):
            yield node.start, node.end, _format_flow(node.target, blanked)


def _format_flow(node: Node, blanked: Collection[Node]) -> str:
    """A node as YAML in one line. A plain scalar stays plain, because Jenkins' parser gives types only to plain scalars."""
    if node in blanked:
        return "~"
    node = node.meant
    if node.kind is Kind.LIST:
        return f"[{', '.join(_format_flow(item, blanked) for item in node.items)}]"
    if node.kind is Kind.MAPPING:
        entries = (f"{_format_flow(key, blanked)}: {_format_flow(value, blanked)}" for key, value in node.entries)
        return f"{{{', '.join(entries)}}}"
    if node.is_null:
        return "~"
    if node.is_plain and node.tag != "str" and _FLOW_SAFE.fullmatch(node.text):
        return node.text
    return '"' + "".join(_escape(letter) for letter in node.text) + '"'


def _escape(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if " " <= letter <= "~" else f"\\U{ord(letter):08x}"


def _replace_by_spaces(text: str) -> str:
    return "".join(letter if letter in _BREAKS else " " for letter in text)
