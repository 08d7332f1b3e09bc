"""What was wished of each resource when it was last reached, so that an edit by hand is told from code that has moved on.

Kept on the machine as digests alone, for a wish may hold a secret. Where the record is lost, every difference counts as made
by hand, until the next change of the machine writes it anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path

from bootstrap.remote.converge.core import Resource

RECORD = "/var/lib/bootstrap/wishes.json"


def digest_of(resource: Resource) -> str:
    """The SHA-256 of a wish."""
    return hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()


class Wishes:
    """The record in one file; `moved` is asked of it as it was found, and `reached` adds to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._found: dict[str, str] = json.loads(path.read_text())
        except (OSError, ValueError):
            self._found = {}
        self._known = dict(self._found)

    def moved(self, resource: Resource) -> bool:
        """Whether something else is wished now than when the resource was last reached; False without a record."""
        return bool(self._found) and self._found.get(resource["id"]) != digest_of(resource)

    def reached(self, resources: Iterable[Resource], *, is_all: bool = False) -> None:
        """The resources are as wished, and with `is_all` nothing else is wished any more.

        Kept at once, so that a run that is killed leaves what is true; a full disk is the matter of the resources, not of this.
        """
        new = {resource["id"]: digest_of(resource) for resource in resources}
        self._known = new if is_all else self._known | new
        with contextlib.suppress(OSError):
            self._keep()

    def _keep(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._path.with_suffix(".new")
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as stream:
            json.dump(self._known, stream)
        part.replace(self._path)
