"""What the network is for: who reaches whom, proven on routes, ACLs and security groups as they are."""

from __future__ import annotations

import between
import pytest

from bootstrap import network_view
from bootstrap.context import Context
from bootstrap.network import proof
from bootstrap.network.model import Network


def test_every_intention_holds(network: Network, context: Context) -> None:
    """Everything that the environment intends with its network holds."""
    allow, deny = network_view.intended(context.settings)
    broken = [str(it) for wish in allow if (it := proof.promised(network, wish))]
    broken += [str(it) for ban in deny if (it := proof.banned(network, ban))]

    assert [] == broken
    assert allow or deny


def test_the_internet_reaches_nothing_else(network: Network, context: Context) -> None:
    """Nothing is reachable from the Internet that no intention allows."""
    allow, _ = network_view.intended(context.settings)

    assert [] == [str(it) for it in proof.exposed(network, allow)]


def test_the_controller_is_in_the_network(network: Network, context: Context) -> None:
    """The machine is known to the network as its controller."""
    instance = context.outputs("controller")["InstanceId"]

    assert [instance] == [it.instance_id for it in network.interfaces.values() if "controller" in it.roles]


def test_machines_reach_each_other_as_told(context: Context) -> None:
    """What the machines really reach of each other is what routes, ACLs and groups say."""
    why_not = between.unreachable(context)
    if why_not:
        pytest.skip(why_not)

    assert [] == [str(it) for it in between.tried(context) if not it.agrees]
