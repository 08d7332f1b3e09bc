"""Jenkins' cron lines: five fields, H hashed by the job's name, @daily and its kin, TZ= and comments."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import croniter

ALIASES = {
    "@yearly": "H H H H *",
    "@annually": "H H H H *",
    "@monthly": "H H H * *",
    "@weekly": "H H * * H",
    "@daily": "H H * * *",
    "@midnight": "H H(0-2) * * *",
    "@hourly": "H * * * *",
}
RANGES = ((0, 59), (0, 23), (1, 28), (1, 12), (0, 6))
FIELDS = 5


class BadSchedule(ValueError):
    """A line is not a schedule."""


class Schedule:
    """The lines of one trigger. `seed` is the job's full name, so that H spreads jobs but never moves."""

    def __init__(self, text: str, seed: str) -> None:
        self._lines: list[tuple[str, ZoneInfo | None]] = []
        zone: ZoneInfo | None = None
        for line in (part.strip() for part in text.splitlines()):
            if line.startswith("TZ="):
                try:
                    zone = ZoneInfo(line[3:].strip())
                except (ZoneInfoNotFoundError, ValueError) as fault:
                    raise BadSchedule(f"Invalid or unsupported timezone '{line[3:]}'") from fault
            elif line and not line.startswith("#"):
                self._lines.append((translate(line, seed), zone))

    def is_due(self, moment: datetime) -> bool:
        """Whether the minute of this aware moment is one of the schedule's."""
        for line, zone in self._lines:
            local = moment.astimezone(zone)
            if croniter.match(line, local.replace(second=0, microsecond=0)):
                return True
        return False


def translate(line: str, seed: str) -> str:
    """One line with every H replaced by a number; BadSchedule when it is none."""
    fields = ALIASES.get(line, line).split()
    if len(fields) != FIELDS:
        raise BadSchedule(f'Invalid input: "{line}": five fields are expected')
    digest = hashlib.md5(seed.encode(), usedforsecurity=False).digest()
    plain = []
    for index, (field, limits) in enumerate(zip(fields, RANGES, strict=True)):
        number = int.from_bytes(digest[index * 3 : index * 3 + 3], "big")
        plain.append(",".join(_resolve_hash(part, number, limits) for part in field.split(",")))
    text = " ".join(plain)
    if not croniter.is_valid(text):
        raise BadSchedule(f'Invalid input: "{line}"')
    return text


def _resolve_hash(part: str, number: int, limits: tuple[int, int]) -> str:
    match = re.fullmatch(r"H(?:\((\d+)-(\d+)\))?(?:/(\d+))?", part)
    if not match:
        return part
    low, high = (int(match[1]), int(match[2])) if match[1] else limits
    if match[3]:
        step = int(match[3])
        if not match[1] and limits == (1, 28):
            high = 31
        start = low + number % max(1, min(step, high - low + 1))
        return f"{start}-{high}/{step}"
    return str(low + number % (high - low + 1))
