"""A Jenkins with clouds, as its export shows them and its API takes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from bootstrap.environment.agents import AgentGroup
from bootstrap.jenkins.definitions.fleets import Fleet, make_clouds
from bootstrap.values import Change

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGHPY4xH0sTdDIhFtJ9TXyGx8BTkYMPcLQuL6oxL9aSy"
FOREIGN = {"kubernetes": {"name": "made by hand", "serverUrl": "https://k8s.example.org"}}


def wish(**groups: AgentGroup) -> str:
    return make_clouds(groups, {label: Fleet(f"p-e-agents-{label}", KEY) for label in groups})


def export(*found: Any, text: str = "", more: str = "mode: NORMAL") -> str:
    """Settings as Jenkins exports them: sorted, every text a text, and with what the plugin adds."""
    document = {"jenkins": yaml.safe_load(more)}
    if text or found:
        document["jenkins"]["clouds"] = text or list(found)
    return yaml.safe_dump(document)


def made(document: str, **changed: Any) -> list[Any]:
    """The clouds that Jenkins makes of a document, as it exports them."""
    found = yaml.safe_load(document)["jenkins"]["clouds"]
    for cloud in found:
        cloud["eC2Fleet"] |= {"executorScaler": "noScaler", "maxTotalUses": "-1", **changed}
    return found


def show(changes: Sequence[Change]) -> list[str]:
    return [f"{change.kind.value} {change.name}" for change in changes]
