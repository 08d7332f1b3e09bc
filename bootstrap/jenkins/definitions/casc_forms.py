"""Finds YAML forms that Jenkins refuses, or ignores without an error, in any setting.

Configuration as Code accepts strings, integers, booleans, lists and mappings from its YAML parser. It ignores an unquoted
decimal number without an error, refuses a date or a tag without naming its place, and answers a merge key with an error page.
"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.errors import Fault
from bootstrap.jenkins.definitions.casc_tree import Node, walk

_TAGS = frozenset({"", "!", "str", "int", "bool", "seq", "map", "null"})


def find_faults(file: str, document: Node) -> Iterator[Fault]:
    """The forms in the document that Jenkins does not accept; `file` is the file's name in the faults."""
    yield from _find_empty_roots(file, document)
    keys = {id(key) for node in walk(document) for key, _ in node.entries}
    for node in walk(document):
        is_key = id(node) in keys
        if is_key and node.is_plain and not node.tag and node.text == "<<":
            message = "Jenkins fails on '<<' with an error page; write the keys out, or alias a whole value"
            yield _make_fault(file, node, message)
        elif node.tag not in _TAGS:
            shown = node.tag if node.tag.startswith("!") else f"!!{node.tag}"
            message = f"Jenkins accepts no value with the tag '{shown}'; write it without the tag, in quotes if it is a string"
            yield _make_fault(file, node, message)
        elif node.is_decimal and not is_key:
            message = f"Jenkins ignores {node.text}, a decimal number, without an error; write '\"{node.text}\"'"
            yield _make_fault(file, node, message)
        elif node.is_date and not is_key:
            yield _make_fault(file, node, f"Jenkins refuses {node.text}, a date; write '\"{node.text}\"'")


def _find_empty_roots(file: str, document: Node) -> Iterator[Fault]:
    for key, value in document.entries:
        if value.meant.is_null and not key.meant.text.startswith("x-"):
            message = f"'{key.meant.text}' is empty, and Jenkins accepts no empty root element; fill it, or remove it"
            yield _make_fault(file, key, message)


def _make_fault(file: str, node: Node, message: str) -> Fault:
    return Fault(file, node.line, node.column, message)
