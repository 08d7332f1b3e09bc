"""Many builds wait for few agents: none is lost or doubled, also where agents are killed and Jenkins restarts.

BUILDS and KILLS say how many; SEED repeats the random choices. What was measured is printed, and judged by nobody.
"""

from __future__ import annotations

import json
import random
import re
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator

import pytest
from agent_builds import ON_AGENT, Fleet, wait_for
from scale_builds import BUILDS, GROUP, KILLS, SEED, Crowd, Killer, MemoryWatch, Outcome, read_all_marks
from trial import Launched

from bootstrap.jenkins.controller.api import ask
from bootstrap.local.aws.access.keys import TOKEN

GROUPS = f"""
agents:
  {GROUP}:
    maximum: 8
    executors: 2
    idle_minutes: 60
  brief:
    maximum: 2
    spot: true
  alone:
    maximum: 3
    idle_minutes: 60
  ready:
    maximum: 2
    spare: 1
"""
MARK = "node('{label}') {{ sh 'echo run-began; sleep 1' }}"
INTERRUPTED = """pipeline {
    agent none
    stages {
        stage('work') {
            agent { label 'brief' }
            options { retry(count: 3, conditions: [agent(), nonresumable()]) }
            steps { sh 'echo run-began; sleep 40; echo run-ended' }
        }
    }
}"""


def say(words: str) -> None:
    print(f"scale: {words}", flush=True)


@pytest.fixture(scope="module")
def fleet(launched: Launched) -> Iterator[Fleet]:
    """The environment with the groups of this trial."""
    say(f"SEED={SEED} BUILDS={BUILDS} KILLS={KILLS}")
    launched.environment_file.write_text(launched.environment_file.read_text() + GROUPS)
    launched.done("launch", "--skip-verify")
    launched.reopen()
    made = Fleet(launched)
    yield made
    made.clean()


@pytest.fixture
def crowd(fleet: Fleet) -> Iterator[Crowd]:
    """A crowd of builds with random choices of its own, whose jobs go with it."""
    yield Crowd(fleet, random.Random(SEED))
    ask(fleet.launched.context.jenkins, "POST", "cancelQuietDown")
    fleet.clean()


def measure_start(fleet: Fleet, *labels: str) -> list[float]:
    """Queue a build for each label at once; the seconds until each of them runs, sorted."""
    begun = time.monotonic()
    waiting = {fleet.start(MARK.format(label=label)) for label in labels}
    taken = []
    while waiting:
        assert time.monotonic() < begun + 300, f"they do not start: {[fleet.read_console(job) for job in waiting]}"
        for job in [job for job in waiting if "\nrun-began" in fleet.read_console(job)]:
            taken.append(time.monotonic() - begun)
            waiting.discard(job)
    for job in fleet.jobs:
        fleet.finish(job)
    fleet.clean()
    return taken


def test_builds_start(fleet: Fleet) -> None:
    """Cold: no instance runs. Warm: one stands by. Three at once: for a group of instances with one executor each."""
    fleet_of = wait_for(lambda: [it for it in fleet.list_nodes("ready").values() if not it["offline"]], "no spare")
    assert fleet_of
    measured = {
        "three at once, no instance there": measure_start(fleet, "alone", "alone", "alone"),
        "no instance there": measure_start(fleet, GROUP),
        "an instance there": measure_start(fleet, GROUP),
        "a spare there": measure_start(fleet, "ready"),
    }
    for name, taken in measured.items():
        say(f"start, {name}: {' '.join(f'{seconds:.1f}' for seconds in taken)} s")


def check_each_once(crowd: Crowd, outcomes: list[Outcome]) -> None:
    """Each build that was queued is there once."""
    assert set(range(1, sum(crowd.queued.values()) + 1)) == {it.number for it in outcomes}
    assert sum(crowd.queued.values()) == len(outcomes)


def count_misses(fleet: Fleet, since: float) -> int:
    """How often an update of a cloud failed since a moment, as the journal of Jenkins says; the lines are printed."""
    command = ["journalctl", "-u", "jenkins.service", "-o", "cat", "--no-pager", f"--since=@{int(since)}"]
    lines = fleet.launched.context.shell.run(command, sudo=True).stdout.splitlines()
    pairs = zip(lines, [*lines[1:], ""], strict=True)
    found = [f"{line} | {after}" for line, after in pairs if "stats update" in line]
    for line in found[:20]:
        say(line)
    return len(found)


