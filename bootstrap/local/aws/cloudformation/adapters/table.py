"""Adapters from a table: an `Entry` names a type's calls, and `TableAdapter` makes, alters, tags, reads and deletes with them.

What an entry does not say is refused, never dropped: a property that the service's call does not take fails its resource
unless the entry ignores it by name (see `modelled`), and so does a change that no call can make.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.base import Adapter
from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.errors import Gone, ResourceFailed
from bootstrap.local.aws.cloudformation.template import schemas

Setter = Callable[[To, Any], None]
Shape = Callable[[Any], Any]


@dataclass(frozen=True)
class Entry:
    """The calls of one type of resource.

    `found` is the path of the id in the answer of `create`; without it the id is the name. `name` is the property with the
    resource's own name, made up when the template gives none, and `name_as` the parameter that takes it; `unique` takes a
    token. `key` is the parameter that takes the id in the other calls, `along` the properties that go with it. `renamed`,
    `shaped` and `fixed` fit the properties to `create` and `update`, and `inside` wraps them. `settings` are made by calls of
    their own after the creation and when they change, `alters` only when they change. `update` takes `takes`; with `whole`
    it replaces everything. `read` answers `item`, in which `attributes` are found. What is `ignored` the service here has no
    call for: it is accepted, and the resource's event says that it is not modelled.
    """

    type: str
    service: str
    create: str
    delete: str
    key: str
    found: str = ""
    name: str = ""
    name_as: str = ""
    limit: int = 64
    lower: bool = False
    unique: str = ""
    along: tuple[str, ...] = ()
    renamed: dict[str, str] = field(default_factory=dict)
    shaped: dict[str, Shape] = field(default_factory=dict)
    fixed: dict[str, Any] = field(default_factory=dict)
    inside: str = ""
    settings: dict[str, Setter] = field(default_factory=dict)
    alters: dict[str, Setter] = field(default_factory=dict)
    update: str = ""
    takes: tuple[str, ...] = ()
    whole: bool = False
    read: str = ""
    read_key: str = ""
    item: str = ""
    attributes: dict[str, str | Callable[[Any], Any]] = field(default_factory=dict)
    tags: Tagging | None = None
    ready: Callable[[Any], bool] | None = None
    delete_more: dict[str, Any] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()


class TableAdapter(Adapter):
    """An adapter that an `Entry` describes; a subclass may say the rest."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self.type = entry.type

    def create(self, to: To) -> str:
        """One call, then the settings that have calls of their own."""
        entry = self.entry
        given = self.given(to, to.properties.keys() - entry.settings.keys())
        name = self.own_name(to)
        if entry.name:
            given[entry.name_as or entry.name] = name
        if entry.unique:
            given[entry.unique] = to.name(60)
        answer = to.call(entry.service, entry.create, **self._wrapped(given), **entry.fixed)
        to.physical_id = self.identity(to, answer, name)
        to.initiated(to.physical_id)
        for setting in entry.settings:
            if setting in to.properties:
                entry.settings[setting](to, to.get(setting))
        if entry.ready is not None:
            is_ready = entry.ready
            to.wait(lambda: is_ready(self.item(to)), f"{to.logical_id} ({to.physical_id})")
        return to.physical_id

    def identity(self, to: To, answer: Any, name: str) -> str:
        """The physical id that the creation gave."""
        if not self.entry.found:
            return name
        found = at(answer, self.entry.found)
        if found is None:
            raise ResourceFailed(f"{self.entry.create} answered without {self.entry.found}")
        return str(found)

    def update(self, to: To) -> None:
        """The call of each changed setting, and one call for the rest; refused when no call can make the change."""
        entry, own = self.entry, {schemas.tag_property(schemas.load(self.type, to.region) or {})}
        setters = {**entry.settings, **entry.alters}
        rest = to.changed - setters.keys() - own - entry.ignored
        removed = rest - to.properties.keys()
        if rest - set(entry.takes) or (removed and not entry.whole):
            super().update(to)
        if rest:
            wanted = set(entry.takes) & to.properties.keys()
            given = self.given(to, wanted if entry.whole else wanted & rest)
            if entry.inside and entry.whole:
                to.call(entry.service, entry.update, **self._wrapped({**given, **self.keys(to)}))
            else:
                to.call(entry.service, entry.update, **{**given, **self.keys(to)})
        for setting in sorted(to.changed & setters.keys()):
            setters[setting](to, to.get(setting))

    def delete(self, to: To) -> None:
        """By its key."""
        to.call(self.entry.service, self.entry.delete, **self.keys(to), **self.entry.delete_more)

    def keys(self, to: To) -> dict[str, Any]:
        """The parameters that name the resource."""
        return {self.entry.key: to.physical_id, **self.given(to, self.entry.along)}

    def attributes(self, to: To) -> dict[str, Any]:
        """Read once, if an attribute needs it."""
        item = self.item(to) if self.entry.read else None
        found: dict[str, Any] = {}
        for name, path in self.entry.attributes.items():
            if callable(path):
                found[name] = path(item)
            else:
                found[name] = to.physical_id if path == "@id" else at(item, path)
        return found

    def tag(self, to: To, gone: Iterable[str]) -> None:
        """As the service tags."""
        if self.entry.tags is not None:
            self.entry.tags.apply(self, to, self.entry.service, gone)

    def item(self, to: To) -> Any:
        """What the service says of it; raises Gone."""
        entry = self.entry
        given = {**self.given(to, entry.along), (entry.read_key or entry.key): to.physical_id}
        answer = to.call(entry.service, entry.read, **given)
        item = at(answer, entry.item) if entry.item else answer
        if item is None:
            raise Gone(f"{self.type} {to.physical_id} does not exist")
        return item

    def own_name(self, to: To) -> str:
        """The name that the template gives, or one made up."""
        return str(to.get(self.entry.name) or to.name(self.entry.limit, lower=self.entry.lower))

    def given(self, to: To, names: Iterable[str]) -> dict[str, Any]:
        """Properties as parameters of a call; tags are put on afterwards."""
        entry = self.entry
        skip = {schemas.tag_property(schemas.load(self.type, to.region) or {}), entry.name, *entry.ignored}
        made = {}
        for name in sorted(set(names) - skip):
            if name in to.properties:
                value = to.get(name)
                made[entry.renamed.get(name, name)] = entry.shaped[name](value) if name in entry.shaped else value
        return made

    def _wrapped(self, given: dict[str, Any]) -> dict[str, Any]:
        return {self.entry.inside: given} if self.entry.inside else given


def setter(service: str, method: str, key: str, parameter: str = "", **more: Any) -> Setter:
    """A setting that one call makes: `key` takes the id, `parameter` the value, or the value's own keys do."""

    def put(to: To, value: Any) -> None:
        if value is None:
            raise ResourceFailed(f"The local cloud cannot take a setting of {to.logical_id} away again ({method})")
        given = {parameter: value} if parameter else dict(value)
        to.call(service, method, **{key: to.physical_id}, **given, **more)

    return put


def as_json(value: Any) -> Any:
    """A document as text; text stays."""
    return json.dumps(value) if isinstance(value, dict | list) else value
