"""The agents that connect: whether they may, and their messages while they are connected."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Any

from ..model.home import Home
from ..model.items import encode_name
from .executors import Executors
from .nodes import AgentNode, Send

# What Jenkins writes about a connection (DefaultJnlpSlaveReceiver, SlaveComputer#setChannel), without the version of Remoting.
_CONNECTED = (
    "Launcher: JNLPLauncher",
    "Communication Protocol: WebSocket",
    "This is a Unix agent",
    "Agent successfully connected and online",
)


class Agents:
    """The agents of the settings; each connects with its name and a secret that only this Jenkins can compute."""

    def __init__(self, home: Home, executors: Executors) -> None:
        self._home, self._executors = home, executors

    def compute_secret(self, name: str) -> str:
        """The secret of an agent: 64 hexadecimal digits, the same for as long as JENKINS_HOME keeps its key."""
        return hmac.new(self._home.vault.agents_key, name.encode(), hashlib.sha256).hexdigest()

    def may_connect(self, name: str, secret: str) -> bool:
        """Whether there is such an agent, and this is its secret."""
        return self.exists(name) and hmac.compare_digest(self.compute_secret(name).encode(), secret.encode())

    def exists(self, name: str) -> bool:
        """Whether the settings have such an agent."""
        return bool(name) and self._home.configuration.find_node(name) is not None

    def find_log(self, name: str) -> Path:
        """The log of an agent's last connection; there is none before the first."""
        return self._home.directory / "logs" / "slaves" / encode_name(name) / "slave.log"

    def greet(self, name: str, sender: str, hello: dict[str, Any], send: Send) -> AgentNode:
        """Make a connected agent available for builds; `sender` is its address, and `hello` its first message."""
        log = self.find_log(name)
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("".join(f"{line}\n" for line in (f"Inbound agent connected from {sender}", *_CONNECTED)))
        given = (hello.get("hello") or {}).get("environment") or {}
        agent = AgentNode(name, {str(key): str(value) for key, value in given.items()}, send)
        self._executors.connect(name, agent)
        return agent

    def dismiss(self, name: str, agent: AgentNode) -> None:
        """Remove an agent whose connection ended."""
        agent.close()
        self._executors.disconnect(name, agent)
        if self.exists(name):
            with self.find_log(name).open("a") as log:
                log.write("Connection terminated\n")
