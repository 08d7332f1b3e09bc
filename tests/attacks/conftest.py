"""One launched environment, shared by everybody who attacks it: what an attack changes, it puts back.

A payload only writes a marker into the test's own folder. TRIAL names the environment and its network, as in tests/local.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from typing import Protocol
from xml.sax.saxutils import escape

import pytest
from launching import checkout, launched, no_leftovers  # noqa: F401 (fixtures)
from trial import Launched

from bootstrap.jenkins.controller import builds
from bootstrap.jenkins.controller.api import ask

PIPELINE = """<flow-definition plugin="workflow-job">
<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
<sandbox>{sandbox}</sandbox><script>{script}</script>
</definition></flow-definition>"""


FREESTYLE = """<project><canRoam>true</canRoam><builders>
<hudson.tasks.Shell><command>{script}</command></hudson.tasks.Shell>
</builders></project>"""
RunJob = Callable[[str], str]


class RunPipeline(Protocol):
    def __call__(self, script: str, *, sandbox: bool = True) -> str: ...


@pytest.fixture
def run_pipeline(run_job: RunJob) -> RunPipeline:
    """Runs a Pipeline script as a job of its own, and returns the console of its build."""

    def run(script: str, *, sandbox: bool = True) -> str:
        return run_job(PIPELINE.format(script=escape(script), sandbox=str(sandbox).lower()))

    return run


@pytest.fixture
def run_freestyle(run_job: RunJob) -> RunJob:
    """Runs a shell script as a freestyle job without a label, and returns the console of its build."""
    return lambda script: run_job(FREESTYLE.format(script=escape(script)))


@pytest.fixture
def run_job(launched: Launched) -> Iterator[RunJob]:  # noqa: F811 (the fixture)
    """Runs a job with this configuration, and returns the console of its build; the jobs are deleted in the end."""
    client, jobs = launched.context.jenkins, list[str]()

    def run(configuration: str) -> str:
        name = f"attack-{secrets.token_hex(4)}"
        jobs.append(name)
        client.create_job(name, configuration)
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
