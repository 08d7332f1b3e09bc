"""Reads an environment file into frozen, typed settings (`models`).

A file with faults is refused before anything is changed: SettingsInvalid has every fault with line and column, and a suggestion
for an unknown key. `format_schema()` returns the keys as JSON Schema; it is checked in as `environments/schema.json` for the
completion in editors.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bootstrap.environment import consistency, operator_routes, tags, versions, yaml_source
from bootstrap.environment.consistency import NO_WAY
from bootstrap.environment.models import Settings
from bootstrap.environment.sections import Section
from bootstrap.errors import Fault, SettingsInvalid

Model = TypeVar("Model", bound=Section)


def format_schema() -> str:
    """The JSON Schema of environment files as text; `environments/schema.json` has exactly this text."""
    return format_model_schema(Settings)


def format_model_schema(model: type[BaseModel]) -> str:
    """The JSON Schema of a file with the keys of `model`, as text."""
    document = model.model_json_schema()
    document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(document, indent=2) + "\n"


def read_model(path: Path, text: str, model: type[Model], if_no_mapping: str) -> tuple[Model | None, list[Fault]]:
    """Read the text of another file than an environment's into its model; None with the faults, sorted by their places."""
    document, faults = yaml_source.parse_mapping(str(path), text, if_no_mapping)
    faults = faults or list(_find_key_faults(str(path), document))
    if not faults:
        try:
            return model.model_validate_json(json.dumps(document, default=str)), []
        except ValidationError as error:
            faults = list(_convert_errors(str(path), document, error.errors(), model))
    return None, sorted(faults, key=lambda fault: (fault.line, fault.column))


def load(path: Path) -> Settings:
    """Read one environment file; SettingsInvalid with every fault in it."""
    doing = f"reading the environment file {path}"
    try:
        text = yaml_source.read_text(path)
    except yaml_source.Unreadable as error:
        environments = ", ".join(sorted(p.stem for p in path.parent.glob("*.yaml"))) if path.parent.is_dir() else "none"
        remedy = f"Name an environment with --environment; there are: {environments}."
        raise SettingsInvalid(doing, [Fault(str(path), error.line, 1, str(error))], remedy) from error
    document, faults = yaml_source.parse_mapping(str(path), text, "an environment file must be a mapping of keys")
    settings: Settings | None = None
    faults = faults or list(_find_key_faults(str(path), document))
    of_version = [] if faults else [_place_fault(path, document, *it) for it in versions.find_faults(document)]
    if versions.is_newer(document):
        faults = faults or of_version
    if not faults:
        try:
            # JSON mode accepts a list for a tuple, which YAML does not have, and is strict otherwise.
            settings = Settings.model_validate_json(json.dumps(document, default=str))
        except ValidationError as error:
            faults = list(_convert_errors(str(path), document, error.errors()))
        else:
            faults = [_place_fault(path, document, *it) for it in consistency.find_faults(path, settings)]
            faults += [
                _place_fault(path, document, place, message, of_key=of_key)
                for place, message, of_key in tags.find_faults(settings.tags)
            ]
        faults += of_version
    if faults or settings is None:
        remedy = "Correct the file; environments/aws.yaml explains every key."
        raise SettingsInvalid(doing, sorted(faults, key=lambda fault: (fault.line, fault.column)), remedy)
    return settings


def check_ssh(path: Path, settings: Settings) -> None:
    """SettingsInvalid if a machine is reached through Session Manager, but its agent cannot be installed or cannot connect.

    `load` does not check this, because only commands that make a machine need it: other commands accept the example file as it
    is.
    """
    document, _ = yaml_source.parse_mapping(str(path), yaml_source.read_text(path))
    faults = [_place_fault(path, document, *it, of_key=True) for it in consistency.find_agent_faults(settings)]
    if faults:
        raise SettingsInvalid(f"choosing the SSH connection to the machines of '{settings.name}'", faults, NO_WAY)


def check_ways(path: Path, settings: Settings) -> None:
    """SettingsInvalid if an intention cannot be satisfied by anything in the file; `load` does not check this either."""
    document, _ = yaml_source.parse_mapping(str(path), yaml_source.read_text(path))
    faults = [_place_fault(path, document, *it) for it in operator_routes.find_faults(settings)]
    if faults:
        raise SettingsInvalid(
            f"looking for ways into the network of '{settings.name}'", faults, operator_routes.NO_WAY_IN
        )


