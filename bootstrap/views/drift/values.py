"""One line of drift."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drifted:
    """One difference from the code: where it is, the name of the thing, what was found, and the remedy.

    `diff` is a unified diff, '' if there is none to show.
    """

    where: str
    name: str
    found: str
    remedy: str
    diff: str = ""
