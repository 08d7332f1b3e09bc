"""The desired state that each resource was last brought to: it distinguishes an edit by hand from a change of the code.

The machine keeps digests only, because a desired state may contain a secret. If the record is lost, every difference counts
as an edit by hand, until the next change of the machine writes the record again.
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
    """The SHA-256 of a resource's desired state."""
    return hashlib.sha256(json.dumps(resource, sort_keys=True).encode()).hexdigest()


class AppliedState:
    """The record, in one file: `has_changed` compares with it as it was at the start, `record` adds to it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._before: dict[str, str] = json.loads(path.read_text())
        except (OSError, ValueError):
            self._before = {}
        self._now = dict(self._before)

    def has_changed(self, resource: Resource) -> bool:
        """Whether the desired state is another than the recorded one; False without a record."""
        return bool(self._before) and self._before.get(resource["id"]) != digest_of(resource)

    def record(self, resources: Iterable[Resource], *, is_all: bool = False) -> None:
        """Record the resources as in their desired state; with `is_all`, forget all others.

        The file is written at once, so that it is right after a kill. If it cannot be written, the run goes on without it.
        """
        new = {resource["id"]: digest_of(resource) for resource in resources}
        self._now = new if is_all else self._now | new
        with contextlib.suppress(OSError):
            self._save()

    def _save(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = self._path.with_suffix(".new")
        with os.fdopen(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as stream:
            json.dump(self._now, stream)
        part.replace(self._path)
