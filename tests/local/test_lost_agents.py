"""Agents are lost in the middle of builds, Jenkins restarts, idle agents end. Jenkins waits two minutes for a lost agent."""

from __future__ import annotations

import re

import pytest
from agent_builds import ON_AGENT, UNGUARDED, Fleet, kill_container, wait_for

LOST = """
pipeline {
    agent none
    stages {
        stage('a') {
            agent { label 'linux' }
            options { retry(count: 2, conditions: [agent(), nonresumable()]) }
            steps { sh 'echo run-began; sleep 45; echo run-ended' }
        }
    }
}
"""
KEEPS_ON = "node('linux') { sh 'for number in 1 2 3 4 5 6 7 8 9 10 11 12; do echo line-$number; sleep 2; done' }"


@pytest.fixture(scope="module")
def lost(fleet: Fleet) -> dict[str, str]:
    """Three builds whose agents were lost: two of one kind, whose stage may run again, and one without `retry`."""
    scripts = {"power": LOST, "terminated": LOST, "unguarded": UNGUARDED}
    jobs = {name: fleet.start(script) for name, script in scripts.items()}
    places = {}
    for name, job in jobs.items():
        match = re.search(ON_AGENT, fleet.await_line(job, "\nrun-began"))
        assert match is not None
        places[name] = match[1]
    assert 3 == len({*places.values()})
    ec2 = fleet.launched.context.world.aws("ec2")
    ec2.terminate_instances(InstanceIds=[places["terminated"], places["unguarded"]])
    kill_container(places["power"])
    return jobs


def test_a_build_goes_on_while_jenkins_restarts(fleet: Fleet, lost: dict[str, str]) -> None:
    for job in lost.values():  # a restart would make them wait once more
        fleet.await_line(job, "\nFinished: ", 300)  # two minutes for the lost agent, then a new one and the stage again
    job = fleet.start(KEEPS_ON)
    fleet.await_line(job, "\nline-2")
    fleet.launched.context.shell.run(["systemctl", "restart", "jenkins.service"], sudo=True)

    console = fleet.finish(job)

    assert [f"line-{number}" for number in range(1, 13)] == re.findall(r"(?m)^line-\d+$", console)


@pytest.mark.parametrize("name", ["power", "terminated"])
def test_a_stage_runs_again_when_its_agent_is_lost(fleet: Fleet, lost: dict[str, str], name: str) -> None:
    console = fleet.finish(lost[name])

    assert (2, 1) == (console.count("\nrun-began"), console.count("\nrun-ended"))
    assert "Retrying" in console
    assert 2 == len({*re.findall(ON_AGENT, console)})


def test_without_retry_a_build_ends_with_its_agent(fleet: Fleet, lost: dict[str, str]) -> None:
    console = fleet.await_line(lost["unguarded"], "\nFinished: ")

    assert "Agent was removed" in console
    assert re.search(r"\nFinished: (ABORTED|FAILURE)\n", console), console


INTO_CONNECTION = """node('linux') { sh '''set +ex
for descriptor in /proc/$(pgrep -u jenkins -f agent.pyz -n)/fd/*; do
    case $(readlink $descriptor) in
        pipe:*) timeout 1 sh -c "echo no message > $descriptor" && echo "wrote: $descriptor" ;;
    esac
done
sleep 20''' }"""


def test_what_a_build_writes_into_its_agents_connection_harms_itself_alone(fleet: Fleet, lost: dict[str, str]) -> None:
    """The agent's program is the same user's, so a build can end it or speak for it; Jenkins takes no harm."""
    hostile = fleet.start(INTO_CONNECTION)
    fleet.await_line(hostile, "\nFinished: ")

    assert "Running on linux i-" in fleet.run("node('linux') { sh 'true' }")


def test_idle_agents_end(fleet: Fleet, lost: dict[str, str]) -> None:
    wait_for(lambda: not fleet.list_nodes("linux"), "an idle agent stays", 240)
    group = wait_for(lambda: (it := fleet.describe("linux")) and not it["Instances"] and it, "an instance stays")

    assert 0 == group["DesiredCapacity"]
