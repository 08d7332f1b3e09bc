"""Binds credentials to environment variables of a build, and masks the secrets in the log."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..failures import StepFailed
from ..model.builds import Build
from ..model.credentials import Credential
from ..model.home import Home
from ..model.identities import may_use_credentials
from .audit import Audit
from .console import Console
from .nodes import Node

NO_NODE = "org.jenkinsci.plugins.workflow.steps.MissingContextVariableException"
NOT_FOUND = "org.jenkinsci.plugins.credentialsbinding.impl.CredentialNotFoundException"
ACCEPTED = {
    "string": ("string",),
    "usernamePassword": ("usernamePassword",),
    "usernameColonPassword": ("usernamePassword",),
    "file": ("file",),
    "sshUserPrivateKey": ("basicSSHUserPrivateKey",),
    "aws": ("aws",),
}


@asynccontextmanager
async def bind(
    home: Home, audit: Audit, build: Build, console: Console, node: Node | None, wanted: list[dict[str, Any]]
) -> AsyncIterator[dict[str, str]]:
    """The variables of the wanted bindings; their files on the node are deleted when the context closes."""
    files: list[Path] = []
    try:
        variables: dict[str, str] = {}
        for entry in wanted:
            variables.update(await _bind(home, audit, build, console, _Files(node, files), entry))
        yield variables
    finally:
        for folder in files:
            assert node is not None
            await node.remove(folder)


@dataclass(frozen=True)
class _Files:
    """Makes the files of bindings on a node, and remembers their folders."""

    node: Node | None
    folders: list[Path]

    async def keep(self, name: str, content: bytes) -> Path:
        if self.node is None:
            raise StepFailed("Required context class hudson.FilePath is missing", NO_NODE)
        folder = await self.node.make_scratch("secretFiles-")
        self.folders.append(folder)
        path = folder / Path(name).name
        await self.node.write(path, content, 0o400)
        return path


def lookup(home: Home, build: Build, identifier: str, kinds: tuple[str, ...]) -> Credential:
    """The credential of an id and kind that builds may use; StepFailed as the binding plugin says it."""
    credential = home.credentials.find(identifier)
    if credential is None or credential.scope == "SYSTEM" or not may_use_credentials(home, build.job):
        raise StepFailed(f"Could not find credentials entry with ID '{identifier}'", NOT_FOUND)
    if credential.kind not in kinds:
        raise StepFailed(
            f"Credentials '{identifier}' is of type '{credential.kind}' where '{' or '.join(kinds)}' was expected",
            NOT_FOUND,
        )
    return credential


async def _bind(
    home: Home, audit: Audit, build: Build, console: Console, files: _Files, entry: dict[str, Any]
) -> dict[str, str]:
    symbol = str(entry.get("$class"))
    if symbol not in ACCEPTED:
        raise StepFailed(f"the credentials binding {symbol} is not known to the emulator")
    credential = lookup(home, build, str(entry.get("credentialsId", "")), ACCEPTED[symbol])
    audit.used(build, credential)
    console.hide(credential.secrets)
    values = credential.values
    if symbol == "string":
        return {str(entry["variable"]): values["secret"]}
    if symbol == "usernameColonPassword":
        return {str(entry["variable"]): f"{values['username']}:{values['password']}"}
    if symbol == "usernamePassword":
        return {str(entry["usernameVariable"]): values["username"], str(entry["passwordVariable"]): values["password"]}
    if symbol == "aws":
        names = (
            str(entry.get("accessKeyVariable") or "AWS_ACCESS_KEY_ID"),
            str(entry.get("secretKeyVariable") or "AWS_SECRET_ACCESS_KEY"),
        )
        return {names[0]: values["accessKey"], names[1]: values["secretKey"]}
    if symbol == "file":
        content = base64.b64decode(values["secretBytes"])
        console.hide([content.decode("utf-8", "ignore")])
        return {str(entry["variable"]): str(await files.keep(values.get("fileName") or "secret", content))}
    key = (values["privateKey"].rstrip("\n") + "\n").encode()
    path = await files.keep("ssh-key-" + str(entry["keyFileVariable"]), key)
    variables = {str(entry["keyFileVariable"]): str(path)}
    for variable, name in (("usernameVariable", "username"), ("passphraseVariable", "passphrase")):
        if entry.get(variable):
            variables[str(entry[variable])] = values.get(name, "")
    return variables


def environment_bindings(home: Home, build: Build, name: str, identifier: str) -> list[dict[str, Any]]:
    """The bindings of a declarative `credentials('id')`: NAME, and NAME_USR and NAME_PSW where there is a user."""
    credential = lookup(home, build, identifier, ("string", "usernamePassword", "file", "basicSSHUserPrivateKey"))
    given = {"credentialsId": identifier}
    if credential.kind in {"string", "file"}:
        return [{"$class": credential.kind, "variable": name, **given}]
    if credential.kind == "usernamePassword":
        pair = {
            "$class": "usernamePassword",
            "usernameVariable": f"{name}_USR",
            "passwordVariable": f"{name}_PSW",
            **given,
        }
        return [{"$class": "usernameColonPassword", "variable": name, **given}, pair]
    return [
        {
            "$class": "sshUserPrivateKey",
            "keyFileVariable": name,
            "usernameVariable": f"{name}_USR",
            "passphraseVariable": f"{name}_PSW",
            **given,
        }
    ]
