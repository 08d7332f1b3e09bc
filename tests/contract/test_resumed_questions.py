"""A Pipeline's open question survives the end of the process, and its answer goes on with what was left."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from typing import Any

import pytest
import requests

from tests.contract.restarted import connect, wait

pytestmark = pytest.mark.own_process


ENDS = [signal.SIGKILL, signal.SIGTERM]
ASKING = """
pipeline {
  agent none
  parameters { string(name: 'WHO', defaultValue: 'world') }
  options { timestamps(); timeout(time: 10, unit: 'MINUTES') }
  environment { COLOUR = 'green'; GUEST = "${params.WHO}" }
  stages {
    stage('Before') {
      agent any
      steps {
        script {
          env.FOUND = sh(script: 'echo x >> times; wc -l < times', returnStdout: true).trim()
          currentBuild.description = "told ${FOUND}"
        }
        withCredentials([string(credentialsId: 'token', variable: 'TOKEN')]) {
          sh 'printf "%s" "$TOKEN" | wc -c'
          echo "holds ${env.TOKEN}"
        }
        catchError(buildResult: 'UNSTABLE', stageResult: 'UNSTABLE') { error 'not so well' }
      }
    }
    stage('Ask') {
      parallel {
        stage('Beside') { agent any
          steps { sh 'echo beside >> beside' } }
        stage('Question') { steps { script {
          def given = input(id: 'Question', message: 'Go on?', parameters: [string(name: 'HOW', defaultValue: 'x')])
          echo "answered ${given}"
        } } }
      }
    }
    stage('After') {
      agent any
      steps {
        input id: 'Again', message: 'Really?'
        sh 'echo "after: $FOUND $COLOUR $GUEST; $(wc -l < times) $(wc -l < beside)"'
      }
    }
  }
  post { always { echo "the end: ${currentBuild.currentResult}" } }
}
"""


def console(fresh: Any, job: str) -> str:
    return str(connect(fresh).get_build_console_output(job, 1))


def waits(fresh: Any, job: str, identifier: str) -> bool:
    """Whether the build shows that question as open."""
    tree = {"tree": "actions[waitingForInput,executions[id]]"}
    found = requests.get(f"{fresh.url}/job/{job}/1/api/json", params=tree, auth=("admin", "admin-password"), timeout=30)
    actions = found.json().get("actions", []) if found.ok else []
    return identifier in [it["id"] for action in actions for it in action.get("executions") or []]


def answer(fresh: Any, job: str, path: str, data: dict[str, str] | None = None) -> int:
    session = requests.Session()
    session.auth = ("admin", "admin-password")
    crumb = session.get(f"{fresh.url}/crumbIssuer/api/json", timeout=30).json()
    session.headers[crumb["crumbRequestField"]] = crumb["crumb"]
    return session.post(
        f"{fresh.url}/job/{job}/1/input/{path}", data=data, allow_redirects=False, timeout=30
    ).status_code


def restart(fresh: Any, number: int) -> None:
    fresh.stop(number)
    fresh.start()


def asking(fresh: Any, xml: str, identifier: str = "Question") -> None:
    """A started emulator with a build of 'asks' that waits for that question's answer."""
    fresh.start()
    client = connect(fresh)
    client.create_job("asks", xml)
    client.build_job("asks")
    wait(lambda: waits(fresh, "asks", identifier))


def result(fresh: Any) -> Any:
    client = connect(fresh)
    wait(lambda: not client.get_build_info("asks", 1)["building"])
    return client.get_build_info("asks", 1)["result"]


@pytest.mark.parametrize("number", ENDS)
def test_a_question_is_open_after_a_restart_and_its_answer_goes_on_with_what_was_left(
    fresh: Any, pipeline: Callable[[str], str], number: int
) -> None:
    asking(fresh, pipeline(ASKING))
    wait(lambda: "// node" in console(fresh, "asks").rpartition("beside")[2])
    before = console(fresh, "asks")
    program = fresh.home / "jobs" / "asks" / "builds" / "1" / "program.jsonl"
    assert (0o600, False) == (program.stat().st_mode & 0o777, "token-s3cr3t" in program.read_text())

    restart(fresh, number)
    wait(lambda: waits(fresh, "asks", "Question"))
    assert connect(fresh).get_build_info("asks", 1)["description"] == "told 1"
    form = '{"parameter": [{"name": "HOW", "value": "gently"}]}'
    assert 200 == answer(fresh, "asks", "Question/proceed", {"json": form})
    wait(lambda: waits(fresh, "asks", "Again"))
    restart(fresh, number)
    wait(lambda: waits(fresh, "asks", "Again"))
    assert 200 == answer(fresh, "asks", "Again/proceedEmpty")

    assert "UNSTABLE" == result(fresh)
    log = console(fresh, "asks")
    assert log.startswith(before)
    for words in ("answered gently", "after: 1 green world; 1 1", "the end: UNSTABLE", "Approved by"):
        assert words in log, log
    after = log.removeprefix(before)
    assert 2 == after.count("Resuming build at")
    for words in ("not so well", "Input requested", "holds ****", "Start of Pipeline", "beside"):
        assert words not in after, after
    assert "token-s3cr3t" not in log
    assert not program.exists()
    shown = requests.get(f"{fresh.url}/job/asks/1/wfapi/describe", auth=("admin", "admin-password"), timeout=30).json()
    stages = [(it["name"], it["status"]) for it in shown["stages"]]
    assert ("Before", "UNSTABLE") == stages[0]
    ended = ["Ask", "Beside", "Question", "After", "Declarative: Post Actions"]
    assert sorted((name, "SUCCESS") for name in ended) == sorted(stages[1:])


