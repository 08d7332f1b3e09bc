"""The secret with which an agent connects to the Jenkins on this machine; only that Jenkins knows it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bootstrap.remote.converge.core import Context, Failed, Finding, Resource
from bootstrap.remote.converge.files import write
from bootstrap.remote.converge.jenkins import Jenkins, NoAnswer
from bootstrap.remote.converge.open_directories import keep_attributes, open_folder, open_parent

_MODE = "0400"
_OWNER = {"owner": "root", "group": "root"}
_MOST = 1024  # bytes; a secret has 64
_FIRST_ARGUMENT = re.compile(rb"<argument>([0-9a-f]{64})</argument>")


def agent_secret(context: Context, resource: Resource) -> Finding | None:
    """The file `path`, readable by root only, with the secret that Jenkins has for its agent `node`.

    If Jenkins does not answer, an existing file is not changed: the secret changes only with the home of Jenkins. If the
    settings of Jenkins do not have the agent yet, nothing is done: the casc act comes after the host act.
    """
    path = context.path(resource["path"])
    stored = _read(context, path)
    try:
        secret = _read_agent_secret(context, resource)
    except NoAnswer:
        return None if stored else Finding("add", "when Jenkins answers", lambda: _fetch(context, resource, path))
    if secret is None or secret == stored:
        return None
    return Finding("alter" if stored else "add", f"mode {_MODE}", lambda: _fetch(context, resource, path))


def _read(context: Context, path: Path) -> bytes | None:
    with open_parent(context, path) as folder:
        stream = folder.open_file(path.name) if folder else None
        if stream is None:
            return None
        with stream:
            return stream.read(_MOST)


def _read_agent_secret(context: Context, resource: Resource) -> bytes | None:
    settings: dict[str, Any] = resource["jenkins"]
    description = Jenkins(context, settings).description_of_agent(resource["node"])
    if description is None:
        return None
    match = _FIRST_ARGUMENT.search(description)
    if match is None:
        raise NoAnswer(f"Jenkins' description of its agent {resource['node']} has no secret")
    return match[1]


def _fetch(context: Context, resource: Resource, path: Path) -> None:
    try:
        secret = _read_agent_secret(context, resource)
    except NoAnswer as error:
        raise Failed(f"the secret of the agent {resource['node']} cannot be read: {error}") from error
    if secret is None:
        return
    with open_folder(context, path.parent, keep_attributes) as folder:
        write(folder, path.name, secret, _OWNER, _MODE)
