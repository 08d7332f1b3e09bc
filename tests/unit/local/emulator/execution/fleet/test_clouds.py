"""The periodic work on clouds and their nodes: what waits, what is idle, what has been used up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from bootstrap.local.emulator.execution.executors import Executors, QuietMode, Slot
from bootstrap.local.emulator.execution.fleet.aws import GroupState, Instance
from bootstrap.local.emulator.execution.fleet.clouds import Clouds
from bootstrap.local.emulator.execution.fleet.fleet import DELETED, EXCESS, EXHAUSTED, IDLE, Fleet
from bootstrap.local.emulator.execution.queue import Queue
from bootstrap.local.emulator.model.configuration import Configuration
from bootstrap.local.emulator.model.home import Home
from bootstrap.local.emulator.options import Arguments, Options

TWO = frozenset({"i-1", "i-2"})


class Trial:
    """The clouds of a home with one cloud and two nodes, which nobody connects to."""

    def __init__(self, folder: Path, **changed: Any) -> None:
        properties = {"org.jenkinsci.plugins.workflow.support.pickles.ExecutorPickle.timeoutForNodeMillis": "50"}
        plugins = {"ec2-fleet": "4.3", "ssh-slaves": "3"}
        self.home = Home(Options(folder, "127.0.0.1", 1, "2.568.2", plugins, {}, Arguments(properties)))
        told = {
            "name": "linux",
            "fleet": "group",
            "labelString": "linux",
            "maxSize": 3,
            "privateIpUsed": True,
            **changed,
        }
        self.home.configuration = Configuration({"jenkins": {"clouds": [{"eC2Fleet": told}], "numExecutors": 0}})
        quiet = QuietMode()
        self.executors = Executors(self.home, quiet)
        self.told: list[str] = []
        queue = Queue(self.home, quiet, self.executors)
        self.clouds = Clouds(
            self.home, self.executors, queue, quiet, lambda level, source, words: self.told.append(words)
        )
        self.clouds.replace({"linux": GroupState(2, TWO)})
        self.fleet.active = 2

    @property
    def fleet(self) -> Fleet:
        return self.clouds.fleets[0]

    def add(self) -> None:
        for instance in sorted(TWO):
            self.clouds.add(self.fleet.settings, Instance(instance, "running", "10.0.0.1", ""), None)

    def age(self, seconds: float) -> None:
        for computer in self.clouds.computers.values():
            computer.idle_since = time.time() - seconds

    def check(self) -> dict[str, str]:
        for computer in list(self.clouds.computers.values()):
            self.clouds.check_retention(computer)
        return self.fleet.ending


def run(folder: Path, work: Callable[[Trial], Awaitable[None]], **changed: Any) -> None:
    async def enter() -> None:
        trial = Trial(folder, **changed)
        trial.add()
        await work(trial)
        await trial.clouds.close()

    asyncio.run(enter())


def test_idle_nodes_end_after_their_time_and_take_no_more_builds(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        trial.age(30)
        assert {} == trial.check()
        trial.executors.busy[Slot("i-2", 0)] = object()  # type: ignore[assignment]
        trial.age(61)
        assert {"i-1": IDLE} == trial.check()
        assert {"i-1"} == trial.executors.suspended
        assert trial.clouds.may_end("i-1") and not trial.clouds.may_end("i-2")

    run(tmp_path, work, idleMinutes=1)


def test_nodes_never_end_by_themselves_with_zero_idle_minutes(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        trial.age(1e9)
        assert {} == trial.check()

    run(tmp_path, work)


def test_the_spare_and_the_smallest_number_stay(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        trial.age(61)
        assert 1 == len(trial.check())

    run(tmp_path / "spare", work, idleMinutes=1, minSpareSize=1)
    run(tmp_path / "least", work, idleMinutes=1, minSize=1)


def test_surplus_nodes_end(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        assert [EXCESS] == list(trial.check().values())

    run(tmp_path, work, maxSize=1)


def test_the_last_use_suspends_a_node_and_its_end_schedules_it(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        slot = Slot("i-1", 0)
        (listener,), (released,) = trial.executors.claimed, trial.executors.released
        assert "linux i-1 Builds left: 2 " == trial.clouds.computers["i-1"].shown_title
        for left in (1, 0):
            trial.executors.busy[slot] = object()  # type: ignore[assignment]
            listener(slot)
            assert left == trial.clouds.computers["i-1"].uses.left
            del trial.executors.busy[slot]
            released(slot)
        assert {"i-1": EXHAUSTED} == trial.fleet.ending and {"i-1"} == trial.executors.suspended

    run(tmp_path, work, maxTotalUses="2", minSize=2)


def test_a_deleted_node_ends_with_the_next_update(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        await trial.clouds.delete(trial.clouds.computers["i-1"])
        assert {"i-1": DELETED} == trial.fleet.ending and ["i-2"] == list(trial.clouds.computers)
        assert trial.clouds.may_end("i-1")
        assert ["", "i-2"] == [node.name for node in trial.home.configuration.nodes]

    run(tmp_path, work)


def test_a_removed_node_cancels_its_blocks_after_the_time_for_it(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        cancelled: list[str] = []
        for instance in sorted(TWO):
            slot = Slot(instance, 0)
            trial.executors.busy[slot] = object()  # type: ignore[assignment]
            trial.executors.bodies[slot] = lambda instance=instance: cancelled.append(instance)  # type: ignore[misc]
        await trial.clouds.remove("i-1")
        assert [] == cancelled
        await asyncio.sleep(0.2)
        assert ["i-1"] == cancelled

    run(tmp_path, work)


def test_a_cloud_that_is_gone_breaks_the_updates_of_all_as_in_the_plugin(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        trial.home.configuration.tree["jenkins"]["clouds"][0]["eC2Fleet"]["name"] = "renamed"
        trial.clouds.replace({})
        try:
            trial.clouds.list_instances("group")
        except Exception as fault:
            assert "NullPointerException" in str(fault)
        else:
            raise AssertionError("nothing was refused")
        trial.check()
        assert any(words.startswith("Cloud is null for computer linux i-1") for words in trial.told)

    run(tmp_path, work)


def test_labels_and_variables_of_a_cloud_reach_its_nodes(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        told = trial.home.configuration.tree["jenkins"]["clouds"][0]["eC2Fleet"]
        told |= {"labelString": "linux gpu", "environmentVariables": [{"name": "A", "value": "b"}]}
        trial.clouds.replace({})
        trial.clouds.relabel("i-1", trial.fleet.settings)
        node = trial.home.configuration.find_node("i-1")
        assert node is not None and {"i-1", "linux", "gpu"} == node.labels and {"A": "b"} == node.variables

    run(tmp_path, work)


def test_an_executor_is_kept_for_a_build_that_worked_there_before_a_restart(tmp_path: Path) -> None:
    async def work(trial: Trial) -> None:
        computer = trial.clouds.computers["i-1"]
        trial.executors.connect("i-1", computer.node)
        mine, other = object(), object()
        trial.executors.keep_executors(mine, ["i-1"])  # type: ignore[arg-type]
        node = trial.home.configuration.find_node("i-1")
        assert node is not None and 0 == trial.executors.count_available(node)
        assert trial.executors.claim("linux", other) is None  # type: ignore[arg-type]
        slot = trial.executors.claim_on("i-1", mine)  # type: ignore[arg-type]
        assert Slot("i-1", 0) == slot
        trial.executors.release(slot)
        assert trial.executors.claim("linux", other) == slot  # type: ignore[arg-type]
        trial.executors.release(slot)
        trial.executors.keep_executors(mine, ["i-1"])  # type: ignore[arg-type]
        trial.executors.release_kept(mine)  # type: ignore[arg-type]
        assert 1 == trial.executors.count_available(node)

    run(tmp_path, work)
