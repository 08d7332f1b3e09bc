"""Clients of Jenkins as they are published: their public methods are called, and end as on a real Jenkins.

They are installed by the hashed `requirements.lock` (made as its first lines say) into an environment of their own, which stays
under `.tox` until the lock changes. `play_*.py` are the programs that call them; `uncalled.yaml` names what they do not call.
"""

from __future__ import annotations

import json
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.tools.installing import install_python

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PLAY_SECONDS = 900.0
CLIENTS = sorted(path.stem.removeprefix("play_") for path in HERE.glob("play_*.py"))


@pytest.fixture(scope="session")
def python_of_clients() -> Path:
    """The Python of the environment of the clients."""
    return install_python(HERE / "requirements.lock", "jenkins-clients") / "python"


@pytest.mark.parametrize("client", CLIENTS)
def test_methods_of_the_client_end_as_on_a_real_jenkins(server: Any, python_of_clients: Path, client: str) -> None:
    program = [str(python_of_clients), "-W", "ignore", str(HERE / f"play_{client}.py")]
    done = subprocess.run(
        [*program, server.url, server.user, server.password], capture_output=True, text=True, timeout=PLAY_SECONDS
    )
    assert 0 == done.returncode, done.stderr
    played = json.loads(done.stdout.splitlines()[-1])

    assert {} == {step: end for step, end in played["steps"].items() if end != "ok"}
    left_out = yaml.safe_load((HERE / "uncalled.yaml").read_text())[client]
    patterns = [pattern for part in left_out for pattern in part["methods"]]
    called = played["calls"]
    forgotten = [name for name in played["methods"] if name not in called and not _fits(name, patterns)]
    assert forgotten == []
    assert [] == [name for name in called if name in patterns], "they are called: uncalled.yaml must not name them"


def _fits(name: str, patterns: list[str]) -> bool:
    return any(fnmatch(name, pattern) for pattern in patterns)
