"""What the process is told by its environment variables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .failures import ConfigurationRefused, Issue

BUNDLED_PLUGINS = Path(__file__).parent / "data" / "plugins.json"
# Nothing of these belongs into the environment of a build: they are this process's own business with its supervisor.
OWN_VARIABLES = (
    "NOTIFY_SOCKET",
    "CREDENTIALS_DIRECTORY",
    "SECRETS",
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
    "INVOCATION_ID",
    "PYTHONPATH",
)


@dataclass(frozen=True)
class Surroundings:
    """Where the emulator lives and listens, which version it plays and which plugins it has."""

    home: Path
    address: str
    port: int
    version: str
    plugins: Mapping[str, str]
    variables: Mapping[str, str]

    @property
    def build_variables(self) -> dict[str, str]:
        """The environment that builds inherit, as they inherit the controller's own under Jenkins."""
        return {name: text for name, text in self.variables.items() if name not in OWN_VARIABLES}


def read_surroundings(variables: Mapping[str, str] | None = None) -> Surroundings:
    """Read the environment; ConfigurationRefused when the plugin lock is not a JSON object of versions."""
    known = dict(os.environ if variables is None else variables)
    lock = Path(known.get("JENKINS_PLUGINS_LOCK") or BUNDLED_PLUGINS)
    return Surroundings(
        home=Path(known.get("JENKINS_HOME") or Path.home() / ".jenkins"),
        address=known.get("JENKINS_LISTEN_ADDRESS") or "127.0.0.1",
        port=int(known.get("JENKINS_PORT") or 8080),
        version=known.get("JENKINS_EMULATED_VERSION") or "2.568.1",
        plugins=read_plugins(lock),
        variables=known,
    )


def read_plugins(lock: Path) -> dict[str, str]:
    """Plugin ids and versions of a lock: {id: version}, or {id: {"version": ...}} where more is noted beside it."""
    try:
        content = json.loads(lock.read_text())
    except (OSError, ValueError) as fault:
        raise ConfigurationRefused([Issue(-1, f"the plugin lock cannot be read: {fault}", str(lock))]) from fault
    if not isinstance(content, dict):
        raise ConfigurationRefused([Issue(-1, "the plugin lock is not a JSON object", str(lock))])
    listed = content.get("plugins", content)
    return {name: entry["version"] if isinstance(entry, dict) else str(entry) for name, entry in sorted(listed.items())}
