"""Files that go to the machine by checksum: each is sent only when the machine asks for it."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from bootstrap.remote.desired.inputs import Bundle, Software

Artifact = bytes | Path
EMULATOR_PACKAGE = "jenkins_emulator"
_BYTE_CODE = "__pycache__"


class Distribution(Protocol):
    """The part of a resolved distribution that is sent."""

    @property
    def kind(self) -> Literal["war", "emulator"]:
        """Which of the two it is."""

    @property
    def version(self) -> str:
        """Jenkins' version."""

    @property
    def plugins(self) -> Mapping[str, str]:
        """Every plugin's version."""

    @property
    def war(self) -> Path | None:
        """The WAR, where it is one."""

    @property
    def plugin_files(self) -> Mapping[str, Path]:
        """Every plugin's file, where they are real."""

    @property
    def urls(self) -> Mapping[str, str]:
        """The addresses of the files by SHA-256, where they are on a site with HTTPS."""


def pack(distribution: Distribution, emulator: Path) -> tuple[Software, dict[str, Artifact]]:
    """What the machine must hold of a distribution, and the artifacts to hold it; `emulator` is that package's folder."""
    if distribution.kind == "emulator":
        bundle, content = bundle_folder(emulator, EMULATOR_PACKAGE)
        software = Software("emulator", distribution.version, distribution.plugins, emulator=bundle)
        return software, {bundle.sha256: content}
    if distribution.war is None:
        raise ValueError("a distribution of the kind 'war' has its WAR")
    plugins = {name: hash_of(path) for name, path in distribution.plugin_files.items()}
    war = hash_of(distribution.war)
    artifacts: dict[str, Artifact] = {war: distribution.war}
    artifacts |= {digest: distribution.plugin_files[name] for name, digest in plugins.items()}
    urls = {digest: url for digest, url in distribution.urls.items() if digest in artifacts}
    return Software("war", distribution.version, distribution.plugins, war, plugins, urls=urls), artifacts


def bundle_folder(folder: Path, name: str) -> tuple[Bundle, bytes]:
    """All files under `folder` as a tar whose members lie under `name`: the same files give the same bytes anywhere."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and _BYTE_CODE not in path.parts)
    files: dict[str, str] = {}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:xz", format=tarfile.PAX_FORMAT, preset=6) as archive:
        for path in paths:
            content = path.read_bytes()
            member = tarfile.TarInfo(f"{name}/{path.relative_to(folder).as_posix()}")
            member.size, member.mode = len(content), 0o644
            archive.addfile(member, io.BytesIO(content))
            files[member.name] = hashlib.sha256(content).hexdigest()
    return Bundle(hashlib.sha256(buffer.getvalue()).hexdigest(), files), buffer.getvalue()


def hash_of(artifact: Artifact) -> str:
    """An artifact's SHA-256."""
    if isinstance(artifact, bytes):
        return hashlib.sha256(artifact).hexdigest()
    with artifact.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
