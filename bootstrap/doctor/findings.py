"""One line of a preflight."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Health(enum.StrEnum):
    """How bad it is: a warning does not stop a launch."""

    GOOD = "ok"
    WARNING = "warning"
    BAD = "failed"


@dataclass(frozen=True)
class Finding:
    """What was looked at, how it is, what was found, and what to do about it where something is to be done."""

    name: str
    health: Health
    found: str
    remedy: str = ""


def good(name: str, found: str) -> Finding:
    """Nothing to be done."""
    return Finding(name, Health.GOOD, found)


def warning(name: str, found: str, remedy: str) -> Finding:
    """A launch would go on, but somebody should know."""
    return Finding(name, Health.WARNING, found, remedy)


def bad(name: str, found: str, remedy: str) -> Finding:
    """A launch would fail, or do what nobody wants."""
    return Finding(name, Health.BAD, found, remedy)
