"""How many Pipelines run at once, by the memory of the machine and by a property."""

from __future__ import annotations

import pytest

from bootstrap.local.emulator.execution.pipeline_limit import compute_limit
from bootstrap.local.emulator.options import read_arguments

GIGABYTE = 1024**3


@pytest.mark.parametrize(("memory", "most"), [(1, 4), (4, 13), (8, 27), (64, 32)])
def test_pipelines_take_a_third_of_the_memory_at_most(memory: int, most: int) -> None:
    assert most == compute_limit(read_arguments([]), memory * GIGABYTE)


@pytest.mark.parametrize(("given", "most"), [("100", 100), ("0", 32), ("-1", 32), ("many", 32)])
def test_a_property_sets_another_limit_if_it_is_a_number_of_pipelines(given: str, most: int) -> None:
    assert most == compute_limit(read_arguments([f"-Djenkins.emulator.pipelines={given}"]), 64 * GIGABYTE)
