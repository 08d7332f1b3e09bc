"""Checks a configuration strictly against the schema; the result is plain values with all variables replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ..failures import ConfigurationRefused, Issue
from ..model.security import is_permission
from .sources import Node
from .variables import Unresolvable, Variables

_ATTRIBUTE_KIND = "io.jenkins.plugins.casc.UnknownAttributesException"
_ROOT_KIND = "io.jenkins.plugins.casc.UnknownConfiguratorException"
_UNKNOWN_ROOT = ". This may indicate plugin loading errors."
_SECRET_NAME = re.compile(r"password|secret|token|private_?key|passphrase", re.IGNORECASE)


class SecretText(str):
    """A value that is encrypted wherever it is written."""

    __slots__ = ()


@cache
def schema() -> dict[str, Any]:
    """Read the schema."""
    loaded: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "schema.yaml").read_text())
    return loaded


class Checker:
    """One check of a configuration; `issues` has every fault, not only the first."""

    def __init__(self, plugins: Mapping[str, str], variables: Variables) -> None:
        self._plugins, self._variables = plugins, variables
        self.issues: list[Issue] = []
        self._warns_unknown = False
        # The attributes that are being checked, from the outermost on, each with the line where its value begins.
        self._way: list[tuple[str, int]] = []
        self._root = ""

    def check(self, tree: Node) -> dict[str, Any]:
        """The whole configuration; ConfigurationRefused with every fault."""
        roots = schema()["roots"]
        own = tree.value.get("configuration-as-code")
        if own is not None and isinstance(own.value, dict) and "unknown" in own.value:
            self._warns_unknown = own.value["unknown"].value == "warn"
        result: dict[str, Any] = {}
        for key, node in tree.value.items():
            if key.startswith("x-"):
                continue
            line = Node(None, node.file, tree.key_lines.get(key, node.line))
            declared = roots.get(key)
            if declared is None or not self._has(declared.get("plugin")):
                hint = f" (brought by the plugin {declared['plugin']}, which is not installed)" if declared else ""
                message = f"No configurator found for the following root element: {key}{hint}"
                self._add(
                    replace(line.issue(message), words=f"{message.removesuffix(hint)}{_UNKNOWN_ROOT}", kind=_ROOT_KIND)
                )
                continue
            self._root = key
            result[key] = self._value(node, [declared["list"]] if "list" in declared else declared, key)
        if self.issues:
            raise ConfigurationRefused(self.issues)
        return result

    def _add(self, issue: Issue) -> None:
        self.issues.append(issue if issue.words else replace(issue, way=tuple(self._way)))

    def _has(self, plugin: str | None) -> bool:
        return not plugin or plugin in self._plugins

    def _value(self, node: Node, kind: Any, where: str) -> Any:
        if isinstance(kind, str):
            return self._simple(node, kind, where)
        if isinstance(kind, list):
            if not isinstance(node.value, list):
                self._add(node.issue(f"Item isn't a Sequence: {where}"))
                return []
            return [self._value(child, kind[0], where) for child in node.value]
        if "ref" in kind:
            return self._value(node, schema()["definitions"][kind["ref"]], where)
        if "enum" in kind:
            return self._word(node, kind["enum"], where)
        if "choice" in kind:
            return self._choice(node, kind)
        if "type" in kind:
            return self._value(node, kind["type"], where)
        return self._object(node, kind)

    def _simple(self, node: Node, kind: str, where: str) -> Any:
        if kind == "any":
            return self._anything(node)
        if isinstance(node.value, (dict, list)):
            self._add(node.issue(f"Item isn't a Scalar {node.file}:{node.line}"))
            return None
        text = self._text(node)
        # As Jenkins converts (commons-beanutils): what is no number is zero, what is no word of truth is false.
        if kind == "integer":
            return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else 0
        if kind == "boolean":
            return text.lower() in {"true", "yes", "y", "on", "1"}
        return SecretText(text) if kind == "secret" else text

    def _text(self, node: Node) -> str:
        try:
            return self._variables.resolve(node.value or "")
        except Unresolvable as fault:
            self._add(replace(node.issue(str(fault)), cause=f"java.lang.IllegalStateException: {fault}"))
            return ""

    def _anything(self, node: Node) -> Any:
        if isinstance(node.value, dict):
            return {key: self._guarded(key, child) for key, child in node.value.items()}
        if isinstance(node.value, list):
            return [self._anything(child) for child in node.value]
        return None if node.value is None else self._text(node)

    def _guarded(self, key: str, node: Node) -> Any:
        # Where the schema says nothing, names tell what must not be exported in the clear.
        value = self._anything(node)
        return SecretText(value) if isinstance(value, str) and _SECRET_NAME.search(key) else value

    def _word(self, node: Node, words: list[str], where: str) -> str:
        if isinstance(node.value, (dict, list)):
            self._add(node.issue(f"Item isn't a Scalar {node.file}:{node.line}"))
            return ""
        text = self._text(node)
        if text not in words:
            cause = f"java.lang.IllegalArgumentException: No enum constant {where}.{text}"
            self._add(replace(node.issue(f"{where}: '{text}' is not one of {', '.join(words)}"), cause=cause))
        return text

    def _choice(self, node: Node, kind: dict[str, Any]) -> dict[str, Any]:
        if isinstance(node.value, dict) and len(node.value) == 1:
            ((symbol, body),) = node.value.items()
            line = node.key_lines.get(symbol, node.line)
        elif isinstance(node.value, str):
            symbol, body, line = self._text(node), Node(None, node.file, node.line), node.line
        else:
            self._add(node.issue(f"Single entry map expected to configure a {kind['choice']}"))
            return {}
        names = {name.lower(): name for name in kind["of"]}
        name = names.get(symbol.lower())
        declared = kind["of"].get(name)
        while isinstance(declared, dict) and "ref" in declared:
            declared = schema()["definitions"][declared["ref"]]
        if name is None or not self._has(declared.get("plugin")):
            known = ", ".join(sorted(kind["of"]))
            missing = f" (it needs the plugin {declared['plugin']})" if declared else ""
            message = f"No {kind['choice']} implementation found for {symbol}{missing}. Known here: {known}"
            self._add(Issue(line, message, node.file))
            return {}
        return {name: self._object(body, declared)}

    def _object(self, node: Node, kind: dict[str, Any]) -> Any:
        if kind["of"] == "any":
            return self._anything(node)
        if node.value is None or (node.value == "" and not isinstance(node.value, (dict, list))):
            return {}
        if not isinstance(node.value, dict):
            self._add(node.issue(f"Item isn't a Mapping {node.file}:{node.line}"))
            return {}
        names = {name.lower(): name for name in kind["of"]}
        result: dict[str, Any] = {}
        for key, child in node.value.items():
            name = names.get(key.lower())
            declared = kind["of"].get(name) if name else None
            plugin = declared.get("plugin") if isinstance(declared, dict) and "choice" not in declared else None
            if name is None or not self._has(plugin):
                self._unknown(node, key, kind)
                continue
            if child.value is None:
                continue  # what is null, or was a decimal number, is not touched
            self._way.append((name, child.line))
            result[name] = self._value(child, declared, name)
            if name == "permissions":
                self._permissions(child)
            self._way.pop()
        for name in kind.get("required", []):
            if not result.get(name):
                self._add(node.issue(f"{name} is required to configure class {kind['class']}"))
        return result

    def _unknown(self, node: Node, key: str, kind: dict[str, Any]) -> None:
        if self._warns_unknown:
            self._variables.warnings.append(f"Ignoring the unknown attribute {key} of {kind['class']}")
            return
        available = sorted(
            name
            for name, declared in kind["of"].items()
            if not isinstance(declared, dict) or self._has(declared.get("plugin"))
        )
        message = f"Invalid configuration elements for type: class {kind['class']} : {key}.\n"
        message += f"Available attributes : {', '.join(available)}"
        owner = self._way[-1][0] if self._way else self._root
        line = node.key_lines.get(key, node.line)
        self._add(Issue(line, message, node.file, kind=_ATTRIBUTE_KIND, words=f"{owner}: {message}"))

    def _permissions(self, node: Node) -> None:
        for entry in node.value if isinstance(node.value, list) else []:
            if isinstance(entry.value, str) and not is_permission(self._text(entry)):
                message = f"Cannot find permission for id: {entry.value}"
                cause = f"java.lang.IllegalArgumentException: Failed to parse '{entry.value}' --- no such permission"
                self._add(replace(entry.issue(message), cause=cause))
