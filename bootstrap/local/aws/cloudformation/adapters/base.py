"""What an adapter is: create, update, delete and read one type of resource through its service's API.

`Row` describes an adapter that needs one call for each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.errors import ResourceFailed, Unchanged
from bootstrap.local.aws.cloudformation.stand_ins import REASON
from bootstrap.local.aws.cloudformation.template import schemas


class Adapter:
    """One type of resource. By default it cannot be updated in place, and has no attributes."""

    type: str = ""
    volatile: Sequence[str] = ()
    always_looks = False  # whether each update calls `update`, also without changed properties
    # By the property that names another resource: its attributes that change when this resource is created or deleted.
    moves: Mapping[str, Sequence[str]] = {}

    def create(self, to: Context) -> str:
        """Create the resource and return its physical id, which is the value of Ref."""
        raise ResourceFailed(f"{self.type} cannot be created here")

    def update(self, to: Context) -> None:
        """Update the resource in place; `to.changed` names the properties."""
        names = ", ".join(sorted(to.changed))
        raise Unchanged(f"The local cloud cannot change {names} of {self.type} in place")

    def delete(self, to: Context) -> None:
        """Delete the resource; raises Gone when it does not exist."""
        raise ResourceFailed(f"{self.type} cannot be deleted here")

    def attributes(self, to: Context) -> dict[str, Any]:
        """The values of GetAtt by attribute name."""
        return {}

    def tag(self, to: Context, gone: Iterable[str]) -> None:
        """Set the tags `to.tags`, and remove the tags `gone`."""

    def replaces(self, to: Context) -> bool:
        """Whether a change that can replace the resource (conditionalCreateOnlyProperties) does so in this case."""
        return False

    def snapshot(self, to: Context) -> None:
        """Make a snapshot before the resource is deleted."""
        raise ResourceFailed(f"{self.type} has no snapshots")

    def exists(self, to: Context) -> bool:
        """Whether the resource still exists (for drift)."""
        return True


class Ec2(Adapter):
    """An EC2 resource: tagged by CreateTags on its physical id."""

    def tag_target(self, to: Context) -> str:
        """The id that CreateTags takes."""
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
    """The calls of a `RowAdapter`, by name."""

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
    """Makes one call for each step, as its row says: `found` is the path of the id in the answer of `create`.

    In `attributes`, '@id' is the physical id; any other value is a path in the answer of `read`.
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
        """Read the resource once, if an attribute needs it."""
        answer: Any = None
        if self.row.read:
            wanted: Any = [to.physical_id] if self.row.read_many else to.physical_id
            answer = to.call(self.row.service, self.row.read, **{self.row.read_key: wanted})
        paths = self.row.attributes.items()
        return {name: to.physical_id if path == "@id" else at(answer, path) for name, path in paths}


class StandIn(Adapter):
    """A type that the local cloud does not create: its ids and attributes are invented, and its events say so."""

    reason = REASON

    def __init__(self, kind: str) -> None:
        self.type = kind

    def create(self, to: Context) -> str:
        """Return a generated name; nothing is created."""
        return to.name()

    def update(self, to: Context) -> None:
        """Accept every change."""

    def delete(self, to: Context) -> None:
        """Nothing exists that must be deleted."""

    def attributes(self, to: Context) -> dict[str, Any]:
        """Invented values for the read-only properties of the schema."""
        schema = schemas.load(self.type, to.region) or {}
        names = [str(path).rpartition("/")[2] for path in schema.get("readOnlyProperties", ())]
        return {name: f"stand-in-{name}" for name in names}
