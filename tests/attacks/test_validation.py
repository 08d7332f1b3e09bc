"""Other people's Groovy on a launched Jenkins: what is only checked is not run, and a Pipeline stays in its sandbox."""

import json
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml
from trial import Launched

from bootstrap.jenkins.controller import builds
from bootstrap.jenkins.controller.api import ask, expect

ESCAPES: dict[str, str] = yaml.safe_load(
    (Path(__file__).resolve().parents[1] / "cases" / "sandbox" / "escapes.yaml").read_text()
)
CHECK = "pipeline-model-converter/validateJenkinsfile"
REST = "pipeline { agent any\nstages { stage('a') { steps { echo 'x' } } } }"
SLEEPER = """<flow-definition plugin="workflow-job">
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<script>sleep 60</script><sandbox>true</sandbox></definition></flow-definition>"""


def on_machine(launched: Launched, script: str) -> str:
    return launched.context.shell.run(["sh", "-c", script], sudo=True).stdout.strip()


@pytest.fixture
def marker(launched: Launched) -> Iterator[str]:
    """A file that the payloads would write where the user of Jenkins may; the folder is removed."""
    folder = f"/var/lib/jenkins/attack-{secrets.token_hex(4)}"
    on_machine(launched, f"install -d -o jenkins -g jenkins {folder}")
    yield f"{folder}/marker"
    on_machine(launched, f"rm -rf {folder}")


def is_written(launched: Launched, marker: str) -> bool:
    return on_machine(launched, f"test -e {marker} && echo written || true") == "written"


@pytest.mark.parametrize(
    "attack",
    [
        "new File('MARKER').text = 'x'",
        "@groovy.transform.ASTTest(value = { new File('MARKER').text = 'x' }) def x = 1",
        "@groovy.transform.ASTTest(phase = CONVERSION, value = { new File('MARKER').text = 'x' }) class X { }",
        "@GrabResolver(name = 'x', root = 'file:MARKER')\n@Grab('a:b:1')\nimport a.B",
        "class X { static { new File('MARKER').text = 'x' } }\nX.class",
        "class X { static final int A = { new File('MARKER').text = 'x' }() }\n@SuppressWarnings(X.A) def f() { }",
    ],
)
def test_a_jenkinsfile_that_is_checked_is_not_run(launched: Launched, marker: str, attack: str) -> None:
    body = urlencode({"jenkinsfile": attack.replace("MARKER", marker) + f"\n{REST}"})
    form = "application/x-www-form-urlencoded"
    answer = expect(
        ask(launched.context.jenkins, "POST", CHECK, body=body, content_type=form), "checking a Jenkinsfile"
    )
    assert "ok" == json.loads(answer.text)["status"]
    assert not is_written(launched, marker)


@pytest.mark.parametrize("sandbox", [True, False])
def test_no_pipeline_leaves_the_sandbox(
    launched: Launched, run_pipeline: Callable[..., str], marker: str, sandbox: bool
) -> None:
    tries = "\n".join(
        f"try {{ evaluate({_quoted(text.replace('MARKER', marker))}); echo 'came through: {name}' }}"
        f" catch (Throwable e) {{ echo 'refused: {name}' }}"
        for name, text in ESCAPES.items()
    )
    console = run_pipeline(tries, sandbox=sandbox)
    assert len(ESCAPES) == console.count("\nrefused: "), console[-3000:]
    assert "came through" not in console
    assert not is_written(launched, marker)


def test_groovy_runs_without_what_the_service_has(launched: Launched) -> None:
    """Seen from outside, while a build waits: no variable of the service's, and a domain of its own."""
    client, name = launched.context.jenkins, f"attack-{secrets.token_hex(4)}"
    client.create_job(name, SLEEPER)
    try:
        builds.start(client, name, {})
        find = "for _ in $(seq 50); do pid=$(pgrep -n -u jenkins -f '[ ]Runner$') && break; sleep 0.2; done; "
        seen: Any = on_machine(
            launched, find + "tr '\\0' '\\n' < /proc/$pid/environ; grep NoNewPrivs /proc/$pid/status"
        )
        assert "NoNewPrivs:\t1" in seen
        for secret in ("CREDENTIALS_DIRECTORY", "SECRETS", "JENKINS_HOME", "CASC"):
            assert secret not in seen
    finally:
        ask(client, "POST", f"job/{name}/1/stop")
        client.delete_job(name)


def test_groovy_is_confined_by_the_kernel(launched: Launched) -> None:
    """The emulator says at its start where it cannot confine Groovy."""
    said = on_machine(launched, "journalctl -u jenkins.service -o cat | grep -c 'fully up and running' || true")
    assert int(said) > 0
    assert "" == on_machine(launched, "journalctl -u jenkins.service -o cat | grep 'no Landlock here' || true")


def _quoted(text: str) -> str:
    """A text as a Groovy string in which nothing is replaced."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
