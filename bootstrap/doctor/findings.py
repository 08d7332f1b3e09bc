"""One finding of `doctor`."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Health(enum.StrEnum):
    """The state of a finding; a warning does not stop a launch."""

    GOOD = "ok"
    WARNING = "warning"
    BAD = "failed"


@dataclass(frozen=True)
class Finding:
    """One line: what was checked, its state, what was found, and the remedy ('' if nothing is to be done)."""

    name: str
    health: Health
    found: str
    remedy: str = ""


def make_good(name: str, found: str) -> Finding:
    """A finding without a problem."""
    return Finding(name, Health.GOOD, found)


def make_warning(name: str, found: str, remedy: str) -> Finding:
    """A problem that does not stop a launch."""
    return Finding(name, Health.WARNING, found, remedy)


def make_bad(name: str, found: str, remedy: str) -> Finding:
    """A problem with which a launch would fail, or do something wrong."""
    return Finding(name, Health.BAD, found, remedy)
