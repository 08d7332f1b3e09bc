"""Keeps this machine's packet filter at what EC2 says: shortly after every change, and at a server's start.

Changes that come together are one transaction of nftables. A filter that cannot be set is told in the server's log and tried
again with the next change; the rules that were there stay.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from bootstrap.local.aws import firewall
from bootstrap.local.aws.clients import Clients
from bootstrap.local.aws.hooks import Machines
from bootstrap.local.aws.instances import every_instance

log = logging.getLogger(__name__)

QUIET_SECONDS = 0.2  # so long nothing changed: a stack's many calls make one ruleset
LATEST_SECONDS = 2.0  # but no change waits longer
SERVICES = frozenset({"ec2", "autoscaling", "elasticloadbalancing"})


class Enforcement:
    """The rulesets of every region that has instances."""

    def __init__(self, clients: Clients, machines: Machines) -> None:
        self._clients = clients
        self._machines = machines
        self._change = threading.Event()
        self._applied: dict[str, str] = {}
        threading.Thread(target=self._run, name="enforcement", daemon=True).start()

    def changed(self, service: str) -> None:
        """A request to `service` may have changed something; returns at once."""
        if service in SERVICES:
            self._change.set()

    def _run(self) -> None:
        while self._change.wait():
            latest = time.monotonic() + LATEST_SECONDS
            self._change.clear()
            while self._change.wait(QUIET_SECONDS) and time.monotonic() < latest:
                self._change.clear()
            self._change.clear()  # what changes from here on is looked at once more
            try:
                self.apply()
            except Exception:
                log.exception("setting the packet filter")

    def apply(self) -> None:
        """Bring the filter of each region to what EC2 says of it now; one that is so already is left alone."""
        states: dict[str, set[str]] = {}
        for instance in every_instance():
            states.setdefault(instance.ec2_backend.region_name, set()).add(instance.state)
        for region in sorted(states.keys() | self._applied.keys()):
            wanted = self._wanted(region) if states.get(region, set()) - {"terminated"} else ""
            if wanted != self._applied.get(region):
                self._machines.enforce(region, wanted)
                self._applied[region] = wanted

    def _wanted(self, region: str) -> str:
        ec2: Any = self._clients("ec2", region)
        return firewall.compile_rules(firewall.describe(ec2))
