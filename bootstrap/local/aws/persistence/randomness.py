"""Repeatable randomness: inside `seeded` every draw of this thread comes from the given seed, outside from the system.

The journal keeps a fresh 256-bit seed per request, so ids, passwords and keys are unpredictable to everyone but the reader
of the journal, and the same again when it is replayed. Each thread has its own source: requests take no draws from each other.
"""

from __future__ import annotations

import base64
import datetime
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SYSTEM = random.SystemRandom()
_current = threading.local()


def source() -> random.Random:
    """The random source of this thread: the seeded one inside a journalled request, else the system's."""
    found: random.Random = getattr(_current, "source", _SYSTEM)
    return found


@contextmanager
def seeded(seed: str) -> Iterator[None]:
    """Draw from `seed` in this thread; the source before comes back at the end."""
    before = getattr(_current, "source", _SYSTEM)
    _current.source = random.Random(seed)
    try:
        yield
    finally:
        _current.source = before


def random_bytes(count: int) -> bytes:
    """`count` bytes from this thread's source; stands in for os.urandom inside moto."""
    return source().getrandbits(count * 8).to_bytes(count, "big") if count else b""


def begin_material(kept: list[str]) -> None:
    """Start keeping in `kept` what `material` makes in this thread."""
    _current.kept, _current.given = kept, None


def replay_material(given: list[str]) -> None:
    """Answer `material` in this thread from what an earlier run kept."""
    _current.kept, _current.given = None, iter(given)


def material(make: Callable[[], bytes]) -> bytes:
    """Bytes that no seed can repeat (an RSA key): made once, kept with the request, and given again in a replay."""
    given = getattr(_current, "given", None)
    if given is not None:
        return base64.b64decode(next(given))
    made = make()
    kept = getattr(_current, "kept", None)
    if kept is not None:
        kept.append(base64.b64encode(made).decode())
    return made


@contextmanager
def clock(seconds: float) -> Iterator[None]:
    """Let this thread's clock show `seconds` since the epoch (a replayed request shows its first time)."""
    _current.seconds = seconds
    try:
        yield
    finally:
        _current.seconds = None


def utcnow() -> datetime.datetime:
    """Now in UTC without a time zone, as moto's clock gives it; the recorded time inside a replay."""
    seconds = getattr(_current, "seconds", None)
    now = (
        datetime.datetime.now(datetime.UTC)
        if seconds is None
        else datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    )
    return now.replace(tzinfo=None)


class Clock:
    """Stands in for the module `time` where moto takes only the time of day from it."""

    @staticmethod
    def time() -> float:
        """Seconds since the epoch, by this thread's clock."""
        return utcnow().replace(tzinfo=datetime.UTC).timestamp()
