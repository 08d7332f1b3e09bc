"""The base classes of adapters: create, update, delete and read one type of resource by the API of its service.

`Row` describes an adapter that needs one call for each step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.errors import ResourceFailed, Unchanged
from bootstrap.local.aws.cloudformation.stand_ins import REASON
from bootstrap.local.aws.cloudformation.template import schemas


class Adapter:
    """The adapter of one type of resource. By default it cannot update its resource in place, and has no attributes."""

    type: str = ""
    volatile: Sequence[str] = ()
    always_looks = False  # whether an operation on the stack calls `update` also without changed properties
    # Whether the creation of a replacement ends the resource that it replaces: a rollback must then create that one again.
    displaces = False
    # Property that names another resource -> attributes of that resource that change with this resource.
    moves: Mapping[str, Sequence[str]] = {}

    def create(self, to: Context) -> str:
        """Create the resource and return its physical id, which is the value of Ref. Raises ResourceFailed."""
        raise ResourceFailed(f"{self.type} cannot be created here")

    def update(self, to: Context) -> None:
        """Update the resource in place; `to.changed` names the changed properties. Raises ResourceFailed, or Unchanged."""
        names = ", ".join(sorted(to.changed))
        raise Unchanged(f"The local cloud cannot change {names} of {self.type} in place")

    def delete(self, to: Context) -> None:
        """Delete the resource. Raises Gone when it does not exist, ResourceFailed when the service refuses."""
        raise ResourceFailed(f"{self.type} cannot be deleted here")

    def read_attributes(self, to: Context) -> dict[str, Any]:
        """Return the values of GetAtt by attribute name. May raise Gone."""
        return {}

    def tag(self, to: Context, removed: Iterable[str]) -> None:
        """Set the tags `to.tags`, and remove the tags with the keys `removed`."""

    def replaces(self, to: Context) -> bool:
        """Return whether this change replaces the resource, where a property only can (conditionalCreateOnlyProperties)."""
        return False

    def make_snapshot(self, to: Context) -> None:
        """Make a snapshot before the resource is deleted. Raises ResourceFailed."""
        raise ResourceFailed(f"{self.type} has no snapshots")

    def exists(self, to: Context) -> bool:
        """Return whether the resource still exists (for drift detection)."""
        return True


class Ec2(Adapter):
    """The adapter of an EC2 resource, whose tags CreateTags sets by its id."""

    def find_tag_target(self, to: Context) -> str:
        """Return the id that CreateTags takes."""
        return to.physical_id

    def tag(self, to: Context, removed: Iterable[str]) -> None:
        """Remove the tags `removed` and set `to.tags`."""
        target = self.find_tag_target(to)
        names = [{"Key": name} for name in removed]
        if names:
            to.call("ec2", "delete_tags", Resources=[target], Tags=names)
        if to.tags:
            to.call("ec2", "create_tags", Resources=[target], Tags=to.list_tags())


@dataclass
class Row:
    """The calls of a `RowAdapter`; `id_path` is the path of the id in the answer of `create`."""

    type: str
    service: str
    create: str
    id_path: str
    delete: str
    key: str
    takes: tuple[str, ...]
    attributes: dict[str, str] = field(default_factory=dict)
    read: str = ""
    read_key: str = ""
    read_many: bool = True
    update: str = ""


class RowAdapter(Ec2):
    """An adapter that makes one call for each step, as its row says.

    In `attributes`, '@id' is the physical id; any other value is a path in the answer of `read`.
    """

    def __init__(self, row: Row) -> None:
        self.row = row
        self.type = row.type

    def create(self, to: Context) -> str:
        """Create the resource from the properties that the row names."""
        answer = to.call(self.row.service, self.row.create, **to.pick(*self.row.takes))
        return str(find_at(answer, self.row.id_path))

    def update(self, to: Context) -> None:
        """Update the resource by one call; refused (Unchanged) if the row has no such call."""
        if not self.row.update:
            super().update(to)
        to.call(self.row.service, self.row.update, **{self.row.key: to.physical_id}, **to.pick(*self.row.takes))

    def delete(self, to: Context) -> None:
        """Delete the resource by its id."""
        to.call(self.row.service, self.row.delete, **{self.row.key: to.physical_id})

    def read_attributes(self, to: Context) -> dict[str, Any]:
        """Read the resource once, if the row has a call for that, and return the attributes."""
        answer: Any = None
        if self.row.read:
            ids: Any = [to.physical_id] if self.row.read_many else to.physical_id
            answer = to.call(self.row.service, self.row.read, **{self.row.read_key: ids})
        paths = self.row.attributes.items()
        return {name: to.physical_id if path == "@id" else find_at(answer, path) for name, path in paths}


class StandIn(Adapter):
    """A type that the local cloud does not create: it invents ids and attributes, and the resource's events say so."""

    reason = REASON

    def __init__(self, kind: str) -> None:
        self.type = kind

    def create(self, to: Context) -> str:
        """Return a generated name; nothing is created."""
        return to.make_token()

    def update(self, to: Context) -> None:
        """Accept every change."""

    def delete(self, to: Context) -> None:
        """Do nothing: nothing was created."""

    def read_attributes(self, to: Context) -> dict[str, Any]:
        """Return an invented value for each read-only property of the schema."""
        schema = schemas.load(self.type, to.region) or {}
        names = [str(path).rpartition("/")[2] for path in schema.get("readOnlyProperties", ())]
        return {name: f"stand-in-{name}" for name in names}
