"""One call that reads a resource, and where in its answer each property is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.fitting import at

Way = str | Callable[[Any, Context], Any]


@dataclass(frozen=True)
class Read:
    """One call; `root` leads to the resource within its answer, as a path or by a function.

    In what is asked, '@id' is the physical id, '@account' the account, '@Name' an attribute and '#Name' a property; what
    comes out as nothing is left out. `ways` has the properties that are called otherwise in the answer; without `plain`
    nothing else is read from it. `when` names the property without which the call is not made.
    """

    service: str
    method: str
    asks: dict[str, Any]
    root: Way = ""
    ways: dict[str, Way] = field(default_factory=dict)
    plain: bool = True
    when: str = ""

    def part(self, to: Context) -> Any:
        """What the service says of the resource, or None; raises Gone."""
        asked = {key: value for key, ask in self.asks.items() if (value := _asked(ask, to)) is not None}
        answer = to.call(self.service, self.method, **asked)
        return _found(answer, self.root, to)

    def values(self, part: Any, plain: Iterable[str], to: Context) -> dict[str, Any]:
        """The properties that are in `part`."""
        found: dict[str, Any] = {}
        if self.plain and isinstance(part, dict):
            members = {key.lower(): value for key, value in part.items()}
            found = {name: members[name.lower()] for name in plain if name.lower() in members}
        if part is not None:
            found |= {name: _found(part, way, to) for name, way in self.ways.items()}
        return {name: value for name, value in found.items() if value is not None}


def _found(value: Any, way: Way, to: Context) -> Any:
    if callable(way):
        return way(value, to)
    return at(value, way) if way else value


def _asked(value: Any, to: Context) -> Any:
    if isinstance(value, list):
        return [_asked(item, to) for item in value]
    if isinstance(value, dict):
        return {key: _asked(item, to) for key, item in value.items()}
    if not isinstance(value, str) or value[:1] not in {"@", "#"}:
        return value
    if value in {"@id", "@account"}:
        return to.physical_id if value == "@id" else to.account
    return to.get(value[1:]) if value.startswith("#") else to.attributes.get(value[1:])
