"""Single values that Configuration as Code would take for something else, or drop, without a word.

What is no whole number leaves the default behind; what is no truth means false. Values behind variables count as what the
variables hold, as far as that is known before a launch.
"""

from __future__ import annotations

import re

from bootstrap.jenkins.definitions.casc_tree import Kind, Node
from bootstrap.jenkins.definitions.casc_variables import Variables

WORDS = {"text": "text", "integer": "integer", "long": "integer", "boolean": "boolean", "decimal": "decimal"}
"""The simple kinds, and how they are called."""

_TRUTHS = frozenset("true yes y on 1 false no n off 0".split())  # noqa: SIM905
_BITS = {"integer": 31, "long": 63}
# What Jenkins refuses only while it sets it: its check takes it, and its reload stops after it applied other settings.
_LEAST = {"jenkins.numexecutors": 0}
_LEVEL = re.compile(r"jenkins\.log\.recorders\.\d+\.loggers\.\d+\.level", re.IGNORECASE)
_LEVELS = ("OFF", "SEVERE", "WARNING", "INFO", "CONFIG", "FINE", "FINER", "FINEST", "ALL")


def fault(node: Node, kind: str, where: str, variables: Variables) -> str:
    """What is wrong with a value of a simple kind, or of one of the words that follow '='; nothing where it is right."""
    if node.kind is not Kind.SCALAR:
        word = "word" if kind.startswith("=") else WORDS[kind]
        return f"{where}: one {word} is needed here, not a {node.kind.value}"
    value = variables.resolve(node.text)
    if value is None:
        return ""
    shown = f"{value!r}" if value == node.text else f"{node.text}, here {value!r},"
    if kind.startswith("="):
        words = kind.removeprefix("=").split(",")
        return "" if value in words else f"{where}: {shown} is not one of {', '.join(words)}"
    if kind in _BITS:
        return _of_number(value, shown, where, _BITS[kind])
    if kind == "boolean" and value.lower() not in _TRUTHS:
        return f"{where}: {shown} is neither true nor false, and Jenkins would read it as false without an error"
    if kind == "decimal" and not re.fullmatch(r"[+-]?\d+(\.\d+)?", value):
        return f"{where}: {shown} is not a number"
    if _LEVEL.fullmatch(where) and value not in _LEVELS and not re.fullmatch(r"-?\d+", value):
        return f"{where}: {shown} is not one of {', '.join(_LEVELS)}"
    return ""


def _of_number(value: str, shown: str, where: str, bits: int) -> str:
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
    """Whether a plain value is a number."""
    return node.kind is Kind.SCALAR and node.is_plain and re.fullmatch(r"[+-]?\d+", node.text) is not None
