"""Stores the credentials of the system store, encrypted, in credentials.xml. Builds use them by id."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import xmlfile
from .cipher import Vault

CLASSES = {
    "usernamePassword": "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl",
    "string": "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl",
    "file": "org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl",
    "basicSSHUserPrivateKey": "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey",
    "aws": "com.cloudbees.jenkins.plugins.awscredentials.AWSCredentialsImpl",
    "certificate": "com.cloudbees.plugins.credentials.impl.CertificateCredentialsImpl",
}
SECRETS = {"password", "secret", "secretBytes", "passphrase", "privateKey", "secretKey"}


@dataclass(frozen=True)
class Credential:
    """One credential; `values` has the plain secrets, so this object must never leave the process."""

    kind: str
    identifier: str
    scope: str
    description: str
    values: dict[str, str]

    @property
    def secrets(self) -> list[str]:
        """The texts that a log must never show."""
        return [text for key, text in self.values.items() if key in SECRETS and text]

    def __repr__(self) -> str:
        return f"Credential({self.kind}, {self.identifier})"


def read_credentials(entries: list[dict[str, Any]]) -> list[Credential]:
    """Read the credentials of a checked `credentials.system.domainCredentials`."""
    credentials = []
    for domain in entries:
        for entry in domain.get("credentials") or []:
            for kind, body in entry.items():
                values = {key: str(value) for key, value in body.items() if not isinstance(value, dict)}
                source = body.get("privateKeySource") or {}
                values.update({key: str(value) for key, value in (source.get("directEntry") or {}).items()})
                identifier, scope, description = (values.pop(key, "") for key in ("id", "scope", "description"))
                credentials.append(Credential(kind, identifier, scope or "GLOBAL", description, values))
    return credentials


class Credentials:
    """The system store."""

    def __init__(self, home: Path, vault: Vault) -> None:
        self._path, self._vault = home / "credentials.xml", vault
        self._credentials: dict[str, Credential] = {}

    def load(self) -> None:
        """Read credentials.xml."""
        if not self._path.exists():
            return
        kinds = {name: kind for kind, name in CLASSES.items()}
        for node in xmlfile.parse(self._path.read_bytes()).iterfind(
            ".//entry/java.util.concurrent.CopyOnWriteArrayList/*"
        ):
            values = {
                child.tag: self._vault.open(child.text or "") if child.tag in SECRETS else child.text or ""
                for child in node
            }
            identifier, scope, description = (values.pop(key, "") for key in ("id", "scope", "description"))
            self._credentials[identifier] = Credential(kinds[node.tag], identifier, scope, description, values)

    def replace(self, credentials: list[Credential]) -> None:
        """Replace all credentials; the file is written only if something changes."""
        held = {credential.identifier: credential for credential in credentials}
        if held != self._credentials or not self._path.exists():
            self._credentials = held
            self._save()

    def put(self, credential: Credential) -> None:
        """Add a credential, or replace the one with its id."""
        self._credentials[credential.identifier] = credential
        self._save()

    def remove(self, identifier: str) -> None:
        """Delete the credential of an id; without one nothing happens."""
        self._credentials.pop(identifier, None)
        self._save()

    def find(self, identifier: str) -> Credential | None:
        """Find the credential of an id; None if there is none."""
        return self._credentials.get(identifier)

    def list_all(self) -> list[Credential]:
        """List all credentials, sorted by id."""
        return [self._credentials[key] for key in sorted(self._credentials)]

    def describe(self, credential: Credential, *, is_redacted: bool = True) -> Any:
        """Render a credential as XML, with its secrets redacted or encrypted."""
        node = xmlfile.element(CLASSES[credential.kind])
        for tag, text in (
            ("scope", credential.scope),
            ("id", credential.identifier),
            ("description", credential.description),
        ):
            xmlfile.put(node, tag, text)
        for key, text in credential.values.items():
            if key in SECRETS:
                text = "<secret-redacted/>" if is_redacted else self._vault.seal(text)
            xmlfile.put(node, key, text)
        return node

    def _save(self) -> None:
        root = xmlfile.element("com.cloudbees.plugins.credentials.SystemCredentialsProvider", plugin="credentials")
        mapping = xmlfile.put(root, "domainCredentialsMap", class_="hudson.util.CopyOnWriteMap$Hash")
        entry = xmlfile.put(mapping, "entry")
        xmlfile.put(xmlfile.put(entry, "com.cloudbees.plugins.credentials.domains.Domain"), "specifications")
        listed = xmlfile.put(entry, "java.util.concurrent.CopyOnWriteArrayList")
        for credential in self.list_all():
            listed.append(self.describe(credential, is_redacted=False))
        xmlfile.write(self._path, xmlfile.serialise(root), 0o600)
