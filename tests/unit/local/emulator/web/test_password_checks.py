"""Passwords are checked beside the event loop, in a line of fair order that has an end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from bootstrap.local.emulator.failures import Refused
from bootstrap.local.emulator.model.security import Users
from bootstrap.local.emulator.web import password_checks
from bootstrap.local.emulator.web.password_checks import Logins, read_cost

PASSWORD = "the right one"


@pytest.fixture
def users(tmp_path: Path) -> Users:
    users = Users(tmp_path)
    for name in ("admin", "nobody"):
        users.ensure(name)
    admin = users.find("admin")
    assert admin is not None
    admin.password = "#jbcrypt:" + bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4, prefix=b"2a")).decode()
    return users


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The hashes that were compared; none takes longer than another."""
    seen: list[bytes] = []
    real = bcrypt.checkpw

    def check(password: bytes, hashed: bytes) -> bool:
        seen.append(hashed)
        return real(password, hashed)

    monkeypatch.setattr(bcrypt, "checkpw", check)
    monkeypatch.setattr(password_checks, "DELAY_SECONDS", 0.0)
    return seen


def run(work: Callable[[Logins], Awaitable[Any]], users: Users) -> Any:
    async def whole() -> Any:
        return await work(Logins(users))

    return asyncio.run(whole())


def test_a_right_password_is_compared_once(users: Users, compared: list[bytes]) -> None:
    async def work(found: Logins) -> list[str | None]:
        return [await found.check(name, PASSWORD, "1.1.1.1") for name in ("admin", "ADMIN")]

    assert ["admin", "admin"] == run(work, users)
    assert 1 == len(compared)


def test_a_changed_password_is_not_remembered(users: Users, compared: list[bytes]) -> None:
    async def work(found: Logins) -> str | None:
        assert await found.check("admin", PASSWORD, "1.1.1.1")
        admin = users.find("admin")
        assert admin is not None
        users.set_password(admin, "another")
        return await found.check("admin", PASSWORD, "1.1.1.1")

    assert run(work, users) is None


def test_every_wrong_answer_costs_one_comparison_of_the_same_cost(users: Users, compared: list[bytes]) -> None:
    async def work(found: Logins) -> list[str | None]:
        return [await found.check(name, "wrong", "1.1.1.1") for name in ("admin", "nobody", "unknown", "")]

    assert [None] * 4 == run(work, users)
    assert [4] * 4 == [read_cost(hashed) for hashed in compared]


def test_nobody_signs_in_by_the_hash_that_stands_for_an_unknown_user(users: Users, monkeypatch: Any) -> None:
    monkeypatch.setattr(bcrypt, "checkpw", lambda password, hashed: True)

    async def work(found: Logins) -> list[str | None]:
        return [await found.check(name, "x", "1.1.1.1") for name in ("unknown", "nobody")]

    assert [None, None] == run(work, users)


def test_the_loop_goes_on_while_a_password_is_compared(users: Users, monkeypatch: Any) -> None:
    monkeypatch.setattr(bcrypt, "checkpw", lambda password, hashed: bool(time.sleep(0.3)))

    async def work(found: Logins) -> int:
        waiting = asyncio.create_task(found.check("admin", "wrong", "1.1.1.1"))
        ticks = 0
        while not waiting.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return ticks

    assert run(work, users) > 5


def test_an_address_without_wrong_passwords_goes_first(users: Users, monkeypatch: Any) -> None:
    compared: list[bytes] = []

    def check(password: bytes, hashed: bytes) -> bool:
        time.sleep(0.02)
        compared.append(password)
        return False

    monkeypatch.setattr(bcrypt, "checkpw", check)
    monkeypatch.setattr(password_checks, "DELAY_SECONDS", 0.0)

    async def work(found: Logins) -> None:
        await found.check("admin", "first", "6.6.6.6")
        flood = [asyncio.create_task(found.check("admin", f"{number}", "6.6.6.6")) for number in range(40)]
        await asyncio.sleep(0.01)
        await found.check("admin", "mine", "1.1.1.1")
        assert len(compared) < 12, compared
        await asyncio.gather(*flood)

    run(work, users)
    assert 42 == len(compared)


def test_the_line_has_an_end_and_makes_room_for_others(users: Users, monkeypatch: Any) -> None:
    monkeypatch.setattr(bcrypt, "checkpw", lambda password, hashed: bool(time.sleep(0.005)))
    monkeypatch.setattr(password_checks, "DELAY_SECONDS", 0.0)

    async def work(found: Logins) -> tuple[list[Any], Any]:
        await found.check("admin", "first", "6.6.6.6")
        full = range(password_checks.MAX_WAITING + password_checks.THREADS)
        flood = [asyncio.create_task(found.check("admin", "x", "6.6.6.6")) for _ in full]
        await asyncio.sleep(0)
        with pytest.raises(Refused) as refusal:
            await found.check("admin", "one too many", "6.6.6.6")
        assert 503 == refusal.value.status
        fresh = await found.check("admin", "mine", "1.1.1.1")
        return await asyncio.gather(*flood, return_exceptions=True), fresh

    answers, fresh = run(work, users)
    assert fresh is None
    assert 1 == sum(isinstance(answer, Refused) for answer in answers)
    assert all(answer is None or isinstance(answer, Refused) for answer in answers)


def test_wrong_passwords_are_answered_later_and_later_and_right_ones_at_once(users: Users, monkeypatch: Any) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    monkeypatch.setattr(password_checks.asyncio, "sleep", sleep)

    async def work(found: Logins) -> str | None:
        for _ in range(20):
            await found.check("admin", "wrong", "1.1.1.1")
        return await found.check("admin", PASSWORD, "1.1.1.1")

    assert "admin" == run(work, users)
    assert [0.0] * password_checks.FREE_TRIES == slept[: password_checks.FREE_TRIES]
    assert sorted(slept) == slept
    assert (password_checks.LONGEST_DELAY_SECONDS, 20) == (slept[-1], len(slept))


def test_what_is_remembered_of_addresses_is_bounded(users: Users, compared: list[bytes], monkeypatch: Any) -> None:
    monkeypatch.setattr(password_checks, "_REMEMBERED_ADDRESSES", 10)

    async def work(found: Logins) -> int:
        for number in range(30):
            await found.check("admin", "wrong", f"10.0.0.{number}")
        return len(found._failures)

    assert 10 == run(work, users)
