"""One node of a cloud: an instance of the group, its connection, its log, and what the plugin keeps of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ...model.configuration import NodeSettings
from ...model.home import Home
from ...model.nodes import OfflineCause
from ..durable_node import DurableNode
from ..executors import Executors
from .settings import FleetSettings
from .ssh_client import Login
from .ssh_launcher import LaunchFailed, SshLauncher

_KIND = "basicSSHUserPrivateKey"
_LOG_LIMIT = 1 << 20  # letters of a log
BROKEN = "Connection was broken"
NOT_LAUNCHED = (
    "This agent is offline because Jenkins failed to launch the agent process on it. See log for more details"
)


@dataclass
class Uses:
    """How many builds a node may still begin; `left` is -1 for no limit."""

    left: int

    def take(self) -> bool:
        """Count one build; whether it is the last one."""
        if self.left > 0:
            self.left -= 1
            return self.left == 0
        return False


class FleetComputer:
    """A node that stands for an instance; `disconnected` is called when its connection has ended."""

    def __init__(
        self, home: Home, executors: Executors, fleet: FleetSettings, instance: str, address: str, folder: str
    ) -> None:
        self._home, self._executors = home, executors
        self.cloud, self.instance, self._address = fleet.name, instance, address
        self.connector = fleet.connector
        self.uses = Uses(fleet.uses)
        self.is_marked_for_deletion = False
        self.idle_since = time.time()
        self.settings = self._make_settings(fleet, folder)
        self.node = DurableNode(instance, self.title, self._explain)
        self.cause: OfflineCause | None = None
        self.disconnected: Callable[[FleetComputer], None] | None = None
        self._log = ""
        self._dropped = 0  # letters of the log that are no longer kept
        self._task: asyncio.Task[None] | None = None
        self.came_online = asyncio.Event()
        self._launcher = SshLauncher(self.connector, folder, self.say) if self.connector else None

    def _make_settings(self, fleet: FleetSettings, folder: str) -> NodeSettings:
        return NodeSettings(
            self.instance,
            f"Fleet agent for {self.instance}",
            frozenset({self.instance, *fleet.label_set}),
            fleet.executors,
            folder,
            fleet.is_exclusive,
            fleet.variables,
            self.title,
        )

    def adopt(self, fleet: FleetSettings) -> bool:
        """Take labels and variables of the cloud as it is now; whether something changed."""
        before = self.settings
        self.settings = replace(before, labels=frozenset({self.instance, *fleet.label_set}), variables=fleet.variables)
        return before != self.settings

    @property
    def title(self) -> str:
        """How Jenkins shows the node."""
        return f"{self.cloud} {self.instance}"

    @property
    def shown_title(self) -> str:
        """How Jenkins shows the computer: with the builds that are left to it."""
        return f"{self.title} Builds left: {self.uses.left} " if self.uses.left >= 0 else self.title

    @property
    def is_connecting(self) -> bool:
        """Whether the agent is being started."""
        return self._task is not None and not self._task.done() and not self.node.is_attached

    @property
    def is_live(self) -> bool:
        """Whether it is connected, or being connected: its log may go on."""
        return self._task is not None and not self._task.done()

    @property
    def busy(self) -> int:
        """How many executors hold a build."""
        return sum(slot.node == self.instance for slot in self._executors.busy)

    # The log

    def say(self, line: str) -> None:
        """Write to the log of the agent."""
        self._log += line + "\n"
        if len(self._log) > _LOG_LIMIT:
            gone = len(self._log) - _LOG_LIMIT // 2
            self._log, self._dropped = self._log[gone:], self._dropped + gone

    def read_log(self, start: int) -> tuple[str, int]:
        """The log from a letter on, and where it ends now."""
        return self._log[max(0, start - self._dropped) :], self._dropped + len(self._log)

    # The connection

    def connect(self) -> None:
        """Begin to start the agent, unless it is online or being started."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._serve())

    async def disconnect(self) -> None:
        """End the connection and what works towards one."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _serve(self) -> None:
        self._log, self._dropped = "", 0
        try:
            login = self._find_login()
            assert self._launcher is not None
            await self._launcher.serve(login, self.node, self._make_available)
            self._mark(BROKEN, "ChannelTermination")
        except LaunchFailed:
            self._mark(NOT_LAUNCHED, "LaunchFailed")
        except OSError as fault:
            self.say(f"the SSH client cannot be run: {fault}")
            self._mark(NOT_LAUNCHED, "LaunchFailed")
        finally:
            self._executors.disconnect(self.instance, self.node)
            if self.disconnected is not None:
                self.disconnected(self)

    def _mark(self, reason: str, kind: str) -> None:
        self.cause = OfflineCause("", reason, int(time.time() * 1000), kind)

    def _make_available(self) -> None:
        self.cause, self.idle_since = None, max(self.idle_since, time.time())
        self.came_online.set()
        self._executors.connect(self.instance, self.node)

    def _explain(self) -> str:
        return self.cause.message if self.cause else ""

    def _find_login(self) -> Login:
        if self.connector is None:
            self.say("the cloud has no connector for its computers (computerConnector)")
            raise LaunchFailed
        identifier = self.connector.credentials
        credential = self._home.credentials.find(identifier)
        if credential is None:
            self.say(f"Cannot find SSH User credentials with id: {identifier}")
            raise LaunchFailed
        values = credential.values
        if credential.kind != _KIND or values.get("passphrase"):
            self.say("the emulator of Jenkins logs in by a private key without passphrase, and in no other way")
            raise LaunchFailed
        return Login(self.instance, self._address, values.get("username", ""), values.get("privateKey", ""))
