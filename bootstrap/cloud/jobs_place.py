"""Where a job of the toolkit runs: on the machine of its controller, or on an agent that has the machine's answers by SSH.

Files say which: MACHINE_FILE on the machine; on an agent those in the folder that a variable names, which Jenkins puts there
before it starts the agent (`definitions.fleets`). Elsewhere there are neither.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from bootstrap.remote.desired import jobs_access
from bootstrap.values import Secret

MACHINE_FILE = Path("/etc/bootstrap/machine.json")
READ_MACHINE = ("cat", str(MACHINE_FILE))
VARIABLE = "BOOTSTRAP_CONTROLLER"


@dataclass(frozen=True)
class Login:
    """How an agent logs in on the machine of its controller, and the only host keys that it may show."""

    user: str
    private_key: Secret
    host_keys: tuple[str, ...]


def read_environment() -> str | None:
    """The name of the environment whose job this process is; None if it is none."""
    folder = _find_folder()
    try:
        content = json.loads((folder / "settings.json" if folder else MACHINE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return str(content.get("environment"))


def is_job() -> bool:
    """Whether this process is a job of the toolkit, of whichever environment."""
    return _find_folder() is not None or MACHINE_FILE.is_file()


def read_login() -> Login | None:
    """The login of this agent; None on the machine itself, and where no job runs. OSError if its files cannot be read."""
    folder = _find_folder()
    if folder is None:
        return None
    lines = (folder / "known_hosts").read_text(encoding="utf-8").splitlines()
    keys = tuple(line.partition(" ")[2] for line in lines if line)
    return Login(jobs_access.USER, Secret(Path(jobs_access.KEY).read_text(encoding="utf-8")), keys)


def _find_folder() -> Path | None:
    named = os.environ.get(VARIABLE)
    return Path(named) if named else None
