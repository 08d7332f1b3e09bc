"""The options of the emulator: environment variables and the command line."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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


SESSION_MINUTES = 30  # Jetty's own, where nobody says another


@dataclass(frozen=True)
class Arguments:
    """The command line of Jenkins: properties (-Dname=value) and options (--name=value)."""

    properties: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    def is_set(self, name: str) -> bool:
        """Whether a property is true."""
        return self.properties.get(name, "").lower() == "true"

    @property
    def session_seconds(self) -> int:
        """How long a session lives without a request: until its time is out, or until Jetty, which stores none, evicts it."""
        minutes = self._read_number("sessionTimeout", -1)
        timeout = (minutes if minutes > 0 else SESSION_MINUTES) * 60
        eviction = self._read_number("sessionEviction", 1800)
        return min(timeout, eviction) if eviction > 0 else timeout

    def _read_number(self, name: str, default: int) -> int:
        value = self.options.get(name, "")
        return int(value) if re.fullmatch(r"-?[0-9]+", value) else default


def read_arguments(words: Sequence[str]) -> Arguments:
    """Read the command line; arguments of other kinds are ignored."""
    pairs = [(kind, *rest.partition("=")[::2]) for word in words for kind, rest in [(word[:2], word[2:])]]
    return Arguments(
        {name: value for kind, name, value in pairs if kind == "-D"},
        {name: value for kind, name, value in pairs if kind == "--"},
    )


@dataclass(frozen=True)
class Options:
    """The home and the address of the emulator, the version that it reports, and its plugins."""

    home: Path
    address: str
    port: int
    version: str
    plugins: Mapping[str, str]
    variables: Mapping[str, str]
    arguments: Arguments = Arguments()

    @property
    def build_variables(self) -> dict[str, str]:
        """The environment that builds inherit: as in Jenkins, that of the controller."""
        return {name: text for name, text in self.variables.items() if name not in OWN_VARIABLES}

    @staticmethod
    def find_title(plugin: str) -> str:
        """A long name of a plugin. The lock does not have the real one, so it is made from the short name."""
        return plugin.replace("-", " ").title()


def read_options(variables: Mapping[str, str] | None = None, words: Sequence[str] = ()) -> Options:
    """Read the environment and the command line; ConfigurationRefused when the plugin lock is not a JSON object of versions."""
    known = dict(os.environ if variables is None else variables)
    lock = Path(known.get("JENKINS_PLUGINS_LOCK") or BUNDLED_PLUGINS)
    return Options(
        home=Path(known.get("JENKINS_HOME") or Path.home() / ".jenkins"),
        address=known.get("JENKINS_LISTEN_ADDRESS") or "127.0.0.1",
        port=int(known.get("JENKINS_PORT") or 8080),
        version=known.get("JENKINS_EMULATED_VERSION") or "2.568.1",
        plugins=read_plugins(lock),
        variables=known,
        arguments=read_arguments(words),
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