@pytest.mark.parametrize("number", ENDS)
def test_a_question_may_be_refused_after_a_restart(fresh: Any, pipeline: Callable[[str], str], number: int) -> None:
    asking(fresh, pipeline("input id: 'Question', message: 'Go on?'\necho 'went on'"))

    restart(fresh, number)
    wait(lambda: waits(fresh, "asks", "Question"))

    assert 200 == answer(fresh, "asks", "Question/abort")
    assert "ABORTED" == result(fresh)
    assert "went on\n" not in console(fresh, "asks")


def test_a_service_whose_processes_are_all_told_to_end_goes_on_too(fresh: Any, pipeline: Callable[[str], str]) -> None:
    """As systemd stops a service: Groovy hears of it as soon as the emulator does, or sooner."""
    asking(fresh, pipeline("input id: 'Question', message: 'Go on?'"))
    children = subprocess.run(["pgrep", "-P", str(fresh.process.pid)], capture_output=True, text=True).stdout.split()
    for child in children:
        os.kill(int(child), signal.SIGTERM)
    time.sleep(0.5)

    restart(fresh, signal.SIGTERM)

    assert children
    wait(lambda: waits(fresh, "asks", "Question"))
    assert 200 == answer(fresh, "asks", "Question/proceedEmpty")
    assert "SUCCESS" == result(fresh)


def test_a_job_that_is_made_again_has_a_question_of_its_own(fresh: Any, pipeline: Callable[[str], str]) -> None:
    """The build of the deleted job ends behind the new one's back, which has the same name and number."""
    script = pipeline("input id: 'Question', message: 'Go on?'")
    asking(fresh, script)
    client = connect(fresh)
    client.delete_job("asks")
    client.create_job("asks", script)
    client.build_job("asks")
    wait(lambda: waits(fresh, "asks", "Question"))
    time.sleep(2)  # the deleted job's build has ended by now

    restart(fresh, signal.SIGKILL)

    wait(lambda: waits(fresh, "asks", "Question"))
    assert 200 == answer(fresh, "asks", "Question/proceedEmpty")
    assert "SUCCESS" == result(fresh)


def test_a_resumed_build_can_be_stopped_and_holds_back_the_next(fresh: Any, pipeline: Callable[[str], str]) -> None:
    script = "properties([disableConcurrentBuilds()])\nnode { input id: 'Question', message: 'Go on?' }"
    asking(fresh, pipeline(script))
    restart(fresh, signal.SIGKILL)
    wait(lambda: waits(fresh, "asks", "Question"))
    client = connect(fresh)
    client.build_job("asks")

    assert [1] == [it["number"] for it in client.get_job_info("asks")["builds"]]
    client.stop_build("asks", 1)

    assert "ABORTED" == result(fresh)


def test_the_time_that_passed_before_the_restart_counts(fresh: Any, pipeline: Callable[[str], str]) -> None:
    """A build whose time is up while nothing runs is aborted when it is taken up again."""
    asking(fresh, pipeline("timeout(time: 6, unit: 'SECONDS') { input id: 'Question', message: 'Go on?' }"))
    fresh.stop(signal.SIGKILL)
    time.sleep(6)
    fresh.start()

    assert "ABORTED" == result(fresh)
    assert "Cancelling nested steps due to timeout" in console(fresh, "asks")


@pytest.mark.parametrize(("number", "ended"), [(signal.SIGKILL, "FAILURE"), (signal.SIGTERM, "ABORTED")])
@pytest.mark.parametrize(
    "script",
    [
        "parallel(one: { node { sh 'echo begun; sleep 300' } }, two: { input id: 'Question', message: 'Go on?' })",
        "properties([disableResume()])\necho 'begun'\ninput id: 'Question', message: 'Go on?'",
    ],
    ids=["beside a step that runs", "where the job forbids it"],
)
def test_a_question_ends_with_the_emulator(
    fresh: Any, pipeline: Callable[[str], str], script: str, number: int, ended: str
) -> None:
    """Nothing is done twice: what was in the middle of a step does not go on, nor does what its job would not have resumed."""
    asking(fresh, pipeline(script))
    wait(lambda: "begun\n" in console(fresh, "asks"))

    restart(fresh, number)

    assert ended == result(fresh)
    assert answer(fresh, "asks", "Question/proceedEmpty") == 404


def test_a_jenkinsfile_that_goes_another_way_is_not_resumed(fresh: Any, pipeline: Callable[[str], str]) -> None:
    script = "if (TimeZone.default.ID == 'Asia/Tokyo') { sleep 1 } else { echo 'first' }\n"
    asking(fresh, pipeline(script + "input id: 'Question', message: 'Go on?'"))
    fresh.stop(signal.SIGKILL)
    elsewhere = fresh.environment() | {"TZ": "Asia/Tokyo"}
    fresh.environment = lambda: elsewhere
    fresh.start()

    assert "FAILURE" == result(fresh)
    assert "the Pipeline cannot be resumed: it requests sleep, but before the restart it requested echo" in console(
        fresh, "asks"
    )
