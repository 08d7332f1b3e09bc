"""Freestyle builds, the queue, logs, artifacts."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

Xml = Callable[..., str]
PARAMETERS = (
    "<hudson.model.ParametersDefinitionProperty><parameterDefinitions>"
    "<hudson.model.StringParameterDefinition><name>WHO</name><defaultValue>world</defaultValue></hudson.model.StringParameterDefinition>"
    "<hudson.model.BooleanParameterDefinition><name>LOUD</name><defaultValue>false</defaultValue></hudson.model.BooleanParameterDefinition>"
    "</parameterDefinitions></hudson.model.ParametersDefinitionProperty>"
)


def test_shell_step_runs_with_jenkins_variables(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle('echo "$JOB_NAME $BUILD_NUMBER $BUILD_TAG"; pwd'))
    build, log = server.run(name)
    assert build["result"] == "SUCCESS"
    assert f"{name} 1 jenkins-{name}-1" in log
    assert f"workspace/{name}" in log
    assert log.rstrip().endswith("Finished: SUCCESS")
    assert log.startswith("Started by user ")


def test_failing_step_fails_the_build_and_later_steps_do_not_run(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle("false\necho never"))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    assert "Build step 'Execute shell' marked build as failure" in log
    assert "\nnever" not in log
    assert server.client.get_job_info(name)["color"] == "red"


def test_parameters_have_defaults_and_undeclared_ones_are_ignored(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle('echo "to $WHO $LOUD [$OTHER]"', properties=PARAMETERS))
    _, first = server.run(name, {"OTHER": "x"})
    build, second = server.run(name, {"WHO": "you", "LOUD": "true"})
    assert "to world false []" in first
    assert "to you true []" in second
    (values,) = [action["parameters"] for action in build["actions"] if "parameters" in action]
    assert {value["name"]: value["value"] for value in values} == {"WHO": "you", "LOUD": True}


def test_build_of_a_job_with_parameters_needs_them(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle("true", properties=PARAMETERS))
    assert server.post(f"job/{name}/build").status_code == 400


def test_parameters_for_a_job_without_any_are_refused(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle("true"))
    assert server.post(f"job/{name}/buildWithParameters", params={"A": "b"}).status_code == 400


def test_queue_answers_where_the_item_is_and_merges_twins(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle("true", properties=PARAMETERS))
    first = server.post(f"job/{name}/buildWithParameters", params={"delay": "60sec"})
    second = server.post(f"job/{name}/buildWithParameters", params={"delay": "60sec"})
    assert (first.status_code, second.status_code) == (201, 303)
    assert first.headers["Location"] == second.headers["Location"]
    number = int(first.headers["Location"].rstrip("/").rpartition("/")[2])
    item = server.client.get_queue_item(number)
    assert item["_class"] == "hudson.model.Queue$WaitingItem"
    assert server.post("queue/cancelItem", params={"id": number}).status_code == 204
    assert server.client.get_queue_item(number)["cancelled"] is True
    assert server.post("queue/cancelItem", params={"id": 999999}).status_code == 404


def test_log_comes_in_pieces(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle("echo one; sleep 1; echo two"))
    number = server.begin(name)
    path = f"job/{name}/{number}/logText/progressiveText"
    server.until(lambda: "\none" in server.get(path, params={"start": 0}).text)
    part = server.get(path, params={"start": 0})
    assert part.headers["X-More-Data"] == "true"
    server.finish(name, number)
    rest = server.get(path, params={"start": part.headers["X-Text-Size"]})
    assert "X-More-Data" not in rest.headers
    assert "\none" not in rest.text
    assert "two" in rest.text
    assert server.get(path, params={"start": 10_000_000}).text.startswith("Started by")
    assert server.get(path, params={"start": -1}).content == b""
    assert server.get(path, params={"start": "abc"}).status_code == 500


def test_progressive_text_carries_notes_and_crlf_and_the_whole_console_does_not(server: Any, name: str) -> None:
    script = "pipeline { agent any\nstages { stage('s') { steps { echo 'gr\u00fc\u00dfe' } } } }"
    server.client.create_job(
        name,
        '<flow-definition plugin="workflow-job"><definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" '
        f'plugin="workflow-cps"><script>{script}</script><sandbox>true</sandbox></definition></flow-definition>',
    )
    _, log = server.run(name)
    answer = server.get(f"job/{name}/1/logText/progressiveText", params={"start": 0})
    note = re.compile(rb"\x1b\[8mha:([A-Za-z0-9+/=]+)\x1b\[0m")

    kept = answer.content.replace(b"\r\n", b"\n")
    assert len(kept) == int(answer.headers["X-Text-Size"])
    assert b"\r\n" in answer.content and "\x1b" not in log and "\r" not in log
    assert note.sub(b"", kept).decode() == log
    assert "gr\u00fc\u00dfe" in log
    lines = [line for line in kept.split(b"\n") if b"[Pipeline] " in line]
    assert lines and all(note.match(line) for line in lines)
    # The length of a signature is negative, and the object itself is compressed.
    signed = base64.b64decode(note.findall(kept)[0])
    assert signed[:2] == b"\xff\xff" and b"\x1f\x8b" in signed


def test_a_build_that_ended_is_not_in_progress(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle("echo one"))
    build, _ = server.run(name)
    assert (build["inProgress"], build["building"]) == (False, False)


def test_stopped_build_is_aborted_with_its_children(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle("echo started; sleep 300 & sleep 300"))
    number = server.begin(name)
    server.until(lambda: "\nstarted" in server.client.get_build_console_output(name, number))
    server.client.stop_build(name, number)
    build, log = server.finish(name, number)
    assert build["result"] == "ABORTED"
    assert "Aborted by" in log
    assert server.client.get_job_info(name)["color"] == "aborted"


def test_artifacts_and_tests_are_kept(server: Any, name: str, freestyle: Xml) -> None:
    bad = '<testcase classname="c" name="bad"><failure message="no"/></testcase>'
    report = f'<testsuite><testcase classname="c" name="good"/>{bad}</testsuite>'
    extra = (
        "<publishers><hudson.tasks.ArtifactArchiver><artifacts>out/*.txt</artifacts></hudson.tasks.ArtifactArchiver>"
        '<hudson.tasks.junit.JUnitResultArchiver plugin="junit"><testResults>*.xml</testResults>'
        "</hudson.tasks.junit.JUnitResultArchiver></publishers>"
    )
    server.create("", name, freestyle(f"mkdir -p out; echo kept > out/a.txt; echo '{report}' > r.xml", extra))
    build, _ = server.run(name)
    assert build["result"] == "UNSTABLE"
    assert [artifact["relativePath"] for artifact in build["artifacts"]] == ["out/a.txt"]
    assert server.get(f"job/{name}/1/artifact/out/a.txt").text == "kept\n"
    assert server.client.get_build_test_report(name, 1)["failCount"] == 1


def test_permalinks_lead_to_the_right_builds(server: Any, name: str, freestyle: Xml) -> None:
    server.create("", name, freestyle('test "$BUILD_NUMBER" = 1'))
    server.run(name)
    server.run(name)
    info = server.client.get_job_info(name)
    numbers = {
        key: info[key]["number"] for key in ("lastBuild", "lastSuccessfulBuild", "lastFailedBuild", "firstBuild")
    }
    assert numbers == {"lastBuild": 2, "lastSuccessfulBuild": 1, "lastFailedBuild": 2, "firstBuild": 1}
    assert [build["number"] for build in info["builds"]] == [2, 1]
    assert server.get(f"job/{name}/lastSuccessfulBuild/api/json").json()["number"] == 1
    assert server.get(f"job/{name}/lastUnstableBuild/api/json").status_code == 404


def test_discarder_keeps_as_many_as_it_says(server: Any, name: str, freestyle: Xml) -> None:
    keep = (
        '<jenkins.model.BuildDiscarderProperty><strategy class="hudson.tasks.LogRotator"><daysToKeep>-1</daysToKeep>'
        "<numToKeep>2</numToKeep></strategy></jenkins.model.BuildDiscarderProperty>"
    )
    server.create("", name, freestyle("true", properties=keep))
    for _ in range(3):
        server.run(name)
    server.until(lambda: [build["number"] for build in server.client.get_job_info(name)["builds"]] == [3, 2])


@pytest.mark.own_process
def test_git_checkout_notes_revision_and_changes(
    server: Any, name: str, freestyle: Xml, repository: Callable[[dict[str, str]], str]
) -> None:
    url = repository({"a.txt": "one"})
    scm = (
        '<scm class="hudson.plugins.git.GitSCM" plugin="git"><userRemoteConfigs><hudson.plugins.git.UserRemoteConfig>'
        f"<url>{url}</url></hudson.plugins.git.UserRemoteConfig></userRemoteConfigs><branches><hudson.plugins.git.BranchSpec>"
        "<name>*/main</name></hudson.plugins.git.BranchSpec></branches></scm>"
    )
    server.create("", name, freestyle('cat a.txt; echo "on $GIT_BRANCH"', scm))
    build, log = server.run(name)
    assert build["result"] == "SUCCESS"
    assert "\none" in log
    assert "on origin/main" in log
    repository({"a.txt": "two"})
    build, log = server.run(name)
    assert "\ntwo" in log
    assert [change["affectedPaths"] for change in build["changeSet"]["items"]] == [["a.txt"]]


def test_finished_build_starts_its_downstream_job(server: Any, name: str, freestyle: Xml) -> None:
    server.client.create_folder(name)
    trigger = (
        "<publishers><hudson.tasks.BuildTrigger><childProjects>second</childProjects><threshold><name>SUCCESS</name></threshold>"
        "</hudson.tasks.BuildTrigger></publishers>"
    )
    server.client.create_job(f"{name}/first", freestyle("true", trigger))
    server.client.create_job(f"{name}/second", freestyle("echo followed"))
    server.run(f"{name}/first")
    server.until(lambda: server.client.get_job_info(f"{name}/second")["lastCompletedBuild"])
    assert "Started by upstream project" in server.client.get_build_console_output(f"{name}/second", 1)


@pytest.mark.own_process
def test_polling_starts_a_build_for_a_new_commit_alone(
    server: Any, name: str, freestyle: Xml, repository: Callable[[dict[str, str]], str]
) -> None:
    url = repository({"a.txt": "one"})
    scm = (
        '<scm class="hudson.plugins.git.GitSCM" plugin="git"><userRemoteConfigs><hudson.plugins.git.UserRemoteConfig>'
        f"<url>{url}</url></hudson.plugins.git.UserRemoteConfig></userRemoteConfigs><branches><hudson.plugins.git.BranchSpec>"
        "<name>*/main</name></hudson.plugins.git.BranchSpec></branches></scm>"
        "<triggers><hudson.triggers.SCMTrigger><spec>H H 1 1 *</spec></hudson.triggers.SCMTrigger></triggers>"
    )
    server.create("", name, freestyle("cat a.txt", scm))
    server.run(name)
    server.post(f"job/{name}/polling")
    assert "No changes" in server.get(f"job/{name}/scmPollLog").text
    repository({"a.txt": "two"})
    server.post(f"job/{name}/polling")
    server.until(lambda: server.client.get_job_info(name)["lastCompletedBuild"]["number"] == 2)
    assert "Started by an SCM change" in server.client.get_build_console_output(name, 2)
