"""Another core for the lock: a version, or the newest LTS that the update center offers.

The version in an offer is only a proposal. The core of that version is then proved by its OpenPGP signature, and the offer by
an authority that this core contains. The signature is about the content alone, so the core itself must say that it is this
version.
"""

from __future__ import annotations

import dataclasses
import re
import zipfile
from email import message_from_string
from pathlib import Path

from bootstrap.errors import DistributionFailed
from bootstrap.jenkins.distribution import lock_files, update_center
from bootstrap.jenkins.distribution.lock import Lock, Pin
from bootstrap.jenkins.distribution.metadata import CURRENT
from bootstrap.jenkins.distribution.sources import Source
from bootstrap.jenkins.distribution.transfer import Unobtainable
from bootstrap.jenkins.distribution.versions import is_older

LATEST_LTS = "latest-lts"
_LTS = re.compile(r"\d+\.\d+\.\d+")  # a weekly release has two numbers


def find_version(asked: str, lock: Lock, source: Source) -> str:
    """The version that is asked for; of the newest LTS, if that is newer than the locked core, else the locked one.

    Raises Unobtainable, or DistributionFailed if the source offers no LTS.
    """
    if asked != LATEST_LTS:
        return asked
    offer = update_center.read(source.read_current(lock.version)).core
    if offer is None or not _LTS.fullmatch(offer.version):
        raise DistributionFailed(
            f"looking for the newest LTS in {CURRENT} of {source.name}",
            f"it offers {f'Jenkins {offer.version}, which is not an LTS' if offer else 'no core'}",
            "Write the version: --core 2.568.2. Nothing was changed.",
        )
    return offer.version if is_older(lock.version, offer.version) else lock.version


def move_core(lock: Lock, version: str) -> Lock:
    """The lock with another core, whose checksum is not known yet; the same lock for the same version."""
    if version == lock.version:
        return lock
    path = str(lock_files.parse(lock.text)["core"]["path"]).replace("{version}", version)
    return dataclasses.replace(lock, core=Pin(version, None, lock.core.place), core_path=path)


def explain_missing(error: Unobtainable, version: str, source: Source) -> DistributionFailed:
    """The error for a core that the source does not give."""
    return DistributionFailed(
        f"asking {source.name} for Jenkins {version}",
        str(error),
        "Look whether there is such a version at 'path' of the lock's section 'core' (war-stable has LTS releases alone), and "
        "whether the source can be reached. Nothing was changed.",
    )


def check_version(war: Path, version: str, source: Source) -> None:
    """DistributionFailed if a core says that it is another version than the one it was downloaded as."""
    try:
        with zipfile.ZipFile(war) as archive:
            text = archive.read("META-INF/MANIFEST.MF").decode("utf-8")
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, OSError) as error:
        fault = f"it does not say its version: {error}"
    else:
        actual = message_from_string(re.sub(r"\r?\n ", "", text)).get("Jenkins-Version", "")
        if actual == version:
            return
        fault = f"it says that it is Jenkins {actual}" if actual else "its manifest has no Jenkins-Version"
    raise DistributionFailed(
        f"checking the core of {source.name} that was asked for as Jenkins {version}",
        fault,
        "Do not use this source for another core. Nothing was changed.",
    )
