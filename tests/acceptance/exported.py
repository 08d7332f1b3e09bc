"""Compares Configuration as Code files with the settings that Jenkins exports.

An export is not the files again: it adds what has a default, leaves out what equals one, writes a choice without attributes as
a bare word, sorts lists, and hides secrets. So the question is whether everything that the files say is in the export.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

SECRET = object()
"""Stands where a file has a secret: the export may say anything there, it is encrypted or left out."""

# Jenkins exports the local realm without its users, unless a system property says otherwise; they are asked for by name.
_NOT_EXPORTED = {("jenkins", "securityRealm", "local", "users")}
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::-[^{}]*)?\}")


def wished(files: Mapping[str, str], variables: Mapping[str, str]) -> dict[str, Any]:
    """The files merged into one document as Jenkins merges them, with variables filled in and secrets masked."""
    merged: dict[str, Any] = {}
    for name in sorted(files):
        _merge(merged, _filled(yaml.safe_load(files[name]), variables))
    return {key: value for key, value in merged.items() if not key.startswith("x-")}


def _merge(into: dict[str, Any], other: Mapping[str, Any]) -> None:
    for key, value in other.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        elif isinstance(value, list) and isinstance(into.get(key), list):
            into[key] = into[key] + value
        else:
            into[key] = value


def _filled(node: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(node, dict):
        return {str(key): _filled(value, variables) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, variables) for value in node]
    if not isinstance(node, str):
        return node
    if any(name not in variables for name in _VARIABLE.findall(node)):
        return SECRET
    return _VARIABLE.sub(lambda found: variables[found[1]], node).replace("^${", "${")


def differences(wish: Any, export: Any, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Every place where the export does not say what is wished, as 'jenkins.numExecutors: 2 is wished, 4 is there'."""
    if wish is SECRET or path in _NOT_EXPORTED:
        return
    if isinstance(wish, dict):
        there = _opened(export)
        for key, value in wish.items():
            name = next((name for name in there if name.lower() == key.lower()), key)
            yield from differences(value, there.get(name), (*path, key))
    elif isinstance(wish, list):
        items = export if isinstance(export, list) else []
        for value in wish:
            if all(any(differences(value, item, path)) for item in items):
                yield f"{'.'.join(path)}: {_shown(value)} is wished and not there"
    elif not _is_same(wish, export):
        yield f"{'.'.join(path)}: {_shown(wish)} is wished, {_shown(export)} is there"


def _opened(export: Any) -> dict[str, Any]:
    """A mapping as it is; a bare word as the choice without attributes that it stands for."""
    if isinstance(export, dict):
        return export
    return {export: None} if isinstance(export, str) else {}


def _is_same(wish: Any, export: Any) -> bool:
    if export is None:  # what equals the default of its kind is left out; a variable makes it a text
        return not wish or wish == "false"
    if isinstance(export, dict):
        return list(export) == [wish] and not export[wish]
    return _text(wish) == _text(export)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _shown(value: Any) -> str:
    if value is SECRET:
        return "***"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(each)}" for key, each in value.items()) + "}"
    return "nothing" if value is None else str(value)


def rights(export: Mapping[str, Any]) -> dict[str, set[str]]:
    """Who may do what by the export: 'user admin' or 'group authenticated' to their permissions.

    The older form of an entry, 'USER:Overall/Read:name', is read as well: it is still accepted by Jenkins.
    """
    strategy = export.get("jenkins", {}).get("authorizationStrategy")
    if not isinstance(strategy, dict) or "globalMatrix" not in strategy:
        return {f"everybody by {_shown(strategy)}": {"everything that it allows"}}
    matrix = strategy["globalMatrix"] or {}
    found: dict[str, set[str]] = {}
    for entry in matrix.get("entries", []):
        for kind, who in entry.items():
            found.setdefault(f"{kind} {who['name']}", set()).update(who["permissions"])
    for line in matrix.get("permissions", []):
        kind, permission, name = line.split(":", 2)
        found.setdefault(f"{kind.lower()} {name}", set()).add(permission)
    return found
