"""A lock and an offer of the update center for it, as `doctor` reads them."""

import datetime
from pathlib import Path

from bootstrap.jenkins.distribution.lock import Lock, Pin
from tests.unit.jenkins.distribution.stand_ins import VERSION

AUGUST = datetime.date(2026, 8, 5)
PINS = {"bee": Pin("1.0", None), "mole": Pin("2.0", None), "yak": Pin("3.0", None)}


def make_lock(sha256: str | None = None) -> Lock:
    return Lock(
        Path("jenkins.lock.yaml"), Pin(VERSION, sha256), "war-stable/{version}", "F" * 40, "https://x/key", PINS
    )
