"""Plugins of the lock of which nothing was recorded: what may be theirs is not judged, and never refused in Jenkins' name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .foreign import ADMIN
from .servers import Server

pytestmark = [pytest.mark.own_process, pytest.mark.emulator_alone]

BUNDLED = Path(__file__).resolve().parents[2] / "bootstrap/local/emulator/data/plugins.json"
ELEMENT = "<org.acme.AcmeBuilder><a>1</a></org.acme.AcmeBuilder>"
PROJECT = f"<project><builders>{ELEMENT}</builders></project>"


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory, make_emulator: Any) -> Iterator[Server]:
    """A server whose lock has the plugin `acme`."""
    root = tmp_path_factory.mktemp("unrecorded")
    (root / "lock.json").write_text(json.dumps({**json.loads(BUNDLED.read_text()), "acme": "1.0"}))
    emulator = make_emulator(root / "emulator", JENKINS_PLUGINS_LOCK=str(root / "lock.json"))
    emulator.start()
    yield Server(emulator.url, "admin", ADMIN)
    emulator.stop()


def test_permission_of_such_a_plugin_is_taken(started: Server) -> None:
    entry = "{user: {name: admin, permissions: ['Overall/Administer', 'Acme/Deliver']}}"
    text = f"jenkins: {{authorizationStrategy: {{globalMatrix: {{entries: [{entry}]}}}}}}"

    assert 200 == started.post("configuration-as-code/check", data=text.encode()).status_code


def test_element_of_such_a_plugin_is_kept_and_said(started: Server) -> None:
    started.create("", "kept", PROJECT).raise_for_status()

    kept = started.client.get_job_config("kept")
    assert "".join(kept.split()).count(ELEMENT) == 1
    log = started.get("log/all").text
    assert "no record of the elements of the plugins acme: it keeps org.acme.AcmeBuilder of kept as they stand" in log


@pytest.mark.parametrize(
    ("script", "what"),
    [
        ("acmeDeliver 1", "step acmeDeliver"),
        ("pipeline { agent none\n stages { stage('a') { steps { acmeDeliver 'x' } } } }", "step acmeDeliver"),
        (
            "pipeline { agent none\n options { acmeOption() }\n stages { stage('a') { steps { echo 'x' } } } }",
            "option acmeOption",
        ),
        ("pipeline { agent { acme { a 1 } }\n stages { stage('a') { steps { echo 'x' } } } }", "agent acme"),
        (
            "pipeline { agent none\n stages { stage('a') { when { acme() }\n steps { echo 'x' } } } }",
            "condition acme",
        ),
    ],
)
def test_names_in_a_pipeline_are_refused_in_the_name_of_the_emulator(
    started: Server, pipeline: Any, script: str, what: str
) -> None:
    name = f"pipeline-{abs(hash(script))}"
    started.create("", name, pipeline(script)).raise_for_status()

    result, log = started.run(name)

    assert "FAILURE" == result["result"]
    assert f"the {what} is not known to the emulator, which has no record of the plugins acme" in log
    assert "Valid " not in log and "No such DSL" not in log
