"""Those properties whose form in a service's answer is another one than in the template."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.fitting import at
from bootstrap.local.aws.cloudformation.errors import Gone
from bootstrap.local.aws.cloudformation.template import schemas

Reading = Callable[[Any, Context], Any]


def ids(path: str, key: str) -> Reading:
    """A list of things, of which the template names only one member."""
    return lambda found, _: [one[key] for one in at(found, path) or []]


def state_is(path: str, state: str) -> Reading:
    """A flag that the service tells as a state."""
    return lambda found, _: at(found, path) == state


def from_arn(path: str) -> Reading:
    """A name that the service tells as an ARN."""
    return lambda found, _: str(at(found, path)).rpartition("/")[2] if at(found, path) else None


def after(path: str, mark: str) -> Reading:
    """The end of an identifier, after the last `mark`."""
    return lambda found, _: str(at(found, path)).rpartition(mark)[2] if at(found, path) else None


def moment(path: str) -> Reading:
    """A time as templates write it."""

    def read(found: Any, _: Context) -> str | None:
        value = at(found, path)
        if not isinstance(value, datetime.datetime):
            return None if value is None else str(value)
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    return read


def one_of(path: str, **wanted: str) -> Reading:
    """The member of a list whose `wanted` members are what is asked: '@id' the physical id, '#Name' a property."""

    def read(found: Any, to: Context) -> Any:
        pairs = [(key, _meant(value, to)) for key, value in wanted.items()]
        listed = at(found, path) if path else found
        return next((one for one in listed or [] if all(str(one.get(key)) == value for key, value in pairs)), None)

    return read


def pairs(path: str, key: str = "Key", value: str = "Value") -> Reading:
    """A list of keys and values, less those that the template does not name: services add the defaults of all others."""

    def read(found: Any, to: Context) -> list[dict[str, Any]]:
        named = {str(one.get("Key")) for given in to.properties.values() for one in _dicts(given)}
        return [{"Key": one[key], "Value": one[value]} for one in at(found, path) or [] if one[key] in named]

    return read


def renamed(path: str, names: dict[str, str]) -> Reading:
    """A value some of whose members, at any depth, are called otherwise in the template."""
    return lambda found, _: rename(at(found, path) if path else found, names)


def rename(value: Any, names: dict[str, str]) -> Any:
    """`value` with its members' names put in the template's words."""
    if isinstance(value, dict):
        return {names.get(key, key): rename(item, names) for key, item in value.items()}
    return [rename(item, names) for item in value] if isinstance(value, list) else value


def each(name: str, service: str, method: str, key: str, path: str, **more: Any) -> Reading:
    """What a call answers at `path` for all of the things that the list property `name` holds, or None where they differ.

    Used where one resource is put on many.
    """

    def read(_: Any, to: Context) -> Any:
        values = []
        for target in to.get(name) or []:
            try:
                values.append(at(to.call(service, method, **{key: target}, **more), path))
            except Gone:
                values.append(None)
        return values[0] if values and all(value == values[0] for value in values) else None

    return read


def own_tags(found: Any, schema: schemas.Schema, name: str, to: Context) -> Any:
    """Tags in the template's form, less those of the stack and the system, which the template does not write."""
    flat = found if isinstance(found, dict) else dict(_pair(one) for one in found)
    given = to.get(name) or {}
    named = set(given) if isinstance(given, dict) else {one.get("Key") for one in given}
    kept = {key: value for key, value in flat.items() if key in named or not (key in to.tags or key.startswith("aws:"))}
    if schemas.follow(schema, schema["properties"][name]).get("type") == "object":
        return kept
    more = {_pair(one)[0]: one for one in found if isinstance(one, dict)} if isinstance(found, list) else {}
    extra = {key: {k: v for k, v in more.get(key, {}).items() if k == "PropagateAtLaunch"} for key in kept}
    return [{"Key": key, "Value": value, **extra[key]} for key, value in kept.items()]


def _pair(tag: dict[str, Any]) -> tuple[str, Any]:
    members = {key.lower().removeprefix("tag"): value for key, value in tag.items()}
    return str(members.get("key")), members.get("value")


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _meant(value: str, to: Context) -> str:
    if value == "@id":
        return to.physical_id
    return str(to.get(value[1:])) if value.startswith("#") else value
