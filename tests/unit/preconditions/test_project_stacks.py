"""What an environment has of its own: stacks by its templates, which take outputs, and the repository of a project."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.context import Context
from bootstrap.errors import TemplateInvalid
from bootstrap.preconditions import project_stacks, stack_inputs
from bootstrap.projects import folders
from bootstrap.stacks import composition
from bootstrap.values import Stack
from tests.unit.preconditions.project_files import TEMPLATE, exist, find_faults, open_file

ROOT = Path(__file__).resolve().parents[3]


def test_a_stack_of_its_own_comes_behind_those_of_the_toolkit(project: Path) -> None:
    with open_file(project, "stacks: [database]\n") as context:
        project_stacks.check(context)

        assert ("network", "acls", "data", "controller", "database") == context.wanted
        exist(context)
        assert (*composition.ORDER, "database") == context.stack_order
        assert composition.ORDER == composition.list_inputs("database")


def test_a_stack_without_a_wish_is_known_so_that_it_is_deleted(project: Path) -> None:
    with open_file(project, "") as context:
        exist(context)
        context.__dict__["stacks"] = {"database": Stack("jenkins-lab-database", "CREATE_COMPLETE", {})}

        assert "database" not in context.wanted
        assert ("database",) == stack_inputs.list_unwanted_stacks(context)


def test_the_names_of_stacks_are_checked_with_their_places(project: Path) -> None:
    assert [
        "lab.yaml:5:10: stacks.0: 'network' is a stack of the toolkit; your own stack needs another name",
        "lab.yaml:5:29: stacks.2: 'database' is in the list twice",
        "lab.yaml:5:39: stacks.3: there is no template cloudformation/absent.yaml",
    ] == find_faults(project, "stacks: [network, database, database, absent]\n")


def test_a_name_that_would_be_a_stack_of_another_environment_is_refused_with_its_place(project: Path) -> None:
    (project / "cloudformation" / "eu-network.yaml").write_text(TEMPLATE)

    assert [
        "lab.yaml:5:10: stacks.0: 'eu-network' ends in '-network': an environment 'lab-eu' would have a stack of the toolkit "
        "with the same full name; your own stack needs another name"
    ] == find_faults(project, "stacks: [eu-network]\n")


def test_the_jobs_of_a_project_take_no_other_repository(project: Path) -> None:
    (fault,) = find_faults(project, "repository:\n  url: https://git.example.org/x.git\n")

    assert fault.startswith(
        "lab.yaml:6:8: repository.url: the jobs of a project need project and toolkit in one repository"
    )


def test_without_a_project_the_repository_may_be_another(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "ROOT", folders.PROJECT)
    with open_file(project, "repository: {url: 'https://git.example.org/x.git'}\n") as context:
        context.__dict__["wanted"] = ()
        assert [] == list(project_stacks._find_repository_faults(context))


def test_a_parameter_that_nothing_gives_is_told_at_its_line(project: Path) -> None:
    (project / "cloudformation" / "database.yaml").write_text(TEMPLATE.replace("VpcId", "VpcIdd"))

    with open_file(project, "stacks: [database]\n") as context, pytest.raises(TemplateInvalid) as caught:
        project_stacks.check(context)

    (fault,) = caught.value.faults
    assert (3, 3) == (fault.line, fault.column)
    assert "the parameter 'VpcIdd' has no default" in fault.message
    assert fault.message.endswith("did you mean 'VpcId'?")


def test_a_stack_takes_outputs_of_those_before_it(project: Path) -> None:
    (project / "cloudformation" / "clients.yaml").write_text("Parameters:\n  Group: {Type: String}\nResources: {}\n")
    with open_file(project, "stacks: [database, clients]\n") as context:
        project_stacks.check(context)

    with open_file(project, "stacks: [clients, database]\n") as context, pytest.raises(TemplateInvalid):
        project_stacks.check(context)


def test_parameters_are_given_by_their_names_and_the_toolkits_outputs_come_first(project: Path) -> None:
    existing = {
        "network": Stack("jenkins-lab-network", "CREATE_COMPLETE", {"VpcId": "vpc-1", "Other": "x"}),
        "database": Stack("jenkins-lab-database", "CREATE_COMPLETE", {"VpcId": "vpc-2", "Project": "y"}),
    }
    with open_file(project, "stacks: [database]\n") as context:
        given = stack_inputs.gather_parameters(context, "database", existing)

    assert {"Project": "jenkins", "VpcId": "vpc-1"} == given


def test_an_output_of_ones_own_never_reaches_a_stack_of_the_toolkit(project: Path) -> None:
    values = dict.fromkeys(composition.TAKES["endpoints"], "x")
    existing: dict[str, Any] = {
        "network": SimpleNamespace(outputs=values),
        "database": SimpleNamespace(outputs={"VpcId": "vpc-2"}),
    }
    with open_file(project, "stacks: [database]\n") as context:
        assert "x" == stack_inputs.gather_parameters(context, "endpoints", existing)["VpcId"]


def test_a_template_of_the_project_takes_the_place_of_the_toolkits(project: Path) -> None:
    assert ROOT / "cloudformation" / "network.yaml" == stack_inputs.find_template("network")

    (project / "cloudformation" / "network.yaml").write_text(TEMPLATE)
    assert project / "cloudformation" / "network.yaml" == stack_inputs.find_template("network")


ZONES = {
    "PublicSubnetIds": "p1,p2,p3",
    "PrivateSubnetIds": "s1,s2,s3",
    "DataSubnetIds": "d1,d2,d3",
    "PrivateRouteTableIds": "r1,r2,r3",
    "PrivateSubnetCidrs": "a,b,c",
}
STANDING = {name: {"RoleArn": "x"} for name in ("acls", "data", "controller")} | {
    "network": {"VpcId": "vpc-1", **ZONES}
}


def stand(context: Context, **outputs: dict[str, str]) -> None:
    """Let stacks with these outputs exist."""
    context.__dict__["stacks"] = {
        name: Stack(f"jenkins-lab-{name}", "CREATE_COMPLETE", it) for name, it in outputs.items()
    }


def test_a_stack_that_takes_from_another_one_is_not_planned_before_that_exists(project: Path) -> None:
    clients = "Parameters:\n  Group: {Type: String}\n  Other: {Type: String, Default: x}\nResources: {}\n"
    (project / "cloudformation" / "clients.yaml").write_text(clients)
    network = "network: {zones: 3, isolated: true}\n"
    with open_file(project, f"stacks: [database, clients]\n{network}") as context:
        stand(context)
        assert "the stacks network, acls, data and controller do not exist" == stack_inputs.explain_waiting(
            context, "database"
        )
        expected = "the stacks network, acls, data, controller and database do not exist"
        assert expected == stack_inputs.explain_waiting(context, "clients")
        stand(context, **STANDING)
        assert "" == stack_inputs.explain_waiting(context, "database")
        assert "the stack database does not exist" == stack_inputs.explain_waiting(context, "clients")
        stand(context, **STANDING, database={"Earlier": "x"})
        assert "the stack database has no output Group" == stack_inputs.explain_waiting(context, "clients")
        stand(context, **STANDING, database={"Group": "x"})
        assert "" == stack_inputs.explain_waiting(context, "clients")


def test_a_stack_in_subnets_that_go_is_changed_before_the_network(project: Path) -> None:
    template = (
        "Parameters:\n  PrivateSubnetIds: {Type: CommaDelimitedList}\n  DataSubnetIds: {Type: String}\nResources: {}\n"
    )
    (project / "cloudformation" / "inside.yaml").write_text(template)
    with open_file(project, "stacks: [database, inside]\nnetwork: {zones: 2, isolated: false}\n") as context:
        stand(context, **STANDING, database={}, inside={})

        names = stack_inputs.sort_stacks(context)

        assert ("acls", "inside", "network", "data", "controller", "database") == names
        assert ("inside",) == stack_inputs.list_repeated(context, names), "its other inputs may change after it"
        given = stack_inputs.gather_parameters(context, "inside", context.stacks)
        assert {"PrivateSubnetIds": "s1,s2", "DataSubnetIds": ""} == given
        stand(context, **STANDING, database={})
        assert "inside" == stack_inputs.sort_stacks(context)[-1]


def test_a_stack_in_subnets_that_come_is_not_planned_before_them(project: Path) -> None:
    text = "Parameters:\n  PrivateSubnetIds: {Type: CommaDelimitedList}\nResources: {}\n"
    (project / "cloudformation" / "inside.yaml").write_text(text)
    with open_file(project, "stacks: [database, inside]\nnetwork: {zones: 3, isolated: true}\n") as context:
        two = {key: value.rpartition(",")[0] for key, value in ZONES.items()}
        stand(context, **STANDING | {"network": {"VpcId": "vpc-1", **two}}, database={}, inside={})

        assert "the network does not have its new subnets yet" in stack_inputs.explain_waiting(context, "inside")
        assert "" == stack_inputs.explain_waiting(context, "database")
