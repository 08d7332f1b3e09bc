"""Functions for properties that have another form in a service's answer than in a template."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.adapters.conversions import find_at
from bootstrap.local.aws.cloudformation.errors import Gone
from bootstrap.local.aws.cloudformation.template import schemas

Reading = Callable[[Any, Context], Any]


def read_ids(path: str, key: str) -> Reading:
    """A list of objects, of which the template has only the member `key`."""
    return lambda part, _: [entry[key] for entry in find_at(part, path) or []]


def read_state(path: str, state: str) -> Reading:
    """A boolean that is a state in the service."""
    return lambda part, _: find_at(part, path) == state


def read_from_arn(path: str) -> Reading:
    """A name that is an ARN in the service."""
    return lambda part, _: str(find_at(part, path)).rpartition("/")[2] if find_at(part, path) else None


def read_after(path: str, mark: str) -> Reading:
    """The end of an identifier, after the last `mark`."""
    return lambda part, _: str(find_at(part, path)).rpartition(mark)[2] if find_at(part, path) else None


def read_moment(path: str) -> Reading:
    """A time in the form of templates."""

    def read(part: Any, _: Context) -> str | None:
        value = find_at(part, path)
        if not isinstance(value, datetime.datetime):
            return None if value is None else str(value)
        return value.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    return read


def read_one_of(path: str, **members: str) -> Reading:
    """The entry of a list with these `members`; '@id' is the physical id, '#Name' a property."""

    def read(part: Any, to: Context) -> Any:
        pairs = [(key, _fill_in(value, to)) for key, value in members.items()]
        listed = find_at(part, path) if path else part
        return next(
            (member for member in listed or [] if all(str(member.get(key)) == value for key, value in pairs)), None
        )

    return read


def read_pairs(path: str, key: str = "Key", value: str = "Value") -> Reading:
    """A list of keys and values, only of keys in the template, because services add the defaults of all others."""

    def read(part: Any, to: Context) -> list[dict[str, Any]]:
        named = {str(entry.get("Key")) for given in to.properties.values() for entry in _list_dicts(given)}
        return [
            {"Key": entry[key], "Value": entry[value]} for entry in find_at(part, path) or [] if entry[key] in named
        ]

    return read


def read_renamed(path: str, names: dict[str, str]) -> Reading:
    """A value with members, at any depth, that have other names in the template (`names`)."""
    return lambda part, _: rename(find_at(part, path) if path else part, names)


def rename(value: Any, names: dict[str, str]) -> Any:
    """Replace the names of members, at any depth; `names` has the template's name by the service's name."""
    if isinstance(value, dict):
        return {names.get(key, key): rename(item, names) for key, item in value.items()}
    return [rename(item, names) for item in value] if isinstance(value, list) else value


def read_each(name: str, service: str, method: str, key: str, path: str, **more: Any) -> Reading:
    """The value that a call returns at `path` for every entry of the list property `name`; None if the values differ.

    Used for resources that apply to several others, for example a policy of several queues.
    """

    def read(_: Any, to: Context) -> Any:
        values = []
        for target in to.get(name) or []:
            try:
                values.append(find_at(to.call(service, method, **{key: target}, **more), path))
            except Gone:
                values.append(None)
        return values[0] if values and all(value == values[0] for value in values) else None

    return read


def read_own_tags(part: Any, schema: schemas.Schema, name: str, to: Context) -> Any:
    """Tags in the form of the template, without those of the stack and of the system."""
    all_tags = part if isinstance(part, dict) else dict(_pair(tag) for tag in part)
    template_tags = to.get(name) or {}
    template_keys = set(template_tags) if isinstance(template_tags, dict) else {tag.get("Key") for tag in template_tags}
    own = {
        key: value
        for key, value in all_tags.items()
        if key in template_keys or not (key in to.tags or key.startswith("aws:"))
    }
    if schemas.follow(schema, schema["properties"][name]).get("type") == "object":
        return own
    more = {_pair(tag)[0]: tag for tag in part if isinstance(tag, dict)} if isinstance(part, list) else {}
    extra = {key: {k: v for k, v in more.get(key, {}).items() if k == "PropagateAtLaunch"} for key in own}
    return [{"Key": key, "Value": value, **extra[key]} for key, value in own.items()]


def _pair(tag: dict[str, Any]) -> tuple[str, Any]:
    members = {key.lower().removeprefix("tag"): value for key, value in tag.items()}
    return str(members.get("key")), members.get("value")


def _list_dicts(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _fill_in(value: str, to: Context) -> str:
    if value == "@id":
        return to.physical_id
    return str(to.get(value[1:])) if value.startswith("#") else value
