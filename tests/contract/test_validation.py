"""`pipeline-model-converter/validateJenkinsfile`: it reads a Jenkinsfile, and nothing in the text is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

CASES = Path(__file__).resolve().parents[1] / "cases" / "sandbox"
STRUCTURE: list[dict[str, Any]] = yaml.safe_load((CASES / "structure.yaml").read_text())
PATH = "pipeline-model-converter/validateJenkinsfile"
REST = "pipeline { agent any\nstages { stage('a') { steps { echo 'x' } } } }"
# Each would write MARKER if Groovy did more than read the text; COMMAND does it in one expression.
COMMAND = "new File('MARKER').text = 'x'"
ATTACKS = {
    "statement": f"{COMMAND}\n{REST}",
    "ASTTest": f"@groovy.transform.ASTTest(value = {{ {COMMAND} }}) def x = 1\n{REST}",
    "early ASTTest": f"@groovy.transform.ASTTest(phase = CONVERSION, value = {{ {COMMAND} }}) class X {{ }}\n{REST}",
    "ASTTest of an import": f"@groovy.transform.ASTTest(value = {{ {COMMAND} }})\nimport java.util.List\n{REST}",
    "Grab": f"@Grab('org.example:evil:1')\nimport org.example.Evil\n{REST}",
    "GrabResolver": f"@GrabResolver(name = 'x', root = 'file:MARKER')\n@Grab('a:b:1')\nimport a.B\n{REST}",
    "transform": f"@groovy.transform.TypeChecked(extensions = 'MARKER') def f() {{ {COMMAND} }}\n{REST}",
    "canonical": f"@groovy.transform.Canonical class X {{ def a = {{ {COMMAND} }}() }}\n{REST}",
    "base script": f"@groovy.transform.BaseScript(Object) def x\n{COMMAND}\n{REST}",
    "static initializer": f"class X {{ static {{ {COMMAND} }} }}\nX.class\n{REST}",
    "static field": f"class X {{ static x = {{ {COMMAND} }}() }}\n{REST}",
    "constant": f"class X {{ static final int A = {{ {COMMAND} }}() }}\n@SuppressWarnings(X.A) def f() {{ }}\n{REST}",
    "stage name": REST.replace("'a'", f'"${{{COMMAND}}}"'),
    "environment": REST.replace("stages", f"environment {{ X = {{ {COMMAND} }}() }}\nstages", 1),
    "when": REST.replace("steps", f"when {{ expression {{ {COMMAND} }} }}\nsteps", 1),
    "parameters": REST.replace("stages", f"parameters {{ string(name: {{ {COMMAND} }}()) }}\nstages", 1),
    "argument": REST.replace("echo 'x'", f"echo({{ {COMMAND} }}())"),
}


def validate(server: Any, text: str) -> dict[str, Any]:
    answer = server.post(PATH, data={"jenkinsfile": text})
    assert answer.status_code == 200, answer.text[:2000]
    found: dict[str, Any] = answer.json()["data"]
    return found


@pytest.mark.parametrize("case", STRUCTURE, ids=[str(number) for number in range(len(STRUCTURE))])
def test_it_finds_what_jenkins_was_seen_to_find(server: Any, case: dict[str, Any]) -> None:
    found = validate(server, case["script"])
    assert found["result"] == ("failure" if case["faults"] else "success")
    assert [entry["error"] for entry in found.get("errors", [])] == [
        f"WorkflowScript: {text}" for text in case["faults"]
    ]


def test_a_text_that_is_no_groovy_is_a_failure(server: Any) -> None:
    found = validate(server, "pipeline {\n agent any\n")
    assert found["result"] == "failure" and "WorkflowScript: " in found["errors"][0]["error"]


@pytest.mark.own_process
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_of_the_text_is_run(server: Any, tmp_path: Path, attack: str) -> None:
    marker = tmp_path / "marker"
    validate(server, ATTACKS[attack].replace("MARKER", str(marker)))
    assert not marker.exists()


@pytest.mark.emulator_alone
@pytest.mark.parametrize(
    "text", ["(" * 100_000, "[" * 20_000 + "]" * 20_000, "x = 1" + " + 1" * 50_000], ids=["calls", "lists", "sum"]
)
def test_a_text_that_nests_too_deeply_is_a_failure(server: Any, text: str) -> None:
    assert validate(server, text)["result"] == "failure"


@pytest.mark.emulator_alone
def test_a_text_that_is_too_large_is_refused(server: Any) -> None:
    answer = server.post(PATH, data={"jenkinsfile": REST + " " * 256 * 1024})
    assert answer.status_code == 413
    assert "262144 characters" in answer.text


def test_whoever_may_not_read_may_not_ask(server: Any) -> None:
    answer = requests.post(f"{server.url}/{PATH}", data={"jenkinsfile": REST}, timeout=30)
    assert answer.status_code == 403
