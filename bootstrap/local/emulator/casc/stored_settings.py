"""The settings that a new configuration does not change, and how they survive a restart.

Configuration as Code sets the attributes that are named and touches no other (io.jenkins.plugins.casc.BaseConfigurator): each
is made anew, whole. Jenkins keeps its settings in the XML files of its home, so what is named no longer stays, restarts or not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..model import xmlfile
from ..model.cipher import Vault
from .check import SecretText

# Roots that gather singletons, whose attributes are one level further down: unclassified.location.url.
_GATHERING = frozenset({"appearance", "credentials", "security", "tool", "unclassified"})
_FILE = "jenkins-emulator.configuration.json"
_SEALED = "{AQAA"


def merge_over(before: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    """The present settings with the named ones replaced."""
    return dict(before) | {
        root: _merge_values(before.get(root), value, 2 if root in _GATHERING else 1) for root, value in named.items()
    }


def _merge_values(before: Any, named: Any, depth: int) -> Any:
    if not depth or not isinstance(before, Mapping) or not isinstance(named, Mapping):
        return named
    return dict(before) | {key: _merge_values(before.get(key), value, depth - 1) for key, value in named.items()}


def save(home: Path, tree: Mapping[str, Any], vault: Vault) -> None:
    """Store the settings in the home, with encrypted secrets."""
    xmlfile.write(home / _FILE, json.dumps(_seal_secrets(tree, vault), indent=1).encode(), 0o600)


def load(home: Path, vault: Vault) -> dict[str, Any]:
    """The settings that are stored in the home; a new one has none."""
    path = home / _FILE
    opened: dict[str, Any] = _open_secrets(json.loads(path.read_text()), vault) if path.exists() else {}
    return opened


def _seal_secrets(node: Any, vault: Vault) -> Any:
    if isinstance(node, Mapping):
        return {key: _seal_secrets(value, vault) for key, value in node.items()}
    if isinstance(node, list):
        return [_seal_secrets(value, vault) for value in node]
    return vault.seal(str(node)) if isinstance(node, SecretText) and node else node


def _open_secrets(node: Any, vault: Vault) -> Any:
    if isinstance(node, dict):
        return {key: _open_secrets(value, vault) for key, value in node.items()}
    if isinstance(node, list):
        return [_open_secrets(value, vault) for value in node]
    return SecretText(vault.open(node)) if isinstance(node, str) and node.startswith(_SEALED) else node
