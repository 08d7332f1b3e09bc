"""A whole environment, launched once from a fresh clone as a user would, and shared by every test that looks at it.

The tests run in the order of `ORDER`: what destroys the environment comes last.
"""

import sys
from pathlib import Path

import pytest

# What the modules beside assert is shown as in full as what the tests assert.
pytest.register_assert_rewrite(*(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "conftest"))
from agent_builds import fleet  # noqa: E402, F401 (a fixture)
from launching import ROOT, checkout, launched, no_leftovers  # noqa: E402, F401 (fixtures)
from single_machine import login, machine, machines, spec, ssh, state  # noqa: E402, F401 (fixtures)

sys.path.append(str(ROOT / "tests" / "acceptance"))  # the acceptance suite is no package, for it runs by itself as well
ORDER = (
    "test_machines",
    "test_machine_making",
    "test_machine_disks",
    "test_instances",
    "test_enforcement",
    "test_converge",
    "test_launch",
    "test_people",
    "test_agents",
    "test_lost_agents",
    "test_infrastructure_agents",
    "test_scale",
    "test_moved_world",
    "test_planted_faults",
    "test_jobs_on_the_machine",
    "test_draining",
    "test_mail",
    "test_promotion",
    "test_authority",
    "test_rebuild",
    "test_faults",
    "test_kills",
    "test_bastion",
    "test_drift",
    "test_destroy",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        name = Path(str(item.path)).stem
        return ORDER.index(name) if name in ORDER else len(ORDER) - 1

    items.sort(key=place)
