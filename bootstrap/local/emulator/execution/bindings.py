"""Lending credentials to a build as environment variables, with the secrets masked in the log."""

from __future__ import annotations

import base64
import secrets
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from ..failures import StepFailed
from ..model.builds import Build
from ..model.credentials import Credential
from ..model.home import Home
from ..model.identities import may_use_credentials
from .audit import Audit
from .console import Console

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
    home: Home, audit: Audit, build: Build, console: Console, wanted: list[dict[str, Any]]
) -> AsyncIterator[dict[str, str]]:
    """The variables of the wanted bindings; files made for them are gone when the context closes."""
    folder = Path(mkdtemp(prefix="secretFiles-"))
    try:
        variables: dict[str, str] = {}
        for entry in wanted:
            variables.update(_bind(home, audit, build, console, folder, entry))
        yield variables
    finally:
        shutil.rmtree(folder, ignore_errors=True)


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


def _bind(
    home: Home, audit: Audit, build: Build, console: Console, folder: Path, entry: dict[str, Any]
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
        return {str(entry["variable"]): str(_keep(folder, values.get("fileName") or "secret", content))}
    path = _keep(
        folder, "ssh-key-" + str(entry["keyFileVariable"]), (values["privateKey"].rstrip("\n") + "\n").encode()
    )
    found = {str(entry["keyFileVariable"]): str(path)}
    for key, name in (("usernameVariable", "username"), ("passphraseVariable", "passphrase")):
        if entry.get(key):
            found[str(entry[key])] = values.get(name, "")
    return found


def _keep(folder: Path, name: str, content: bytes) -> Path:
    path = folder / secrets.token_hex(4) / Path(name).name
    path.parent.mkdir(mode=0o700)
    path.touch(0o400)
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(0o400)
    return path


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
