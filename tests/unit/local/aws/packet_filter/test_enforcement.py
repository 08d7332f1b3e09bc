"""When the filter is set, which problems are reported, and that a wrong filter is set again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.aws.compute.machine_interface import SimulatedMachines
from bootstrap.local.aws.packet_filter import enforcement
from bootstrap.local.aws.packet_filter.enforcement import Enforcement

REGION = "eu-central-1"
CHAINS = "chain forward {\ntype filter hook forward priority 0; policy accept;\ngoto groups\n}\nchain groups {\ndrop\n}"


@dataclass
class Kernel(SimulatedMachines):
    """Machines whose packet filter is a dictionary, and may refuse."""

    holds: dict[str, str] = field(default_factory=dict)
    refusal: str = ""
    blind: str = ""
    times_set: int = 0

    def enforce(self, region: str, chains: str) -> None:
        if self.refusal:
            raise LocalCloudFailed("setting the packet filter", self.refusal, "look")
        self.times_set += 1
        self.holds[region] = f"table {chains}" if chains else ""

    def read_enforced(self, region: str) -> str:
        return self.holds.get(region, "")

    def explain_unjudged(self) -> str:
        return self.blind


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """One region with one machine, whose rules are CHAINS."""
    machine = SimpleNamespace(state="running", vpc_id="vpc-1", ec2_backend=SimpleNamespace(region_name=REGION))
    monkeypatch.setattr(enforcement, "list_instances", lambda: [machine])
    monkeypatch.setattr(enforcement.ec2_state, "read_network_state", lambda _ec2, _vpcs: None)
    monkeypatch.setattr(enforcement.ruleset, "compile_rules", lambda *_: CHAINS)
    monkeypatch.setattr(enforcement, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(enforcement, "RETRY_SECONDS", 0.05)
    return Kernel()


def make_enforcement(kernel: Kernel) -> Enforcement:
    clients: Any = lambda _service, _region: None  # noqa: E731
    return Enforcement(clients, kernel)


def test_the_state_counts_the_rules_and_equal_rules_are_not_set_twice(kernel: Kernel) -> None:
    filters = make_enforcement(kernel)
    filters.apply_now()
    filters.apply_now()

    assert filters.read_state() == {"regions": {REGION: 2}, "problems": []}
    assert kernel.times_set == 1


def test_a_filter_that_is_not_watched_is_set_when_its_state_is_read(kernel: Kernel) -> None:
    clients: Any = lambda _service, _region: None  # noqa: E731
    filters = Enforcement(clients, kernel, is_watching=False)
    filters.note_change("ec2")
    time.sleep(0.1)

    assert kernel.times_set == 0
    assert filters.read_state() == {"regions": {REGION: 2}, "problems": []}
    assert kernel.times_set == 1


def test_no_rules_are_set_before_there_is_a_machine(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enforcement, "list_instances", list)
    kernel.blind = "the kernel shows nothing"
    filters = make_enforcement(kernel)
    filters.apply_now()

    assert filters.read_state() == {"regions": {}, "problems": []}


@pytest.mark.parametrize(("listing", "what"), [("", "is gone"), ("table other", "has other rules than were set")])
def test_a_change_by_another_program_is_reported_and_undone(kernel: Kernel, listing: str, what: str) -> None:
    filters = make_enforcement(kernel)
    filters.apply_now()
    kernel.holds[REGION] = listing

    (problem,) = filters.read_state()["problems"]
    filters.apply_now()

    assert what in problem
    assert filters.read_state()["problems"] == []
    assert kernel.holds[REGION] == f"table {CHAINS}"


def test_a_refusal_is_reported_and_the_filter_is_set_again_later(kernel: Kernel) -> None:
    kernel.refusal = "Operation not permitted"
    filters = make_enforcement(kernel)
    filters.note_change("ec2")
    until(lambda: any("Operation not permitted" in problem for problem in filters.read_state()["problems"]))

    kernel.refusal = ""

    until(lambda: filters.read_state() == {"regions": {REGION: 2}, "problems": []})


def test_traffic_that_the_kernel_does_not_show_is_reported(kernel: Kernel) -> None:
    kernel.blind = "between machines of one subnet nothing is judged: no br_netfilter"
    filters = make_enforcement(kernel)
    filters.apply_now()

    assert filters.read_state()["problems"] == [kernel.blind]


def test_the_table_is_removed_with_the_last_machine(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    filters = make_enforcement(kernel)
    filters.apply_now()
    gone = SimpleNamespace(state="terminated", vpc_id="vpc-1", ec2_backend=SimpleNamespace(region_name=REGION))
    monkeypatch.setattr(enforcement, "list_instances", lambda: [gone])
    filters.apply_now()
    filters.apply_now()

    assert filters.read_state() == {"regions": {}, "problems": []}
    assert kernel.holds[REGION] == ""
    assert kernel.times_set == 2


def test_requests_to_other_services_change_nothing(kernel: Kernel) -> None:
    filters = make_enforcement(kernel)
    filters.note_change("sns")
    time.sleep(0.1)

    assert kernel.times_set == 0


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
