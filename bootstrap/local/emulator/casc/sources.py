"""Finds, parses and merges the YAML files of Configuration as Code; every node has its file and line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..failures import ConfigurationRefused, Issue

SUFFIXES = {".yml", ".yaml", ".YAML", ".YML"}
MAX_ALIASES = 50
# The types that the plugin keeps of what its YAML parser makes; decimals become nothing, and any other one is refused.
_SCALARS = {
    f"tag:yaml.org,2002:{name}": name not in {"null", "float"} for name in ("str", "int", "bool", "null", "float")
}


@dataclass
class Node:
    """A YAML node: `value` is a str (scalar), a list of Node, a dict of name to Node, or None."""

    value: Any
    file: str
    line: int
    column: int = 1

    @property
    def plain(self) -> Any:
        """The value without positions."""
        if isinstance(self.value, dict):
            return {key: node.plain for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain for node in self.value]
        return self.value


def parse(text: str, file: str) -> Node:
    """One YAML document; ConfigurationRefused when it is not one mapping."""
    try:
        composed = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else -1
        words = str(fault).replace('  in "<unicode string>"', f" in {file}")
        raise _make_refusal(line, f"Failed to read YAML: {fault.problem}", file, words) from fault
    except yaml.YAMLError as fault:
        raise _make_refusal(-1, f"Failed to read YAML: {fault}", file, str(fault)) from fault
    if composed is None:
        return Node({}, file, 1)
    if not isinstance(composed, yaml.MappingNode):
        words = f"Item isn't a Mapping {file}:{composed.start_mark.line + 1}"
        raise _make_refusal(1, "Failed to read YAML: the document is not a mapping", file, words)
    return _convert(composed, file, [0])


def _make_refusal(line: int, message: str, file: str, words: str) -> ConfigurationRefused:
    return ConfigurationRefused([Issue(line, message, file, words=words)], is_syntax=True)


def _convert(node: Any, file: str, visited: list[int]) -> Node:
    line, column = node.start_mark.line + 1, node.start_mark.column + 1
    visited[0] += 1
    if visited[0] > 100_000:
        raise ConfigurationRefused([Issue(line, f"Number of aliases exceeds the specified max={MAX_ALIASES}", file)])
    if isinstance(node, yaml.ScalarNode):
        if node.tag not in _SCALARS:
            words = (
                f"could not determine a constructor for the tag {node.tag}\n in {file}, line {line}, column {column}:"
            )
            raise _make_refusal(line, f"the value {node.value} has the type {node.tag}", file, words)
        return Node(node.value if _SCALARS[node.tag] else None, file, line, column)
    if isinstance(node, yaml.SequenceNode):
        return Node([_convert(child, file, visited) for child in node.value], file, line, column)
    members: dict[str, Node] = {}
    for key, child in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _make_refusal(key.start_mark.line + 1, "a key is not a word", file, "We only support scalar map keys")
        if key.tag == "tag:yaml.org,2002:merge":
            words = "class io.jenkins.plugins.casc.model.Mapping cannot be cast"
            raise _make_refusal(key.start_mark.line + 1, "Jenkins does not take the merge key <<", file, words)
        members[key.value] = _convert(child, file, visited)
    return Node(members, file, line, column)


def merge(first: Node, second: Node, strategy: str = "errorOnConflict", where: str = "") -> Node:
    """Maps merge, lists append; the same scalar twice is refused unless the strategy is 'override'."""
    if isinstance(first.value, dict) and isinstance(second.value, dict):
        members = dict(first.value)
        for key, node in second.value.items():
            members[key] = (
                merge(members[key], node, strategy, f"{where}.{key}" if where else key) if key in members else node
            )
        return Node(members, first.file, first.line, first.column)
    if isinstance(first.value, list) and isinstance(second.value, list):
        return Node(first.value + second.value, first.file, first.line, first.column)
    is_scalar = not isinstance(first.value, (dict, list)) and not isinstance(second.value, (dict, list))
    if strategy == "override" and is_scalar:
        return second
    place = f"YamlSource: {second.file}  in {second.file}, line {second.line}, column {second.column}:"
    fault = "conflicting configuration at" if is_scalar else "incompatible configuration elements"
    message = f"Found {fault} {place}\n{where} is already set in {first.file}, line {first.line}"
    raise ConfigurationRefused([Issue(second.line, message, second.file, words=message)])


def locate(configured: str) -> list[Path]:
    """The files of CASC_JENKINS_CONFIG: a comma-separated list of files and directories; directories in path order."""
    paths: list[Path] = []
    for element in filter(None, (part.strip() for part in configured.split(","))):
        path = Path(element.removeprefix("file://").removeprefix("file:"))
        if path.is_dir():
            inside = [entry for entry in path.rglob("*") if entry.suffix in SUFFIXES and entry.is_file()]
            paths += sorted(inside, key=lambda entry: str(entry.relative_to(path)))
        elif path.is_file():
            paths.append(path)
        else:
            raise ConfigurationRefused(
                [
                    Issue(
                        -1,
                        f"Source '{element}' is not supported by any registered configuration fetcher or does not exist.",
                    )
                ]
            )
    return paths


def _shorten_path(path: Path, configured: str) -> str:
    """A source's name in Jenkins' words: relative to the folder that is configured, else its path."""
    folders = [Path(part.strip()) for part in configured.split(",") if part.strip()]
    return next((str(path.relative_to(folder)) for folder in folders if folder in path.parents), str(path))


def read_sources(environment: Mapping[str, str], home: Path) -> Node:
    """All standard sources as one tree."""
    configured = environment.get("CASC_JENKINS_CONFIG", "")
    if not configured and (home / "jenkins.yaml").is_file():
        configured = str(home / "jenkins.yaml")
    return read_files(configured, environment)


def read_files(configured: str, environment: Mapping[str, str]) -> Node:
    """The files that a list of sources names, as one tree."""
    strategy = read_strategy(environment)
    whole = Node({}, "configuration", 1)
    for path in locate(configured):
        try:
            text = path.read_text(errors="replace")
        except OSError as fault:
            raise _make_refusal(-1, f"cannot be read: {fault}", str(path), f"Failed to read {path}: {fault}") from fault
        node = parse(text, _shorten_path(path, configured))
        whole = merge(whole, node, strategy) if whole.value else node
    return whole


def read_strategy(environment: Mapping[str, str]) -> str:
    """The merge strategy; an unknown word is refused."""
    strategy = environment.get("CASC_MERGE_STRATEGY") or "errorOnConflict"
    if strategy not in {"errorOnConflict", "override"}:
        raise ConfigurationRefused([Issue(-1, f"No merge strategy named {strategy}")])
    return strategy
