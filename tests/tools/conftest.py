"""Programs that deploy stacks, as they come from their registries, against a local cloud of their own.

They are installed apart from our libraries: the Python ones by the hashed `requirements.lock` (made as its first lines say),
the CDK by `package-lock.json`. What is installed stays under `.tox` until a lock changes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.aws.conftest import REGION, Cloud, free_port
from tests.tools.installing import install, install_python, keep

HERE = Path(__file__).parent
KEPT = "foreign-tools"
PATIENCE_SECONDS = 300.0


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
    return install_python(HERE / "requirements.lock", KEPT)


@pytest.fixture(scope="session")
def node_programs() -> Path:
    """The directory of the programs of package-lock.json; skips where there is no npm."""
    if shutil.which("npm") is None:
        pytest.skip("the CDK needs npm, which is not on this machine: apt-get install npm")

    def fill(place: Path) -> None:
        place.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, place / name)
        install(["npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit", "--prefix", str(place)])

    return keep(f"{KEPT}/node", (HERE / "package-lock.json").read_bytes(), fill) / "node_modules/.bin"


@pytest.fixture
def tools(python_programs: Path, cloud: Cloud, tmp_path: Path) -> Tools:
    """The Python programs, in a directory of the test's own."""
    return Tools((python_programs,), cloud, tmp_path)


@pytest.fixture
def node_tools(node_programs: Path, python_programs: Path, cloud: Cloud, tmp_path: Path) -> Tools:
    """The CDK and the Python programs, in a directory of the test's own."""
    return Tools((node_programs, python_programs), cloud, tmp_path)
