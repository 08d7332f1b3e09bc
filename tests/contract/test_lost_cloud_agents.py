"""Builds on instances of an Auto Scaling group whose controller or agent went: what goes on, is tried again, or is aborted."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contract.cloud_trials import Trial

pytestmark = pytest.mark.own_process


def test_a_freestyle_build_fails_with_its_agent(trial: Trial, freestyle: Callable[..., str]) -> None:
    xml = freestyle("echo begun; sleep 4326").replace("<properties>", "<assignedNode>linux</assignedNode><properties>")
    trial.server.create("", "f", xml)
    build = trial.server.begin("f")
    trial.await_line("f", build, "\nbegun\n")

    trial.cloud.sshd.drop()
    ended, console = trial.server.finish("f", build)

    assert "FAILURE" == ended["result"] and "\nAgent went offline during the build\n" in console
    (node,) = trial.nodes().values()
    assert "hudson.slaves.OfflineCause$ChannelTermination" == node["offlineCause"]["_class"]
    trial.server.until(lambda: not subprocess.run(["pgrep", "-f", "^sleep 4326$"], capture_output=True).stdout)


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, signal.SIGKILL, 0], ids=["stopped", "killed", "stopped with its children"]
)
def test_a_build_goes_on_after_the_controller_went(trial: Trial, pipeline: Callable[[str], str], number: int) -> None:
    gate = trial.cloud.folder.parent / "gate"
    script = f"""node('linux') {{ withEnv(['MINE=kept']) {{
        sh 'for i in 1 2 3; do echo early $i; done; while [ ! -e {gate} ]; do sleep 0.1; done; echo "late $MINE"'
        sh 'echo after'
    }} }}"""
    trial.server.create("", "p", pipeline(script))
    build = trial.server.begin("p")
    trial.await_line("p", build, "early 3\n")

    if not number:  # as systemd does
        subprocess.run(["pkill", "-TERM", "-P", str(trial.service.process.pid)], check=True)
    trial.service.stop(number or signal.SIGTERM)
    gate.touch()
    time.sleep(0.5)
    trial.start()
    ended, console = trial.server.finish("p", build)

    assert "SUCCESS" == ended["result"], console
    (instance,) = trial.cloud.members
    assert f"Waiting for reconnection of {instance} before proceeding with build" in console
    assert "Resuming build at" in console and "Ready to run at" in console
    assert [1, 1, 1] == [console.count(f"\nearly {each}\n") for each in (1, 2, 3)]
    assert 1 == console.count("\nlate kept\n") and 1 == console.count("\nafter\n")
    assert 1 == console.count("Running on linux") and "seems to be removed" not in console


def test_a_step_that_cannot_go_on_after_a_restart_fails_and_is_tried_again(
    trial: Trial, pipeline: Callable[[str], str]
) -> None:
    pipe = trial.cloud.folder.parent / "pipe"
    script = f"""retry(count: 2, conditions: [agent(), nonresumable()]) {{ node('linux') {{
        sh 'if [ ! -e {pipe} ]; then mkfifo {pipe}; fi; echo made'
        if (fileExists('{pipe}.done')) {{ echo 'second' }} else {{ readFile '{pipe}' }}
    }} }}"""
    trial.server.create("", "p", pipeline(script))
    build = trial.server.begin("p")
    trial.await_line("p", build, "[Pipeline] readFile")
    time.sleep(0.3)

    trial.service.stop(signal.SIGKILL)
    Path(f"{pipe}.done").touch()
    trial.start()
    ended, console = trial.server.finish("p", build)

    assert "SUCCESS" == ended["result"], console
    assert "The Pipeline step `readFile` cannot be resumed after a controller restart." in console
    assert "Retrying" in console and "\nsecond\n" in console


def find_cause(console: str) -> str:
    """Why the block of a lost agent ended: the script's own time was out first, or that of the deleted node."""
    causes = ("Timeout waiting for agent to come back", "Agent was removed")
    return next(cause for cause in causes if cause in console)


def test_a_lost_agent_is_waited_for_and_then_the_stage_runs_again(trial: Trial, pipeline: Callable[[str], str]) -> None:
    once = trial.cloud.folder.parent / "once"
    body = f"node('linux') {{ sh 'if [ -e {once} ]; then echo again; else touch {once}; echo begun; sleep 4323; fi' }}"
    trial.server.create("", "p", pipeline(f"retry(count: 2, conditions: [agent(), nonresumable()]) {{ {body} }}"))
    build = trial.server.begin("p")
    trial.await_line("p", build, "\nbegun\n")
    (instance,) = trial.cloud.members

    trial.cloud.terminate(instance)
    ended, console = trial.server.finish("p", build)

    assert "SUCCESS" == ended["result"], console
    expected = (
        f"{instance} seems to be removed or offline (hudson.remoting.ChannelClosedException: ",
        "; will wait for 4 sec for it to come back online",
        find_cause(console),
        "Retrying",
        "\nagain\n",
    )
    assert sorted(console.index(words) for words in expected) == [console.index(words) for words in expected]
    assert instance not in trial.cloud.members
    subprocess.run(["pkill", "-f", "^sleep 4323$"])


def test_without_a_retry_the_build_is_aborted_and_says_why(trial: Trial, pipeline: Callable[[str], str]) -> None:
    trial.server.create("", "p", pipeline("node('linux') { sh 'echo begun; sleep 4324' }"))
    build = trial.server.begin("p")
    trial.await_line("p", build, "\nbegun\n")

    trial.cloud.terminate(trial.cloud.members[0])
    ended, console = trial.server.finish("p", build)

    assert "ABORTED" == ended["result"] and find_cause(console)
    subprocess.run(["pkill", "-f", "^sleep 4324$"])


def test_the_plugin_starts_a_build_anew_unless_it_is_told_not_to(trial: Trial, pipeline: Callable[[str], str]) -> None:
    trial.apply(disableTaskResubmit=False)
    trial.server.create("", "p", pipeline("retry(2) { node('linux') { sh 'echo begun; sleep 4325' } }"))
    build = trial.server.begin("p")
    trial.await_line("p", build, "\nbegun\n")
    (instance,) = trial.cloud.members

    trial.cloud.sshd.drop()
    ended, console = trial.server.finish("p", build)

    assert "ABORTED" == ended["result"] and "Retrying" not in console
    assert f"EC2 instance for node linux {instance} was terminated" in console
    (item,) = trial.server.client.get_queue_info()
    assert ("p", "In the quiet period.") == (item["task"]["name"], item["why"][:20])
    assert [] == [each for action in item["actions"] for each in action.get("causes", [])]
    subprocess.run(["pkill", "-f", "^sleep 4325$"])
