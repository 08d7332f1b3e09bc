"""The sandbox of Pipelines: what it refuses and in which words, and the ways out that it closes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Xml = Callable[[str], str]
CASES = Path(__file__).resolve().parents[1] / "cases" / "sandbox"
RECORDED: list[dict[str, Any]] = yaml.safe_load((CASES / "recorded.yaml").read_text())
ESCAPES: dict[str, str] = yaml.safe_load((CASES / "escapes.yaml").read_text())
ADMINISTRATORS = "Administrators can decide whether to approve or reject this signature."
# One build tries all scripts: each is compiled as a script of its own, as a Pipeline's is.
TRYING = """
node {
  def scripts = readJSON(file: 'scripts.json')
  for (int i = 0; i < scripts.size(); i++) {
    echo "begin ${i}"
    def text = scripts[i]
    try { evaluate(text); echo 'it came to its end' } catch (Throwable e) { echo "${e.class.name}: ${e.message}" }
  }
  echo 'begin last'
}
"""


def try_scripts(server: Any, name: str, pipeline: Xml, scripts: list[str]) -> list[list[str]]:
    """What each script wrote to the console."""
    texts = json.dumps(scripts).replace("\\", "\\\\").replace("'", "\\'")
    server.create(
        "", name, pipeline(TRYING.replace("node {", f"node {{ writeFile file: 'scripts.json', text: '{texts}'", 1))
    )
    build, log = server.run(name)
    assert build["result"] == "SUCCESS", log[-3000:]
    parts: list[list[str]] = []
    for line in log.splitlines():
        if line.startswith("begin "):
            parts.append([])
        elif parts and not line.startswith("[Pipeline]"):
            parts[-1].append(line)
    assert len(parts) == len(scripts) + 1
    return parts[:-1]


def test_it_refuses_and_permits_what_jenkins_was_seen_to(server: Any, name: str, pipeline: Xml) -> None:
    answers = try_scripts(server, name, pipeline, [case["script"] for case in RECORDED])
    for case, lines in zip(RECORDED, answers, strict=True):
        if "refused" in case:
            assert f"Scripts not permitted to use {case['refused']}. {ADMINISTRATORS}" in lines, case
            kinds = (
                "org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException",
                "java.lang.ExceptionInInitializerError",
            )
            assert lines[-1].startswith(kinds), (case, lines)
        elif "says" in case:
            assert case["says"] in "\n".join(lines) and "it came to its end" not in lines, (case, lines)
        else:
            assert lines == [*case["prints"], "it came to its end"], case


@pytest.mark.own_process
def test_no_script_comes_out(server: Any, name: str, pipeline: Xml, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    answers = try_scripts(server, name, pipeline, [text.replace("MARKER", str(marker)) for text in ESCAPES.values()])
    through = [attack for attack, lines in zip(ESCAPES, answers, strict=True) if "it came to its end" in lines]
    assert through == []
    assert not marker.exists()


def test_the_console_has_the_refusal_at_its_place_and_at_the_end(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline("echo 'before'\nnew File('/etc/hostname').text\necho 'after'"))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    refusal = "Scripts not permitted to use new java.io.File java.lang.String"
    kind = "org.jenkinsci.plugins.scriptsecurity.sandbox.RejectedAccessException"
    assert f"\nbefore\n{refusal}. {ADMINISTRATORS}\n[Pipeline] End of Pipeline\nAlso:   " in log
    assert f"\n{kind}: {refusal}\n" in log
    assert "after" not in log


@pytest.mark.emulator_alone
def test_what_it_does_not_know_it_refuses_in_its_own_name(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline("new javax.swing.JFrame('x')\n"))
    assert "Scripts not permitted to use new javax.swing.JFrame java.lang.String" in server.run(name)[1]
    server.client.reconfig_job(name, pipeline("new groovy.text.SimpleTemplateEngine()\n"))
    assert (
        "ERROR: new groovy.text.SimpleTemplateEngine is not known to the emulator, "
        "whose sandbox refuses what it does not know; Jenkins may permit it"
    ) in server.run(name)[1]


@pytest.mark.own_process
def test_a_declarative_pipeline_is_held_to_it_everywhere(server: Any, name: str, pipeline: Xml, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    attack = f"'touch {marker}'.execute()"
    places = (
        f"environment {{ X = {attack} }}\nstages {{ stage('a') {{ steps {{ echo 'x' }} }} }}",
        "environment { X = evaluate('new File(/MARKER/).text = 1') }\nstages { stage('a') { steps { echo 'x' } } }".replace(
            "/MARKER/", f'"{marker}"'
        ),
        "environment { X = getMetaClass().toString() }\nstages { stage('a') { steps { echo 'x' } } }",
        "environment { X = properties.toString() }\nstages { stage('a') { steps { echo 'x' } } }",
        f"stages {{ stage('a') {{ when {{ expression {{ {attack} }} }}\nsteps {{ echo 'x' }} }} }}",
        f"stages {{ stage('a') {{ steps {{ script {{ {attack} }} }} }} }}",
        f"stages {{ stage('a') {{ steps {{ echo \"${{{attack}}}\" }} }} }}",
        f"stages {{ stage('a') {{ steps {{ echo 'x' }}\npost {{ always {{ script {{ {attack} }} }} }} }} }}",
        f"parameters {{ string(name: {attack}) }}\nstages {{ stage('a') {{ steps {{ echo 'x' }} }} }}",
        f"stages {{ stage('a') {{ steps {{ script {{ owner.delegate.{attack} }} }} }} }}",
        "stages { stage('a') { steps { script { owner.owner.metaClass.toString() } } } }",
    )
    for number, text in enumerate(places):
        xml = pipeline(f"pipeline {{ agent any\n{text} }}")
        if number:
            server.client.reconfig_job(name, xml)
        else:
            server.create("", name, xml)
        log = server.run(name)[1]
        assert "not permitted" in log or "No such" in log, (text, log)
        assert not marker.exists(), text


@pytest.mark.own_process
def test_without_the_flag_a_job_is_held_to_it_where_the_settings_force_it(
    server: Any, emulator: Any, name: str, pipeline: Xml
) -> None:
    free = pipeline("echo System.getProperty('file.encoding')").replace("<sandbox>true", "<sandbox>false")
    server.create("", name, free)
    assert "\nUTF-8\n" in server.run(name)[1]
    settings = emulator.casc / "40-force.yaml"
    settings.write_text("security:\n  scriptApproval:\n    forceSandbox: true\n")
    try:
        assert server.post("configuration-as-code/reload").status_code == 302
        assert "Scripts not permitted to use staticMethod java.lang.System getProperty" in server.run(name)[1]
    finally:
        settings.write_text("security:\n  scriptApproval:\n    forceSandbox: false\n")
        server.post("configuration-as-code/reload")
        settings.unlink()


@pytest.mark.own_process
def test_a_script_without_the_sandbox_has_nothing_of_the_service(
    server: Any, emulator: Any, name: str, pipeline: Xml
) -> None:
    """The process itself is confined: with the sandbox gone altogether, files, ports and the environment stay closed."""
    port = emulator.port
    attempts = {
        "environment": "System.getenv().keySet().sort().toString()",
        "secret": f"new File('{emulator.root}/secrets/TOKEN_SECRET').text",
        "home": f"new File('{emulator.home}/secrets').list().toString()",
        "write": f"new File('{emulator.root}/written').text = 'x'",
        "other": f"new File('/proc/{emulator.process.pid}/environ').text",
        "port": f"new Socket('127.0.0.1', {port}).close()",
    }
    body = "\n".join(
        f'try {{ echo "{what}: ${{{code}}}" }} catch (Throwable e) {{ echo "{what}: failed ${{e.message}}" }}'
        for what, code in attempts.items()
        if what != "write"
    )
    body += f"\ntry {{ {attempts['write']}\necho 'write: done' }} catch (Throwable e) {{ echo 'write: failed' }}"
    server.create("", name, pipeline(body).replace("<sandbox>true", "<sandbox>false"))
    build, log = server.run(name)
    assert build["result"] == "SUCCESS", log
    environment = next(line for line in log.splitlines() if line.startswith("environment: "))
    assert not {"SECRETS", "JENKINS_HOME", "CASC_RELOAD_TOKEN", "HOME"} & set(re.findall(r"\w+", environment))
    for what in ("secret", "other", "port", "write"):
        assert f"{what}: failed" in log, log
    assert "home: null" in log or "home: failed" in log
    assert not (emulator.root / "written").exists()