def test_no_build_is_lost_or_doubled(fleet: Fleet, crowd: Crowd) -> None:
    began, since = read_all_marks(fleet, "began"), time.time()
    taken = {}
    with MemoryWatch(fleet) as memory:
        marks_of_queue = {0, BUILDS // 4, BUILDS}
        crowd.queue("freestyle", "plain", watch=lambda n: n in marks_of_queue and taken.update({n: memory.read()}))
        crowd.await_ended(BUILDS, 60 + 6 * BUILDS)
    seconds = time.monotonic() - crowd.begun
    outcomes = crowd.collect()

    check_each_once(crowd, outcomes)
    assert {"SUCCESS"} == {it.result for it in outcomes}
    for outcome in outcomes:
        assert 1 == len(outcome.list_agents("began")) == len(outcome.list_agents("ended")), outcome.console
    marks = Counter(it.mark for it in outcomes)
    assert marks == read_all_marks(fleet, "began") - began
    assert 0 == count_misses(fleet, since)
    agents = {agent for it in outcomes for agent in it.list_agents("began")}
    assert 8 == len(agents) or BUILDS < 200
    say(f"{BUILDS} builds over {len(agents)} agents: {seconds:.0f} s, {BUILDS / seconds * 60:.0f} builds a minute")
    queued = ", ".join(f"{size} MB with {number} in the queue" for number, size in taken.items())
    say(f"memory of jenkins.service: {queued}, at most {memory.most} MB while they run")


def check_lossless(outcome: Outcome) -> None:
    """A build that may run again has succeeded, and its console says why it ran again."""
    assert "SUCCESS" == outcome.result, outcome.console
    began, ended = outcome.list_agents("began"), outcome.list_agents("ended")
    assert 1 == len(ended), outcome.console
    assert len(began) - 1 <= outcome.console.count("Retrying") <= 2, outcome.console
    if len(began) > 1:
        assert re.search("Agent was removed|Timeout waiting for agent|offline|Remote call", outcome.console)


def check_told(outcome: Outcome, lost: set[str]) -> None:
    """A build that runs once has succeeded, or its failure says that its agent was lost."""
    if outcome.result == "SUCCESS":
        assert 1 == len(outcome.list_agents("began")) == len(outcome.list_agents("ended")), outcome.console
        return
    assert outcome.result in {"FAILURE", "ABORTED"}, outcome.console
    assert lost & set(re.findall("i-[0-9a-f]+", outcome.console)), outcome.console
    assert re.search("Agent was removed|went offline|Remote call|was deleted", outcome.console), outcome.console


def test_agents_are_killed_and_no_build_is_lost_silently(fleet: Fleet, crowd: Crowd) -> None:
    crowd.queue("guarded", "guarded", "freestyle", "guarded", "plain")
    crowd.await_ended(BUILDS // 10, 300)
    killer = Killer(crowd)

    killer.kill(KILLS)
    crowd.await_ended(BUILDS, 600 + 6 * BUILDS)
    outcomes = crowd.collect()

    check_each_once(crowd, outcomes)
    for outcome in outcomes:
        if outcome.job == "guarded":
            check_lossless(outcome)
        else:
            check_told(outcome, set(killer.lost))
    again = sum(len(it.list_agents("began")) > 1 for it in outcomes)
    failed = sum(it.result != "SUCCESS" for it in outcomes)
    say(f"lost: {killer.lost}")
    say(f"{len(killer.lost)} agents killed: {sum(killer.hits.values())} builds hit, {again} ran again, {failed} failed")
    assert again + failed > 0, "else no kill met a build"


def test_pipelines_outlive_a_restart_and_a_kill_of_jenkins(fleet: Fleet, crowd: Crowd) -> None:
    shell, since = fleet.launched.context.shell, read_all_marks(fleet, "began")
    crowd.queue("plain")
    crowd.await_ended(BUILDS // 4, 300)
    shell.run(["systemctl", "restart", "jenkins.service"], sudo=True)
    wait_for(lambda: crowd.count_ended() >= BUILDS // 2, "the builds do not go on after the restart", 600)
    shell.run(["systemctl", "kill", "--kill-whom=main", "--signal=KILL", "jenkins.service"], sudo=True)

    crowd.await_ended(BUILDS, 600 + 6 * BUILDS)
    outcomes = crowd.collect()

    check_each_once(crowd, outcomes)
    assert {"SUCCESS"} == {it.result for it in outcomes}, [it.console for it in outcomes if it.result != "SUCCESS"][:3]
    for outcome in outcomes:
        assert 1 == len(outcome.list_agents("began")) == len(outcome.list_agents("ended")), outcome.console
    assert Counter(it.mark for it in outcomes) == read_all_marks(fleet, "began") - since
    resumed = sum("Resuming build" in it.console for it in outcomes)
    say(f"{BUILDS} Pipelines with a restart and a kill of Jenkins: {resumed} were resumed")
    assert resumed


def test_an_interrupted_spot_instance_costs_a_second_run(fleet: Fleet) -> None:
    launched, job = fleet.launched, fleet.start(INTERRUPTED)
    match = re.search(ON_AGENT.replace("linux", "brief"), fleet.await_line(job, "\nrun-began", 240))
    assert match is not None
    token = (launched.state / "cloud" / TOKEN).read_text()
    request = urllib.request.Request(
        f"{launched.endpoint}/_bootstrap/spot",
        data=json.dumps({"interrupt": match[1], "seconds": 5}).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()

    console = fleet.finish(job, 400)

    assert (2, 1) == (console.count("\nrun-began"), console.count("\nrun-ended"))
    assert "Agent was removed" in console and "Retrying" in console
    assert 2 == len({*re.findall(ON_AGENT.replace("linux", "brief"), console)})
    ec2 = launched.context.world.aws("ec2")
    reason = ec2.describe_instances(InstanceIds=[match[1]])["Reservations"][0]["Instances"][0]["StateReason"]
    assert "Server.SpotInstanceTermination" == reason["Code"]
