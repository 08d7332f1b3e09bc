"""The network as the launch makes it: an option that came is added, one that went is taken away; a plan tells it first."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap import launch
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.errors import NetworkInUse, StackMissing
from bootstrap.network import proof
from bootstrap.planning import look
from bootstrap.preconditions import host_inputs, network_removal, stack_inputs
from bootstrap.runs.journal import Run, start
from bootstrap.values import ChangeKind, Stack
from bootstrap.views import network_reading
from tests.aws.conftest import Cloud

WHOLE = "environment: {}\nproject: composed\ncloud: local\nowner: somebody\ncost_center: none\nnetwork:\n  cidr: {}\n"
LOGS = "  flow_logs: {retention_days: 7}\n"


@pytest.fixture
def opened(
    cloud: Cloud, client: Callable[[str], Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str, str], tuple[Context, Run]]:
    """A context over the local cloud's APIs: environment, block, and the options below 'network'."""
    monkeypatch.setattr(host_inputs, "take_snapshot", lambda _: SimpleNamespace(label="commit"))
    for name, value in cloud.environment.items():
        monkeypatch.setenv(name, value)

    def run(name: str, cidr: str, options: str = "") -> tuple[Context, Run]:
        path = tmp_path / f"{name}.yaml"
        path.write_text(WHOLE.format(name, cidr) + options)
        return Context(path, settings.load(path), cloud.endpoint), start(
            tmp_path / "runs", as_json=False, is_verbose=False
        )

    return run


def test_an_option_that_went_is_planned_away_and_taken_away(opened: Callable[..., tuple[Context, Run]]) -> None:
    context, run = opened("going", "10.90.0.0/16", LOGS)
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    made = set(context.stacks)
    context, run = opened("going", "10.90.0.0/16")

    planned = look.plan_stacks(context, run, stack_inputs.list_network_stacks(context))
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))

    assert {"network", "acls", "traffic-logs"} == made
    assert [(ChangeKind.REMOVE, "composed-going-traffic-logs")] == [(it.kind, it.name) for it in planned]
    assert {"network", "acls"} == set(context.stacks)
    assert [] == [*look.plan_stacks(context, run, stack_inputs.list_network_stacks(context))]
    launch.destroy(context, run)
    context.forget()
    assert {} == context.stacks


def test_what_takes_from_data_or_controller_waits_for_them(opened: Callable[..., tuple[Context, Run]]) -> None:
    context, _ = opened(
        "waiting",
        "10.91.0.0/16",
        "  bastion: {}\n  private_zone: ci.internal\n  vpn: {customer_address: 198.51.100.7}\n",
    )

    assert ("network", "acls", "vpn") == stack_inputs.list_network_stacks(context)
    assert ("network", "acls", "vpn", "data", "bastion", "controller", "names") == context.wanted


def test_a_peering_waits_for_the_other_network_and_then_is_made(opened: Callable[..., tuple[Context, Run]]) -> None:
    other, run = opened("other", "10.92.0.0/16")
    context, run = opened("asking", "10.93.0.0/16", "  peering: {environment: other}\n")
    with pytest.raises(StackMissing, match="other network apply"):
        launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))

    launch.launch_stacks(other, run, stack_inputs.list_network_stacks(other))
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))

    assert {"network", "acls", "peering"} == set(context.stacks)
    launch.destroy(context, run)
    launch.destroy(other, run)


def test_the_network_goes_alone_and_only_when_nothing_stands_on_it(opened: Callable[..., tuple[Context, Run]]) -> None:
    other, run = opened("lower", "10.94.0.0/16")
    context, run = opened("upper", "10.95.0.0/16", "  nat: one\n  endpoints: [ssm]\n  peering: {environment: lower}\n")
    launch.launch_stacks(other, run, stack_inputs.list_network_stacks(other))
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    ec2, outputs = context.world.aws("ec2"), context.outputs("network")
    subnet = outputs["DataSubnetIds"].split(",")[0]
    loose = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]

    with pytest.raises(NetworkInUse, match=f"the interface {loose}"):
        network_removal.destroy(context, run)
    with pytest.raises(NetworkInUse, match="composed-upper-peering, which peers the network of 'upper' with this one"):
        network_removal.destroy(other, run)
    assert {"network", "acls", "endpoints", "peering"} == set(context.stacks)
    ec2.delete_network_interface(NetworkInterfaceId=loose)
    network_removal.destroy(context, run)
    network_removal.destroy(other, run)

    assert ({}, {}) == (context.stacks, other.stacks)


def test_a_network_under_a_controller_stays(
    opened: Callable[..., tuple[Context, Run]], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, run = opened("carrying", "10.98.0.0/16")
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    standing = {**context.stacks, "controller": Stack("composed-carrying-controller", "CREATE_COMPLETE", {})}
    monkeypatch.setitem(context.__dict__, "stacks", standing)

    with pytest.raises(NetworkInUse, match="in use by the stack composed-carrying-controller"):
        network_removal.destroy(context, run)

    context.forget()
    network_removal.destroy(context, run)
    assert {} == context.stacks


def test_a_network_alone_is_proven_before_a_machine_stands_in_it(opened: Callable[..., tuple[Context, Run]]) -> None:
    context, run = opened(
        "alone",
        "10.99.0.0/16",
        "  nat: one\n  intentions:\n    allow: ['agents -> controller:443', 'controller -> internet:443']\n",
    )
    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    found = network_reading.add_planned_interfaces(context, network_reading.read(context))
    allow, deny = network_reading.list_intentions(context.settings)

    assert () == proof.prove(found, allow, deny)
    ec2, group = context.world.aws("ec2"), context.outputs("network")["ControllerSecurityGroupId"]
    rules = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=rules)
    found = network_reading.add_planned_interfaces(context, network_reading.read(context))
    assert ["allow agents -> controller:443"] == [it.about for it in proof.prove(found, allow, deny)]
    network_removal.destroy(context, run)
