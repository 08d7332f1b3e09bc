"""Interrupts Spot Instances on demand, as EC2 does when it needs the capacity: a notice, then the termination.

    {"interrupt": "i-0123456789abcdef0"}                   terminated in two minutes, as on AWS
    {"interrupt": "i-0123456789abcdef0", "seconds": 5}     sooner, for tests

The notice is at `spot/instance-action` of the instance's metadata service. It and its end are journalled, so a restart loses
neither. Source: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

from bootstrap.local.aws.compute.instance_records import find_instance, list_instances, make_reference, set_reason
from bootstrap.local.aws.persistence import randomness
from bootstrap.local.aws.persistence.journal import Record
from bootstrap.local.aws.scaling.mixed import SPOT
from bootstrap.local.aws.server.door import Door

NOTICE_SECONDS = 120.0
LONGEST_SECONDS = 3600.0
REASON = "Server.SpotInstanceTermination", "Spot instance termination"
_LIVING = frozenset({"pending", "running"})


class InvalidInterruption(ValueError):
    """An instance cannot be interrupted; the text says why."""


class Interruptions:
    """The interruptions of all Spot Instances."""

    def __init__(self, door: Door) -> None:
        self._door = door
        door.event_handlers["spot-interrupted"] = _apply_notice
        door.event_handlers["spot-ended"] = _apply_end

    def interrupt(self, body: Any) -> None:
        """Carry out the body of a POST. Raises InvalidInterruption, and then changes nothing."""
        if not isinstance(body, dict) or not {"interrupt"} <= body.keys() <= {"interrupt", "seconds"}:
            raise InvalidInterruption(
                "an interruption has the key 'interrupt' with an instance id, and may have 'seconds'"
            )
        seconds = body.get("seconds", NOTICE_SECONDS)
        if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= LONGEST_SECONDS:
            raise InvalidInterruption(f"'seconds' is a number from 0 to {LONGEST_SECONDS:.0f}, not {seconds!r}")
        instance = next((one for one in list_instances() if one.id == body["interrupt"]), None)
        if instance is None or instance.lifecycle != SPOT or instance.state not in _LIVING:
            raise InvalidInterruption(f"{body['interrupt']!r} is no Spot Instance that is pending or running")
        if find_deadline(instance) is not None:
            raise InvalidInterruption(f"{instance.id} is being interrupted already")
        self._door.record_event("spot-interrupted", **make_reference(instance), seconds=seconds)

    def end_overdue(self) -> None:
        """Terminate the interrupted instances whose time is over."""
        for instance in list_instances():
            deadline = find_deadline(instance)
            if deadline is not None and deadline <= time.time() and instance.state in _LIVING:
                self._door.record_event("spot-ended", **make_reference(instance))

    def list_all(self) -> list[dict[str, str]]:
        """The interrupted instances that still run, each with the time of its termination."""
        return [
            {"instance": instance.id, "time": notice["time"]}
            for instance in list_instances()
            if instance.state in _LIVING and (notice := find_notice(instance)) is not None
        ]


def find_deadline(instance: Any) -> float | None:
    """When an interrupted instance is terminated, in seconds since the epoch; None without an interruption."""
    deadline: float | None = getattr(instance, "interrupted_at", None)
    return deadline


def find_notice(instance: Any) -> dict[str, str] | None:
    """The notice of an interruption, as the metadata service gives it; None without one."""
    deadline = find_deadline(instance)
    if deadline is None:
        return None
    moment = datetime.datetime.fromtimestamp(deadline, datetime.UTC)
    return {"action": "terminate", "time": moment.strftime("%Y-%m-%dT%H:%M:%SZ")}


def _apply_notice(record: Record) -> None:
    find_instance(record).interrupted_at = randomness.Clock.time() + float(record["seconds"])


def _apply_end(record: Record) -> None:
    instance = find_instance(record)
    instance.terminate()
    set_reason(instance, *REASON)
