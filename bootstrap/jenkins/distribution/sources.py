"""The three kinds of source: the official site, a mirror with the same layout, and a folder.

A source knows where the files are, and fetches them; other modules verify signatures and manifests.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from bootstrap.environment.models import JenkinsSettings
from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import metadata, transfer
from bootstrap.jenkins.distribution.lock import Lock
from bootstrap.jenkins.distribution.metadata import Metadata
from bootstrap.jenkins.distribution.stream import LIST, SMALL, Limit
from bootstrap.jenkins.distribution.transfer import Unobtainable

CORE = "https://get.jenkins.io/"
UPDATES = "https://updates.jenkins.io/"


class Source(Protocol):
    """A source of the distribution; every method can raise Unobtainable or DistributionFailed."""

    @property
    def name(self) -> str:
        """The name of the source in messages."""

    @property
    def is_official(self) -> bool:
        """Whether it is the site of the Jenkins project, whose list of plugin versions is always signed."""

    def probe(self) -> None:
        """Check within a few seconds that the source has the core."""

    def read_claimed_checksum(self) -> str:
        """The SHA-256 (hex) that the source publishes for the core; only the signature proves it."""

    def read_signature(self) -> bytes:
        """The detached OpenPGP signature of the core."""

    def read_key(self) -> bytes:
        """The public key that the source publishes for this signature."""

    def read_metadata(self) -> Metadata:
        """The update center's list of plugin versions, with its signature."""

    def read_current(self, core: str) -> Metadata:
        """What the update center offers to this core at this moment, with its signature."""

    def list_urls(self, lock: Lock) -> dict[str, str]:
        """The addresses from which another machine can download the files of the lock, by SHA-256: those with HTTPS only."""

    def fetch_core(self, cache: Path, sha256: str) -> Path:
        """The file of the core, with this SHA-256."""

    def fetch_plugin(self, cache: Path, name: str, version: str, sha256: str) -> Path:
        """The file of a plugin, with this SHA-256."""


@dataclass(frozen=True)
class Site:
    """A web site: `war` is the URL of the core, `plugins` the URL of the folder with <id>/<version>/<id>.hpi."""

    name: str
    war: str
    plugins: str
    key_url: str
    metadata_url: str
    is_official: bool = False

    def make_plugin_url(self, name: str, version: str) -> str:
        """The URL of a plugin's file."""
        return f"{self.plugins}{name}/{version}/{name}.hpi"

    def probe(self) -> None:
        transfer.probe(self.war)

    def read_claimed_checksum(self) -> str:
        # '<64 hex digits> jenkins.war'; anything else is another page, for example that of a proxy.
        text = transfer.fetch(f"{self.war}.sha256", SMALL).decode("utf-8", "replace").split()
        if not text or len(text[0]) != 64 or set(text[0].lower()) - set("0123456789abcdef"):
            raise Unobtainable(f"{self.war}.sha256 does not contain a SHA-256")
        return text[0].lower()

    def read_signature(self) -> bytes:
        return transfer.fetch(f"{self.war}.asc", SMALL)

    def read_key(self) -> bytes:
        return transfer.fetch(self.key_url, SMALL)

    def read_metadata(self) -> Metadata:
        return metadata.parse(transfer.fetch(self.metadata_url, LIST), self.metadata_url)

    def read_current(self, core: str) -> Metadata:
        # The official site redirects to the offer for the line of the core. A mirror has one file.
        url = self.metadata_url.rpartition("/")[0] + f"/{metadata.CURRENT}"
        url += f"?version={core}" if self.is_official else ""
        return metadata.parse(transfer.fetch(url, LIST), url, "current offer")

    def list_urls(self, lock: Lock) -> dict[str, str]:
        urls = {lock.core.sha256: self.war}
        urls |= {pin.sha256: self.make_plugin_url(name, pin.version) for name, pin in lock.pins.items()}
        return {sha256: url for sha256, url in urls.items() if sha256 and url.startswith("https://")}

    def fetch_core(self, cache: Path, sha256: str) -> Path:
        return transfer.download(self.war, cache, "jenkins.war", sha256)

    def fetch_plugin(self, cache: Path, name: str, version: str, sha256: str) -> Path:
        return transfer.download(self.make_plugin_url(name, version), cache, f"{name}.hpi", sha256)


