"""Reads the text of a template into a document: maps with text as keys, lists, texts, numbers, booleans and null.

JSON, or YAML 1.1 with the short forms of functions. What CloudFormation does not support of YAML is refused: aliases, merge
keys, and the tags binary, omap, pairs, set and timestamp
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-formats.html). The depth is checked before anything is
built: the parser of YAML, and later every function that walks through a document, would run out of stack.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import yaml

from bootstrap.local.aws.cloudformation.errors import Refused

DEEPEST = 100  # levels of maps and lists; the templates that people write have about 20
UNSUPPORTED_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("binary", "omap", "pairs", "set", "timestamp"))
# An answer in XML cannot contain these characters, nor single halves of surrogate pairs.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def parse(text: str) -> Any:
    """Return the document of a template's text; raises Refused."""
    if not text.strip():
        raise Refused("Template format error: unsupported structure.")
    try:
        if text.lstrip().startswith("{"):
            document = json.loads(text, parse_int=_read_int, parse_float=_read_float, parse_constant=_refuse_constant)
        else:
            _check_events(text)
            document = yaml.load(text, _Loader)  # noqa: S506
    except json.JSONDecodeError as fault:
        raise Refused(
            f"Template format error: JSON not well-formed. (line {fault.lineno}, column {fault.colno})"
        ) from None
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        place = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise Refused(f"Template format error: YAML not well-formed.{place}") from None
    except yaml.reader.ReaderError as fault:
        raise Refused(
            f"Template format error: YAML not well-formed. (character {fault.position + 1} is not allowed)"
        ) from None
    except RecursionError:
        raise _make_too_deep() from None
    _check_content(document)
    return document


def _check_events(text: str) -> None:
    """Raise Refused for aliases, merge keys, unsupported tags and too many levels, before anything is built.

    A few lines of aliases can become a billion values, and YAML's parser in C crashes when it builds very deep documents.
    """
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise _make_too_deep()
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            raise Refused("Template error: YAML aliases are not allowed in CloudFormation templates")
        tag = str(getattr(event, "tag", None))
        if tag in UNSUPPORTED_TAGS:
            raise Refused(
                f"Template format error: the YAML tag {tag.rpartition(':')[2]} is not supported in CloudFormation templates"
            )


def _check_content(document: Any) -> None:
    """Raise Refused for too many levels, and for characters that no answer of CloudFormation could contain."""
    level, depth = [document], 0
    while level:
        depth += 1
        if depth > DEEPEST + 1:
            raise _make_too_deep()
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += [*value, *value.values()]
            elif isinstance(value, list):
                below += value
            elif isinstance(value, str) and (match := _NOT_IN_XML.search(value)):
                raise Refused(f"Template format error: the character U+{ord(match.group()):04X} is not allowed")
        level = below


def _make_too_deep() -> Refused:
    return Refused(f"Template format error: the local cloud reads templates of {DEEPEST} levels at most")


def _read_int(text: str) -> int | str:
    """Return a whole number; one of more digits than any property has stays a text."""
    return int(text) if len(text) < 40 else text


def _read_float(text: str) -> float | str:
    number = float(text)
    return number if math.isfinite(number) else text


def _refuse_constant(name: str) -> Any:
    raise Refused(f"Template format error: JSON not well-formed. ({name} is no value of JSON)")


class _Loader(yaml.CSafeLoader):
    """A YAML loader like CloudFormation's: it knows the short forms of functions, and dates stay texts."""


def _construct_short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = _construct_mapping(loader, node)
    if name == "Fn::GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {name: value}


def _construct_mapping(loader: Any, node: yaml.MappingNode) -> dict[str, Any]:
    """Return a map whose keys are the texts in the template, as `012345678901` and `on` are names for CloudFormation."""
    names: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag.startswith("!") or key.value in names:
            raise yaml.MarkedYAMLError(problem="not a key, or a second one of this name", problem_mark=key.start_mark)
        if key.tag == "tag:yaml.org,2002:merge":
            raise Refused("Template error: YAML merge keys (<<) are not allowed in CloudFormation templates")
        names.add(key.value)
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


def _make_number_constructor(read: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Return a constructor of numbers that leaves what is no number of ordinary size as text."""

    def construct(loader: Any, node: yaml.ScalarNode) -> Any:
        if isinstance(node, yaml.ScalarNode) and len(node.value) >= 40:
            return node.value
        try:
            number = read(loader, node)
        except (ValueError, OverflowError, IndexError):
            raise yaml.MarkedYAMLError(problem="not a number", problem_mark=node.start_mark) from None
        return number if math.isfinite(number) else node.value

    return construct


def _construct_boolean(loader: Any, node: yaml.ScalarNode) -> Any:
    try:
        return loader.construct_yaml_bool(node)
    except KeyError:
        raise yaml.MarkedYAMLError(problem="not a boolean", problem_mark=node.start_mark) from None


_Loader.add_multi_constructor("!", _construct_short_form)
_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _make_number_constructor(yaml.SafeLoader.construct_yaml_int))
_Loader.add_constructor("tag:yaml.org,2002:float", _make_number_constructor(yaml.SafeLoader.construct_yaml_float))
_Loader.add_constructor("tag:yaml.org,2002:bool", _construct_boolean)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}
