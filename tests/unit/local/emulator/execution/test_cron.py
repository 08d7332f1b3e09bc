"""Cron lines with H, aliases, time zones."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bootstrap.local.emulator.execution.cron import BadSchedule, Schedule, translate


def test_h_is_the_same_for_a_job_and_differs_between_jobs() -> None:
    assert translate("H H * * *", "one") == translate("H H * * *", "one")
    assert len({translate("H H * * *", f"job-{number}") for number in range(20)}) > 10


def test_h_stays_within_its_range() -> None:
    minutes = {int(translate("H(10-12) * * * *", f"job-{number}").split()[0]) for number in range(50)}
    assert minutes == {10, 11, 12}


def test_h_with_a_step_becomes_a_stepped_range() -> None:
    field = translate("H/15 * * * *", "job").split()[0]
    first, _, step = field.partition("-59/")
    assert 0 <= int(first) < 15
    assert step == "15"


def test_daily_is_once_a_day() -> None:
    schedule = Schedule("@daily", "job")
    due = [
        schedule.is_due(datetime(2026, 1, 1, hour, minute, tzinfo=UTC)) for hour in range(24) for minute in range(60)
    ]
    assert due.count(True) == 1


def test_line_is_due_in_its_minute_alone() -> None:
    schedule = Schedule("# nightly\nTZ=UTC\n30 2 * * *", "job")
    assert schedule.is_due(datetime(2026, 1, 1, 2, 30, 59, tzinfo=UTC))
    assert not schedule.is_due(datetime(2026, 1, 1, 2, 31, tzinfo=UTC))


def test_time_zone_line_moves_the_clock() -> None:
    schedule = Schedule("TZ=Europe/Berlin\n0 12 * * *", "job")
    assert schedule.is_due(datetime(2026, 7, 1, 10, 0, tzinfo=UTC))


@pytest.mark.parametrize("line", ["* * * *", "61 * * * *", "x * * * *", "", "TZ=No/Where\n* * * * *"])
def test_bad_line_is_refused(line: str) -> None:
    with pytest.raises(BadSchedule):
        Schedule(line or "* *", "job")
