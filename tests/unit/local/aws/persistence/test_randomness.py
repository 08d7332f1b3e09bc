"""A seed repeats, threads do not disturb each other, and unseeded draws never repeat."""

from __future__ import annotations

import threading

import pytest

from bootstrap.local.aws.persistence import randomness


def draw(seed: str) -> bytes:
    with randomness.use_seed(seed):
        return randomness.draw_bytes(16)


def test_same_seed_gives_the_same_bytes() -> None:
    assert draw("a") == draw("a")
    assert draw("a") != draw("b")


def test_another_thread_does_not_draw_from_the_seed() -> None:
    with randomness.use_seed("a"):
        first = randomness.draw_bytes(8)
        other = threading.Thread(target=randomness.draw_bytes, args=(8,))
        other.start()
        other.join()
        second = randomness.draw_bytes(8)
    assert _two("a") == (first, second)


def _two(seed: str) -> tuple[bytes, bytes]:
    with randomness.use_seed(seed):
        return randomness.draw_bytes(8), randomness.draw_bytes(8)


def test_unseeded_draws_do_not_repeat() -> None:
    assert randomness.draw_bytes(16) != randomness.draw_bytes(16)


def test_material_is_recorded_and_replayed() -> None:
    kept: list[str] = []
    randomness.record_material(kept)
    first = [randomness.make_material(lambda: b"key one"), randomness.make_material(lambda: b"key two")]
    randomness.replay_material(kept)
    assert first == [randomness.make_material(lambda: b"other"), randomness.make_material(lambda: b"other")]


def test_a_fixed_clock_shows_one_time() -> None:
    with randomness.fix_clock(1_000_000_000.5):
        assert 1_000_000_000.5 == randomness.Clock.time()
        assert 2001 == randomness.utcnow().year
    assert 2001 < randomness.utcnow().year


@pytest.mark.parametrize("count", [0, 1, 33])
def test_as_many_bytes_are_drawn_as_requested(count: int) -> None:
    assert count == len(randomness.draw_bytes(count))
