"""A change that restarts Jenkins waits for what a restart would kill, and ends nothing."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from trial import Launched

from bootstrap.jenkins.controller import builds
from bootstrap.jenkins.controller.api import ask

GO_ON = "/var/lib/jenkins-agent/go-on"
SHELL = f"echo begun; until [ -e {GO_ON} ]; do sleep 0.2; done; echo ended"
FREESTYLE = f"""<project><assignedNode>infrastructure</assignedNode><canRoam>false</canRoam><builders>
<hudson.tasks.Shell><command>{SHELL}</command></hudson.tasks.Shell></builders></project>"""
PIPELINE = f"""<flow-definition plugin="workflow-job">
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<sandbox>true</sandbox><script>node('infrastructure') {{ sh '{SHELL}'; echo 'gone on' }}</script>
</definition></flow-definition>"""


def until(what: Callable[[], Any], seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert found, "it did not happen in time"
    return found


def begin(launched: Launched, name: str, text: str) -> Callable[[], str]:
    """A build that waits for a file, and a change by hand that makes the next converge restart Jenkins; the build's console."""
    context = launched.context
    context.shell.run(["rm", "-f", GO_ON], sudo=True)
    context.jenkins.create_job(name, text)
    builds.start(context.jenkins, name, {})

    def console() -> str:
        return ask(context.jenkins, "GET", f"job/{name}/1/consoleText").text

    until(lambda: "begun" in console())
    context.shell.run(["sh", "-c", "echo '# by hand' >> /etc/jenkins/jenkins.env"], sudo=True)
    return console


@pytest.mark.parametrize(("kind", "text"), [("freestyle", FREESTYLE), ("pipeline", PIPELINE)])
def test_a_restart_waits_for_a_running_build_which_succeeds(launched: Launched, kind: str, text: str) -> None:
    context, name = launched.context, f"slow-{kind}"
    client, console = context.jenkins, begin(launched, name, text)
    before = ask(client, "GET", "login").headers["X-Jenkins-Session"]
    planned = launched.run("host", "plan").stdout

    with ThreadPoolExecutor() as pool:
        applying = pool.submit(launched.done, "host", "apply")
        until(lambda: client.get_info()["quietingDown"])
        time.sleep(4)
        assert before == ask(client, "GET", "login").headers["X-Jenkins-Session"]
        context.shell.run(["touch", GO_ON], sudo=True)
        applied = applying.result()

    assert f"Running now: {name} #1" in planned
    assert f"jenkins.service waits for {name} #1 before it restarts (limit 10 min)" in applied
    assert before != ask(client, "GET", "login").headers["X-Jenkins-Session"]
    assert "SUCCESS" == until(lambda: client.get_build_info(name, 1)["result"]), console()
    assert "ended" in console()
    # A Pipeline pauses behind its step, and goes on after the restart.
    assert (kind == "pipeline") == ("gone on" in console()) == ("Pausing (Preparing for shutdown)" in console())
    assert not client.get_info()["quietingDown"]
    client.delete_job(name)


def test_who_is_in_a_hurry_is_told_what_is_interrupted(launched: Launched) -> None:
    console = begin(launched, "hurried", FREESTYLE)

    applied = launched.done("host", "apply", "--now")

    client = launched.context.jenkins
    assert "jenkins.service restarts without waiting and interrupts hurried #1" in applied
    assert "ABORTED" == until(lambda: client.get_build_info("hurried", 1)["result"]), console()
    client.delete_job("hurried")
