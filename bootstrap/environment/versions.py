"""The version of environment files: which keys changed their name or form, in which version, and what to write now.

A file without `version` is taken as one of the current version. A file of an older version is refused with all that has to
be changed in it, and a newer one with the advice to upgrade the toolkit: another version could mean something else by the
same key.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

CURRENT = 2
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Change:
    """A key that a version does not have any more; `advise` says, for its value, what to write in its place."""

    version: int
    key: tuple[str, ...]
    advise: Callable[[Any], str]


CHANGES = (
    Change(
        2,
        ("access", "operator_cidr"),
        lambda block: f"is now a list, access.operator_cidrs; write operator_cidrs: [{block}]",
    ),
)
"""All changes, the oldest first. A change of a key raises CURRENT and gets an entry here."""


def advise(key: tuple[str | int, ...], value: Any) -> str:
    """What to write in place of a key that an older version had; '' for every other key."""
    change = next((it for it in CHANGES if it.key == key), None)
    return f"'{'.'.join(change.key)}' {change.advise(value)}" if change else ""


def find_faults(document: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """What is wrong with the version of a file; `is_newer` says whether the other keys can be judged."""
    version = document.get("version", CURRENT)
    if type(version) is not int or version < 1:
        return  # the type of the key is checked with those of the others
    if is_newer(document):
        yield (
            ("version",),
            f"this toolkit knows versions up to {CURRENT}; upgrade the toolkit (in a project: the version in bootstrap.toml)",
        )
    elif version < CURRENT:
        concerned = [it for it in CHANGES if it.version > version and _has(document, it.key)]
        keys = ", ".join(".".join(it.key) for it in concerned)
        first = f"change {keys} as the other lines say" if concerned else "no key of this file has to be changed"
        yield ("version",), f"this toolkit has version {CURRENT} of these files; {first}, then write version: {CURRENT}"


def is_newer(document: Mapping[str, Any]) -> bool:
    """Whether the file is of a version that this toolkit does not know."""
    version = document.get("version", CURRENT)
    return type(version) is int and version > CURRENT


def _has(document: Any, key: tuple[str, ...]) -> bool:
    for part in key:
        if not isinstance(document, Mapping) or part not in document:
            return False
        document = document[part]
    return True
