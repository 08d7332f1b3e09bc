"""What the classes of clouds refuse and complete when they are made: the plugin's EC2FleetCloud and its host key strategies.

The texts of faults are those of Jenkins; what the emulator lacks it refuses in its own name.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any

from ..failures import ConfigurationRefused, Issue
from ..model.configuration import dig
from .faults import Fault
from .sources import Node

_CLASS = "com.amazon.jenkins.ec2fleet.EC2FleetCloud"
_PROVIDED = "manuallyProvidedKeyVerificationStrategy"
_DEFAULTS: Mapping[str, Any] = {
    "initOnlineTimeoutSec": 180,
    "initOnlineCheckIntervalSec": 15,
    "cloudStatusIntervalSec": 10,
    "maxTotalUses": "-1",
    "executorScaler": {"noScaler": {}},
}
_CONNECTOR_DEFAULTS: Mapping[str, Any] = {
    "launchTimeoutSeconds": 60,
    "maxNumRetries": 10,
    "retryWaitTime": 15,
    "tcpNoDelay": True,
}


def complete(checked: dict[str, Any], tree: Node) -> Node | None:
    """Put the defaults of the classes into checked clouds; the node of the attribute, None if there is none.

    Raises ConfigurationRefused for what their constructors refuse without asking AWS, and for what the emulator lacks.
    """
    listed = dig(checked, "jenkins", "clouds")
    if listed is None:
        return None
    root = next(node for key, node in tree.value.items() if key.lower() == "jenkins")
    node: Node = next(node for key, node in root.value.items() if key.lower() == "clouds")
    for entry in listed:
        ((kind, told),) = entry.items()
        if kind != "eC2Fleet":
            _refuse_lack(f"has no cloud {kind}")
        _require_modelled(told)
        uses = str(told.get("maxTotalUses") or "").strip() or "-1"
        if not re.fullmatch(r"[+-]?[0-9]+", uses):
            raise refuse_construction(node, f'java.lang.NumberFormatException: For input string: "{uses}"')
        told |= {name: value for name, value in _DEFAULTS.items() if told.get(name) is None}
        told["numExecutors"] = max(1, int(told.get("numExecutors") or 0))
        for name in ("minSize", "minSpareSize"):
            told[name] = max(0, int(told.get(name) or 0))
        connector = dig(told, "computerConnector", "sshConnector")
        if connector is not None:
            connector |= {name: value for name, value in _CONNECTOR_DEFAULTS.items() if connector.get(name) is None}
            connector["port"] = int(connector.get("port") or 0) or 22
            _complete_key(connector, node)
    return node


def refuse_construction(node: Node, cause: str) -> ConfigurationRefused:
    """The refusal of a cloud whose constructor failed; `cause` is the exception, which only the journal tells."""
    fault = Fault(
        f"Failed to configure 'clouds': Failed to construct instance of class {_CLASS}.", "cloud", cause=cause
    )
    return fault.add_place(node, "clouds").refuse()


def _complete_key(connector: Mapping[str, Any], node: Node) -> None:
    provided = dig(dict(connector), "sshHostKeyVerificationStrategy", _PROVIDED)
    if provided is None:
        return
    words = str(provided.get("key") or "").split()
    if len(words) < 2:
        reason = "Key should be 2 parts: algorithm and Base 64 encoded key value."
        raise refuse_construction(node, f"java.lang.IllegalArgumentException: {reason}")
    try:
        base64.b64decode(words[1], validate=True)
    except binascii.Error as fault:
        reason = "Invalid key: The value part of the key should be a Base64 encoded value."
        raise refuse_construction(node, f"java.lang.IllegalArgumentException: {reason}") from fault
    provided["key"] = " ".join(words[:2])


def _require_modelled(told: Mapping[str, Any]) -> None:
    group = str(told.get("fleet") or "")
    if group.startswith(("sfr-", "fleet-")):
        _refuse_lack(f"has clouds of Auto Scaling groups alone, and none of the fleet {group}")
    if told.get("awsCredentialsId") or told.get("credentialsId"):
        _refuse_lack("takes the credentials of AWS from the machine, and none by an id (awsCredentialsId)")
    if told.get("scaleExecutorsByWeight") or set(told.get("executorScaler") or {}) - {"noScaler"}:
        _refuse_lack("gives every node the same number of executors (executorScaler)")


def _refuse_lack(words: str) -> None:
    raise ConfigurationRefused([Issue(-1, f"The emulator of Jenkins {words}; a real Jenkins would take this")])
