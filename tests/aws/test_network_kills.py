"""`network apply`, killed at random steps of its journal and given again, ends as an undisturbed one; and two of them at once.

The command itself, as a process over a checkout of the tests' own, against a cloud of this module's own without machines.
The steps are drawn anew for every run and printed with their seed; KILLS_SEED draws the same again.
"""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from killing import Ended, Step, followed, steps

from tests.aws.conftest import ROOT, Cloud, lay_checkout

WHOLE = "environment: {}\nproject: killed\ncloud: local\nowner: somebody\ncost_center: none\nnetwork:\n  cidr: {}\n"
NARROW = "  nat: one\n  flow_logs: {}\n"
WIDE = "  nat: per-zone\n  zones: 3\n  flow_logs: {}\n  vpn: {customer_address: 198.51.100.7}\n"
KILLS = 2
# What carries the environment's tag, by the call that lists it and the key of its answer.
COUNTED = {
    "describe_addresses": "Addresses",
    "describe_customer_gateways": "CustomerGateways",
    "describe_dhcp_options": "DhcpOptions",
    "describe_flow_logs": "FlowLogs",
    "describe_internet_gateways": "InternetGateways",
    "describe_nat_gateways": "NatGateways",
    "describe_network_acls": "NetworkAcls",
    "describe_network_interfaces": "NetworkInterfaces",
    "describe_route_tables": "RouteTables",
    "describe_security_groups": "SecurityGroups",
    "describe_subnets": "Subnets",
    "describe_vpcs": "Vpcs",
    "describe_vpn_connections": "VpnConnections",
    "describe_vpn_gateways": "VpnGateways",
}


