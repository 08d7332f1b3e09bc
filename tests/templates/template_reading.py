"""Templates of CloudFormation as the house rules read them: the functions are parsed to their long forms."""

from collections.abc import Callable, Iterator
from typing import Any

from cfnlint.decode import decode_str

Template = dict[str, Any]
Rule = Callable[[Template], Iterator[str]]


def parse(text: str) -> Template:
    parsed, faults = decode_str(text)
    assert [] == faults
    return dict(parsed)


def resources(template: Template, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for logical, resource in template["Resources"].items():
        if not types or resource["Type"] in types:
            yield logical, resource


def walk(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every (key, value) below, also through lists and functions."""
    yield key, value
    children = (
        value.items() if isinstance(value, dict) else ((key, it) for it in value) if isinstance(value, list) else ()
    )
    for name, child in children:
        yield from walk(child, name)


def several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
