"""A local cloud of its own for the tests of this folder: APIs only, no machines, on a free port of the loopback.

Fixtures for all: `endpoint` (its URL) and `client` (service name -> boto3 client, region eu-central-1). `cloud` gives the
process itself, which a test may start anew (`own_cloud` is one that nobody else uses).
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from bootstrap.cloud.world import parse_times_quickly
from bootstrap.local.aws.access.keys import CREDENTIALS, TOKEN, read_operator_keys

# What the modules beside assert is shown as in full as what the tests assert.
pytest.register_assert_rewrite(*(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "conftest"))
from scaled import Group  # noqa: E402

REGION = "eu-central-1"
START_SECONDS = 60.0
SESSION = boto3.session.Session()  # one for all clients: it keeps the models of services
parse_times_quickly(SESSION)
ROOT = Path(__file__).parents[2]


# Of a checkout, what commands read.
PARTS = (
    "accounts",
    "casc",
    "cloudformation",
    "jobs",
    "environments",
    "jenkins.lock.yaml",
    "jenkins.needs.yaml",
    "prices.yaml",
)


def lay_checkout(folder: Path) -> Path:
    """A repository in `folder` with what commands read of this checkout, for BOOTSTRAP_ROOT; nothing is committed."""
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder / ".gitignore").write_text(".bootstrap/\n")
    for name in PARTS:
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    remembered = ROOT / ".bootstrap" / "linted.json"
    if remembered.is_file():  # templates that are good are not linted again
        (folder / ".bootstrap").mkdir(mode=0o700)
        shutil.copy(remembered, folder / ".bootstrap")
    return folder


@dataclass
class Cloud:
    """A server process and its state directory."""

    state: Path
    port: int
    process: subprocess.Popen[bytes] | None = None
    clients: dict[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()  # of its command line, beside those of all tests
    prompt_seconds: float = 0.0  # answers come at once: these tests look at what is in progress

    @property
    def endpoint(self) -> str:
        """The URL of every API."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> float:
        """Start the server; returns the seconds until it answered."""
        began = time.monotonic()
        ready = self.state / "endpoint.json"
        ready.unlink(missing_ok=True)
        command = [sys.executable, "-m", "bootstrap.local.aws", "--state", str(self.state), "--port", str(self.port)]
        self.process = subprocess.Popen(
            [
                *command,
                "--environment",
                "tests",
                "--no-machines",
                "--prompt-seconds",
                str(self.prompt_seconds),
                *self.options,
            ],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        while not ready.exists():
            assert self.process.poll() is None, (self.state / "server.log").read_text()
            assert time.monotonic() - began < START_SECONDS, "the server did not start"
            time.sleep(0.02)
        assert self.port == json.loads(ready.read_text())["port"]
        return time.monotonic() - began

    def end(self, number: int = signal.SIGTERM) -> int:
        """End the server with a signal; returns its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(30)

    @property
    def keys(self) -> dict[str, str]:
        """The operator's keys, as boto3 takes them."""
        found = read_operator_keys(self.state / CREDENTIALS)
        assert found is not None
        return {"aws_access_key_id": found.access_key, "aws_secret_access_key": found.secret_key}

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which other programs reach the cloud as its operator."""
        return {"AWS_ENDPOINT_URL": self.endpoint, **{name.upper(): value for name, value in self.keys.items()}}

    def control(self, path: str, asked: Any = None) -> Any:
        """The answer of a control endpoint, told to change something where something is `asked`."""
        token = (self.state / TOKEN).read_text()
        body = None if asked is None else json.dumps(asked).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.endpoint}/_bootstrap/{path}", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def records(self) -> int:
        """How many records its journal has."""
        return (self.state / "journal.jsonl").read_bytes().count(b"\n")

    def client(self, service: str) -> Any:
        """A client of the cloud."""
        if service not in self.clients:
            self.clients[service] = self.new_client(service)
        return self.clients[service]

    def new_client(self, service: str, config: Config | None = None, region: str = REGION) -> Any:
        """A client of the cloud that is configured otherwise than most."""
        return SESSION.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            **self.keys,
            config=config,
        )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module", autouse=True)
def same_environment() -> Iterator[None]:
    """The modules of a worker share its process: one that leaves other keys behind breaks those that come after it."""
    before = dict(os.environ)
    yield
    changed = {name for name, _ in before.items() ^ os.environ.items()} - {"PYTEST_CURRENT_TEST"}
    assert not changed, f"left behind in the environment: {', '.join(sorted(changed))}"


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The cloud that the tests share."""
    shared = Cloud(tmp_path_factory.mktemp("cloud"), free_port())
    shared.start()
    yield shared
    assert shared.end() == 0


@pytest.fixture(scope="session")
def new_cloud() -> Callable[[Path], AbstractContextManager[Cloud]]:
    """Starts a cloud over a directory, and ends it."""

    @contextmanager
    def run(state: Path) -> Iterator[Cloud]:
        made = Cloud(state, free_port())
        made.start()
        yield made
        if made.process is not None and made.process.poll() is None:
            made.end()

    return run


@pytest.fixture(scope="module")
def module_cloud(
    tmp_path_factory: pytest.TempPathFactory, new_cloud: Callable[[Path], AbstractContextManager[Cloud]]
) -> Iterator[Cloud]:
    """A cloud of one module's own, whose tests build upon each other."""
    with new_cloud(tmp_path_factory.mktemp("cloud")) as own:
        yield own


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the environment files of one module."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def own_cloud(tmp_path: Path, new_cloud: Callable[[Path], AbstractContextManager[Cloud]]) -> Iterator[Cloud]:
    """A cloud of one test's own, which it may kill and start again."""
    with new_cloud(tmp_path / "cloud") as own:
        yield own


@pytest.fixture(scope="session")
def endpoint(cloud: Cloud) -> str:
    """The URL of the shared cloud."""
    return cloud.endpoint


@pytest.fixture(scope="session")
def client(cloud: Cloud) -> Callable[[str], Any]:
    """Service name -> client of the shared cloud."""
    return cloud.client


@pytest.fixture
def cloudformation(cloud: Cloud) -> Any:
    """CloudFormation of the shared cloud."""
    return cloud.client("cloudformation")


@pytest.fixture
def group(cloud: Cloud) -> Iterator[Group]:
    """A group of Auto Scaling in the shared cloud, deleted after the test."""
    made = Group(cloud)
    yield made
    made.delete()
