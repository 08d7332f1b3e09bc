"""Pipelines: declarative ones, their steps, their failures."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from typing import Any

import pytest

Xml = Callable[[str], str]


def stage(steps: str, post: str = "", more: str = "") -> str:
    """A declarative pipeline of one stage."""
    after = f"\npost {{\n{post}\n}}" if post else ""
    stages = f"stages {{\nstage('One') {{\nsteps {{\n{textwrap.dedent(steps)}\n}}\n}}\n}}"
    return f"pipeline {{\nagent any\n{more}\n{stages}{after}\n}}"


def test_declarative_pipeline_runs_its_steps(server: Any, name: str, pipeline: Xml) -> None:
    script = """
        echo "build ${BUILD_NUMBER} of ${env.JOB_NAME}"
        script {
            def text = sh(script: 'echo captured', returnStdout: true).trim()
            def code = sh(script: 'exit 7', returnStatus: true)
            echo "text=${text} code=${code}"
        }
        dir('sub') { writeFile file: 'f', text: 'written' }
        echo readFile('sub/f')
        withEnv(['EXTRA=given']) { sh 'echo "extra $EXTRA"' }
    """
    server.create(
        "", name, pipeline(stage(script, "success { echo 'it went well' }\nfailure { echo 'it went badly' }"))
    )
    build, log = server.run(name)
    assert build["result"] == "SUCCESS"
    for line in (
        f"build 1 of {name}",
        "text=captured code=7",
        "written",
        "extra given",
        "[Pipeline] { (One)",
        "it went well",
    ):
        assert f"\n{line}\n" in log
    assert "it went badly" not in log


def test_failing_stage_skips_the_rest_and_runs_the_right_post_blocks(server: Any, name: str, pipeline: Xml) -> None:
    script = """
        pipeline {
          agent any
          stages {
            stage('Breaks') {
              steps { sh 'echo to-stderr >&2; exit 3' }
              post { failure { echo 'stage failed' } }
            }
            stage('Later') { steps { echo 'never' } }
          }
          post {
            always { echo "result ${currentBuild.currentResult}" }
            failure { echo 'whole failed' }
            success { echo 'whole fine' }
          }
        }
    """
    server.create("", name, pipeline(script))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    for line in ("to-stderr", "stage failed", "result FAILURE", "whole failed", "ERROR: script returned exit code 3"):
        assert f"\n{line}\n" in log
    assert 'Stage "Later" skipped due to earlier failure(s)' in log
    assert "\nnever" not in log
    assert "whole fine" not in log


def test_credentials_are_masked_in_the_log(server: Any, name: str, pipeline: Xml) -> None:
    script = """
        withCredentials([string(credentialsId: 'token', variable: 'T'),
                         usernamePassword(credentialsId: 'login', usernameVariable: 'U', passwordVariable: 'P')]) {
            sh 'echo "$T $P $U ${#T}"'
        }
        sh 'echo "from environment: $BOUND_PSW"'
    """
    server.create("", name, pipeline(stage(script, more="environment {\nBOUND = credentials('login')\n}")))
    build, log = server.run(name)
    assert build["result"] == "SUCCESS"
    assert "\n**** **** somebody 12\n" in log
    assert "from environment: ****" in log
    assert "token-s3cr3t" not in log
    assert "pass-word-1" not in log


def test_missing_credentials_fail_the_build(server: Any, name: str, pipeline: Xml) -> None:
    server.create(
        "", name, pipeline(stage("withCredentials([string(credentialsId: 'nobody', variable: 'T')]) { echo 'x' }"))
    )
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    assert "Could not find credentials entry with ID 'nobody'" in log


def test_unknown_step_is_refused_in_jenkins_words(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline(stage("doesNotExist 'x'")))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    assert "java.lang.NoSuchMethodError: No such DSL method 'doesNotExist' found among steps [" in log


def test_wrong_structure_is_found_before_anything_runs(server: Any, name: str, pipeline: Xml) -> None:
    script = "pipeline {\n  agent any\n  stages {\n    stage('One') {\n      sh 'true'\n    }\n  }\n}"
    server.create("", name, pipeline(script))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    assert (
        'WorkflowScript: 4: Unknown stage section "sh". Starting with version 0.5, steps in a stage must be in a' in log
    )
    assert 'Expected one of "steps", "stages", or "parallel" for stage "One" @ line 4, column 5.' in log
    assert "Start of Pipeline" not in log


def test_syntax_error_names_its_line(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline("pipeline {\n  agent any\n  stages {\n"))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    assert "WorkflowScript: " in log


def test_abort_kills_the_process_and_runs_post(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline(stage("sh 'echo started; sleep 300'", "aborted { echo 'post of the abort' }")))
    number = server.begin(name)
    server.until(lambda: "\nstarted" in server.client.get_build_console_output(name, number))
    server.client.stop_build(name, number)
    build, log = server.finish(name, number)
    assert build["result"] == "ABORTED"
    assert "\npost of the abort\n" in log


def test_timeout_aborts_the_stage(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline(stage("timeout(time: 1, unit: 'SECONDS') { sh 'sleep 300' }")))
    build, log = server.run(name)
    assert build["result"] == "ABORTED"
    assert "Cancelling nested steps due to timeout" in log


def test_caught_failures_mark_the_build_and_go_on(server: Any, name: str, pipeline: Xml) -> None:
    script = """
        catchError(buildResult: 'UNSTABLE', stageResult: 'FAILURE') { sh 'exit 1' }
        retry(3) { sh 'test -e mark || { touch mark; exit 1; }' }
        warnError('warned') { error 'inner' }
        echo 'still here'
    """
    server.create("", name, pipeline(stage(script)))
    build, log = server.run(name)
    assert build["result"] == "UNSTABLE"
    assert "\nRetrying\n" in log
    assert "\nstill here\n" in log


def test_when_and_parallel_choose_and_join(server: Any, name: str, pipeline: Xml) -> None:
    script = """
        pipeline {
          agent any
          environment { CHOICE = 'yes' }
          stages {
            stage('Taken') {
              when { environment name: 'CHOICE', value: 'yes' }
              steps { echo 'taken' }
            }
            stage('Left') {
              when { not { expression { env.CHOICE == 'yes' } } }
              steps { echo 'left out' }
            }
            stage('Both') {
              parallel {
                stage('a') { steps { sh 'echo branch-a' } }
                stage('b') { steps { sh 'echo branch-b' } }
              }
            }
          }
        }
    """
    server.create("", name, pipeline(script))
    build, log = server.run(name)
    assert build["result"] == "SUCCESS"
    for line in ("taken", "branch-a", "branch-b", 'Stage "Left" skipped due to when conditional'):
        assert f"\n{line}\n" in log
    assert "left out" not in log


def test_declared_parameters_become_the_jobs(server: Any, name: str, pipeline: Xml) -> None:
    more = "parameters {\nstring(name: 'WHO', defaultValue: 'world')\nbooleanParam(name: 'LOUD', defaultValue: true)\n}"
    server.create("", name, pipeline(stage('echo "to ${params.WHO} ${params.LOUD}"', more=more)))
    _, first = server.run(name)
    _, second = server.run(name, {"WHO": "you", "LOUD": "false"})
    assert "\nto world true\n" in first
    assert "\nto you false\n" in second


@pytest.mark.own_process
@pytest.mark.parametrize(
    ("light", "version", "line"),
    [
        ("true", "2", "Obtained ci/Jenkinsfile from git URL\n"),
        (
            "true",
            "",
            "Lightweight checkout support not available, falling back to full checkout.\nChecking out git URL into ",
        ),
        ("", "2", "Checking out git URL into "),
    ],
)
def test_script_from_git_checks_out_the_workspace(
    server: Any, name: str, repository: Callable[[dict[str, str]], str], light: str, version: str, line: str
) -> None:
    url = repository(
        {"ci/Jenkinsfile": stage("sh 'cat data.txt; echo $GIT_BRANCH'"), "data.txt": "from the repository\n"}
    )
    definition = (
        '<flow-definition plugin="workflow-job">'
        '<definition class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition" plugin="workflow-cps">'
        '<scm class="hudson.plugins.git.GitSCM" plugin="git">'
        f"{f'<configVersion>{version}</configVersion>' if version else ''}"
        "<userRemoteConfigs><hudson.plugins.git.UserRemoteConfig>"
        f"<url>{url}</url></hudson.plugins.git.UserRemoteConfig></userRemoteConfigs><branches><hudson.plugins.git.BranchSpec><name>*/main</name>"
        "</hudson.plugins.git.BranchSpec></branches></scm><scriptPath>ci/Jenkinsfile</scriptPath>"
        f"{f'<lightweight>{light}</lightweight>' if light else ''}</definition></flow-definition>"
    )
    server.create("", name, definition)
    build, log = server.run(name)
    assert build["result"] == "SUCCESS"
    assert line.replace("URL", url) in log
    if "Obtained" not in line:
        assert re.search(rf"/workspace/{name}@script/[0-9a-f]{{64}} to read ci/Jenkinsfile\n", log)
    assert "\nfrom the repository\n" in log
    assert "\norigin/main\n" in log
    assert "(Declarative: Checkout SCM)" in log


@pytest.mark.own_process
def test_a_folder_of_the_controller_is_not_checked_out_unless_allowed(
    fresh: Any, connect: Any, pipeline: Xml, repository: Callable[[dict[str, str]], str]
) -> None:
    fresh.arguments = []
    fresh.start()
    server, url = connect(fresh), repository({"data.txt": "x"})
    server.create("", "local", pipeline(f"node {{ git url: '{url}', branch: 'main' }}"))
    build, log = server.run("local")
    assert build["result"] == "FAILURE"
    assert f"Checkout of Git remote '{url}' aborted because it references a local directory" in log


def test_build_step_waits_for_another_job(server: Any, name: str, pipeline: Xml, freestyle: Callable[..., str]) -> None:
    server.client.create_folder(name)
    server.client.create_job(f"{name}/other", freestyle("exit 1"))
    script = "script {\ndef r = build(job: 'other', propagate: false)\necho \"other: ${r.result}\"\n}\nbuild 'other'"
    server.client.create_job(f"{name}/main", pipeline(stage(script)))
    build, log = server.run(f"{name}/main")
    assert build["result"] == "FAILURE"
    assert "\nother: FAILURE\n" in log


def test_scripted_pipeline_runs_too(server: Any, name: str, pipeline: Xml) -> None:
    server.create(
        "", name, pipeline("node {\n stage('Only') {\n  sh 'echo scripted'\n }\n}\necho currentBuild.currentResult")
    )
    build, log = server.run(name)
    assert build["result"] == "SUCCESS"
    assert "\nscripted\n" in log


def test_step_outside_a_node_is_refused(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline("pipeline {\nagent none\nstages {\nstage('x') {\nsteps { sh 'true' }\n}\n}\n}"))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    assert "ERROR: Attempted to execute a step that requires a node context while ‘agent none’ was specified." in log


def test_step_outside_a_node_of_a_script_is_refused(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline("sh 'true'"))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    assert "Perhaps you forgot to surround the" in log


@pytest.mark.parametrize("result", ["<script>alert(1)</script>", "GREAT", "failure"])
def test_what_is_no_result_makes_a_build_fail(server: Any, name: str, pipeline: Xml, result: str) -> None:
    server.create("", name, pipeline(f"currentBuild.result = '{result}'\necho \"it is ${{currentBuild.result}}\""))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    assert "\nit is FAILURE\n" in log
