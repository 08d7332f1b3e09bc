"""The names that CloudFormation makes for resources which the template does not name, from the table beside this module."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

TABLE = Path(__file__).with_suffix(".yaml")
RANDOM = 12
"""How many random characters a generated name ends with."""

_LETTERS = string.ascii_letters + string.digits


@dataclass(frozen=True)
class Form:
    """How the names of one type are made; the table explains the fields."""

    sources: tuple[str, ...]
    limit: int = 128
    property: str = ""
    begins: str = "stack-logical"
    joins: str = "-"
    lower: bool = False
    ends: Mapping[str, str] = field(default_factory=dict)

    def make(self, stack: str, logical: str, seed: str, properties: Mapping[str, Any]) -> str:
        """The name; `seed` decides its random characters."""
        end = "".join(text for name, text in self.ends.items() if str(properties.get(name)).lower() == "true")
        room = self.limit - len(self.joins) - RANDOM - len(end)
        match self.begins:
            case "stack-logical":
                start = _cut(stack, logical, room)
            case "CFN-logical":
                start = f"CFN-{logical}"[:room]
            case _:
                start = logical[:room]
        name = f"{start}{self.joins}{make_random_part(seed)}"
        return (name.lower() if self.lower else name) + end


@cache
def load_forms() -> Mapping[str, Form]:
    """The form of each type in the table."""
    read = yaml.safe_load(TABLE.read_text(encoding="utf-8"))["types"]
    return {kind: Form(**{**row, "sources": tuple(row["sources"])}) for kind, row in read.items()}


def make_random_part(seed: str) -> str:
    """The random end of a name, the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:RANDOM])


def _cut(stack: str, logical: str, room: int) -> str:
    """Stack name and logical id with a hyphen between them; both are cut evenly, unless one is shorter than its half.

    No second hyphen follows where the stack's name is cut behind one: load balancers could not have such a name.
    """
    both = room - 1
    for_stack = min(len(stack), max(-(-both // 2), both - len(logical)))
    return f"{stack[:for_stack].rstrip('-')}-{logical[: both - for_stack]}"
