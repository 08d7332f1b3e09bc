"""One call that reads a resource, and the places of the properties in its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at

Way = str | Callable[[Any, Context], Any]


@dataclass(frozen=True)
class Read:
    """One call. `root` is the place of the resource in its answer: a path or a function.

    In `asks`, '@id' is the physical id, '@account' the account, '@Name' an attribute and '#Name' a property; arguments that are
    None are left out. `ways` has the places of properties with other names in the answer; without `plain` no other properties
    are read. `when` is a property: the call is made only if the template has it.
    """

    service: str
    method: str
    asks: dict[str, Any]
    root: Way = ""
    ways: dict[str, Way] = field(default_factory=dict)
    plain: bool = True
    when: str = ""

    def call(self, to: Context) -> Any:
        """Call the service; returns the part of the answer about the resource, or None. Raises Gone."""
        arguments = {key: value for key, ask in self.asks.items() if (value := _fill_in(ask, to)) is not None}
        answer = to.call(self.service, self.method, **arguments)
        return _follow_way(answer, self.root, to)

    def convert(self, part: Any, plain: Iterable[str], to: Context) -> dict[str, Any]:
        """The properties in a part of an answer; those in `plain` by their names, others by `ways`."""
        properties: dict[str, Any] = {}
        if self.plain and isinstance(part, dict):
            members = {key.lower(): value for key, value in part.items()}
            properties = {name: members[name.lower()] for name in plain if name.lower() in members}
        if part is not None:
            properties |= {name: _follow_way(part, way, to) for name, way in self.ways.items()}
        return {name: value for name, value in properties.items() if value is not None}


def _follow_way(value: Any, way: Way, to: Context) -> Any:
    if callable(way):
        return way(value, to)
    return find_at(value, way) if way else value


def _fill_in(value: Any, to: Context) -> Any:
    if isinstance(value, list):
        return [_fill_in(item, to) for item in value]
    if isinstance(value, dict):
        return {key: _fill_in(item, to) for key, item in value.items()}
    if not isinstance(value, str) or value[:1] not in {"@", "#"}:
        return value
    if value in {"@id", "@account"}:
        return to.physical_id if value == "@id" else to.account
    return to.get(value[1:]) if value.startswith("#") else to.attributes.get(value[1:])
