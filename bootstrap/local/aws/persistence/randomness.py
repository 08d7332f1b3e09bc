"""Repeatable randomness: within `use_seed`, all draws of the thread come from a seed, otherwise from the operating system.

The journal has a new seed of 256 bits for each request. So only a reader of the journal can predict ids, passwords and keys,
and a replay makes the same ones. Each thread has its own source, so one request does not change the draws of another one.
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


def find_source() -> random.Random:
    """The random source of this thread: a seeded one within a journalled request, otherwise the operating system."""
    current: random.Random = getattr(_current, "source", _SYSTEM)
    return current


@contextmanager
def use_seed(seed: str) -> Iterator[None]:
    """Let this thread draw from `seed` within the context; then it has its earlier source again."""
    before = getattr(_current, "source", _SYSTEM)
    _current.source = random.Random(seed)
    try:
        yield
    finally:
        _current.source = before


def draw_bytes(count: int) -> bytes:
    """Draw `count` bytes from this thread's source; moto calls this in the place of os.urandom."""
    return find_source().getrandbits(count * 8).to_bytes(count, "big") if count else b""


def record_material(recorded: list[str]) -> None:
    """From now on, append to `recorded` (in Base64) what `make_material` makes in this thread."""
    _current.recorded, _current.replayed = recorded, None


def replay_material(recorded: list[str]) -> None:
    """From now on, let `make_material` return in this thread what an earlier run recorded, in the same order."""
    _current.recorded, _current.replayed = None, iter(recorded)


def make_material(make: Callable[[], bytes]) -> bytes:
    """Bytes that no seed can repeat, such as an RSA key: from `make` in the first run, from the record in a replay."""
    replayed = getattr(_current, "replayed", None)
    if replayed is not None:
        return base64.b64decode(next(replayed))
    content = make()
    recorded = getattr(_current, "recorded", None)
    if recorded is not None:
        recorded.append(base64.b64encode(content).decode())
    return content


@contextmanager
def fix_clock(seconds: float) -> Iterator[None]:
    """Within the context, let this thread's clock show `seconds` since the epoch, as a replay needs it."""
    _current.seconds = seconds
    try:
        yield
    finally:
        _current.seconds = None


def utcnow() -> datetime.datetime:
    """The time in UTC without a time zone, as moto's own clock returns it: the fixed time within `fix_clock`, else now."""
    seconds = getattr(_current, "seconds", None)
    now = (
        datetime.datetime.now(datetime.UTC)
        if seconds is None
        else datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    )
    return now.replace(tzinfo=None)


class Clock:
    """Replaces the module `time` in those modules of moto that use only `time.time`."""

    @staticmethod
    def time() -> float:
        """Seconds since the epoch, as this thread's clock shows them."""
        return utcnow().replace(tzinfo=datetime.UTC).timestamp()
