"""Programs that deploy stacks, as they come from their registries, against a local cloud of their own.

They are installed apart from our libraries: the Python ones by the hashed `requirements.lock` (made as its first lines say),
the CDK by `package-lock.json`. What is installed stays under `.tox` until a lock changes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.aws.conftest import REGION, ROOT, Cloud, free_port

HERE = Path(__file__).parent
KEPT = ROOT / ".tox" / "foreign-tools"
PATIENCE_SECONDS = 300.0
INSTALL_SECONDS = 900.0


@dataclass(frozen=True)
class Tools:
    """Runs the installed programs in a directory, with the local cloud as their AWS and no configuration of the user's."""

    paths: tuple[Path, ...]
    cloud: Cloud
    directory: Path

    def run(self, *command: str, exits: int = 0, **more: str) -> str:
        """Run a program; returns what it printed, on either stream. It must exit with `exits`."""
        done = subprocess.run(
            command,
            cwd=self.directory,
            env=self._environment() | more,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
        )
        printed = done.stdout + done.stderr
        assert exits == done.returncode, printed
        return printed

    def aws(self, line: str, exits: int = 0) -> str:
        """Run a command of the aws CLI that needs no quotes."""
        return self.run("aws", *line.split(), exits=exits)

    def write(self, **files: str) -> None:
        """Write files: their names with two underscores for a dot and three for a slash."""
        for name, text in files.items():
            path = self.directory / name.replace("___", "/").replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def _environment(self) -> dict[str, str]:
        return self.cloud.environment | {
            "PATH": os.pathsep.join([*map(str, self.paths), os.environ["PATH"]]),
            "HOME": str(self.directory),
            "LANG": "C.UTF-8",
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
            "SAM_CLI_TELEMETRY": "0",
            "CDK_DISABLE_CLI_TELEMETRY": "true",
        }


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """The cloud that all programs meet, as a user starts it."""
    shared = Cloud(tmp_path_factory.mktemp("cloud"), free_port(), prompt_seconds=1.0)
    shared.start()
    yield shared
    assert 0 == shared.end()


@pytest.fixture(scope="session")
def python_programs() -> Path:
    """The directory of the programs of requirements.lock."""
    lock = HERE / "requirements.lock"
    place = _kept("python", lock.read_bytes() + sys.version.encode())
    with _alone(place):
        if not (place / "whole").exists():
            uv = [sys.executable, "-m", "uv"]
            _install([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(place)])
            into = ["--python", str(place / "bin/python")]
            _install([*uv, "pip", "install", "--quiet", "--require-hashes", *into, "-r", str(lock)])
            (place / "whole").touch()
    return place / "bin"


@pytest.fixture(scope="session")
def node_programs() -> Path:
    """The directory of the programs of package-lock.json; skips where there is no npm."""
    if shutil.which("npm") is None:
        pytest.skip("the CDK needs npm, which is not on this machine: apt-get install npm")
    place = _kept("node", (HERE / "package-lock.json").read_bytes())
    with _alone(place):
        if not (place / "whole").exists():
            place.mkdir(exist_ok=True)
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, place / name)
            _install(["npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--prefix", str(place)])
            (place / "whole").touch()
    return place / "node_modules/.bin"


@pytest.fixture
def tools(python_programs: Path, cloud: Cloud, tmp_path: Path) -> Tools:
    """The Python programs, in a directory of the test's own."""
    return Tools((python_programs,), cloud, tmp_path)


@pytest.fixture
def node_tools(node_programs: Path, python_programs: Path, cloud: Cloud, tmp_path: Path) -> Tools:
    """The CDK and the Python programs, in a directory of the test's own."""
    return Tools((node_programs, python_programs), cloud, tmp_path)


def _kept(kind: str, made_from: bytes) -> Path:
    KEPT.mkdir(parents=True, exist_ok=True)
    return KEPT / f"{kind}-{hashlib.sha256(made_from).hexdigest()[:16]}"


@contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Holds a lock file, so that two runs do not install into one place."""
    with place.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    assert 0 == done.returncode, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
