"""A change that restarts Jenkins waits for what a restart would kill, and ends nothing."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from trial import Launched

from bootstrap.controller import builds
from bootstrap.controller.api import ask

FREESTYLE = """<project><assignedNode>infrastructure</assignedNode><canRoam>false</canRoam><builders>
<hudson.tasks.Shell><command>echo begun; sleep 20; echo ended</command></hudson.tasks.Shell></builders></project>"""
PIPELINE = """<flow-definition plugin="workflow-job">
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<sandbox>true</sandbox><script>node('infrastructure') { sh 'echo begun; sleep 20; echo ended'; echo 'gone on' }</script>
</definition></flow-definition>"""


def until(what: Callable[[], Any], seconds: float = 60) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := what()) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert found, "it did not happen in time"
    return found


@pytest.mark.parametrize(("kind", "text"), [("freestyle", FREESTYLE), ("pipeline", PIPELINE)])
def test_a_restart_waits_for_a_running_build_which_succeeds(launched: Launched, kind: str, text: str) -> None:
    context, name = launched.context, f"slow-{kind}"
    client = context.jenkins

    def console() -> str:
        return ask(client, "GET", f"job/{name}/1/consoleText").text

    def session() -> str:
        return ask(client, "GET", "login").headers["X-Jenkins-Session"]

    client.create_job(name, text)
    builds.start(client, name, {})
    until(lambda: "begun" in console())
    before = session()
    context.shell.run(["sh", "-c", "echo '# by hand' >> /etc/jenkins/jenkins.env"], sudo=True)
    planned = launched.run("host", "plan").stdout
    applied = launched.done("host", "apply")

    assert f"Now run: {name} #1" in planned
    assert f"jenkins.service waits for {name} #1 before it restarts (limit 10 min)" in applied
    assert before != session()
    assert "SUCCESS" == until(lambda: client.get_build_info(name, 1)["result"]), console()
    assert "ended" in console()
    assert ("gone on" in console()) == (kind == "pipeline")
    assert not client.get_info()["quietingDown"]
    client.delete_job(name)


def test_who_is_in_a_hurry_is_told_what_is_interrupted(launched: Launched) -> None:
    context = launched.context
    client = context.jenkins
    client.create_job("hurried", FREESTYLE)
    builds.start(client, "hurried", {})
    until(lambda: "begun" in ask(client, "GET", "job/hurried/1/consoleText").text)
    context.shell.run(["sh", "-c", "echo '# by hand' >> /etc/jenkins/jenkins.env"], sudo=True)

    applied = launched.done("host", "apply", "--now")

    assert "jenkins.service restarts without waiting and interrupts hurried #1" in applied
    assert "ABORTED" == until(lambda: client.get_build_info("hurried", 1)["result"])
    client.delete_job("hurried")
