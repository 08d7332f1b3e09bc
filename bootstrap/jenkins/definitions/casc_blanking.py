"""What may be sent to Jenkins' `check`: a settings file without the three parts that a check really applies.

Jenkins checks by configuring (DataBoundConfigurator.check): a check makes the accounts of the local realm and sets their
passwords, sets live log levels and writes their files, and writes the proxy. So these parts are blanked, and nothing else:
spaces stand in their place, the file keeps its lines, and Jenkins reads a key without a value, which it does not touch. Our
own vocabulary judges what stands in them (`casc_schema`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from bootstrap.jenkins.definitions import casc_tree
from bootstrap.jenkins.definitions.casc_tree import Kind, Node

# Jenkins finds an attribute and an implementation by its name without regard to case.
PARTS = (
    ("jenkins", "securityRealm", "local", "users"),
    ("jenkins", "log"),
    ("jenkins", "proxy"),
)
"""The paths of what a check applies."""

_OTHER_NAMES = {"hudsonprivate": "local", "hudsonprivatesecurityrealm": "local"}
_BREAKS = frozenset("\n\r\x85\u2028\u2029")
_FLOW_SAFE = re.compile(r"[\w.+/~-][\w.+/~:-]*(?<!:)")


def blank(text: str) -> str | None:
    """The text of a file that `casc.read` took, without what a check applies; None where it says nothing else."""
    document = casc_tree.parse(text)
    if document is None:
        return None
    blanked = list(_parts(document))
    if not blanked:
        return text
    if not _says_more(document, blanked):
        return None
    changes = [(node.start, node.end, _spaces(text[node.start : node.end])) for node in blanked]
    changes += _uses_elsewhere(document, blanked)
    for start, end, instead in sorted(changes, reverse=True):
        text = text[:start] + instead + text[end:]
    return text


def is_applied_by_a_check(path: tuple[str, ...]) -> bool:
    """Whether what stands at this path is one of the parts, or within one."""
    spelt = tuple(_spelt(name) for name in path)
    return any(spelt[: len(part)] == tuple(name.lower() for name in part) for part in PARTS)


def _spelt(name: str) -> str:
    return _OTHER_NAMES.get(name.lower(), name.lower())


def _parts(document: Node) -> Iterator[Node]:
    """The values of the parts as they are written, none within another."""
    found = [node for part in PARTS for node in _at(document, part)]
    for node in found:
        if not any(_holds(other, node) for other in found if other is not node):
            yield node


def _at(node: Node, part: tuple[str, ...]) -> Iterator[Node]:
    first, *rest = part
    for key, value in node.meant.entries:
        if _spelt(key.meant.text) == first.lower():
            if rest:
                yield from _at(value, tuple(rest))
            else:
                yield value


def _holds(outer: Node, inner: Node) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end and inner.end > inner.start


def _says_more(node: Node, blanked: Collection[Node], depth: int = 0) -> bool:
    """Whether anything would be left to judge."""
    if node in blanked:
        return False
    entries = node.meant.entries
    if not entries:
        return True
    return any(
        _says_more(value, blanked, depth + 1)
        for key, value in entries
        if depth or not key.meant.text.startswith("x-")  # Jenkins' own place for anchors
    )


def _uses_elsewhere(document: Node, blanked: Collection[Node]) -> Iterator[tuple[int, int, str]]:
    """Aliases that outlive their anchors: what they stand for is written out in their place, on the one line."""
    for node in casc_tree.walk(document):
        if node.target is None or any(_holds(part, node) for part in blanked):
            continue
        if any(_holds(part, node.target) for part in blanked):
            yield node.start, node.end, _flow(node.target, blanked)


def _flow(node: Node, blanked: Collection[Node]) -> str:
    """A node in one line. A plain value stays plain, for Jenkins' parser gives types to plain values alone."""
    if node in blanked:
        return "~"
    node = node.meant
    if node.kind is Kind.LIST:
        return f"[{', '.join(_flow(item, blanked) for item in node.items)}]"
    if node.kind is Kind.MAPPING:
        return f"{{{', '.join(f'{_flow(key, blanked)}: {_flow(value, blanked)}' for key, value in node.entries)}}}"
    if node.is_null:
        return "~"
    if node.is_plain and node.tag != "str" and _FLOW_SAFE.fullmatch(node.text):
        return node.text
    return '"' + "".join(_escaped(letter) for letter in node.text) + '"'


def _escaped(letter: str) -> str:
    if letter in '"\\':
        return f"\\{letter}"
    return letter if " " <= letter <= "~" else f"\\U{ord(letter):08x}"


def _spaces(text: str) -> str:
    return "".join(letter if letter in _BREAKS else " " for letter in text)
