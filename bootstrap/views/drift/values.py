"""One line of drift."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Drifted:
    """Something that is not as the code says: where, which thing, what was found, and its remedy.

    `diff` is a unified diff for a reader, where one can be shown.
    """

    where: str
    name: str
    found: str
    remedy: str
    diff: str = ""
