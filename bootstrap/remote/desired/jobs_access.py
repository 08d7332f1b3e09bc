"""How the jobs of the toolkit reach the controller's machine from agents of their own, the group `infrastructure`.

Their agents log in with the key of the group as the user that runs these jobs on the machine where there is no such group. sshd
runs one program for that user (`answer_jobs.py`). It answers the questions that are listed here, and the connection may forward
Jenkins' port. There is no shell. Without the group, nothing of it is on the machine.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from bootstrap.environment.agents import takes_toolkit_jobs
from bootstrap.remote.commands import quote_command
from bootstrap.remote.desired.agent import INFRASTRUCTURE
from bootstrap.remote.desired.base import Resources, make_file
from bootstrap.remote.desired.inputs import HostInputs
from bootstrap.remote.desired.people import REPOSITORY
from bootstrap.remote.templates import read_text, render

USER = INFRASTRUCTURE.user
"""The user of the machine as which the agents log in."""

KEY = "/etc/ssh/controller_key"
"""The private key on an agent; user data of the group's template puts it there."""

WORLD = "world"
"""The question whose answer is a program of the shell, which an agent reads before it starts."""

KEYS = "/etc/ssh/jobs_keys"
PROGRAM = "/usr/local/sbin/answer-jobs"
ANSWERS = "/etc/bootstrap/jobs-answers.json"
_WORLD_FILE = "/etc/bootstrap/jobs-world.sh"
_LIMITS = f"/etc/systemd/system/user-{INFRASTRUCTURE.number}.slice.d/50-bootstrap.conf"
_FILES = {
    "program for jobs": PROGRAM,
    "answers for jobs": ANSWERS,
    "world for jobs": _WORLD_FILE,
    "limits for jobs": _LIMITS,
    "key of jobs": KEYS,
}


def list_resources(inputs: HostInputs) -> Resources:
    """The program with its answers, then the key that opens it; all of them absent without the group."""
    if not takes_toolkit_jobs(inputs.settings.agents):
        return [{"id": name, "kind": "absent", "path": path} for name, path in reversed(_FILES.items())]
    closed: dict[str, Any] = {"group": USER, "mode": "0640", "secret": True}  # the indexes of pip may hold a password
    contents: dict[str, tuple[str, dict[str, Any]]] = {
        "program for jobs": (read_text("answer_jobs.py"), {"mode": "0755"}),
        "answers for jobs": (json.dumps(list_answers(inputs), indent=1, sort_keys=True) + "\n", {}),
        "world for jobs": (_make_world(inputs), closed),
        "limits for jobs": (read_text("git-limits.conf").replace("user git", f"user {USER}"), {}),
        "key of jobs": (f"restrict,port-forwarding {inputs.jobs_key} jobs\n", {}),
    }
    return [make_file(name, path, contents[name][0], **contents[name][1]) for name, path in _FILES.items()]


def list_answers(inputs: HostInputs) -> Mapping[str, Sequence[str]]:
    """Each question, as it comes over SSH, with the command that answers it."""
    answers: dict[str, Sequence[str]] = {quote_command(command): command for command in inputs.jobs_commands}
    answers[WORLD] = ["cat", _WORLD_FILE]
    if inputs.toolkit is not None:
        answers[f"git-upload-pack '{REPOSITORY}'"] = ["git-upload-pack", REPOSITORY]
    return answers


def _make_world(inputs: HostInputs) -> str:
    return render(
        "jobs-world.sh",
        settings=json.dumps({"environment": inputs.settings.name}),
        pip=inputs.pip_configuration.strip(),
        authorities="\n".join(pem.strip() for _, pem in sorted(inputs.ca_certificates.items())),
        user=USER,
        key=KEY,
        repository=REPOSITORY if inputs.toolkit is not None else "",
        variables=[(name, shlex.quote(value)) for name, value in sorted(inputs.aws_environment.items())],
    )
