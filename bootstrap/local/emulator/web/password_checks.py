"""Passwords, checked beside the event loop: a flood of wrong ones neither stops other requests nor tells which users exist.

bcrypt takes 50 ms by design. Jenkins spends a thread of its server for each; here a few threads take them in turn. Addresses
from which few wrong passwords came go first, the line has an end, and a wrong password is answered later the more of them came
before it. A password that was right once needs no bcrypt, and an API token never does, so they do not wait. An unknown user's
password is compared with a hash that nobody's password makes, at the cost of the others, as Jenkins' own realm does it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import bcrypt

from ..failures import Refused
from ..model.security import COST, Users

THREADS = 2
LONGEST_LINE = 200
FREE_TRIES = 3  # wrong passwords of one address that are answered at once
DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.25, 2.0
FORGOTTEN_AFTER_SECONDS = 60.0
_REMEMBERED_ADDRESSES = 4096
_Place = tuple[int, int, "asyncio.Future[None]"]


class Logins:
    """Whoever signs in with a password is told apart here."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._threads = ThreadPoolExecutor(THREADS, "passwords")
        self._free = THREADS
        self._line: list[_Place] = []
        self._numbers = itertools.count()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._decoys: dict[int, bytes] = {}
        self._decoy()

    async def check(self, name: str, password: str, sender: str) -> str | None:
        """The id of the user whose name and password these are; None, later, where they are nobody's."""
        user = self._users.find(name)
        if user is not None and self._users.is_remembered(user, password):
            return user.identifier
        failures = self._recent(sender)
        hashed = self._users.hash_of(user) if user is not None else None
        async with self._turn(failures):
            given, kept = password.encode()[:72], hashed or self._decoy()
            is_same = await asyncio.get_running_loop().run_in_executor(self._threads, bcrypt.checkpw, given, kept)
        if user is not None and hashed and is_same:
            self._users.remember(user, password, hashed)
            return user.identifier
        failures = self._recent(sender) + 1
        self._failures[sender] = failures, time.monotonic()
        self._failures.move_to_end(sender)
        if len(self._failures) > _REMEMBERED_ADDRESSES:
            self._failures.popitem(last=False)
        await asyncio.sleep(min(LONGEST_DELAY_SECONDS, DELAY_SECONDS * max(0, failures - FREE_TRIES)))
        return None

    def _recent(self, sender: str) -> int:
        """How many wrong passwords came from an address a short time ago."""
        count, last = self._failures.get(sender, (0, 0.0))
        return count if time.monotonic() - last < FORGOTTEN_AFTER_SECONDS else 0

    def _decoy(self) -> bytes:
        """A hash that no password makes, as dear to compare as the dearest of the users'."""
        cost = max(map(cost_of, self._users.hashes()), default=COST)
        if cost not in self._decoys:
            self._decoys[cost] = bcrypt.hashpw(secrets.token_hex(32).encode(), bcrypt.gensalt(cost, prefix=b"2a"))
        return self._decoys[cost]

    @asynccontextmanager
    async def _turn(self, rank: int) -> AsyncIterator[None]:
        """Hold one of the threads; the lower the rank the sooner, among equals in the order in which they came."""
        if self._free:
            self._free -= 1
        else:
            place = rank, next(self._numbers), asyncio.get_running_loop().create_future()
            if len(self._line) >= LONGEST_LINE:
                self._make_room(place)
            heapq.heappush(self._line, place)
            await place[2]
        try:
            yield
        finally:
            self._leave()

    def _make_room(self, place: _Place) -> None:
        last = max(self._line)
        refusal = Refused(
            503, "too many passwords wait to be checked (a limit of the emulator); try again", is_bare=True
        )
        if last < place:
            raise refusal
        self._line.remove(last)
        heapq.heapify(self._line)
        if not last[2].done():
            last[2].set_exception(refusal)

    def _leave(self) -> None:
        while self._line:
            waiting = heapq.heappop(self._line)[2]
            if not waiting.done():
                waiting.set_result(None)
                return
        self._free += 1


def cost_of(hashed: bytes) -> int:
    """The cost that a hash of bcrypt names: $2a$COST$..."""
    parts = hashed.split(b"$")
    return int(parts[2]) if len(parts) > 3 and parts[2].isdigit() else COST
