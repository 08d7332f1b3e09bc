"""Quiet mode: who may ask for it, what waits and with which words, and what goes on afterwards."""

from __future__ import annotations

import signal
import time
from typing import Any

import jenkins
import pytest
import requests

PLACEHOLDER = "org.jenkinsci.plugins.workflow.support.steps.ExecutorStepExecution$PlaceholderTask$PlaceholderExecutable"
EXECUTORS = "computer[executors[currentExecutable[_class,url]],oneOffExecutors[currentExecutable[_class,url]]]"


def test_quiet_down_answers_with_the_front_page_and_tells_its_message(server: Any) -> None:
    try:
        for path, reason in (("quietDown", None), ("quietDown?message=a%20change", "a change")):
            answer = server.post(path)
            assert (302, "/") == (answer.status_code, answer.headers["Location"])
            told = server.get("api/json?tree=quietingDown,quietDownReason").json()
            assert (True, reason) == (told["quietingDown"], told["quietDownReason"])
    finally:
        answer = server.post("cancelQuietDown")
    assert (302, "/") == (answer.status_code, answer.headers["Location"])
    assert server.get("api/json?tree=quietingDown").json()["quietingDown"] is False


def test_quiet_down_that_blocks_answers_at_once_only_where_nothing_would_be_lost(
    server: Any, name: str, freestyle: Any
) -> None:
    def seconds() -> float:
        begun = time.monotonic()
        assert 302 == server.post("quietDown?block=true&timeout=2000").status_code
        return time.monotonic() - begun

    server.client.create_job(name, freestyle("echo begun; sleep 6"))
    server.client.build_job(name)
    server.until(lambda: server.client.get_job_info(name)["lastBuild"])
    server.until(lambda: "begun" in server.client.get_build_console_output(name, 1))
    try:
        assert seconds() >= 2
        (computer,) = server.get(f"computer/api/json?tree={EXECUTORS}").json()["computer"]
        held = [it["currentExecutable"] for it in computer["executors"] if it["currentExecutable"]]
        assert ["hudson.model.FreeStyleBuild"] == [it["_class"] for it in held]
        server.until(lambda: server.client.get_build_info(name, 1)["result"] == "SUCCESS")
        assert seconds() < 2
    finally:
        server.post("cancelQuietDown")


def test_a_pipeline_pauses_before_its_next_step_while_jenkins_is_quiet(server: Any, name: str, pipeline: Any) -> None:
    server.client.create_job(name, pipeline("node { sh 'echo begun; sleep 3'; echo 'after' }"))
    server.client.build_job(name)

    def console() -> str:
        return str(server.client.get_build_console_output(name, 1))

    server.until(lambda: server.client.get_job_info(name)["lastBuild"] and "begun" in console())
    try:
        server.client.quiet_down()
        (computer,) = server.get(f"computer/api/json?tree={EXECUTORS}").json()["computer"]
        held = [it["currentExecutable"] for it in computer["executors"] if it["currentExecutable"]]
        alone = [it["currentExecutable"] for it in computer["oneOffExecutors"]]
        kinds = ([PLACEHOLDER], ["org.jenkinsci.plugins.workflow.job.WorkflowRun"])
        assert kinds == ([it["_class"] for it in held], [it["_class"] for it in alone])
        assert held[0]["url"] == alone[0]["url"]
        server.until(lambda: "Pausing (Preparing for shutdown)" in console())
        assert "after" not in console()
    finally:
        server.post("cancelQuietDown")
    server.until(lambda: server.client.get_build_info(name, 1)["result"] == "SUCCESS")
    assert console().index("Resuming (Shutdown was canceled)") < console().index("after")


def test_quiet_down_needs_the_right_to_manage(server: Any) -> None:
    reader = requests.Session()
    reader.auth = ("reader", "reader-password")
    crumb = reader.get(f"{server.url}/crumbIssuer/api/json").json()
    headers = {crumb["crumbRequestField"]: crumb["crumb"]}
    for path in ("quietDown", "cancelQuietDown"):
        answer = reader.post(f"{server.url}/{path}", headers=headers, allow_redirects=False)
        assert (403, "hudson.model.Hudson.Manage") == (
            answer.status_code,
            answer.headers.get("X-Required-Permission", "hudson.model.Hudson.Manage"),
        )


@pytest.mark.own_process
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_pipeline_that_quiet_mode_paused_goes_on_after_a_restart(fresh: Any, pipeline: Any, end: int) -> None:
    def connect() -> Any:
        client = jenkins.Jenkins(fresh.url, "admin", "admin-password", timeout=30)
        client.get_whoami()
        return client

    def until(what: Any) -> None:
        deadline = time.monotonic() + 60
        while not what() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert what()

    fresh.start()
    client = connect()
    script = "node { def word = sh(script: 'echo begun >&2; sleep 2; echo kept', returnStdout: true); sh \"echo after $word\" }"
    client.create_job("slow", pipeline(script))
    client.build_job("slow")
    until(lambda: client.get_job_info("slow")["lastBuild"] and "begun" in client.get_build_console_output("slow", 1))
    client.quiet_down()
    until(lambda: "Pausing (Preparing for shutdown)" in client.get_build_console_output("slow", 1))
    fresh.stop(end)
    fresh.start()
    client = connect()
    until(lambda: client.get_build_info("slow", 1)["result"])
    console = client.get_build_console_output("slow", 1)
    assert "SUCCESS" == client.get_build_info("slow", 1)["result"], console
    assert "after kept" in console
    assert 1 == console.count("+ echo begun") == console.count("Pausing"), console
