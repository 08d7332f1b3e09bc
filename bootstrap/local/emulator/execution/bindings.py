"""Binds credentials to environment variables of a build, and masks the secrets in the log."""

from __future__ import annotations

import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
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
from .durable_node import AgentLost
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


# The names that Jenkins shows of the kinds of credentials, and the class that each kind of binding wants.
SHOWN = {
    "string": "Secret text",
    "usernamePassword": "Username with password",
    "file": "Secret file",
    "basicSSHUserPrivateKey": "SSH Username with private key",
    "aws": "AWS Credentials",
    "certificate": "Certificate",
}
WANTED = {
    "string": "org.jenkinsci.plugins.plaincredentials.StringCredentials",
    "usernamePassword": "com.cloudbees.plugins.credentials.common.StandardUsernamePasswordCredentials",
    "file": "org.jenkinsci.plugins.plaincredentials.FileCredentials",
    "basicSSHUserPrivateKey": "com.cloudbees.jenkins.plugins.sshcredentials.SSHUserPrivateKey",
    "aws": "com.cloudbees.jenkins.plugins.awscredentials.AmazonWebServicesCredentials",
}


class Bound(dict[str, str]):
    """The variables of bindings; `secrets` are those whose values must not be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.secrets: dict[str, str] = {}

    def keep(self, name: str, value: str, *, is_secret: bool = True) -> None:
        """Add a variable."""
        self[name] = value
        if is_secret:
            self.secrets[name] = value

    @property
    def notice(self) -> str:
        """The line of the console that names the variables with secrets."""
        return "Masking supported pattern matches of " + " or ".join(f"${name}" for name in self.secrets)


@asynccontextmanager
async def bind(
    home: Home,
    audit: Audit,
    build: Build,
    console: Console,
    node: Node | None,
    wanted: list[dict[str, Any]],
    directory: Path | None = None,
) -> AsyncIterator[Bound]:
    """The variables of the wanted bindings, masked in the log until the context closes; then their files are deleted.

    The files lie beside the `directory` on the node.
    """
    files = _Files(node, [], directory)
    bound = Bound()
    try:
        for entry in wanted:
            await _bind(home, audit, build, bound, files, entry)
        with console.hide_within(bound.secrets.values()):
            yield bound
    finally:
        for folder in files.folders:
            assert node is not None
            with suppress(AgentLost):  # they stay on an agent that is gone
                await node.remove(folder)


@dataclass(frozen=True)
class _Files:
    """Makes the files of bindings on a node, and remembers their folders."""

    node: Node | None
    folders: list[Path]
    directory: Path | None

    async def keep(self, name: str, content: bytes) -> Path:
        if self.node is None:
            raise refuse_without_node("withCredentials")
        beside = f"{self.directory}@tmp/secretFiles/" if self.directory else ""
        folder = await self.node.make_scratch(f"{beside}{uuid.uuid4()}" if beside else "secretFiles-")
        self.folders.append(folder)
        path = folder / Path(name).name
        await self.node.write(path, content, 0o400)
        return path


def refuse_without_node(step: str) -> StepFailed:
    """The refusal of a step that needs a node, outside of one."""
    return StepFailed(
        "Required context class hudson.FilePath is missing\n"
        f"Perhaps you forgot to surround the {step} step with a step that provides this, such as: node",
        NO_NODE,
    )


def lookup(home: Home, build: Build, identifier: str, kinds: tuple[str, ...]) -> Credential:
    """The credential of an id and kind that builds may use; StepFailed as the binding plugin says it."""
    credential = home.find_credential(identifier, build.job)
    if credential is None or credential.scope == "SYSTEM" or not may_use_credentials(home, build.job):
        raise StepFailed(f"Could not find credentials entry with ID '{identifier}'", NOT_FOUND)
    if credential.kind not in kinds:
        raise StepFailed(
            f"Credentials '{identifier}' is of type '{SHOWN.get(credential.kind, credential.kind)}' where"
            f" '{' or '.join(WANTED[kind] for kind in kinds)}' was expected",
            NOT_FOUND,
        )
    return credential


async def _bind(home: Home, audit: Audit, build: Build, bound: Bound, files: _Files, entry: dict[str, Any]) -> None:
    symbol = str(entry.get("$class"))
    if symbol not in ACCEPTED:
        raise StepFailed(f"the credentials binding {symbol} is not known to the emulator")
    credential = lookup(home, build, str(entry.get("credentialsId", "")), ACCEPTED[symbol])
    audit.log_use(build, credential)
    values = credential.values
    if symbol == "string":
        bound.keep(str(entry["variable"]), values["secret"])
    elif symbol == "usernameColonPassword":
        bound.keep(str(entry["variable"]), f"{values['username']}:{values['password']}")
    elif symbol == "usernamePassword":
        is_secret = values.get("usernameSecret", "").lower() == "true"
        bound.keep(str(entry["usernameVariable"]), values["username"], is_secret=is_secret)
        bound.keep(str(entry["passwordVariable"]), values["password"])
    elif symbol == "aws":
        bound.keep(str(entry.get("accessKeyVariable") or "AWS_ACCESS_KEY_ID"), values["accessKey"])
        bound.keep(str(entry.get("secretKeyVariable") or "AWS_SECRET_ACCESS_KEY"), values["secretKey"])
    elif symbol == "file":
        content = base64.b64decode(values["secretBytes"])
        bound.keep(str(entry["variable"]), str(await files.keep(values.get("fileName") or "secret", content)))
    else:
        # Jenkins ends the key with a line break, and writes another one after it.
        key = (values["privateKey"].rstrip("\n") + "\n\n").encode()
        name = str(entry["keyFileVariable"])
        bound.keep(name, str(await files.keep(f"ssh-key-{name}", key)))
        if entry.get("usernameVariable"):
            bound.keep(str(entry["usernameVariable"]), values.get("username", ""), is_secret=False)
        if entry.get("passphraseVariable"):
            bound.keep(str(entry["passphraseVariable"]), values.get("passphrase", ""))


def make_environment_bindings(home: Home, build: Build, name: str, identifier: str) -> list[dict[str, Any]]:
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
