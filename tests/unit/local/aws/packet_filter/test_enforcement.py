"""When rules are set, what is told of a filter that is not as it should be, and that it is set right again."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.errors import LocalCloudFailed
from bootstrap.local.aws.compute.machine_interface import NoMachines
from bootstrap.local.aws.packet_filter import enforcement
from bootstrap.local.aws.packet_filter.enforcement import Enforcement

REGION = "eu-central-1"
CHAINS = "chain forward {\ntype filter hook forward priority 0; policy accept;\ngoto groups\n}\nchain groups {\ndrop\n}"


@dataclass
class Kernel(NoMachines):
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

    def enforced(self, region: str) -> str:
        return self.holds.get(region, "")

    def unjudged(self) -> str:
        return self.blind


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    """One region with one machine, whose rules are CHAINS."""
    machine = SimpleNamespace(state="running", vpc_id="vpc-1", ec2_backend=SimpleNamespace(region_name=REGION))
    monkeypatch.setattr(enforcement, "every_instance", lambda: [machine])
    monkeypatch.setattr(enforcement.ec2_state, "describe", lambda _ec2, _vpcs: None)
    monkeypatch.setattr(enforcement.ruleset, "compile_rules", lambda *_: CHAINS)
    monkeypatch.setattr(enforcement, "QUIET_SECONDS", 0.01)
    monkeypatch.setattr(enforcement, "RETRY_SECONDS", 0.05)
    return Kernel()


def made(kernel: Kernel) -> Enforcement:
    clients: Any = lambda _service, _region: None  # noqa: E731
    return Enforcement(clients, kernel)


def test_what_holds_is_told_with_its_rules_and_not_set_twice(kernel: Kernel) -> None:
    it = made(kernel)
    it.settle()
    it.settle()

    assert it.state() == {"regions": {REGION: 2}, "problems": []}
    assert kernel.times_set == 1


def test_a_filter_that_is_not_watched_is_set_when_its_state_is_asked_for(kernel: Kernel) -> None:
    clients: Any = lambda _service, _region: None  # noqa: E731
    it = Enforcement(clients, kernel, is_watching=False)
    it.changed("ec2")
    time.sleep(0.1)

    assert kernel.times_set == 0
    assert it.state() == {"regions": {REGION: 2}, "problems": []}
    assert kernel.times_set == 1


def test_nothing_holds_before_a_machine_is_there(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enforcement, "every_instance", list)
    kernel.blind = "the kernel shows nothing"
    it = made(kernel)
    it.settle()

    assert it.state() == {"regions": {}, "problems": []}


@pytest.mark.parametrize(("listing", "what"), [("", "is gone"), ("table other", "has other rules than were set")])
def test_what_something_else_did_is_told_and_put_right(kernel: Kernel, listing: str, what: str) -> None:
    it = made(kernel)
    it.settle()
    kernel.holds[REGION] = listing

    (problem,) = it.state()["problems"]
    it.settle()

    assert what in problem
    assert it.state()["problems"] == []
    assert kernel.holds[REGION] == f"table {CHAINS}"


def test_a_refusal_is_told_until_it_is_over_and_tried_again_by_itself(kernel: Kernel) -> None:
    kernel.refusal = "Operation not permitted"
    it = made(kernel)
    it.changed("ec2")
    until(lambda: any("Operation not permitted" in problem for problem in it.state()["problems"]))

    kernel.refusal = ""

    until(lambda: it.state() == {"regions": {REGION: 2}, "problems": []})


def test_what_the_kernel_does_not_show_is_told(kernel: Kernel) -> None:
    kernel.blind = "between machines of one subnet nothing is judged: no br_netfilter"
    it = made(kernel)
    it.settle()

    assert it.state()["problems"] == [kernel.blind]


def test_the_table_goes_with_the_last_machine(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    it = made(kernel)
    it.settle()
    gone = SimpleNamespace(state="terminated", vpc_id="vpc-1", ec2_backend=SimpleNamespace(region_name=REGION))
    monkeypatch.setattr(enforcement, "every_instance", lambda: [gone])
    it.settle()
    it.settle()

    assert it.state() == {"regions": {}, "problems": []}
    assert kernel.holds[REGION] == ""
    assert kernel.times_set == 2


def test_requests_to_other_services_change_nothing(kernel: Kernel) -> None:
    it = made(kernel)
    it.changed("sns")
    time.sleep(0.1)

    assert kernel.times_set == 0


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)
