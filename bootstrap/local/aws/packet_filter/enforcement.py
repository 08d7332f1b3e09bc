"""Keeps this machine's packet filter at what EC2 says: shortly after every change, and at a server's start.

Changes that come together are one transaction of nftables. A filter that cannot be set is tried again until it can, and
`state` tells of it meanwhile; the rules that were there stay.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.compute.instance_records import every_instance
from bootstrap.local.aws.compute.machine_interface import Machines
from bootstrap.local.aws.packet_filter import ec2_state, ruleset
from bootstrap.local.aws.server.clients import Clients

log = logging.getLogger(__name__)

QUIET_SECONDS = 0.2  # so long nothing changed: a stack's many calls make one ruleset
LATEST_SECONDS = 2.0  # but no change waits longer
RETRY_SECONDS = 5.0  # after a failure, where nothing changes meanwhile
SERVICES = frozenset({"ec2", "autoscaling", "elasticloadbalancing"})

_RULE = re.compile(r"(accept|drop|return|goto \S+|vmap \{.*\}|snat to .*)$")


@dataclass(frozen=True)
class _Held:
    """A region's chains: as they were wanted, and as the kernel listed them when they were set."""

    wanted: str
    listing: str


class Enforcement:
    """The rulesets of every region that has instances; `ports` are the cloud's own at each gateway.

    Without `is_watching` the filter is set only when somebody asks for its state: to read all of EC2 after each change is a
    third of the work of a cloud with simulated machines, between which there is nothing to filter.
    """

    def __init__(
        self, clients: Clients, machines: Machines, ports: Sequence[int] = (), *, is_watching: bool = True
    ) -> None:
        self._is_watching = is_watching
        self._clients = clients
        self._ports = ports
        self._machines = machines
        self._change = threading.Event()
        self._setting = threading.Lock()
        self._held: dict[str, _Held] = {}
        self._problem = ""
        if is_watching:
            threading.Thread(target=self._run, name="enforcement", daemon=True).start()

    def changed(self, service: str) -> None:
        """A request to `service` may have changed something; returns at once."""
        if service in SERVICES:
            self._change.set()

    def state(self) -> dict[str, Any]:
        """What the kernel holds now: `regions` with their number of rules, and `problems`, none where all is well."""
        if not self._is_watching:
            self._tried()
        with self._setting:
            held = {region: it for region, it in self._held.items() if it.wanted}
            problems = [self._problem] if self._problem else []
            for region, it in held.items():
                found = self._machines.enforced(region)
                if found != it.listing:
                    what = "has other rules than were set" if found else "is gone"
                    problems.append(f"the packet filter of {region} {what}: something else on this machine changed it")
            problems += [why for why in [self._machines.unjudged()] if why and held]
        return {"regions": {region: _count(it.wanted) for region, it in held.items()}, "problems": problems}

    def settle(self) -> None:
        """Do now what the last changes ask for, and put right what something else did to the filter."""
        self._tried()

    def _run(self) -> None:
        while True:
            self._change.wait(RETRY_SECONDS if self._problem else None)
            latest = time.monotonic() + LATEST_SECONDS
            self._change.clear()
            while self._change.wait(QUIET_SECONDS) and time.monotonic() < latest:
                self._change.clear()
            self._change.clear()  # what changes from here on is looked at once more
            self._tried()

    def _tried(self) -> None:
        try:
            self.apply()
        except Exception as failure:
            log.exception("setting the packet filter")
            self._problem = str(failure)
        else:
            self._problem = ""

    def apply(self) -> None:
        """Bring the filter of each region to what EC2 says of it now; one that is so already is left alone."""
        with self._setting:
            vpcs: dict[str, set[str]] = {}
            for instance in every_instance():
                if instance.state != "terminated" and instance.vpc_id:
                    vpcs.setdefault(instance.ec2_backend.region_name, set()).add(instance.vpc_id)
            for region in sorted(vpcs.keys() | self._held.keys()):
                self._set(region, self._wanted(region, sorted(vpcs[region])) if region in vpcs else "")

    def _set(self, region: str, wanted: str) -> None:
        held = self._held.get(region)
        if (
            held is not None
            and wanted == held.wanted
            and (not wanted or self._machines.enforced(region) == held.listing)
        ):
            return
        if wanted:
            self._machines.unjudged()  # has the kernel show what it can
        self._machines.enforce(region, wanted)
        self._held[region] = _Held(wanted, self._machines.enforced(region) if wanted else "")

    def _wanted(self, region: str, vpcs: list[str]) -> str:
        ec2: Any = self._clients("ec2", region)
        return ruleset.compile_rules(ec2_state.describe(ec2, vpcs), self._ports)


def _count(chains: str) -> int:
    """How many rules there are."""
    return sum(bool(_RULE.search(line)) for line in chains.splitlines())
