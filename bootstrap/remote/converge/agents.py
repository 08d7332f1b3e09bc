"""The secret with which an agent presents itself to the Jenkins on this machine: only that Jenkins can tell it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource
from bootstrap.remote.converge.files import write
from bootstrap.remote.converge.jenkins import Jenkins, NoAnswer
from bootstrap.remote.converge.open_directories import leave_as_made, open_folder, open_parent

_MODE = "0400"
_OWNER = {"owner": "root", "group": "root"}
_MOST = 1024  # bytes; a secret has 64
_FIRST_ARGUMENT = re.compile(rb"<argument>([0-9a-f]{64})</argument>")


def agent_secret(context: Context, resource: Resource) -> Finding | None:
    """The file `path`, root's alone, with the secret that Jenkins has for its agent `node`; Jenkins is asked as for draining.

    A Jenkins that does not answer has another secret only if its home is another one: a file that is there is left alone then.
    A Jenkins whose settings do not name the agent yet is left alone as well: they come after the machine.
    """
    path = context.path(resource["path"])
    found = _read(context, path)
    try:
        secret = _secret_of(context, resource)
    except NoAnswer:
        return None if found else Finding("add", "when Jenkins answers", lambda: _fetch(context, resource, path))
    if secret is None or secret == found:
        return None
    return Finding("alter" if found else "add", f"mode {_MODE}", lambda: _fetch(context, resource, path))


def _read(context: Context, path: Path) -> bytes | None:
    with open_parent(context, path) as folder:
        stream = folder.open_file(path.name) if folder else None
        if stream is None:
            return None
        with stream:
            return stream.read(_MOST)


def _secret_of(context: Context, resource: Resource) -> bytes | None:
    wish: dict[str, Any] = resource["jenkins"]
    description = Jenkins(context, wish).description_of_agent(resource["node"])
    if description is None:
        return None
    match = _FIRST_ARGUMENT.search(description)
    if match is None:
        raise NoAnswer(f"Jenkins' description of its agent {resource['node']} has no secret")
    return match[1]


def _fetch(context: Context, resource: Resource, path: Path) -> None:
    try:
        secret = _secret_of(context, resource)
    except NoAnswer as error:
        raise Failed(f"the secret of the agent {resource['node']} cannot be had: {error}") from error
    if secret is None:
        return
    with open_folder(context, path.parent, leave_as_made) as folder:
        write(folder, path.name, secret, _OWNER, _MODE)