@dataclass(frozen=True)
class Folder:
    """A WAR on this machine, with the signature and the key in the same folder, and the plugins in `plugins/`."""

    war: Path
    key_name: str
    is_official: bool = False

    @property
    def name(self) -> str:
        return str(self.war)

    def probe(self) -> None:
        if not self.war.is_file():
            raise Unobtainable(f"{self.war} is not a file")

    def read_claimed_checksum(self) -> str:
        self.probe()
        try:
            return transfer.compute_sha256(self.war)
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}"
            raise DistributionFailed(f"checking {self.war}", reason, "Let this user read it.") from error

    def read_signature(self) -> bytes:
        return self._read_beside(self.war.with_name(self.war.name + ".asc"), SMALL)

    def read_key(self) -> bytes:
        return self._read_beside(self.war.with_name(self.key_name), SMALL)

    def read_metadata(self) -> Metadata:
        path = self.war.parent / "plugins" / metadata.NAME
        return metadata.parse(self._read_beside(path, LIST), str(path))

    def read_current(self, core: str) -> Metadata:
        path = self.war.parent / "plugins" / metadata.CURRENT
        try:
            return metadata.parse(transfer.read_file(path, LIST), str(path), "current offer")
        except OSError as error:
            raise Unobtainable(f"{path} cannot be read: {error.strerror}") from error

    def list_urls(self, lock: Lock) -> dict[str, str]:
        return {}

    def fetch_core(self, cache: Path, sha256: str) -> Path:
        return self._check_file(self.war, sha256)

    def fetch_plugin(self, cache: Path, name: str, version: str, sha256: str) -> Path:
        return self._check_file(self.make_plugin_path(name), sha256)

    def make_plugin_path(self, name: str) -> Path:
        """The path of a plugin's file."""
        return self.war.parent / "plugins" / f"{name}.hpi"

    def _read_beside(self, path: Path, limit: Limit) -> bytes:
        try:
            return transfer.read_file(path, limit)
        except OSError as error:
            raise DistributionFailed(
                f"checking the files beside {self.war}",
                f"the lock has no SHA-256, and {path} cannot be read: {error.strerror}",
                f"Put {path.name} there, or write the sha256 that you trust into jenkins.lock.yaml.",
            ) from error

    def _check_file(self, path: Path, sha256: str) -> Path:
        doing = f"checking {path}"
        if not path.is_file():
            raise DistributionFailed(doing, "it does not exist", "Put the file there, or choose another source.")
        try:
            actual = transfer.compute_sha256(path)
        except OSError as error:
            raise DistributionFailed(doing, f"it cannot be read: {error.strerror}", "Let this user read it.") from error
        if actual != sha256:
            remedy = "Use the locked file, or change its checksum in jenkins.lock.yaml if you trust this one."
            raise DistributionFailed(doing, f"its SHA-256 is {actual}, not {sha256}", remedy)
        return path


def choose(settings: JenkinsSettings, lock: Lock) -> Source:
    """The source that the environment file names.

    On a mirror, everything is below one base URL: war-stable/..., plugins/<id>/<version>/<id>.hpi, plugin-versions.json,
    update-center.actual.json, and the key under its file name.
    """
    key_name = Path(urlsplit(lock.key_url).path).name
    if settings.source == "file" and settings.file:
        return Folder(Path(settings.file).expanduser(), key_name)
    if settings.source == "mirror" and settings.mirror:
        base = settings.mirror.rstrip("/") + "/"
        return Site(base, base + lock.core_path, base + "plugins/", base + key_name, base + metadata.NAME)
    updates = UPDATES + "download/plugins/"
    return Site("the official site", CORE + lock.core_path, updates, lock.key_url, UPDATES + metadata.NAME, True)
