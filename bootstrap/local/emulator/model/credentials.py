"""Stores credentials, encrypted: those of the system in credentials.xml, those of a folder in its config.xml.

Builds use them by id. A store has domains; the global one has no name and is always there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..failures import Refused
from . import item_xml, xmlfile
from .cipher import Vault
from .items import Folder

CLASSES = {
    "usernamePassword": "com.cloudbees.plugins.credentials.impl.UsernamePasswordCredentialsImpl",
    "string": "org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl",
    "file": "org.jenkinsci.plugins.plaincredentials.impl.FileCredentialsImpl",
    "basicSSHUserPrivateKey": "com.cloudbees.jenkins.plugins.sshcredentials.impl.BasicSSHUserPrivateKey",
    "aws": "com.cloudbees.jenkins.plugins.awscredentials.AWSCredentialsImpl",
    "certificate": "com.cloudbees.plugins.credentials.impl.CertificateCredentialsImpl",
}
TYPE_NAMES = {
    "usernamePassword": "Username with password",
    "string": "Secret text",
    "file": "Secret file",
    "basicSSHUserPrivateKey": "SSH Username with private key",
    "aws": "AWS Credentials",
    "certificate": "Certificate",
}
KINDS = {name: kind for kind, name in CLASSES.items()}
GLOBAL = "_"  # the name of the global domain in URLs
DOMAIN = "com.cloudbees.plugins.credentials.domains.Domain"
_LISTED = "java.util.concurrent.CopyOnWriteArrayList"
_FOLDER_PROPERTY = "com.cloudbees.hudson.plugins.folder.properties.FolderCredentialsProvider_-FolderCredentialsProperty"
SECRETS = {"password", "secret", "secretBytes", "passphrase", "privateKey", "secretKey"}


@dataclass(frozen=True)
class Credential:
    """One credential; `values` has the plain secrets, so this object must never leave the process."""

    kind: str
    identifier: str
    scope: str
    description: str | None
    values: dict[str, str]
    domain: str = ""

    @property
    def type_name(self) -> str:
        """The name of its kind for people."""
        return TYPE_NAMES[self.kind]

    @property
    def shown_name(self) -> str:
        """The name that lists show."""
        return self.description or self.type_name

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
                credentials.append(make_credential(kind, values, str((domain.get("domain") or {}).get("name") or "")))
    return credentials


def make_credential(kind: str, values: Mapping[str, str], domain: str = "") -> Credential:
    """Make a credential of all its values; those that every credential has become fields."""
    others = {key: value for key, value in values.items() if key not in {"id", "scope", "description"}}
    scope = values.get("scope") or "GLOBAL"
    return Credential(kind, values.get("id", ""), scope, values.get("description"), others, domain)


def parse_credential(content: bytes) -> Credential:
    """Parse a posted credential; raises Refused (500) for bad XML or a class that is no credential."""
    try:
        root = xmlfile.parse(content)
    except xmlfile.BadXml as fault:
        raise Refused(500, str(fault)) from fault
    if root.tag not in KINDS:
        raise Refused(500, f"com.thoughtworks.xstream.mapper.CannotResolveClassException: {root.tag}")
    values = {child.tag: child.text or "" for child in root.iter() if child is not root and len(child) == 0}
    return make_credential(KINDS[root.tag], values)


class Store:
    """A store; `save` writes it after each change."""

    def __init__(self, vault: Vault, plugins: Mapping[str, str], save: Callable[[Store], None]) -> None:
        self._vault, self._plugins, self._save = vault, plugins, save
        self._domains: dict[str, dict[str, Credential]] = {"": {}}

    def read(self, node: Any) -> None:
        """Read the map of domains from an element."""
        for entry in node.iterfind("domainCredentialsMap/entry"):
            name = xmlfile.read_text(entry, f"{DOMAIN}/name")
            listed = self._domains.setdefault(name, {})
            for child in entry.iterfind(f"{_LISTED}/*"):
                values = {
                    each.tag: self._vault.open(each.text or "") if each.tag in SECRETS else each.text or ""
                    for each in child
                }
                credential = make_credential(KINDS[child.tag], values, name)
                listed[credential.identifier] = credential

    def write(self, node: Any) -> None:
        """Write the map of domains below an element."""
        mapping = xmlfile.put(node, "domainCredentialsMap", class_="hudson.util.CopyOnWriteMap$Hash")
        for name, credentials in self._domains.items():
            entry = xmlfile.put(mapping, "entry")
            entry.append(self._render_domain(name))
            listed = xmlfile.put(entry, _LISTED)
            for credential in credentials.values():
                listed.append(self._render(credential, is_redacted=False))

    @property
    def domains(self) -> list[str]:
        """The names of the domains."""
        return list(self._domains)

    def add_domain(self, name: str) -> None:
        """Add a domain."""
        self._domains.setdefault(name, {})
        self._save(self)

    def remove_domain(self, name: str) -> None:
        """Delete a domain with its credentials."""
        self._domains.pop(name, None)
        self._save(self)

    def list_domain(self, name: str) -> list[Credential]:
        """List the credentials of a domain, in the order in which they came."""
        return list(self._domains.get(name, {}).values())

    def put(self, credential: Credential) -> None:
        """Add a credential to its domain, or replace the one with its id there."""
        self._domains.setdefault(credential.domain, {})[credential.identifier] = credential
        self._save(self)

    def remove(self, identifier: str, domain: str = "") -> None:
        """Delete the credential of an id; without one nothing happens."""
        self._domains.get(domain, {}).pop(identifier, None)
        self._save(self)

    def find_in(self, domain: str, identifier: str) -> Credential | None:
        """Find the credential of an id in one domain; None if there is none."""
        return self._domains.get(domain, {}).get(identifier)

    def find(self, identifier: str) -> Credential | None:
        """Find the credential of an id in any domain; None if there is none."""
        return next((listed[identifier] for listed in self._domains.values() if identifier in listed), None)

    def list_all(self) -> list[Credential]:
        """List all credentials of all domains."""
        return [credential for listed in self._domains.values() for credential in listed.values()]

    def replace(self, credentials: list[Credential]) -> None:
        """Replace all credentials; the file is written only if something changes."""
        before = self._domains
        self._domains = {"": {}}
        for credential in credentials:
            self._domains.setdefault(credential.domain, {})[credential.identifier] = credential
        if self._domains != before:
            self._save(self)

    def describe(self, credential: Credential) -> bytes:
        """Render a credential for a client, with its secrets redacted."""
        return _render_fragment(self._render(credential, is_redacted=True))

    def describe_domain(self, name: str) -> bytes:
        """Render a domain for a client."""
        return _render_fragment(self._render_domain(name))

    def _render_domain(self, name: str) -> Any:
        domain = xmlfile.make_element(DOMAIN)
        if name:
            xmlfile.put(domain, "name", name)
        xmlfile.put(domain, "specifications")
        item_xml.stamp(domain, self._plugins)
        return domain

    def _render(self, credential: Credential, *, is_redacted: bool) -> Any:
        node = xmlfile.make_element(CLASSES[credential.kind])
        xmlfile.put(node, "scope", credential.scope)
        xmlfile.put(node, "id", credential.identifier)
        if credential.description is not None:
            xmlfile.put(node, "description", credential.description)
        for key, text in credential.values.items():
            if key not in SECRETS:
                xmlfile.put(node, key, text)
            elif is_redacted:
                xmlfile.put(xmlfile.put(node, key), "secret-redacted")
            else:
                xmlfile.put(node, key, self._vault.seal(text))
        item_xml.stamp(node, self._plugins)
        return node


def _render_fragment(node: Any) -> bytes:
    return xmlfile.serialise_for_client(node).partition(b"\n")[2]


class Credentials(Store):
    """The store of the system."""

    def __init__(self, home: Path, vault: Vault, plugins: Mapping[str, str]) -> None:
        super().__init__(vault, plugins, self._save_file)
        self._path = home / "credentials.xml"

    def load(self) -> None:
        """Read credentials.xml."""
        if self._path.exists():
            self.read(xmlfile.parse(self._path.read_bytes()))

    def replace(self, credentials: list[Credential]) -> None:
        super().replace(credentials)
        if not self._path.exists():
            self._save_file(self)

    def _save_file(self, store: Store) -> None:
        root = xmlfile.make_element("com.cloudbees.plugins.credentials.SystemCredentialsProvider", plugin="credentials")
        self.write(root)
        xmlfile.write(self._path, xmlfile.serialise(root), 0o600)


def open_folder_store(folder: Folder, vault: Vault, plugins: Mapping[str, str]) -> Store:
    """Open the store of a folder."""

    def save(store: Store) -> None:
        holder = folder.root.find("properties")
        if holder is None:
            holder = xmlfile.put(folder.root, "properties")
        for stale in holder.findall(_FOLDER_PROPERTY):
            holder.remove(stale)
        store.write(xmlfile.put(holder, _FOLDER_PROPERTY))
        folder.save()

    store = Store(vault, plugins, save)
    held = folder.root.find(f"properties/{_FOLDER_PROPERTY}")
    if held is not None:
        store.read(held)
    return store
