"""The network: who reaches whom, by its existing routes, ACLs and security groups."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import between
import naming
import pytest

from bootstrap.acts.verify import ENVIRONMENT_VARIABLE
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.network import proof
from bootstrap.network.model import Network
from bootstrap.views import network_reading


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One check for each intention, so that each has its own line in the table and in the JUnit file."""
    if "intention" in metafunc.fixturenames:
        allow, deny = network_reading.list_intentions(settings.load(Path(os.environ[ENVIRONMENT_VARIABLE])))
        metafunc.parametrize("intention", [*(f"allow {it}" for it in allow), *(f"deny {it}" for it in deny)], ids=str)


@pytest.fixture(scope="module")
def judged(network: Network, context: Context) -> Mapping[str, proof.Judgement]:
    """What became of each intention."""
    return {it.about: it for it in proof.judge(network, *network_reading.list_intentions(context.settings))}


def test_every_intention_holds(judged: Mapping[str, proof.Judgement], intention: str) -> None:
    """The intention holds."""
    found = judged[intention]

    assert "holds" == found.outcome, str(found)


def test_the_internet_reaches_nothing_else(network: Network, context: Context) -> None:
    """The Internet reaches nothing that no intention allows."""
    allow, _ = network_reading.list_intentions(context.settings)

    assert [] == [str(it) for it in proof.find_exposed(network, allow)]


def test_the_controller_is_in_the_network(network: Network, context: Context) -> None:
    """The analyser finds the machine in the role controller."""
    instance = context.outputs("controller")["InstanceId"]

    assert [instance] == [it.instance_id for it in network.interfaces.values() if "controller" in it.roles]


def test_the_zones_name_the_machine(context: Context) -> None:
    """The hosted zones resolve to the machine, and the parent zone delegates the public one."""
    if context.settings.network.private_zone is None and context.settings.network.public_zone is None:
        pytest.skip("the environment has no hosted zone")

    assert [] == list(naming.faults(context))


def test_connections_agree_with_the_analysis(context: Context) -> None:
    """Real connections between machines agree with routes, ACLs and security groups."""
    why_not = between.unreachable(context)
    if why_not:
        pytest.skip(why_not)

    assert [] == [str(it) for it in between.tried(context) if not it.agrees]
