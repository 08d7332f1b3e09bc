"""Groups of agents: their clouds in Jenkins, their Auto Scaling groups, and a build on an agent of each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import canary
import pytest

from bootstrap.acts.verify import ENVIRONMENT_VARIABLE, FOUND
from bootstrap.context import Context
from bootstrap.environment import settings
from bootstrap.environment.agents import AgentGroup
from bootstrap.jenkins.definitions import fleets


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One check for each group, so that each has its own line in the table and in the JUnit file."""
    if "label" in metafunc.fixturenames:
        labels = list(settings.load(Path(os.environ[ENVIRONMENT_VARIABLE])).agents)
        nothing = pytest.param("", marks=pytest.mark.skip(reason="the environment has no groups of agents"), id="none")
        metafunc.parametrize("label", labels or [nothing])


def test_jenkins_has_the_cloud_of_the_group(label: str, exported_settings: dict[str, Any], context: Context) -> None:
    """Jenkins has a cloud for the group, with the sizes and times of the environment file."""
    clouds = [it[fleets.KIND] for it in exported_settings["jenkins"].get("clouds", ()) if fleets.KIND in it]
    group: AgentGroup = context.settings.agents[label]

    (cloud,) = [it for it in clouds if it["name"] == label]

    wished = {
        "fleet": context.settings.name_stack(f"agents-{label}"),
        "labelString": label,
        "minSize": group.minimum,
        "maxSize": group.maximum,
        "minSpareSize": group.spare,
        "numExecutors": group.executors,
        "idleMinutes": group.idle_minutes,
        "restrictUsage": group.exclusive,
        "disableTaskResubmit": True,
    }
    assert wished == {key: cloud.get(key) for key in wished}
    verification = cloud["computerConnector"]["sshConnector"]["sshHostKeyVerificationStrategy"]
    assert ["manuallyProvidedKeyVerificationStrategy"] == list(verification), "the host key of an agent is verified"


def test_the_group_scales_as_the_environment_file_says(
    label: str, scaling_groups: dict[str, dict[str, Any]], context: Context, record_property: Any
) -> None:
    """The Auto Scaling group has its sizes, and only Jenkins takes an instance out of it."""
    group: AgentGroup = context.settings.agents[label]
    assert label in scaling_groups, "there is no such group"
    found = scaling_groups[label]

    assert (group.minimum, group.maximum) == (found["MinSize"], found["MaxSize"])
    assert found["NewInstancesProtectedFromScaleIn"] is True
    unprotected = [it["InstanceId"] for it in found["Instances"] if not it["ProtectedFromScaleIn"]]
    assert [] == unprotected, "its next scale-in may end a build"
    record_property(FOUND, f"{len(found['Instances'])} of {found['MaxSize']} instances")


def test_a_build_runs_on_an_agent_of_the_group(
    label: str, group_builds: dict[str, canary.Build], record_property: Any
) -> None:
    """A build runs on an agent of the group."""
    build = group_builds[label]
    assert "" == build.hindrance, f"the canary could not start: {build.hindrance}"
    assert "SUCCESS" == build.result, build.log
    assert canary.find_agent(build.log).startswith(f"{label} i-"), "it ran elsewhere"
    assert f"canary: {build.word}\n" == build.artifact
    record_property(FOUND, f"it waited {build.waited:.0f} s for its agent")
