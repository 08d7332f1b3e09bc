"""One suite for any Jenkins: by CONTRACT_JENKINS_URL, _USER and _PASSWORD, or for the emulator that is started here.

`foreign.py` prints the settings that another Jenkins needs. The emulator is started as it runs on a machine: from a directory
that holds nothing but the package `jenkins_emulator`. Against another Jenkins two kinds of tests are left out of the
collection: those that need the server's own files, its process or its file system (mark `own_process`), and those of what the
emulator lacks and says in its own name (mark `emulator_alone`). What a test holds the emulator to was seen on a real Jenkins; a
test of something that was only read in sources or documents carries the mark `only_read`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import jenkins
import pytest

from tests.contract.cloud_trials import Trial, prepare
from tests.contract.foreign import ADMIN
from tests.contract.servers import Emulator, Server, find_java

from .command_line import CommandLine


def pytest_configure(config: pytest.Config) -> None:
    for mark in (
        "own_process: needs the files, the process or the file system of a server that was started here",
        "emulator_alone: about what the emulator lacks, and says in its own name",
    ):
        config.addinivalue_line("markers", mark)
    if os.environ.get("CONTRACT_JENKINS_URL"):
        return
    if not Path("/usr/share/groovy/lib").is_dir() or find_java() is None:
        pytest.exit(
            "the emulator needs Groovy and Java: apt-get install --no-install-recommends groovy openjdk-17-jre-headless",
            returncode=1,
        )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("CONTRACT_JENKINS_URL"):
        marks = ("own_process", "emulator_alone")
        left_out = [item for item in items if any(item.get_closest_marker(mark) for mark in marks)]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    server = Emulator(tmp_path_factory.mktemp("emulator"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def make_emulator() -> Callable[..., Emulator]:
    """How a module makes an emulator with other settings; not started yet."""
    return Emulator


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Emulator]:
    """An emulator that a test may break; not started yet."""
    server = Emulator(tmp_path)
    yield server
    if server.process is not None and server.process.poll() is None:
        server.stop()
    shutil.rmtree(tmp_path, ignore_errors=True)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Server:
    url = os.environ.get("CONTRACT_JENKINS_URL")
    if url:
        return Server(url, os.environ["CONTRACT_JENKINS_USER"], os.environ["CONTRACT_JENKINS_PASSWORD"])
    return Server(request.getfixturevalue("emulator").url, "admin", ADMIN)


@pytest.fixture
def connect() -> Callable[[Emulator], Server]:
    """How a server that a test has started itself is spoken to."""
    return lambda started: Server(started.url, "admin", ADMIN)


@pytest.fixture
def name(server: Server, request: pytest.FixtureRequest) -> Iterator[str]:
    """A job name that no other test uses; what was made of it is deleted."""
    unique = "contract-" + re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_")[:60]).strip("-")
    yield unique
    with contextlib.suppress(jenkins.NotFoundException):
        server.client.delete_job(unique)


def freestyle_xml(command: str, extra: str = "", properties: str = "") -> str:
    step = f"<hudson.tasks.Shell><command>{escape(command)}</command></hudson.tasks.Shell>"
    return f"<project><properties>{properties}</properties><builders>{step}</builders>{extra}</project>"


def pipeline_xml(script: str) -> str:
    kind = "org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition"
    return (
        f'<flow-definition plugin="workflow-job"><definition class="{kind}" plugin="workflow-cps">'
        f"<script>{escape(script)}</script><sandbox>true</sandbox></definition></flow-definition>"
    )


@pytest.fixture(scope="session")
def freestyle() -> Callable[..., str]:
    return freestyle_xml


@pytest.fixture(scope="session")
def pipeline() -> Callable[[str], str]:
    return pipeline_xml


@pytest.fixture
def repository(tmp_path: Path) -> Callable[[dict[str, str]], str]:
    """Commit files to a repository; its URL."""
    where = tmp_path / "repository"

    def commit(files: dict[str, str]) -> str:
        identity = ["-c", "user.name=contract", "-c", "user.email=contract@localhost"]
        if not where.exists():
            subprocess.run(["git", "init", "-q", "-b", "main", str(where)], check=True)
        for path, text in files.items():
            (where / path).parent.mkdir(parents=True, exist_ok=True)
            (where / path).write_text(text)
        subprocess.run(["git", "-C", str(where), "add", "-A"], check=True)
        subprocess.run(["git", "-C", str(where), *identity, "commit", "-qm", "contract"], check=True)
        return f"file://{where}"

    return commit


@pytest.fixture
def cloud() -> Iterator[Any]:
    """Without machines. Its libraries are loaded here, because only few modules need them."""
    from tests.contract.cloud_agents import running_cloud

    with running_cloud() as made:
        made.make_group()
        yield made


@pytest.fixture
def idle(cloud: Any, fresh: Any, connect: Callable[[Any], Any]) -> Trial:
    """A trial whose controller is not started yet."""
    prepare(fresh, cloud)
    return Trial(cloud, fresh, connect)


@pytest.fixture
def trial(idle: Trial) -> Trial:
    idle.start()
    assert 200 == idle.apply().status_code
    return idle


PARAMETER = (
    "<hudson.model.ParametersDefinitionProperty><parameterDefinitions><hudson.model.StringParameterDefinition>"
    "<name>WORD</name><defaultValue>default</defaultValue></hudson.model.StringParameterDefinition>"
    "</parameterDefinitions></hudson.model.ParametersDefinitionProperty>"
)


@pytest.fixture
def line(server: Any) -> CommandLine:
    """The command line of the administrator."""
    own = server.get("api/json?tree=url").json()["url"].rstrip("/")
    return CommandLine(server.url, (server.user, server.password), own)


@pytest.fixture
def job(server: Any, name: str, freestyle: Callable[..., str]) -> str:
    """A job that prints its parameter."""
    server.create("", name, freestyle('echo "[$WORD]"; exit ${WORD#*=}0', properties=PARAMETER)).raise_for_status()
    return name
