"""A seed repeats, threads do not disturb each other, and unseeded draws never repeat."""

from __future__ import annotations

import threading

import pytest

from bootstrap.local.aws.persistence import randomness


def draw(seed: str) -> bytes:
    with randomness.seeded(seed):
        return randomness.random_bytes(16)


def test_same_seed_gives_the_same_bytes() -> None:
    assert draw("a") == draw("a")
    assert draw("a") != draw("b")


def test_another_thread_takes_no_draws_from_a_seed() -> None:
    with randomness.seeded("a"):
        first = randomness.random_bytes(8)
        other = threading.Thread(target=randomness.random_bytes, args=(8,))
        other.start()
        other.join()
        second = randomness.random_bytes(8)
    assert _two("a") == (first, second)


def _two(seed: str) -> tuple[bytes, bytes]:
    with randomness.seeded(seed):
        return randomness.random_bytes(8), randomness.random_bytes(8)


def test_outside_of_a_seed_nothing_repeats() -> None:
    assert randomness.random_bytes(16) != randomness.random_bytes(16)


def test_material_is_kept_and_given_again() -> None:
    kept: list[str] = []
    randomness.begin_material(kept)
    made = [randomness.material(lambda: b"key one"), randomness.material(lambda: b"key two")]
    randomness.replay_material(kept)
    assert made == [randomness.material(lambda: b"other"), randomness.material(lambda: b"other")]


def test_clock_stands_still_where_it_is_told_to() -> None:
    with randomness.clock(1_000_000_000.5):
        assert 1_000_000_000.5 == randomness.Clock.time()
        assert 2001 == randomness.utcnow().year
    assert 2001 < randomness.utcnow().year


@pytest.mark.parametrize("count", [0, 1, 33])
def test_random_bytes_have_the_length_that_was_asked_for(count: int) -> None:
    assert count == len(randomness.random_bytes(count))