@dataclass
class Tool:
    """The command line over a checkout, each command a process with a session of its own."""

    checkout: Path
    cloud: Cloud

    def settle(self, name: str, cidr: str, options: str) -> None:
        """Write an environment's file."""
        (self.checkout / "environments" / f"{name}.yaml").write_text(WHOLE.format(name, cidr) + options)

    def begin(self, name: str, *arguments: str) -> "tuple[subprocess.Popen[bytes], Path]":
        """Begin a command; its process and where its output goes."""
        environ = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "BOOTSTRAP_"))}
        environ |= {"BOOTSTRAP_ROOT": str(self.checkout), "PYTHONPATH": str(ROOT)}
        environ |= self.cloud.environment
        log = self.checkout.parent / f"{name}.log"
        with log.open("w") as output:
            child = subprocess.Popen(
                [sys.executable, "-m", "bootstrap", "-e", name, "--yes", *arguments],
                cwd=self.checkout,
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return child, log

    def run(self, name: str, *arguments: str, at: Callable[[Step], bool] = lambda _: False) -> Ended:
        """One command, killed at the first step that `at` wants."""
        folder = self.checkout / ".bootstrap" / name / "runs"
        before = {path.name for path in folder.glob("*")}
        child, log = self.begin(name, *arguments)
        return followed(child, folder, before, log, at)

    def done(self, name: str, *arguments: str) -> Ended:
        """One command that must succeed."""
        ended = self.run(name, *arguments)
        assert 0 == ended.code, ended.output
        return ended

    def there(self, name: str) -> dict[str, Any]:
        """What the API tells of an environment without its name: its stacks' resources, and what carries its tag, by kind."""
        ec2, client = self.cloud.client("ec2"), self.cloud.client("cloudformation")
        stacks = [it for it in client.describe_stacks()["Stacks"] if it["StackName"].startswith(f"killed-{name}-")]
        found: dict[str, Any] = {
            it["StackName"].removeprefix(f"killed-{name}-"): sorted(
                (each["LogicalResourceId"], each["ResourceStatus"].rpartition("_")[2])
                for each in client.list_stack_resources(StackName=it["StackName"])["StackResourceSummaries"]
            )
            for it in stacks
        }
        for call, key in COUNTED.items():
            mine = [it for it in getattr(ec2, call)()[key] if name in [tag["Value"] for tag in it.get("Tags", ())]]
            found[key] = sum(it.get("State") not in ("deleted", "deleting") for it in mine)
        return found


@pytest.fixture(scope="module")
def tool(
    tmp_path_factory: pytest.TempPathFactory, new_cloud: Callable[[Path], AbstractContextManager[Cloud]]
) -> Iterator[Tool]:
    """The command line over a checkout, and a cloud that nobody else changes."""
    folder = tmp_path_factory.mktemp("killed")
    checkout = lay_checkout(folder / "checkout")
    with new_cloud(folder / "cloud") as cloud:
        yield Tool(checkout, cloud)


@pytest.fixture(scope="module")
def undisturbed(tool: Tool) -> tuple[list[Step], dict[str, Any]]:
    """The steps of an apply that nothing disturbs, and what it leaves; of two environments, which are applied at once."""
    tool.settle("first", "10.81.0.0/16", NARROW)
    tool.settle("second", "10.82.0.0/16", NARROW)
    other, log = tool.begin("second", "network", "apply")
    ended = tool.done("first", "network", "apply")
    assert 0 == other.wait(300), log.read_text()
    return steps(ended.told), tool.there("first")


def test_two_environments_are_applied_at_once(tool: Tool, undisturbed: tuple[list[Step], dict[str, Any]]) -> None:
    _, there = undisturbed

    assert {"network", "acls", "traffic-logs"} <= set(there)
    assert (1, 6, 1) == (there["Vpcs"], there["Subnets"], there["NatGateways"])
    assert there == tool.there("second")


def applied_with_kills(tool: Tool, name: str, known: list[Step]) -> None:
    """Apply an environment, killed at some of the steps known from the first one, until it ends by itself."""
    seed = int(os.environ.get("KILLS_SEED") or random.SystemRandom().randrange(10**6))
    # What is known of the first: the same steps under another name.
    reachable = [(act, event, told.replace("first", name)) for act, event, told in known]
    wanted = random.Random(seed).sample(reachable, KILLS)
    killed: list[Step] = []
    while True:
        ended = tool.run(name, "network", "apply", at=lambda reached: reached in wanted and reached not in killed)
        if ended.killed_at is None:
            break
        assert -signal.SIGKILL == ended.code
        killed.append(ended.killed_at)
    print(f"KILLS_SEED={seed}: of {len(reachable)} steps, killed at {killed}")
    assert killed, f"none of {wanted} was met"
    assert 0 == ended.code, ended.output


def test_an_apply_killed_at_random_steps_ends_as_an_undisturbed_one(
    tool: Tool, undisturbed: tuple[list[Step], dict[str, Any]]
) -> None:
    known, there = undisturbed
    tool.settle("third", "10.83.0.0/16", NARROW)

    applied_with_kills(tool, "third", known)

    assert there == tool.there("third")


def test_a_change_killed_at_random_steps_ends_as_an_undisturbed_one(
    tool: Tool, undisturbed: tuple[list[Step], dict[str, Any]]
) -> None:
    tool.settle("first", "10.81.0.0/16", WIDE)
    known = steps(tool.done("first", "network", "apply").told)
    tool.settle("second", "10.82.0.0/16", WIDE)

    applied_with_kills(tool, "second", known)

    there = tool.there("second")
    assert (9, 3, 1) == (there["Subnets"], there["NatGateways"], there["VpnGateways"])
    assert tool.there("first") == there


def test_one_environment_is_applied_by_one_at_a_time(
    tool: Tool, undisturbed: tuple[list[Step], dict[str, Any]]
) -> None:
    refused: list[Ended] = []
    folder = tool.checkout / ".bootstrap" / "first" / "runs"
    before = {path.name for path in folder.glob("*")}
    holder, log = tool.begin("first", "network", "apply")
    kept = log.rename(log.with_suffix(".holder"))

    def meanwhile(reached: Step) -> bool:
        # The first stands still at its first act while the second comes, so that it is in the middle for certain.
        if reached[0] == "stack" and not refused:
            os.killpg(holder.pid, signal.SIGSTOP)
            try:
                refused.append(tool.run("first", "network", "apply"))
            finally:
                os.killpg(holder.pid, signal.SIGCONT)
        return False

    ended = followed(holder, folder, before, kept, meanwhile)

    (second,) = refused
    assert 1 == second.code, second.output
    assert "EnvironmentLocked" == next(it["error"] for it in second.told if it["event"] == "run-failed")
    assert f"process {holder.pid}" in second.output
    assert 0 == ended.code, ended.output
