"""One line of drift, or of what could not be compared."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drifted:
    """One difference from the code: where it is, the name of the thing, what was found, and the remedy.

    `diff` is a unified diff, '' if there is none to show. With `is_unseen` it is not known whether the thing differs.
    """

    where: str
    name: str
    found: str
    remedy: str
    diff: str = ""
    is_unseen: bool = False


def make_unseen(name: str, reason: str, remedy: str, where: str = "stack") -> Drifted:
    """The line of a thing that could not be compared."""
    return Drifted(where, name, f"not looked at: {reason.splitlines()[0]}", remedy, is_unseen=True)
