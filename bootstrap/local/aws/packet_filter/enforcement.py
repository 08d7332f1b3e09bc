"""Keeps the packet filter of this machine equal to EC2's state, after every change and when the server starts.

Changes that come close together become one transaction of nftables. If nftables refuses the rules, the old rules stay,
`read_state` returns the problem, and another attempt follows every five seconds until one succeeds.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bootstrap.local.aws.compute.instance_records import list_instances
from bootstrap.local.aws.compute.machine_interface import Machines
from bootstrap.local.aws.packet_filter import ec2_state, ruleset
from bootstrap.local.aws.server.clients import Clients

log = logging.getLogger(__name__)

QUIET_SECONDS = 0.2  # no change for so long: the many calls of a stack become one ruleset
LATEST_SECONDS = 2.0  # the longest time that a change waits
RETRY_SECONDS = 5.0  # between attempts after a failure
SERVICES = frozenset({"ec2", "autoscaling", "elasticloadbalancing"})

_RULE = re.compile(r"(accept|drop|return|goto \S+|vmap \{.*\}|snat to .*)$")


@dataclass(frozen=True)
class _Applied:
    """The chains of a region: as they were compiled, and as the kernel listed them after they were set."""

    chains: str
    listing: str


class Enforcement:
    """The rulesets of all regions that have instances; `ports` are the local cloud's own TCP ports at each gateway.

    With `is_watching`, a thread sets the filter after each change. Without it, the filter is set only when its state is
    read. That is for simulated machines, which have no traffic: reading all of EC2 after each change would be a third of
    the server's work.
    """

    def __init__(
        self, clients: Clients, machines: Machines, ports: Sequence[int] = (), *, is_watching: bool = True
    ) -> None:
        self._is_watching = is_watching
        self._clients = clients
        self._ports = ports
        self._machines = machines
        self._change = threading.Event()
        self._applying = threading.Lock()
        self._applied: dict[str, _Applied] = {}
        self._problem = ""
        if is_watching:
            threading.Thread(target=self._run, name="enforcement", daemon=True).start()

    def note_change(self, service: str) -> None:
        """Have the filter set soon, if a change of this AWS service can alter the rules; returns at once."""
        if service in SERVICES:
            self._change.set()

    def read_state(self) -> dict[str, Any]:
        """What the kernel holds now: `regions` with the number of rules of each, and `problems`, a list of messages."""
        if not self._is_watching:
            self._try_to_apply()
        with self._applying:
            all_applied = {region: applied for region, applied in self._applied.items() if applied.chains}
            problems = [self._problem] if self._problem else []
            for region, applied in all_applied.items():
                listing = self._machines.read_enforced(region)
                if listing != applied.listing:
                    what = "has other rules than were set" if listing else "is gone"
                    problems.append(f"the packet filter of {region} {what}: another program on this machine changed it")
            problems += [reason for reason in [self._machines.explain_unjudged()] if reason and all_applied]
        return {
            "regions": {region: _count_rules(applied.chains) for region, applied in all_applied.items()},
            "problems": problems,
        }

    def apply_now(self) -> None:
        """Set the filter now, also where another program changed it. A failure becomes a problem in `read_state`."""
        self._try_to_apply()

    def _run(self) -> None:
        while True:
            self._change.wait(RETRY_SECONDS if self._problem else None)
            latest = time.monotonic() + LATEST_SECONDS
            self._change.clear()
            while self._change.wait(QUIET_SECONDS) and time.monotonic() < latest:
                self._change.clear()
            self._change.clear()  # a change from here on starts another round
            self._try_to_apply()

    def _try_to_apply(self) -> None:
        try:
            self.apply()
        except Exception as failure:
            log.exception("cannot set the packet filter")
            self._problem = str(failure)
        else:
            self._problem = ""

    def apply(self) -> None:
        """Set the filter of each region whose rules differ from EC2's state. Raises LocalCloudFailed and botocore's errors."""
        with self._applying:
            vpcs: dict[str, set[str]] = {}
            for instance in list_instances():
                if instance.state != "terminated" and instance.vpc_id:
                    vpcs.setdefault(instance.ec2_backend.region_name, set()).add(instance.vpc_id)
            for region in sorted(vpcs.keys() | self._applied.keys()):
                self._apply_region(region, self._compile_chains(region, sorted(vpcs[region])) if region in vpcs else "")

    def _apply_region(self, region: str, chains: str) -> None:
        applied = self._applied.get(region)
        if (
            applied is not None
            and chains == applied.chains
            and (not chains or self._machines.read_enforced(region) == applied.listing)
        ):
            return
        if chains:
            self._machines.explain_unjudged()  # also makes the kernel show as much traffic as it can to the chains
        self._machines.enforce(region, chains)
        self._applied[region] = _Applied(chains, self._machines.read_enforced(region) if chains else "")

    def _compile_chains(self, region: str, vpcs: list[str]) -> str:
        ec2: Any = self._clients("ec2", region)
        return ruleset.compile_rules(ec2_state.read_network_state(ec2, vpcs), self._ports)


def _count_rules(chains: str) -> int:
    return sum(bool(_RULE.search(line)) for line in chains.splitlines())
