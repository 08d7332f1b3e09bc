"""The rules by which a cloud of ec2-fleet grows and shrinks its group."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from bootstrap.local.emulator.execution.fleet.aws import AwsFailed
from bootstrap.local.emulator.execution.fleet.fleet import EXHAUSTED, IDLE, Fleet

sys.path.insert(0, str(Path(__file__).parent))
from fakes import Group, Nodes, make_fleet


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


async def cycle(fleet: Fleet, group: Group, nodes: Nodes) -> None:
    await fleet.update(nodes)
    group.settle()
    await fleet.update(nodes)


def test_capacity_is_asked_for_once_and_becomes_nodes() -> None:
    async def work() -> None:
        group, nodes = Group(), Nodes()
        fleet = make_fleet(group)
        planned = fleet.provision(2)
        assert ["FleetNode-linux-1", "FleetNode-linux-2"] == [each.name for each in planned]
        await cycle(fleet, group, nodes)
        assert ("resize_group", "group", 0, 3, 2) in group.calls and 1 == group.count("resize_group")
        assert planned == list(nodes.listed.values())
        assert ("tag", tuple(nodes.listed), "linux") in group.calls
        await fleet.update(nodes)
        assert 1 == group.count("resize_group") and 1 == group.count("tag")

    run(work())


def test_a_group_never_grows_beyond_the_largest_size() -> None:
    async def work() -> None:
        told: list[str] = []
        fleet = make_fleet(Group(1, ("i-1",)), told)
        assert 2 == len(fleet.provision(9)) and [] == fleet.provision(1)
        assert "linux [linux x64] Max instance size '3' reached. Skipping provision" in told

    run(work())


@pytest.mark.parametrize(
    ("label", "is_exclusive", "fits"),
    [
        *(("linux", True, True), ("linux && x64", True, True), ("linux&&gpu", True, False), ("gpu", True, False)),
        *(("", True, False), ("", False, True), ("!(linux)", True, True)),
    ],
)
def test_labels_decide_which_work_a_cloud_takes(label: str, is_exclusive: bool, fits: bool) -> None:
    assert fits == make_fleet(Group(), restrictUsage=is_exclusive).can_provision(label)


def test_an_idle_instance_ends_without_a_replacement() -> None:
    async def work() -> None:
        group, nodes = Group(2, ("i-1", "i-2")), Nodes()
        fleet = make_fleet(group)
        await fleet.update(nodes)
        assert fleet.schedule_to_terminate("i-1", IDLE, 0, ignores_minimum=False)
        nodes.suspended.add("i-1")
        group.calls.clear()
        await fleet.update(nodes)
        named = [call for call in group.calls if call[0] != "describe_group"]
        assert [("resize_group", "group", 0, 3, 1), ("terminate", "i-1")] == named
        assert {"i-2"} == set(nodes.listed) and {} == fleet.ending

    run(work())


def test_a_busy_instance_ends_only_after_its_build() -> None:
    async def work() -> None:
        group, nodes = Group(1, ("i-1",)), Nodes()
        fleet = make_fleet(group)
        await fleet.update(nodes)
        fleet.schedule_to_terminate("i-1", EXHAUSTED, 1, ignores_minimum=True)
        nodes.busy, nodes.suspended = {"i-1"}, {"i-1"}
        await fleet.update(nodes)
        assert 0 == group.count("terminate") and {"i-1": EXHAUSTED} == fleet.ending
        nodes.busy.clear()
        await fleet.update(nodes)
        assert 1 == group.count("terminate")

    run(work())


def test_the_smallest_size_and_the_spare_instances_stay() -> None:
    async def work() -> None:
        told: list[str] = []
        group, nodes = Group(2, ("i-1", "i-2")), Nodes()
        fleet = make_fleet(group, told, minSize=2)
        await fleet.update(nodes)
        assert not fleet.schedule_to_terminate("i-1", IDLE, 0, ignores_minimum=False)
        assert "need a minimum of 2 instance(s) running" in told[-1]
        assert fleet.schedule_to_terminate("i-1", EXHAUSTED, 0, ignores_minimum=True)
        spare = make_fleet(group, told, minSpareSize=1)
        assert not spare.schedule_to_terminate("i-1", IDLE, 1, ignores_minimum=False)
        assert "need a minimum of 1 spare instance(s) running" in told[-1]
        assert spare.schedule_to_terminate("i-1", IDLE, 0, ignores_minimum=False)

    run(work())


def test_a_spare_instance_stands_by_and_is_replaced_when_it_works() -> None:
    async def work() -> None:
        group, nodes = Group(), Nodes()
        fleet = make_fleet(group, minSpareSize=1)
        await cycle(fleet, group, nodes)
        assert 1 == group.desired
        nodes.busy = set(nodes.listed)
        await cycle(fleet, group, nodes)
        assert 2 == group.desired and 2 == len(nodes.listed)

    run(work())


def test_a_node_whose_instance_is_gone_is_removed_and_the_size_stays() -> None:
    async def work() -> None:
        told: list[str] = []
        group, nodes = Group(2, ("i-1", "i-2")), Nodes()
        fleet = make_fleet(group, told)
        await fleet.update(nodes)
        del group.instances["i-1"]
        group.instances["i-2"] = "stopped"
        await fleet.update(nodes)
        assert {} == nodes.listed and 0 == group.count("terminate") and 2 == group.desired
        assert sum("no longer has the instance" in line for line in told) == 2

    run(work())


def test_a_failed_call_loses_nothing_that_was_planned() -> None:
    async def work() -> None:
        group, nodes = Group(), Nodes()
        fleet = make_fleet(group)
        fleet.provision(1)
        group.breaks = {"resize_group"}
        with pytest.raises(AwsFailed):
            await fleet.update(nodes)
        group.breaks = {"tag"}
        await cycle(fleet, group, nodes)
        assert 1 == len(nodes.listed)  # that the tag was refused is only told

    run(work())


def test_a_cloud_that_was_loaded_plans_nothing_before_its_first_update() -> None:
    async def work() -> None:
        told: list[str] = []
        group = Group()
        fleet = make_fleet(group, told)
        fleet.state = None
        assert [] == fleet.provision(1) and not fleet.schedule_to_terminate("i-1", IDLE, 0, ignores_minimum=False)
        await fleet.update(Nodes())
        assert 1 == len(fleet.provision(1))

    run(work())


def test_planned_nodes_of_a_cloud_that_was_made_anew_are_forgotten_after_their_time() -> None:
    async def work() -> None:
        group, nodes = Group(), Nodes()
        fleet = make_fleet(group, cloudStatusIntervalSec=1)
        asked, waiting = fleet.provision(1), []
        await fleet.update(nodes)  # the group was asked for the first; its own timer is off
        waiting += fleet.provision(1)
        fleet.close()
        assert [False, False] == [each.is_done for each in (*asked, *waiting)]
        await asyncio.sleep(3.3)
        assert [True, True] == [each.is_done for each in (*asked, *waiting)]

    run(work())
