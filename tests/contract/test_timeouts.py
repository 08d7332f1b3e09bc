"""What a timeout bounds: in which order a declarative pipeline goes through options, agents, checkouts and conditions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

Xml = Callable[[str], str]

BOUND = "options { timeout(time: 2, unit: 'SECONDS') }"
SING = "stages {\nstage('Sing') {\nAGENT\nsteps { echo 'sung' }\n}\n}"
NOWHERE = "agent { label 'contract-nowhere' }"


def from_git(url: str) -> str:
    """A Pipeline whose script lies in a repository."""
    remote = f"<hudson.plugins.git.UserRemoteConfig><url>{url}</url></hudson.plugins.git.UserRemoteConfig>"
    branch = "<hudson.plugins.git.BranchSpec><name>*/main</name></hudson.plugins.git.BranchSpec>"
    scm = f"<userRemoteConfigs>{remote}</userRemoteConfigs><branches>{branch}</branches>"
    kind = "org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition"
    definition = f'<scm class="hudson.plugins.git.GitSCM">{scm}</scm><scriptPath>ci/Jenkinsfile</scriptPath>'
    return f'<flow-definition><definition class="{kind}">{definition}</definition></flow-definition>'


def test_options_lie_within_the_agent_beside_them(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline(f"pipeline {{\nagent any\n{BOUND}\n{SING.replace('AGENT', '')}\n}}"))
    _, log = server.run(name)
    assert log.index("[Pipeline] node") < log.index("[Pipeline] timeout") < log.index("[Pipeline] echo")
    assert log.index("[Pipeline] // timeout") < log.index("[Pipeline] // node")


def test_timeout_beside_an_agent_does_not_bound_the_wait_for_it(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline(f"pipeline {{\n{NOWHERE}\n{BOUND}\n{SING.replace('AGENT', '')}\n}}"))
    number = server.begin(name)
    time.sleep(4)
    log = server.client.get_build_console_output(name, number)
    assert server.client.get_build_info(name, number)["result"] is None
    assert "timeout" not in log
    server.client.stop_build(name, number)
    assert server.finish(name, number)[0]["result"] == "ABORTED"


@pytest.mark.parametrize("is_whole", [True, False], ids=["of the build", "of the stage"])
def test_timeout_around_an_agent_bounds_the_wait_for_it(server: Any, name: str, pipeline: Xml, is_whole: bool) -> None:
    stages = SING.replace("AGENT", NOWHERE if is_whole else f"{NOWHERE}\n{BOUND}\n")
    post = "post { aborted { echo 'post of the timeout' } }"
    server.create("", name, pipeline(f"pipeline {{\nagent none\n{BOUND if is_whole else ''}\n{stages}\n{post}\n}}"))
    build, log = server.run(name)
    assert build["result"] == "ABORTED"
    assert "Cancelling nested steps due to timeout" in log
    assert "post of the timeout" in log
    assert "sung" not in log


def test_timeout_around_an_agent_holds_the_checkout(
    server: Any, name: str, pipeline: Xml, repository: Callable[[dict[str, str]], str]
) -> None:
    stages = SING.replace("AGENT", "agent any")
    url = repository({"ci/Jenkinsfile": f"pipeline {{\nagent none\n{BOUND.replace('2', '60')}\n{stages}\n}}"})
    server.create("", name, from_git(url))
    _, log = server.run(name)
    places = [log.index(f"[Pipeline] {word}") for word in ("timeout", "stage", "node", "checkout", "// timeout")]
    assert places == sorted(places)


def test_when_is_asked_at_the_place_that_its_flags_say(server: Any, name: str, pipeline: Xml) -> None:
    condition = "expression { echo 'asked'; return true }"
    more = "agent any\noptions { timeout(time: 1, unit: 'HOURS') }\nwhen { FLAG\n" + condition + " }"
    orders = {
        "": ["timeout", "node", "echo"],
        "beforeAgent true": ["timeout", "echo", "node"],
        "beforeInput true": ["timeout", "echo", "node"],
        "beforeOptions true": ["echo", "timeout", "node"],
    }
    found = {}
    for flag in orders:
        stages = f"stages {{ stage('One') {{ {more.replace('FLAG', flag)}\nsteps {{ sleep 0 }} }} }}"
        script = pipeline(f"pipeline {{\nagent none\n{stages}\n}}")
        if server.client.job_exists(name):
            server.client.reconfig_job(name, script)
        else:
            server.create("", name, script)
        _, log = server.run(name)
        found[flag] = sorted(("timeout", "node", "echo"), key=lambda word: log.index(f"[Pipeline] {word}\n"))
    assert found == orders
