"""Stacks with the tags of another environment are neither overwritten nor destroyed."""

from pathlib import Path
from typing import Any

import pytest

from bootstrap.errors import StackFailed
from bootstrap.preconditions import stack_inputs
from tests.unit.preconditions.project_files import TEMPLATE, exist, find_faults, open_file


def describe(name: str, **tags: str) -> dict[str, Any]:
    return {
        "StackName": name,
        "StackStatus": "CREATE_COMPLETE",
        "Tags": [{"Key": k, "Value": v} for k, v in tags.items()],
    }


OWN = {"Project": "jenkins", "Environment": "lab"}


def test_a_stack_of_another_environment_is_neither_unwanted_nor_destroyed(project: Path) -> None:
    for name in ("eu-network", "mine", "untagged"):
        (project / "cloudformation" / f"{name}.yaml").write_text(TEMPLATE)
    with open_file(project, "") as context:
        exist(
            context,
            describe("jenkins-lab-network", **OWN),
            describe("jenkins-lab-eu-network", Project="jenkins", Environment="lab-eu"),
            describe("jenkins-lab-mine", **OWN),
            describe("jenkins-lab-untagged"),
        )

        assert {"network", "mine"} == set(context.stacks)
        assert ("mine",) == stack_inputs.list_unwanted_stacks(context)
        assert {"eu-network", "untagged"} == set(context.foreign_stacks)
        assert not {"eu-network", "untagged", "database"}.intersection(stack_inputs.list_destroyed(context))
        assert {"mine", "controller", "network"} < set(stack_inputs.list_destroyed(context))


@pytest.mark.parametrize("name", ["network", "database"])
def test_a_stack_of_another_environment_is_not_overwritten(project: Path, name: str) -> None:
    with open_file(project, "stacks: [database]\n") as context:
        exist(context, describe(f"jenkins-lab-{name}", Project="jenkins-lab", Environment=name))

        with pytest.raises(StackFailed, match=f"jenkins-lab-{name} is not of this environment.*Environment={name}"):
            _ = context.stacks


def test_a_group_of_agents_that_left_the_settings_is_found_by_its_stack(project: Path) -> None:
    with open_file(project, "agents:\n  linux: {}\n") as context:
        exist(context, describe("jenkins-lab-agents-old", **OWN), describe("jenkins-lab-2-agents-other"))

        assert ("network", "acls", "data", "agents-linux", "controller") == context.wanted
        assert ("agents-old",) == stack_inputs.list_unwanted_stacks(context)
        order = context.stack_order
        assert order.index("data") < order.index("agents-linux") < order.index("agents-old") < order.index("controller")
        assert "agents-gone" not in order
        destroyed = stack_inputs.list_destroyed(context)
        assert destroyed.index("controller") < destroyed.index("agents-old") < destroyed.index("network")
        assert "cloudformation/agents.yaml" in str(stack_inputs.find_template("agents-old"))


@pytest.mark.parametrize("name", ["agents", "agents-linux"])
def test_a_stack_of_ones_own_has_not_the_name_of_one_of_agents(project: Path, name: str) -> None:
    (project / "cloudformation" / f"{name}.yaml").write_text(TEMPLATE)

    assert [
        f"lab.yaml:5:10: stacks.0: '{name}' is a stack of the toolkit; your own stack needs another name"
    ] == find_faults(project, f"stacks: [{name}]\n")
