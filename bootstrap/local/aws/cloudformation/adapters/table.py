"""Adapters that a table describes: an `Entry` names the calls of a type, and `TableAdapter` makes them.

Nothing is dropped silently: a property that the service's call does not take fails its resource, unless the entry names
it as ignored (see `modelled_properties`). A change for which the entry has no call is refused, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters import generated_names
from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed
from bootstrap.local.aws.cloudformation.template import schemas

Setter = Callable[[To, Any], None]
Shape = Callable[[Any], Any]


@dataclass(frozen=True)
class Entry:
    """The calls of one type of resource, and how its properties become their parameters."""

    type: str
    service: str
    create: str
    delete: str
    key: str  # the parameter with the id, in all calls but `create`
    id_path: str = ""  # the path of the id in the answer of `create`; without it, the id is the name
    name: str = ""  # the property with the resource's own name, which is generated if the template gives none
    name_as: str = ""  # the parameter for the name, where the property is called otherwise
    unique: str = ""  # the parameter of `create` that takes a token
    along: tuple[str, ...] = ()  # properties that identify the resource together with `key`
    renamed: dict[str, str] = field(default_factory=dict)  # property -> parameter
    shaped: dict[str, Shape] = field(default_factory=dict)  # property -> converts its value
    fixed: dict[str, Any] = field(default_factory=dict)  # parameters of `create` with a fixed value
    inside: str = ""  # the structure that contains all parameters of `create` and `update`
    # `settings` are set by calls of their own, after the creation and when they change; `alters` only when they change.
    settings: dict[str, Setter] = field(default_factory=dict)
    alters: dict[str, Setter] = field(default_factory=dict)
    update: str = ""
    takes: tuple[str, ...] = ()  # the properties that `update` takes
    whole: bool = False  # whether `update` replaces all settings, and so needs all properties
    read: str = ""
    read_key: str = ""  # the parameter of `read` with the id, where it is not `key`
    item: str = ""  # the path of the resource's description in the answer of `read`
    attributes: dict[str, str | Callable[[Any], Any]] = field(default_factory=dict)  # -> path in the item, or '@id'
    tags: Tagging | None = None
    ready: Callable[[Any], bool] | None = None  # whether the item shows a complete resource
    delete_more: dict[str, Any] = field(default_factory=dict)  # further parameters of `delete`
    ignored: frozenset[str] = frozenset()  # accepted without a call; the event says that they are not modelled


class TableAdapter(Adapter):
    """An adapter that makes the calls of its `Entry`; a subclass may override single steps."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.type = entry.type

    def create(self, to: To) -> str:
        """Create the resource by one call, then make the calls of its settings; return the physical id."""
        entry = self.entry
        parameters = self.make_parameters(to, to.properties.keys() - entry.settings.keys())
        name = self.choose_name(to)
        if entry.name:
            parameters[entry.name_as or entry.name] = name
        if entry.unique:
            parameters[entry.unique] = to.make_token()
        answer = to.call(entry.service, entry.create, **self._wrap(parameters), **entry.fixed)
        to.physical_id = self.find_identity(to, answer, name)
        to.initiated(to.physical_id)
        for setting in entry.settings:
            if setting in to.properties:
                entry.settings[setting](to, to.get(setting))
        if entry.ready is not None:
            is_ready = entry.ready
            to.wait(lambda: is_ready(self.read_item(to)), f"{to.logical_id} ({to.physical_id})")
        return to.physical_id

    def find_identity(self, to: To, answer: Any, name: str) -> str:
        """Return the physical id from the answer of the creation. Raises ResourceFailed if it has none."""
        if not self.entry.id_path:
            return name
        physical_id = find_at(answer, self.entry.id_path)
        if physical_id is None:
            raise ResourceFailed(f"{self.entry.create} answered without {self.entry.id_path}")
        return str(physical_id)

    def update(self, to: To) -> None:
        """Make the call of each changed setting, and one call for the other changes.

        Refused (Unchanged) when no call can make one of the changes.
        """
        entry, own = self.entry, {schemas.find_tag_property(schemas.load(self.type, to.region) or {})}
        setters = {**entry.settings, **entry.alters}
        remaining = to.changed - setters.keys() - own - entry.ignored
        removed = remaining - to.properties.keys()
        if remaining - set(entry.takes) or (removed and not entry.whole):
            super().update(to)
        if remaining:
            names = set(entry.takes) & to.properties.keys()
            parameters = self.make_parameters(to, names if entry.whole else names & remaining)
            if entry.inside and entry.whole:
                to.call(entry.service, entry.update, **self._wrap({**parameters, **self.identify(to)}))
            else:
                to.call(entry.service, entry.update, **{**parameters, **self.identify(to)})
        for setting in sorted(to.changed & setters.keys()):
            setters[setting](to, to.get(setting))

    def delete(self, to: To) -> None:
        """Delete the resource."""
        to.call(self.entry.service, self.entry.delete, **self.identify(to), **self.entry.delete_more)

    def identify(self, to: To) -> dict[str, Any]:
        """Return the parameters that identify the resource."""
        return {self.entry.key: to.physical_id, **self.make_parameters(to, self.entry.along)}

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Read the resource once, if the entry has a call for that, and return the attributes."""
        item = self.read_item(to) if self.entry.read else None
        values: dict[str, Any] = {}
        for name, path in self.entry.attributes.items():
            if callable(path):
                values[name] = path(item)
            else:
                values[name] = to.physical_id if path == "@id" else find_at(item, path)
        return values

    def tag(self, to: To, removed: Iterable[str]) -> None:
        """Remove the tags `removed` and set `to.tags`, if the entry has a tagging."""
        if self.entry.tags is not None:
            self.entry.tags.apply(self, to, self.entry.service, removed)

    def read_item(self, to: To) -> Any:
        """Read the resource and return the service's description. Raises Gone."""
        entry = self.entry
        parameters = {**self.make_parameters(to, entry.along), (entry.read_key or entry.key): to.physical_id}
        answer = to.call(entry.service, entry.read, **parameters)
        item = find_at(answer, entry.item) if entry.item else answer
        if item is None:
            raise Gone(f"{self.type} {to.physical_id} does not exist")
        return item

    def choose_name(self, to: To) -> str:
        """Return the name that the template gives, or a generated one; nothing if the service gives an id of its own."""
        given = to.get(self.entry.name) if self.entry.name else None
        return str(given) if given else to.generate_name() if self.type in generated_names.load_forms() else ""

    def make_parameters(self, to: To, names: Iterable[str]) -> dict[str, Any]:
        """Return the named properties as parameters of a call, without tags, which are set afterwards."""
        entry = self.entry
        skip = {schemas.find_tag_property(schemas.load(self.type, to.region) or {}), entry.name, *entry.ignored}
        parameters = {}
        for name in sorted(set(names) - skip):
            if name in to.properties:
                value = to.get(name)
                parameters[entry.renamed.get(name, name)] = entry.shaped[name](value) if name in entry.shaped else value
        return parameters

    def _wrap(self, parameters: dict[str, Any]) -> dict[str, Any]:
        return {self.entry.inside: parameters} if self.entry.inside else parameters


def make_setter(service: str, method: str, key: str, parameter: str = "", **more: Any) -> Setter:
    """Return the setter of a property that one call sets.

    `key` is the parameter for the id, `parameter` the one for the value; without `parameter`, the value's members are the
    parameters. The setter raises ResourceFailed when the property was removed.
    """

    def set_value(to: To, value: Any) -> None:
        if value is None:
            raise ResourceFailed(f"The local cloud cannot take a setting of {to.logical_id} away again ({method})")
        parameters = {parameter: value} if parameter else dict(value)
        to.call(service, method, **{key: to.physical_id}, **parameters, **more)

    return set_value


def format_json(value: Any) -> Any:
    """Return a document as JSON text; text is returned unchanged."""
    return json.dumps(value) if isinstance(value, dict | list) else value
