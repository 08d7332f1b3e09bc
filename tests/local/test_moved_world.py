"""A kept plan is launched only while the world is as it was; and what somebody edited in Jenkins is planned and put back."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from trial import NAME, Launched, commit

from bootstrap.jenkins.controller.api import ask, expect

SITE = "/etc/nginx/conf.d/jenkins.conf"
MESSAGE = "Managed as code"
CHANGE = re.compile(r"^      [+~±-] (.*)$", re.MULTILINE)


@pytest.fixture(scope="module")
def plan(launched: Launched, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The plan of a world in which nothing is to do."""
    path = tmp_path_factory.mktemp("plan") / "kept.json"
    assert "nothing to do" in launched.done("plan", "--out", str(path))
    return path


@contextmanager
def edited_job(launched: Launched) -> Iterator[None]:
    before = launched.context.jenkins.get_job_config("canary")
    launched.context.jenkins.reconfig_job("canary", before.replace("<keepDependencies>false", "<keepDependencies>true"))
    yield
    launched.context.jenkins.reconfig_job("canary", before)


@contextmanager
def edited_file(launched: Launched) -> Iterator[None]:
    shell = launched.context.shell
    shell.run(["cp", "-p", SITE, "/root/kept"], sudo=True)
    shell.run(["sed", "-i", "1i # by hand", SITE], sudo=True)
    yield
    shell.run(["cp", "-p", "/root/kept", SITE], sudo=True)


@contextmanager
def edited_setting(launched: Launched) -> Iterator[None]:
    """Another system message in force, with the files as they were: as the form of the web interface leaves it."""
    path = "/etc/jenkins/casc.d/controller.yaml"
    shell = launched.context.shell
    shell.run(["cp", "-p", path, "/root/kept"], sudo=True)
    shell.run(["sed", "-i", f"s/{MESSAGE}/By hand/", path], sudo=True)
    reload(launched)
    shell.run(["cp", "-p", "/root/kept", path], sudo=True)
    yield
    reload(launched)


def reload(launched: Launched) -> None:
    expect(ask(launched.context.jenkins, "POST", "configuration-as-code/reload"), "reloading", 302)


@contextmanager
def another_commit(launched: Launched) -> Iterator[None]:
    commit(launched.checkout, "something else")
    yield
    subprocess.run(["git", "reset", "--quiet", "--hard", "HEAD~1"], cwd=launched.checkout, check=True)


# What is moved, and what the refusal must name.
MOVES: dict[str, tuple[Callable[[Launched], object], str]] = {
    "a job edited in Jenkins": (edited_job, r"jobs: changed since the plan: canary$"),
    "a file of the machine": (edited_file, r"host: pending, but not planned: alter nginx site"),
    "a setting edited in Jenkins": (edited_setting, r"casc: changed since the plan: jenkins\.systemMessage$"),
    "a commit": (another_commit, r"host: changed since the plan: the commit \(commit \w+, now \w+\)"),
}


@pytest.mark.parametrize("move", MOVES)
def test_a_moved_world_is_refused_with_what_moved(launched: Launched, plan: Path, move: str) -> None:
    moved, named = MOVES[move]
    with moved(launched):  # type: ignore[attr-defined]
        found = launched.run("launch", "--skip-verify", "--plan", str(plan))

    assert (1, True) == (found.returncode, "PlanStale" in found.stderr), found.stdout + found.stderr
    assert re.search(named, found.stderr, re.MULTILINE), found.stderr
    assert [] == CHANGE.findall(found.stdout)


def test_a_world_that_is_again_as_it_was_planned_with_is_launched(launched: Launched, plan: Path) -> None:
    assert "nothing had to change" in launched.done("launch", "--skip-verify", "--plan", str(plan))


def test_a_stack_changed_behind_the_plans_back_is_named(launched: Launched, plan: Path) -> None:
    client = launched.context.world.aws("cloudformation")
    name = f"jenkins-{NAME}-acls"
    tags = client.describe_stacks(StackName=name)["Stacks"][0]["Tags"]
    for given in ([*tags, {"Key": "By", "Value": "hand"}], tags):
        client.update_stack(StackName=name, UsePreviousTemplate=True, Tags=given, Parameters=previous(client, name))
        client.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})

    found = launched.run("launch", "--skip-verify", "--plan", str(plan))

    assert 1 == found.returncode, found.stdout
    assert f"stack: changed since the plan: {name}" in found.stderr


def previous(client: object, name: str) -> list[dict[str, object]]:
    found = client.describe_stacks(StackName=name)["Stacks"][0].get("Parameters", [])  # type: ignore[attr-defined]
    return [{"ParameterKey": it["ParameterKey"], "UsePreviousValue": True} for it in found]


def test_a_plan_with_changes_is_launched_exactly(launched: Launched, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    launched.context.shell.run(["sed", "-i", "1i # by hand", SITE], sudo=True)
    with edited_setting(launched):
        planned = launched.run("-v", "plan", "--out", str(kept))
        done = launched.done("launch", "--skip-verify", "--plan", str(kept))

    assert 2 == planned.returncode, planned.stdout + planned.stderr
    changes = [change for act in json.loads(kept.read_text())["acts"].values() for change in act["changes"]]
    assert {"nginx site", "jenkins.systemMessage"} <= {change["name"] for change in changes}
    assert {f"{change['name']}  {change['detail']}".strip() for change in changes} <= set(CHANGE.findall(done))
    assert re.search(rf"^ +-By hand.*\n +\+{MESSAGE}", planned.stdout, re.MULTILINE), planned.stdout
    assert "nothing to do" in launched.done("plan")


def test_drift_tells_an_edited_setting_line_by_line(launched: Launched) -> None:
    with edited_setting(launched):
        found = launched.run("-v", "drift")

    assert 2 == found.returncode
    (row,) = [line for line in found.stdout.splitlines() if "jenkins.systemMessage" in line and "casc apply" in line]
    assert "is By hand" in row and "a reload overwrites it" in row
    assert re.search(rf"^ +-By hand.*\n +\+{MESSAGE}", found.stdout, re.MULTILINE), found.stdout
