"""What an adapter is: create, update, delete and read one type of resource through its service's API.

`Row` describes an adapter that needs one call for each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation import schemas
from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.errors import ResourceFailed, Unchanged
from bootstrap.local.aws.cloudformation.stand_ins import REASON


class Adapter:
    """One type of resource. The defaults: nothing can be altered in place, no attributes."""

    type: str = ""
    volatile: Sequence[str] = ()
    always_looks = False  # whether each update asks it, though no property of its resource changes
    # By the property that names another resource: the attributes of that one which change when this one comes or goes.
    moves: Mapping[str, Sequence[str]] = {}

    def create(self, to: Context) -> str:
        """Make it; returns the physical id, which is what Ref gives."""
        raise ResourceFailed(f"{self.type} cannot be created here")

    def update(self, to: Context) -> None:
        """Alter it in place: `to.changed` names the properties."""
        names = ", ".join(sorted(to.changed))
        raise Unchanged(f"The local cloud cannot change {names} of {self.type} in place")

    def delete(self, to: Context) -> None:
        """Delete it; raises Gone when it is not there."""
        raise ResourceFailed(f"{self.type} cannot be deleted here")

    def attributes(self, to: Context) -> dict[str, Any]:
        """What GetAtt gives, by attribute name."""
        return {}

    def tag(self, to: Context, gone: Iterable[str]) -> None:
        """Put `to.tags` on it and take the tags `gone` away."""

    def replaces(self, to: Context) -> bool:
        """Whether a change that replaces only in some cases does so in this one."""
        return False

    def snapshot(self, to: Context) -> None:
        """Take a snapshot before it is deleted."""
        raise ResourceFailed(f"{self.type} has no snapshots")

    def exists(self, to: Context) -> bool:
        """Whether it is still there (for drift)."""
        return True


class Ec2(Adapter):
    """An EC2 resource: tagged by CreateTags on its physical id."""

    def tag_target(self, to: Context) -> str:
        """What CreateTags takes for it."""
        return to.physical_id

    def tag(self, to: Context, gone: Iterable[str]) -> None:
        """Tags of EC2 resources are set by id."""
        target = self.tag_target(to)
        names = [{"Key": name} for name in gone]
        if names:
            to.call("ec2", "delete_tags", Resources=[target], Tags=names)
        if to.tags:
            to.call("ec2", "create_tags", Resources=[target], Tags=to.tag_list())


@dataclass
class Row:
    """An adapter in a few words: see `RowAdapter`."""

    type: str
    service: str
    create: str
    found: str
    delete: str
    key: str
    takes: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    read: str = ""
    read_key: str = ""
    read_many: bool = True
    update: str = ""


class RowAdapter(Ec2):
    """Create with the properties of the row, find the id at a path of the answer, delete by the id, read attributes.

    In `attributes`, '@id' is the physical id and everything else a path in what `read` answers.
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        self.type = row.type

    def create(self, to: Context) -> str:
        """One call with the properties as they are."""
        answer = to.call(self.row.service, self.row.create, **to.pick(*self.row.takes))
        return str(at(answer, self.row.found))

    def update(self, to: Context) -> None:
        """One call with the id and the properties, where the service has one."""
        if not self.row.update:
            super().update(to)
        to.call(self.row.service, self.row.update, **{self.row.key: to.physical_id}, **to.pick(*self.row.takes))

    def delete(self, to: Context) -> None:
        """One call with the id."""
        to.call(self.row.service, self.row.delete, **{self.row.key: to.physical_id})

    def attributes(self, to: Context) -> dict[str, Any]:
        """Read it once, if an attribute needs it."""
        answer: Any = None
        if self.row.read:
            wanted: Any = [to.physical_id] if self.row.read_many else to.physical_id
            answer = to.call(self.row.service, self.row.read, **{self.row.read_key: wanted})
        paths = self.row.attributes.items()
        return {name: to.physical_id if path == "@id" else at(answer, path) for name, path in paths}


class StandIn(Adapter):
    """A type that exists on paper only: ids and attributes are made up, and the events say so."""

    reason = REASON

    def __init__(self, kind: str) -> None:
        self.type = kind

    def create(self, to: Context) -> str:
        """A name."""
        return to.name()

    def update(self, to: Context) -> None:
        """On paper everything can be altered."""

    def delete(self, to: Context) -> None:
        """On paper."""

    def attributes(self, to: Context) -> dict[str, Any]:
        """Whatever the schema calls read-only, by name."""
        schema = schemas.load(self.type, to.region) or {}
        names = [str(path).rpartition("/")[2] for path in schema.get("readOnlyProperties", ())]
        return {name: f"stand-in-{name}" for name in names}
