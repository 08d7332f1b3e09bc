"""Writes a span of time as Jenkins writes it in consoles."""

from __future__ import annotations

import itertools

_UNITS = (("day", 86_400_000), ("hr", 3_600_000), ("min", 60_000), ("sec", 1000))


def describe_span(milliseconds: int) -> str:
    """The two largest units of a span, such as '1 min 0 sec'; below ten seconds with fractions."""
    for (unit, size), (smaller, part) in itertools.pairwise(_UNITS):
        if milliseconds >= size:
            return f"{_count(milliseconds // size, unit)} {milliseconds % size // part} {smaller}"
    if milliseconds >= 10_000:
        return f"{milliseconds // 1000} sec"
    if milliseconds >= 1000:
        return f"{milliseconds // 100 / 10:g} sec"
    if milliseconds >= 100:
        return f"{milliseconds // 10 / 100:g} sec"
    return f"{milliseconds} ms"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}s" if unit == "day" and number != 1 else f"{number} {unit}"
