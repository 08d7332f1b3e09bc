"""Says in CloudFormation's words why the parameters of a call do not fit the API: botocore's report names its own classes."""

from __future__ import annotations

import re
from collections.abc import Callable

# Types of Python in botocore's report -> names in CloudFormation's messages.
TYPES = {
    "bool": "Boolean",
    "bytes": "String",
    "bytearray": "String",
    "datetime": "String",
    "dict": "JSONObject",
    "float": "BigDecimal",
    "int": "Integer",
    "list": "JSONArray",
    "str": "String",
    "tuple": "JSONArray",
}
_CLASS = re.compile(r"<class '(?:\w+\.)*(\w+)'>")
_FAULTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (
        re.compile(r'Missing required parameter in (?P<place>.+?): "(?P<name>.+?)"'),
        lambda match: f"required key [{match['name']}] not found",
    ),
    (
        re.compile(r'Unknown parameter in (?P<place>.+?): "(?P<name>.+?)", must be one of'),
        lambda match: f"extraneous key [{match['name']}] is not permitted",
    ),
    (
        re.compile(
            r"Invalid type for (?:document )?parameter (?P<place>.+?), value: .*?, type: (?P<found>.+?), valid types: "
            r"(?P<expected>.*)",
            re.DOTALL,
        ),
        lambda match: f"expected type: {_name_types(match['expected'])}, found: {_name_types(match['found'])}",
    ),
    (
        re.compile(
            r"Invalid value for parameter (?P<place>.+?), value: (?P<value>.+?), valid min value: (?P<least>.+)"
        ),
        lambda match: f"{match['value']} is not greater or equal to {match['least']}",
    ),
    (
        re.compile(
            r"Invalid length for parameter (?P<place>.+?), value: .*?, valid min length: (?P<least>\d+)", re.DOTALL
        ),
        lambda match: f"expected minLength: {match['least']}",
    ),
)
_START = re.compile(r"^(?=Missing required|Unknown parameter|Invalid |Must set)", re.MULTILINE)


def describe(report: str) -> str:
    """Return the faults in a report of botocore, one a line: the place and what is wrong there."""
    parts = [part.strip() for part in _START.split(report)[1:]]
    return "\n".join(map(_describe_one, parts)) or "#: the properties do not fit the service's API"


def _describe_one(part: str) -> str:
    for pattern, word in _FAULTS:
        match = pattern.match(part)
        if match:
            return f"{_place(match['place'])}: {word(match)}"
    return "#: the properties do not fit the service's API"


def _place(name: str) -> str:
    steps = [step for step in re.split(r"[.\[\]]+", name) if step and step != "input"]
    return "/".join(["#", *steps])


def _name_types(text: str) -> str:
    names = dict.fromkeys(TYPES.get(name, name) for name in _CLASS.findall(text))
    return ", ".join(names)
