"""How many there are of something, in words."""

from __future__ import annotations

from collections.abc import Sequence


def counted(number: int, noun: str) -> str:
    """'1 change', '2 changes'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def checks(outcomes: Sequence[str]) -> str:
    """The outcomes of checks, each passed, failed, error or skipped: '89 checks hold, 1 failed, 2 left out'."""
    passed, left_out = outcomes.count("passed"), outcomes.count("skipped")
    failed = len(outcomes) - passed - left_out
    told = [f"{counted(passed, 'check')} {'holds' if passed == 1 else 'hold'}"]
    told += [f"{failed} failed"] if failed else []
    told += [f"{left_out} left out"] if left_out else []
    return ", ".join(told)


def drifted(number: int) -> str:
    """'2 things drifted', 'nothing drifted'."""
    return f"{counted(number, 'thing') if number else 'nothing'} drifted"