def place_faults(path: Path, faults: Iterable[tuple[tuple[str | int, ...], str]]) -> list[Fault]:
    """Make faults of paths and messages, for example of checks against the cloud; each gets line and column of its value."""
    document, _ = yaml_source.parse_mapping(str(path), yaml_source.read_text(path))
    return [_place_fault(path, document, *it) for it in faults]


def _place_fault(
    path: Path, document: CommentedMap, place: tuple[str | int, ...], message: str, *, of_key: bool = False
) -> Fault:
    key = f"{'.'.join(map(str, place))}: " if len(place) > 1 else ""
    return Fault(str(path), *_find_position(document, place, of_key=of_key), f"{key}{message}")


def _convert_errors(
    file: str, document: CommentedMap, errors: Sequence[ErrorDetails], model: type[BaseModel] = Settings
) -> Iterator[Fault]:
    reported: set[tuple[int, int]] = set()
    for error in errors:
        # A tag may have any name, also one that looks like the name of a union branch.
        path = error["loc"] if error["loc"][0] == "tags" else tuple(filter(_is_in_file, error["loc"]))
        line, column = _find_position(document, path, of_key=error["type"] == "extra_forbidden")
        if (line, column) in reported and error["type"] != "missing":
            continue  # pydantic reports a value of a union once for each branch
        reported.add((line, column))
        yield Fault(file, line, column, _format_message(path, error, model))


def _find_key_faults(file: str, node: Any) -> Iterator[Fault]:
    """Keys that YAML reads as numbers, dates or lists: JSON, and AWS, have only text."""
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            if not isinstance(key, str):
                line, column = node.lc.key(key)
                yield Fault(file, line + 1, column + 1, f"the key {key} is not text; write it in quotes")
            yield from _find_key_faults(file, value)
    elif isinstance(node, CommentedSeq):
        for value in node:
            yield from _find_key_faults(file, value)


def _is_in_file(part: str | int) -> bool:
    """Whether a part of pydantic's path is a key or an index of the file, and not the name of a union branch."""
    return isinstance(part, int) or not re.search(r"[\[\](]|^(literal|str|tuple|constrained)", part)


def _format_message(path: tuple[str | int, ...], error: ErrorDetails, of: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in path)
    match error["type"]:
        case "extra_forbidden" if of is Settings and (advice := versions.advise(path, error["input"])):
            return advice
        case "extra_forbidden":
            return f"unknown key '{key}'{_suggest_key(path, of)}"
        case "missing":
            return f"the key '{key}' is missing"
        case "value_error":
            text = error["msg"].removeprefix("Value error, ")
            return f"{key}: {text}" if key else text
        case "string_pattern_mismatch":
            return f"{key}: {error['input']!r} does not match {error['ctx']['pattern']}"
        case "string_type" if isinstance(error["input"], int | float):
            return f"{key}: {error['msg']}, not {error['input']!r}; write it in quotes"
        case _:
            return f"{key}: {error['msg']}, not {error['input']!r}"


def _suggest_key(path: tuple[str | int, ...], of: type[BaseModel]) -> str:
    model: Any = of
    is_named = False  # whether the part is the name of an entry, such as the id of a person
    for part in path[:-1]:
        if is_named:
            is_named = False
            continue
        field = model.model_fields.get(part) if isinstance(part, str) else None
        # The type of an optional section is a union, that of named entries a dict.
        parts = (field.annotation, *get_args(field.annotation)) if field else ()
        is_named = field is not None and get_origin(field.annotation) is dict
        model = next((it for it in parts if isinstance(it, type) and issubclass(it, BaseModel)), None)
        if model is None:
            return ""
    near = difflib.get_close_matches(str(path[-1]), list(model.model_fields), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else f"; known keys: {', '.join(model.model_fields)}"


def _find_position(document: CommentedMap, path: Sequence[str | int], *, of_key: bool = False) -> tuple[int, int]:
    """Line and column of the value at `path`; of its key with `of_key`, or if the value is a mapping or a list."""
    node: Any = document
    line, column = 1, 1
    for part in path:
        if isinstance(node, CommentedMap) and part in node:
            is_scalar = not isinstance(node[part], CommentedMap | CommentedSeq)
            row, col = node.lc.value(part) if is_scalar and not of_key else node.lc.key(part)
        elif isinstance(node, CommentedSeq) and isinstance(part, int) and part < len(node):
            row, col = node.lc.item(part)
        else:
            break
        line, column = row + 1, col + 1
        node = node[part]
    return line, column


def find_named_environments(path: Path, settings: Settings, names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Those of the names that are environments of the same cloud and region, with project and block; and this environment."""
    return consistency.find_named_environments(path, settings, names)
