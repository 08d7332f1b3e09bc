"""How many nodes the queue of a label gets, and when."""

from __future__ import annotations

import pytest

from bootstrap.local.emulator.execution.fleet.planning import PlannedNode, Provisioner, Snapshot


class Cloud:
    """A cloud of nodes with `executors` each, which remembers what it was asked for."""

    def __init__(self, executors: int = 1, most: int = 100, *, is_immediate: bool = True, fits: bool = True) -> None:
        self.is_immediate, self._fits, self._executors, self._most = is_immediate, fits, executors, most
        self.asked: list[int] = []

    def can_provision(self, label: str) -> bool:
        return self._fits

    def provision(self, workload: int) -> list[PlannedNode]:
        self.asked.append(workload)
        number = min(self._most, -(-workload // self._executors))
        self._most -= number
        return [PlannedNode(f"n{index}", self._executors) for index in range(number)]


def make() -> Provisioner:
    return Provisioner("linux", lambda level, words: None)


def test_what_waits_gets_nodes_at_once_and_only_once() -> None:
    provisioner, cloud = make(), Cloud()

    for _ in range(3):
        provisioner.look(Snapshot(3, 0, 0, 0), [cloud])

    assert [3] == cloud.asked and 3 == len(provisioner.pending)


def test_free_executors_and_planned_ones_count() -> None:
    provisioner, cloud = make(), Cloud()
    provisioner.look(Snapshot(4, 1, 0, 1), [cloud])
    provisioner.look(Snapshot(6, 1, 0, 1), [cloud])

    assert [3, 2] == cloud.asked


def test_a_planned_node_that_is_done_no_longer_counts_and_a_failed_one_is_told() -> None:
    told: list[str] = []
    provisioner, cloud = Provisioner("linux", lambda level, words: told.append(words)), Cloud()
    provisioner.look(Snapshot(1, 0, 0, 0), [cloud])
    provisioner.pending[0].finish("java.lang.IllegalStateException: no connection")
    provisioner.look(Snapshot(1, 0, 0, 0), [cloud])

    assert [1, 1] == cloud.asked
    assert "no connection" in told[0] and "n0" in told[0]


def test_nodes_of_several_executors_are_asked_for_by_executors() -> None:
    provisioner, cloud = make(), Cloud(executors=2)
    provisioner.look(Snapshot(3, 0, 0, 0), [cloud])
    provisioner.look(Snapshot(4, 0, 0, 0), [cloud])

    assert [3] == cloud.asked and 2 == len(provisioner.pending)


def test_a_second_cloud_gets_what_the_first_cannot_give() -> None:
    first, second = Cloud(most=1), Cloud()
    make().look(Snapshot(3, 0, 0, 0), [Cloud(fits=False), first, second])

    assert ([3], [2]) == (first.asked, second.asked)


@pytest.mark.parametrize(("online", "asked"), [(0, [1]), (1, [])])
def test_a_cloud_that_waits_is_asked_at_once_only_where_there_is_nothing_at_all(online: int, asked: list[int]) -> None:
    cloud = Cloud(is_immediate=False)
    make().look(Snapshot(1, 0, 0, online), [cloud])

    assert asked == cloud.asked


def test_a_cloud_that_waits_is_asked_when_the_queue_has_been_long_for_a_while() -> None:
    provisioner, cloud = make(), Cloud(is_immediate=False)
    rounds = 0
    while not cloud.asked and rounds < 50:
        rounds += 1
        provisioner.smoothed.measure(Snapshot(1, 0, 0, 1))
        provisioner.look(Snapshot(1, 0, 0, 1), [cloud])

    # 1 - 0.9^n > 1 - (0.1 + 0.4 * 0.5): the margin of one online executor is 0.3.
    assert 12 == rounds and [1] == cloud.asked


def test_a_node_that_connects_counts_for_the_smoothed_figures() -> None:
    provisioner, cloud = make(), Cloud(is_immediate=False)
    for _ in range(60):
        provisioner.smoothed.measure(Snapshot(1, 0, 1, 1))
    provisioner.look(Snapshot(1, 0, 1, 1), [cloud])

    assert [] == cloud.asked
