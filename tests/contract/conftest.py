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
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import jenkins
import pytest
import requests

from tests.contract.foreign import ADMIN, BASE, CREDENTIALS, SECRET

ROOT = Path(__file__).resolve().parents[2]
EMULATOR = ROOT / "bootstrap" / "local" / "emulator"
# One folder for all emulators, since Python stores the compiled modules by their path.
LIBRARY = ROOT / ".bootstrap" / "tests" / "library"


def find_java() -> str | None:
    """JAVA_HOME of a Java that runs Groovy 2.4, or None."""
    named = os.environ.get("JAVA_HOME")
    candidates = [Path(named)] if named else []
    candidates += [
        Path(f"/usr/lib/jvm/java-{version}-openjdk-{arch}") for version in (25, 21, 17) for arch in ("amd64", "arm64")
    ]
    return next((str(path) for path in candidates if (path / "bin/java").exists()), None)


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


class Emulator:
    """A running emulator with a home, configuration and secrets of its own."""

    def __init__(self, root: Path, **variables: str) -> None:
        self.root, self.home, self.casc = root, root / "home", root / "casc.d"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.variables = variables
        # The repositories of the tests are folders of this machine.
        self.arguments = ["-Dhudson.plugins.git.GitSCM.ALLOW_LOCAL_CHECKOUT=true"]
        self.output: Any = None  # a file for what it writes to its standard output
        self.process: subprocess.Popen[str] | None = None
        self.said = ""
        self.casc.mkdir(parents=True)
        (root / "secrets").mkdir()
        LIBRARY.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            (LIBRARY / "jenkins_emulator").symlink_to(os.path.relpath(EMULATOR, LIBRARY))
        (root / "secrets" / "ADMIN_PASSWORD").write_text(ADMIN + "\n")
        (root / "secrets" / "TOKEN_SECRET").write_text(SECRET)
        (self.casc / "10-base.yaml").write_text(BASE)
        (self.casc / "20-credentials.yaml").write_text(CREDENTIALS)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "PYTHONPATH": str(LIBRARY),
            "PYTHONPYCACHEPREFIX": os.environ.get("PYTHONPYCACHEPREFIX", str(self.root / "pycache")),
            "JAVA_HOME": find_java() or "",
            "JENKINS_HOME": str(self.home),
            "JENKINS_PORT": str(self.port),
            "CASC_JENKINS_CONFIG": str(self.casc),
            "SECRETS": str(self.root / "secrets"),
            "CASC_STRICT_SECRET_RESOLUTION": "true",
            "CASC_RELOAD_TOKEN": "reload-token",
            **self.variables,
        }

    def start(self) -> None:
        command = [sys.executable, "-m", "jenkins_emulator", *self.arguments]
        self.process = subprocess.Popen(
            command, cwd=self.root, env=self.environment(), stdout=self.output, stderr=subprocess.PIPE, text=True
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                assert self.process.stderr is not None
                raise RuntimeError(f"exit {self.process.returncode}: {self.process.stderr.read()}")
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(f"{self.url}/login", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
        raise RuntimeError("the emulator did not answer")

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        self.said = self.process.communicate(timeout=30)[1]
        return self.process.returncode


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


class Server:
    """The Jenkins under test, as an administrator and as nobody."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url, self.user, self.password = url.rstrip("/"), user, password
        self.client = jenkins.Jenkins(self.url, user, password, timeout=60)
        self.client.get_whoami()
        self.anonymous = requests.Session()
        self.session = requests.Session()
        self.session.auth = (user, password)
        crumb = self.session.get(f"{self.url}/crumbIssuer/api/json").json()
        self.session.headers[crumb["crumbRequestField"]] = crumb["crumb"]

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.session.get(f"{self.url}/{path}", allow_redirects=False, timeout=60, **options)

    def post(self, path: str, **options: Any) -> requests.Response:
        return self.session.post(f"{self.url}/{path}", allow_redirects=False, timeout=60, **options)

    def create(self, path: str, name: str, xml: str) -> requests.Response:
        return self.post(
            f"{path}createItem", params={"name": name}, data=xml.encode(), headers={"Content-Type": "application/xml"}
        )

    def until(self, what: Callable[[], Any], seconds: float = 90) -> Any:
        """Poll until the value is true; its last value."""
        deadline = time.monotonic() + seconds
        while not (value := what()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert value, "it did not happen in time"
        return value

    def begin(self, name: str, parameters: dict[str, str] | None = None) -> int:
        """Queue a build; its number once it runs."""
        item = self.client.build_job(name, parameters)
        return int(self.until(lambda: (self.client.get_queue_item(item).get("executable") or {}).get("number")))

    def finish(self, name: str, number: int) -> tuple[dict[str, Any], str]:
        """Wait for the end; the build and its console.

        `building` is false before the last line of the console is written; `inProgress` only after it.
        """
        self.until(lambda: not self.client.get_build_info(name, number)["inProgress"])
        return self.client.get_build_info(name, number), self.client.get_build_console_output(name, number)

    def run(self, name: str, parameters: dict[str, str] | None = None) -> tuple[dict[str, Any], str]:
        return self.finish(name, self.begin(name, parameters))


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
