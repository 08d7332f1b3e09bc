"""Checks passwords outside of the event loop. Many wrong passwords do not delay other requests, and show no names of users.

bcrypt takes 50 ms by design. Jenkins uses a thread of its server for each password; here a few threads check them in turn.
Addresses that sent few wrong passwords come first, and the number of waiting passwords is limited. The more wrong passwords an
address sent, the later the next one is answered. A password that was right before needs no bcrypt, and an API token never
needs it, so they do not wait. The password of an unknown user is compared with a hash of no user's password, of the same cost,
as Jenkins' own realm does.
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
from ..model.passwords import COST
from ..model.security import Users

THREADS = 2
MAX_WAITING = 200
FREE_TRIES = 3  # wrong passwords of one address that are answered without delay
DELAY_SECONDS, LONGEST_DELAY_SECONDS = 0.25, 2.0
FORGOTTEN_AFTER_SECONDS = 60.0
_REMEMBERED_ADDRESSES = 4096
_Place = tuple[int, int, "asyncio.Future[None]"]


class Logins:
    """Decides whether a name and a password belong to a user."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._threads = ThreadPoolExecutor(THREADS, "passwords")
        self._free_threads = THREADS
        self._waiting: list[_Place] = []
        self._numbers = itertools.count()
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()
        self._decoys: dict[int, bytes] = {}
        self._make_decoy()

    async def check(self, name: str, password: str, sender: str) -> str | None:
        """Check a name and a password; returns the id of the user, or None after a delay.

        Raises Refused (503) if too many passwords wait.
        """
        user = self._users.find(name)
        if user is not None and self._users.is_remembered(user, password):
            return user.identifier
        failures = self._count_failures(sender)
        hashed = self._users.find_hash(user) if user is not None else None
        async with self._hold_thread(failures):
            given, kept = password.encode()[:72], hashed or self._make_decoy()
            is_same = await asyncio.get_running_loop().run_in_executor(self._threads, bcrypt.checkpw, given, kept)
        if user is not None and hashed and is_same:
            self._users.remember(user, password, hashed)
            return user.identifier
        failures = self._count_failures(sender) + 1
        self._failures[sender] = failures, time.monotonic()
        self._failures.move_to_end(sender)
        if len(self._failures) > _REMEMBERED_ADDRESSES:
            self._failures.popitem(last=False)
        await asyncio.sleep(min(LONGEST_DELAY_SECONDS, DELAY_SECONDS * max(0, failures - FREE_TRIES)))
        return None

    def _count_failures(self, sender: str) -> int:
        """Count the wrong passwords that an address sent in the last minute."""
        count, last = self._failures.get(sender, (0, 0.0))
        return count if time.monotonic() - last < FORGOTTEN_AFTER_SECONDS else 0

    def _make_decoy(self) -> bytes:
        """Make a hash of no user's password; to compare it costs as much as the most expensive hash of a user."""
        cost = max(map(read_cost, self._users.list_hashes()), default=COST)
        if cost not in self._decoys:
            self._decoys[cost] = bcrypt.hashpw(secrets.token_hex(32).encode(), bcrypt.gensalt(cost, prefix=b"2a"))
        return self._decoys[cost]

    @asynccontextmanager
    async def _hold_thread(self, rank: int) -> AsyncIterator[None]:
        """Wait for a thread and hold it; a lower rank comes first, among equal ranks the earlier request."""
        if self._free_threads:
            self._free_threads -= 1
        else:
            place = rank, next(self._numbers), asyncio.get_running_loop().create_future()
            if len(self._waiting) >= MAX_WAITING:
                self._make_room(place)
            heapq.heappush(self._waiting, place)
            await place[2]
        try:
            yield
        finally:
            self._release_thread()

    def _make_room(self, place: _Place) -> None:
        last = max(self._waiting)
        refusal = Refused(
            503, "too many passwords wait to be checked (a limit of the emulator); try again", is_bare=True
        )
        if last < place:
            raise refusal
        self._waiting.remove(last)
        heapq.heapify(self._waiting)
        if not last[2].done():
            last[2].set_exception(refusal)

    def _release_thread(self) -> None:
        while self._waiting:
            waiting = heapq.heappop(self._waiting)[2]
            if not waiting.done():
                waiting.set_result(None)
                return
        self._free_threads += 1


def read_cost(hashed: bytes) -> int:
    """Read the cost from a hash of bcrypt, $2a$COST$...; Jenkins' own cost if there is none."""
    parts = hashed.split(b"$")
    return int(parts[2]) if len(parts) > 3 and parts[2].isdigit() else COST
