"""What the checks look at on the machine: what its inspector tells, and what anybody may see."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from subject import Subject

from bootstrap.remote.questions import INSPECT, VISIBLE


def inspection(subject: Subject) -> dict[str, Any]:
    """Everything about the machine that takes root to know, by its one inspector."""
    found: dict[str, Any] = json.loads(subject.host.check_output(INSPECT))
    return found


@dataclass(frozen=True)
class Visible:
    """What anybody on the machine may see: its clock (seconds since 1970, and ours then), a unit's and a file's text."""

    clock: float
    our_clock: float
    home_unit: str
    sysctls: str


def visible(subject: Subject) -> Visible:
    """All of it in one round trip; the clock of ours is that of its middle."""
    begun = time.time()
    told = subject.host.check_output(VISIBLE)
    clock, home_unit, sysctls = told.split("---\n")
    return Visible(float(clock), (begun + time.time()) / 2, home_unit, sysctls)
