"""The three places that have the files: the official site, a mirror with the same layout, and a folder.

A source only says where things are and brings them; what is brought is judged elsewhere.
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
from bootstrap.jenkins.distribution.transfer import Unobtainable

CORE = "https://get.jenkins.io/"
UPDATES = "https://updates.jenkins.io/"


class Source(Protocol):
    """Where a distribution comes from; every method may raise Unobtainable."""

    @property
    def name(self) -> str:
        """What a report calls it."""

    @property
    def is_official(self) -> bool:
        """Whether it is the Jenkins project's own, whose list of plugins is always signed."""

    def probe(self) -> None:
        """Return when the core is there, within a few seconds."""

    def claimed_sum(self) -> str:
        """The SHA-256 that the source itself tells for the core; worth nothing without the signature."""

    def signature(self) -> bytes:
        """The detached OpenPGP signature of the core."""

    def key(self) -> bytes:
        """The key that the source gives for it."""

    def metadata(self) -> Metadata:
        """The update center's list of plugin versions, with the signature that it carries."""

    def core(self, cache: Path, sha256: str) -> Path:
        """The core as a file of that sum."""

    def plugin(self, cache: Path, name: str, version: str, sha256: str) -> Path:
        """A plugin as a file of that sum."""


@dataclass(frozen=True)
class Site:
    """A web site: `war` is the core's URL, `plugins` the folder of <id>/<version>/<id>.hpi."""

    name: str
    war: str
    plugins: str
    key_url: str
    metadata_url: str
    is_official: bool = False

    def url_of(self, name: str, version: str) -> str:
        """Where a plugin's file is."""
        return f"{self.plugins}{name}/{version}/{name}.hpi"

    def probe(self) -> None:
        transfer.answers(self.war)

    def claimed_sum(self) -> str:
        # '<64 hex digits> jenkins.war'; anything else is some other page, of a proxy for instance.
        text = transfer.fetch(f"{self.war}.sha256").decode("utf-8", "replace").split()
        if not text or len(text[0]) != 64 or set(text[0].lower()) - set("0123456789abcdef"):
            raise Unobtainable(f"{self.war}.sha256 does not contain a SHA-256")
        return text[0].lower()

    def signature(self) -> bytes:
        return transfer.fetch(f"{self.war}.asc")

    def key(self) -> bytes:
        return transfer.fetch(self.key_url)

    def metadata(self) -> Metadata:
        return metadata.parse(transfer.fetch(self.metadata_url), self.metadata_url)

    def core(self, cache: Path, sha256: str) -> Path:
        return transfer.download(self.war, cache, "jenkins.war", sha256)

    def plugin(self, cache: Path, name: str, version: str, sha256: str) -> Path:
        return transfer.download(self.url_of(name, version), cache, f"{name}.hpi", sha256)


@dataclass(frozen=True)
class Folder:
    """A WAR on this machine; its signature and the key lie beside it, plugins in `plugins/`."""

    war: Path
    key_name: str
    is_official: bool = False

    @property
    def name(self) -> str:
        return str(self.war)

    def probe(self) -> None:
        if not self.war.is_file():
            raise Unobtainable(f"{self.war} is not a file")

    def claimed_sum(self) -> str:
        self.probe()
        try:
            return transfer.sha256_of(self.war)
        except OSError as error:
            found = f"it cannot be read: {error.strerror}"
            raise DistributionFailed(f"checking {self.war}", found, "Let this user read it.") from error

    def signature(self) -> bytes:
        return self._beside(self.war.with_name(self.war.name + ".asc"))

    def key(self) -> bytes:
        return self._beside(self.war.with_name(self.key_name))

    def metadata(self) -> Metadata:
        path = self.war.parent / "plugins" / metadata.NAME
        return metadata.parse(self._beside(path), str(path))

    def core(self, cache: Path, sha256: str) -> Path:
        return self._proved(self.war, sha256)

    def plugin(self, cache: Path, name: str, version: str, sha256: str) -> Path:
        return self._proved(self.path_of(name), sha256)

    def path_of(self, name: str) -> Path:
        """Where a plugin's file is."""
        return self.war.parent / "plugins" / f"{name}.hpi"

    def _beside(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise DistributionFailed(
                f"checking the files beside {self.war}",
                f"the lock has no SHA-256, and {path} cannot be read: {error.strerror}",
                f"Put {path.name} there, or write the sha256 that you trust into jenkins.lock.yaml.",
            ) from error

    def _proved(self, path: Path, sha256: str) -> Path:
        doing = f"checking {path}"
        if not path.is_file():
            raise DistributionFailed(doing, "it does not exist", "Put the file there, or choose another source.")
        try:
            got = transfer.sha256_of(path)
        except OSError as error:
            raise DistributionFailed(doing, f"it cannot be read: {error.strerror}", "Let this user read it.") from error
        if got != sha256:
            remedy = "Use the locked file, or change its checksum in jenkins.lock.yaml if you trust this one."
            raise DistributionFailed(doing, f"its SHA-256 is {got}, not {sha256}", remedy)
        return path


def choose(settings: JenkinsSettings, lock: Lock) -> Source:
    """The source that the environment names; on a mirror everything lies below the one base URL.

    Its layout: war-stable/..., plugins/<id>/<version>/<id>.hpi, plugin-versions.json, and the key under its own file name.
    """
    key_name = Path(urlsplit(lock.key_url).path).name
    if settings.source == "file" and settings.file:
        return Folder(Path(settings.file).expanduser(), key_name)
    if settings.source == "mirror" and settings.mirror:
        base = settings.mirror.rstrip("/") + "/"
        return Site(base, base + lock.core_path, base + "plugins/", base + key_name, base + metadata.NAME)
    updates = UPDATES + "download/plugins/"
    return Site("the official site", CORE + lock.core_path, updates, lock.key_url, UPDATES + metadata.NAME, True)
