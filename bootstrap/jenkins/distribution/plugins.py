"""Compares the manifest of each plugin file with the lock, the core and the other plugins.

Jenkins would find these faults at its start, one after the other, and would start without the plugin.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_string
from pathlib import Path

from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution.needs import Needs
from bootstrap.jenkins.distribution.versions import is_older


@dataclass(frozen=True)
class Manifest:
    """The relevant part of a plugin's manifest.

    `core` is the oldest core that it supports; `needs` has its required dependencies and their oldest versions.
    """

    name: str
    version: str
    core: str
    needs: Mapping[str, str]


def read_manifest(path: Path) -> Manifest:
    """Read META-INF/MANIFEST.MF of a plugin file. Raises ValueError with the reason if the file is not a plugin."""
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read("META-INF/MANIFEST.MF").decode("utf-8")
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, OSError) as error:
        raise ValueError(f"it is not a plugin: {error}") from error
    # In a manifest, a line break and one space continue the line.
    fields = message_from_string(re.sub(r"\r?\n ", "", text))
    needs = {}
    for entry in filter(None, fields.get("Plugin-Dependencies", "").split(",")):
        name, _, rest = entry.strip().partition(":")
        version, _, options = rest.partition(";")
        if "resolution:=optional" not in options:
            needs[name] = version
    return Manifest(
        fields.get("Short-Name", ""),
        fields.get("Plugin-Version", "").split(" ")[0],
        fields.get("Jenkins-Version", ""),
        needs,
    )


def read_needs(path: Path) -> Needs:
    """What the manifest says that this plugin needs, as a row of the table of needs has it."""
    manifest = read_manifest(path)
    return Needs(manifest.version, manifest.core or None, manifest.needs)


def check(core: str, versions: Mapping[str, str], files: Mapping[str, Path]) -> None:
    """Check that the files are the plugins of the lock, and that all of them can start on the core.

    `versions` are those of the lock. Raises DistributionFailed with all faults.
    """
    faults = list(find_faults(core, versions, files))
    if faults:
        raise DistributionFailed(
            f"checking {len(files)} plugins against the lock",
            "\n".join(faults),
            "Correct jenkins.lock.yaml: add what is missing, raise what is too old.",
        )


def find_faults(core: str, versions: Mapping[str, str], files: Mapping[str, Path]) -> Iterator[str]:
    """The faults of the files: another plugin or version than in the lock, or an unmet dependency."""
    for name in sorted(files):
        yield from _check_plugin(core, versions, name, files[name])


def _check_plugin(core: str, versions: Mapping[str, str], name: str, file: Path) -> Iterator[str]:
    try:
        manifest = read_manifest(file)
    except ValueError as error:
        yield f"{name}: {error}"
        return
    if (manifest.name, manifest.version) != (name, versions[name]):
        yield f"{name} {versions[name]}: the file says that it is {manifest.name} {manifest.version}"
    if is_older(core, manifest.core):
        yield f"{name} {versions[name]} needs Jenkins {manifest.core}, the lock has {core}"
    for needed, least in manifest.needs.items():
        if needed not in versions:
            yield f"{name} {versions[name]} needs {needed} {least}, which the lock does not have"
        elif is_older(versions[needed], least):
            yield f"{name} {versions[name]} needs {needed} {least}, the lock has {versions[needed]}"
