"""What may happen to the isolated tier of a network that lives: it comes and goes, and interrupts nothing."""

from __future__ import annotations

import pytest
from living_network import IS_ALL, Open, everything, go, replaced, subnets, told, unproven

from bootstrap import launch
from bootstrap.errors import NetworkInUse
from bootstrap.network.path_explanation import Traffic, explain
from bootstrap.planning import look
from bootstrap.preconditions import network_removal, stack_inputs
from bootstrap.views import network_reading

WITHOUT = "  isolated: false\n"


BESIDE = {"beside others": "  zones: 3\n  ipv6: true\n  endpoints: [ssm]\n", **({"alone": ""} if IS_ALL else {})}


@pytest.mark.parametrize("beside", BESIDE.values(), ids=BESIDE)
def test_the_isolated_tier_comes_interrupts_nothing_and_goes_again(opened: Open, beside: str) -> None:
    known, _ = go(opened, beside)
    with_it = subnets(known)
    without, planned = go(opened, WITHOUT + beside)
    bare = everything(without)
    zones = without.settings.network.zone_count

    assert "the isolated subnets are deleted" in told(planned)
    assert "zone" not in told(planned)
    assert "DataSubnetIds" not in without.outputs("network")
    assert zones == len(with_it) - len(bare["subnets"])
    assert bare["subnets"].items() <= with_it.items()

    again, planned = go(opened, beside)
    assert ([], "") == (replaced(planned), told(planned))
    assert sorted(with_it.values()) == sorted(subnets(again).values())
    assert bare["subnets"].items() <= subnets(again).items()
    network = network_reading.add_planned_interfaces(again, network_reading.read(again))
    assert "closed" == explain(network, "data", "internet", Traffic(443)).verdict

    gone, _ = go(opened, WITHOUT + beside)
    assert bare == everything(gone)
    go(opened, beside)
    go(opened, "")


def test_an_environment_begins_without_the_isolated_tier(opened: Open) -> None:
    context, run = opened(WITHOUT)
    network_removal.destroy(context, run)

    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    context.forget()

    bare = subnets(context)
    assert (4, ()) == (len(bare), unproven(context))
    assert () == look.plan_stacks(context, run, stack_inputs.list_network_stacks(context))
    whole, planned = go(opened, "")
    assert ([], "", 6) == (replaced(planned), told(planned), len(subnets(whole)))
    assert bare.items() <= subnets(whole).items()


def test_the_isolated_tier_is_let_go_of_before_the_network_takes_it(opened: Open) -> None:
    go(opened, "  endpoints: [ssm]\n")
    context, run = opened("  endpoints: [ssm]\n" + WITHOUT)

    launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))

    order = dict.fromkeys(it.name.split("/")[0] for it in run.changes)
    context.forget()
    events = context.world.aws("cloudformation").describe_stack_events(StackName="changing-living-network")
    assert ["changing-living-acls", "changing-living-network"] == list(order)
    assert [] == [it for it in events["StackEvents"] if it["ResourceStatus"].endswith("_FAILED")]
    go(opened, "")


def test_what_stands_in_the_isolated_tier_keeps_it(opened: Open, capsys: pytest.CaptureFixture[str]) -> None:
    whole, _ = go(opened, "")
    before, ec2 = everything(whole), whole.world.aws("ec2")
    subnet = whole.outputs("network")["DataSubnetIds"].split(",")[0]
    loose = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    context, run = opened(WITHOUT)

    look.plan_stacks(context, run, stack_inputs.list_network_stacks(context))
    told = capsys.readouterr().out
    with pytest.raises(NetworkInUse, match=f"the interface {loose} in changing-living-data-1"):
        launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    ec2.delete_network_interface(NetworkInterfaceId=loose)
    context.forget()

    assert f"will be refused: in use by the interface {loose}" in told
    assert before == everything(context)


@pytest.mark.parametrize(
    ("there", "asked"), [("", "  zones: 3\n" + WITHOUT), ("  zones: 3\n" + WITHOUT, "")], ids=["tier goes", "zone goes"]
)
def test_a_zone_and_the_tier_of_which_one_comes_and_one_goes_are_changed_one_after_the_other(
    opened: Open, capsys: pytest.CaptureFixture[str], there: str, asked: str
) -> None:
    go(opened, WITHOUT if there else "")
    before = everything(go(opened, there)[0])
    context, run = opened(asked)

    look.plan_stacks(context, run, stack_inputs.list_network_stacks(context))
    told = capsys.readouterr().out
    with pytest.raises(NetworkInUse, match="change one after the other"):
        launch.launch_stacks(context, run, stack_inputs.list_network_stacks(context))
    context.forget()

    assert "will be refused: isolated subnets and the number of zones" in told
    assert before == everything(context)
    go(opened, WITHOUT if there else "")
    go(opened, "")
