"""The checks of groups of agents against what Jenkins and Auto Scaling would tell."""

from __future__ import annotations

import importlib.util
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import agent_groups
import canary
import pytest

from bootstrap.acts.verify import ENVIRONMENT_VARIABLE
from bootstrap.environment.agents import AgentGroup
from bootstrap.jenkins.definitions.fleets import Fleet, make_clouds

# By its path: another folder of tests has a module of this name.
_SPEC = importlib.util.spec_from_file_location(
    "acceptance_of_agents", Path(__file__).resolve().parents[2] / "acceptance" / "test_agents.py"
)
assert _SPEC is not None and _SPEC.loader is not None
test_agents = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(test_agents)

GROUPS = {"linux": AgentGroup(minimum=1), "big": AgentGroup(maximum=5)}


def subject(groups: dict[str, AgentGroup], told: list[dict[str, Any]] | None = None) -> Any:
    def describe(AutoScalingGroupNames: list[str]) -> dict[str, Any]:  # noqa: N803 (boto3's own name)
        assert ["p-e-agents-linux", "p-e-agents-big"] == AutoScalingGroupNames
        return {"AutoScalingGroups": told or []}

    settings = SimpleNamespace(agents=groups, name_stack=lambda name: f"p-e-{name}")
    client = SimpleNamespace(describe_auto_scaling_groups=describe)
    return SimpleNamespace(context=SimpleNamespace(settings=settings, world=SimpleNamespace(aws=lambda _: client)))


def scaled(**changed: Any) -> dict[str, Any]:
    instance = {"InstanceId": "i-1", "ProtectedFromScaleIn": True}
    sizes = {"AutoScalingGroupName": "p-e-agents-linux", "MinSize": 1, "MaxSize": 2, "Instances": [instance]}
    return {**sizes, "NewInstancesProtectedFromScaleIn": True, **changed}


class Recorded(dict[str, str]):
    def __call__(self, name: str, value: str) -> None:
        self[name] = value


def test_groups_are_told_by_their_labels_and_missing_ones_are_missing() -> None:
    assert {"linux": scaled()} == agent_groups.scaling_groups(subject(GROUPS, [scaled()]))
    assert {} == agent_groups.scaling_groups(subject({}))


def test_the_builds_wait_for_their_agents_together(monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2, timeout=20)

    def build(_: Any, label: str, seconds: float) -> canary.Build:
        together.wait()
        return canary.Build(label, waited=seconds)

    monkeypatch.setattr(agent_groups.canary, "build", build)
    monkeypatch.setattr(agent_groups, "Client", lambda _: None)

    assert {"linux": canary.Build("linux", waited=300), "big": canary.Build("big", waited=300)} == (
        agent_groups.group_builds(subject(GROUPS))
    )
    assert {} == agent_groups.group_builds(subject({}))


def test_a_group_that_scales_as_wished_is_good_and_says_how_many_run() -> None:
    found = Recorded()

    test_agents.test_the_group_scales_as_the_environment_file_says(
        "linux", {"linux": scaled()}, subject(GROUPS).context, found
    )

    assert {"found": "1 of 2 instances"} == found


@pytest.mark.parametrize(
    "changed",
    [
        {"MinSize": 0},
        {"MaxSize": 9},
        {"NewInstancesProtectedFromScaleIn": False},
        {"Instances": [{"InstanceId": "i-1", "ProtectedFromScaleIn": False}]},
    ],
)
def test_a_group_that_is_scaled_otherwise_is_found(changed: dict[str, Any]) -> None:
    with pytest.raises(AssertionError):
        test_agents.test_the_group_scales_as_the_environment_file_says(
            "linux", {"linux": scaled(**changed)}, subject(GROUPS).context, Recorded()
        )


def test_a_missing_group_is_found() -> None:
    with pytest.raises(AssertionError, match="there is no such group"):
        test_agents.test_the_group_scales_as_the_environment_file_says("linux", {}, subject(GROUPS).context, Recorded())


def exported(**groups: AgentGroup) -> dict[str, Any]:
    import yaml

    fleets = {label: Fleet(f"p-e-agents-{label}", "ssh-ed25519 AAAA") for label in groups}
    found: dict[str, Any] = yaml.safe_load(make_clouds(groups, fleets) or "jenkins: {}")
    return found


def test_a_cloud_of_each_group_is_looked_for() -> None:
    check, context = test_agents.test_jenkins_has_the_cloud_of_the_group, subject(GROUPS).context

    check("linux", exported(**GROUPS), context)
    with pytest.raises(ValueError, match="not enough values"):
        check("linux", exported(big=GROUPS["big"]), context)
    with pytest.raises(AssertionError):
        check("linux", exported(linux=AgentGroup(maximum=9)), context)


@pytest.mark.parametrize(
    ("log", "agent"),
    [
        ("Running on linux i-0a1 in /home/jenkins/agent/workspace/canary\n", "linux i-0a1"),
        (
            "Running on \x1b[8mha:////4AAA\x1b[0mlinux i-0a1 in /home\nRetrying\nRunning on linux i-2 in /x\n",
            "linux i-2",
        ),
        ("Still waiting to schedule task\n", ""),
    ],
)
def test_the_agent_of_a_build_is_in_its_log(log: str, agent: str) -> None:
    assert agent == canary.find_agent(log)


def test_a_build_elsewhere_is_found() -> None:
    check, found = test_agents.test_a_build_runs_on_an_agent_of_the_group, Recorded()
    good = canary.Build("w", 1, "SUCCESS", "Running on linux i-1 in /x\n", "canary: w\n", (1,), 21.4)

    check("linux", {"linux": good}, found)
    assert {"found": "it waited 21 s for its agent"} == found
    elsewhere = canary.Build("w", 1, "SUCCESS", "Running on builder in /x\n", "canary: w\n", (1,), 21.4)
    with pytest.raises(AssertionError, match="it ran elsewhere"):
        check("linux", {"linux": elsewhere}, found)
    with pytest.raises(AssertionError, match="could not start: no executor"):
        check("linux", {"linux": canary.Build("w", hindrance="no executor")}, found)


@pytest.mark.parametrize(
    ("groups", "expected"), [("", [("none", True)]), ("agents:\n  linux: {}\n  big: {}\n", ["linux", "big"])]
)
def test_there_is_a_check_for_each_group_or_a_reason(
    groups: str, expected: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = (Path(__file__).resolve().parents[3] / "environments" / "local.yaml").read_text()
    (tmp_path / "local.yaml").write_text(f"{local}\n{groups}")
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(tmp_path / "local.yaml"))
    asked: list[Any] = []
    metafunc = SimpleNamespace(fixturenames=["label"], parametrize=lambda _, values: asked.extend(values))

    test_agents.pytest_generate_tests(metafunc)  # type: ignore[arg-type]

    assert expected == [it if isinstance(it, str) else (it.id, bool(it.marks)) for it in asked]
