"""Exports the configuration as JCasC does: the defaults and what was set, with encrypted secrets, in its own form of YAML."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from .conversion import SecretText
from .vocabulary import OPEN_ROOTS, Attribute, Vocabulary

_EMPTY = re.compile(r"^((?:  )*)((?:- )*)(.+: )\{\}$", re.MULTILINE)
_NUMBERS = {"int", "long", "java.lang.Integer"}
_BOOLEANS = {"boolean", "java.lang.Boolean"}
_PRIMITIVES = {"int", "long", "boolean"}
_UNSET = (0, False)
_SELF = "configuration-as-code"


@cache
def _load_defaults() -> dict[str, Any]:
    path = Path(__file__).with_name("defaults.yaml")
    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


class Exporter:
    """One export of the settings of a Jenkins with these plugins."""

    def __init__(self, plugins: Mapping[str, str], seal: Callable[[str], str]) -> None:
        self._vocabulary, self._seal = Vocabulary(plugins), seal

    def export(self, tree: Mapping[str, Any]) -> str:
        """The YAML of all roots, in Jenkins' order; what was set takes the place of a default."""
        roots = list(self._export_roots(tree))
        text: str = yaml.serialize(_make_mapping(roots), Dumper=yaml.SafeDumper, width=80, allow_unicode=True)
        # Jenkins writes an empty mapping on two lines.
        return _EMPTY.sub(lambda found: f"{found[0][:-1]}\n{' ' * (len(found[1] + found[2]) + 2)}}}", text)

    def _export_roots(self, tree: Mapping[str, Any]) -> Iterator[tuple[str, yaml.Node]]:
        for root in self._vocabulary.roots:
            members = dict(_load_defaults().get(root, {}))
            for name, value in (tree.get(root) or {}).items() if root != _SELF else ():
                before = members.get(name)
                if root in OPEN_ROOTS and isinstance(before, dict) and isinstance(value, dict):
                    value = before | value
                members[name] = value
            if not members:
                continue
            known = self._vocabulary.list_root_attributes(root)
            shown = [
                (name, self._export_value(members[name], known[name])) for name in sorted(members) if name in known
            ]
            shown += [
                (name, self._export_unjudged(members[name]))
                for name in sorted(members)
                if name not in _list_known(root, known)
            ]
            kept = [(name, node) for name, node in sorted(shown, key=lambda pair: pair[0]) if node is not None]
            yield root, _make_mapping(kept)
        for root in sorted(set(tree) - set(self._vocabulary.roots) - set(_load_defaults())):
            node = self._export_unjudged(tree[root])
            if node is not None:
                yield root, node

    def _export_value(self, value: Any, attribute: Attribute) -> yaml.Node | None:
        if not attribute.is_list:
            return self._export_single(value, attribute)
        nodes = [node for each in value or [] if (node := self._export_single(each, attribute)) is not None]
        return yaml.SequenceNode("tag:yaml.org,2002:seq", nodes, flow_style=False) if nodes else None

    def _export_single(self, value: Any, attribute: Attribute) -> yaml.Node | None:
        kind = attribute.kind
        if value is None:
            return None
        if isinstance(value, dict):
            if self._vocabulary.list_implementations(kind) is not None:
                return self._export_implementation(value, kind)
            return self._export_object(value, kind)
        if kind in _NUMBERS:
            return yaml.ScalarNode("tag:yaml.org,2002:int", str(value))
        if kind in _BOOLEANS:
            return yaml.ScalarNode("tag:yaml.org,2002:bool", str(value).lower())
        text = self._seal(str(value)) if isinstance(value, SecretText) and value else str(value)
        if attribute.words and kind != "io.jenkins.plugins.casc.ConfigurationContext$Version" and not _is_own(kind):
            return yaml.ScalarNode("tag:yaml.org,2002:str", text)
        return _make_quoted(text)

    def _export_implementation(self, value: Mapping[str, Any], base: str) -> yaml.Node | None:
        ((name, body),) = value.items()
        kind = (self._vocabulary.list_implementations(base) or {}).get(name)
        node = self._export_object(body or {}, kind) if kind else self._export_unjudged(body or {})
        if node is None or not node.value:
            return _make_quoted(name)
        return _make_mapping([(name, node)])

    def _export_object(self, value: Mapping[str, Any], kind: str) -> yaml.Node:
        parameters = {parameter.name: parameter for parameter in self._vocabulary.list_parameters(kind)}
        shows_all = self._vocabulary.is_descriptor(kind)
        nodes: list[tuple[str, yaml.Node]] = []
        for name, attribute in sorted(self._vocabulary.list_attributes(kind).items()):
            present = value.get(name)
            if present is None and name in parameters and parameters[name].is_shown:
                present = False if attribute.kind in _BOOLEANS else 0
            elif present in _UNSET and attribute.kind in _PRIMITIVES and not shows_all and name not in parameters:
                continue  # it is as if it had not been set
            if attribute.is_deprecated or attribute.restriction:
                continue
            node = self._export_value(present, attribute)
            if node is not None:
                nodes.append((name, node))
        return _make_mapping(nodes)

    def _export_unjudged(self, value: Any) -> yaml.Node | None:
        """What nothing is known of, as it stands."""
        if isinstance(value, dict):
            members = [(name, self._export_unjudged(child)) for name, child in sorted(value.items())]
            return _make_mapping([(name, node) for name, node in members if node is not None])
        if isinstance(value, list):
            nodes = [node for child in value if (node := self._export_unjudged(child)) is not None]
            return yaml.SequenceNode("tag:yaml.org,2002:seq", nodes, flow_style=False) if nodes else None
        if isinstance(value, SecretText):
            return _make_quoted(self._seal(str(value)))
        return None if value is None else _make_quoted(str(value))


def _is_own(kind: str) -> bool:
    return kind.startswith("io.jenkins.plugins.casc.ConfigurationContext")


def _list_known(root: str, known: Mapping[str, Attribute]) -> set[str]:
    return set(known) | set(_load_defaults().get(root, {}))


def _make_quoted(text: str) -> yaml.Node | None:
    if not text.strip():
        return None
    escaped = text.replace("${", "^${")
    return yaml.ScalarNode("tag:yaml.org,2002:str", escaped, style="|" if "\n" in escaped else '"')


def _make_mapping(members: list[tuple[str, yaml.Node]]) -> yaml.MappingNode:
    pairs = [(yaml.ScalarNode("tag:yaml.org,2002:str", name), node) for name, node in members]
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, flow_style=False)
