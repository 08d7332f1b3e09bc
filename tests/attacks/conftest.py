"""One launched environment, shared by everybody who attacks it: what an attack changes, it puts back.

A payload only writes a marker into the test's own folder. TRIAL names the environment and its network, as in tests/local.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from launching import clone, launch
from leftovers import sweep_dead
from trial import Launched

from bootstrap.jenkins.controller import builds
from bootstrap.jenkins.controller.api import ask

PIPELINE = """<flow-definition plugin="workflow-job">
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<sandbox>true</sandbox><script>{script}</script>
</definition></flow-definition>"""


@pytest.fixture(scope="session", autouse=True)
def _no_leftovers() -> None:
    """A killed run of the tests has cleaned nothing up: its networks would take the ranges of this one."""
    sweep_dead()


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh clone of this working tree, with an environment of the tests' own."""
    return clone(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="session")
def launched(checkout: Path) -> Iterator[Launched]:
    """The environment that is attacked, launched with one command from nothing."""
    yield from launch(checkout)


@pytest.fixture
def run_pipeline(launched: Launched) -> Iterator[Callable[[str], str]]:
    """Runs a Pipeline script as a job of its own, and returns the console of its build; the jobs are deleted in the end."""
    client, jobs = launched.context.jenkins, list[str]()

    def run(script: str) -> str:
        name = f"attack-{secrets.token_hex(4)}"
        jobs.append(name)
        client.create_job(name, PIPELINE.format(script=escape(script)))
        builds.start(client, name, {})
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            console = ask(client, "GET", f"job/{name}/1/consoleText")
            if console.status_code == 200 and "\nFinished: " in console.text:
                return console.text
            time.sleep(0.5)
        raise AssertionError(f"the build of {name} did not end in time\n{console.text}")

    yield run
    for name in jobs:
        client.delete_job(name)
