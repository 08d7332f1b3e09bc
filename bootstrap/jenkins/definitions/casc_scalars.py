"""Checks scalars that Configuration as Code would change or ignore without an error.

Jenkins uses the default for a value that is not an integer, and false for a value that is not a boolean. A variable is replaced
by its value before the check, if the value is known before a launch.
"""

from __future__ import annotations

import re

from bootstrap.jenkins.definitions.casc_tree import Kind, Node
from bootstrap.jenkins.definitions.casc_variables import Variables

KIND_NAMES = {"text": "text", "integer": "integer", "long": "integer", "boolean": "boolean", "decimal": "decimal"}
"""The kinds of scalars in the vocabulary, and their names in messages."""

_BOOLEANS = frozenset("true yes y on 1 false no n off 0".split())  # noqa: SIM905
_BITS = {"integer": 31, "long": 63}
# Values that Jenkins' check accepts, and that stop its reload after it applied other settings.
_LEAST = {"jenkins.numexecutors": 0}
_LEVEL = re.compile(r"jenkins\.log\.recorders\.\d+\.loggers\.\d+\.level", re.IGNORECASE)
_LEVELS = ("OFF", "SEVERE", "WARNING", "INFO", "CONFIG", "FINE", "FINER", "FINEST", "ALL")


def find_fault(node: Node, kind: str, where: str, variables: Variables) -> str:
    """What is wrong with a scalar of a kind, '' if nothing is.

    `kind` is a key of KIND_NAMES, or '=' and the allowed words separated by commas. `where` is the path in the message.
    """
    if node.kind is not Kind.SCALAR:
        word = "word" if kind.startswith("=") else KIND_NAMES[kind]
        return f"{where}: one {word} is needed here, not a {node.kind.value}"
    value = variables.resolve(node.text)
    if value is None:
        return ""
    shown = f"{value!r}" if value == node.text else f"{node.text}, here {value!r},"
    if kind.startswith("="):
        words = kind.removeprefix("=").split(",")
        return "" if value in words else f"{where}: {shown} is not one of {', '.join(words)}"
    if kind in _BITS:
        return _check_number(value, shown, where, _BITS[kind])
    if kind == "boolean" and value.lower() not in _BOOLEANS:
        return f"{where}: {shown} is neither true nor false, and Jenkins would read it as false without an error"
    if kind == "decimal" and not re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        return f"{where}: {shown} is not a number"
    if _LEVEL.fullmatch(where) and value not in _LEVELS and not re.fullmatch(r"-?\d+", value):
        return f"{where}: {shown} is not one of {', '.join(_LEVELS)}"
    return ""


def _check_number(value: str, shown: str, where: str, bits: int) -> str:
    if not re.fullmatch(r"[+-]?[0-9]+", value):
        return (
            f"{where}: {shown} is not a number, and Jenkins would use its default without an error; write digits only"
        )
    number = int(value)
    if re.fullmatch(r"[+-]?0[0-9]+", value):
        return f"{where}: {shown} is {number} for Jenkins and another number in YAML; write {number}"
    if not -(1 << bits) <= number < 1 << bits:
        return f"{where}: {shown} is larger than Jenkins' integers, and Jenkins would use its default without an error"
    least = _LEAST.get(where.lower())
    if least is not None and number < least:
        message = f"{where}: {shown} is less than {least}; Jenkins' check accepts it, and its reload stops there"
        return f"{message} after it applied other settings"
    return ""


def is_number(node: Node) -> bool:
    """Whether the node is an unquoted integer."""
    return node.kind is Kind.SCALAR and node.is_plain and re.fullmatch(r"[+-]?\d+", node.text) is not None
