"""Versions as Jenkins compares them (hudson.util.VersionNumber), for the forms that cores and plugins have.

A version is a row of numbers and words; a number behind a hyphen opens a row within the row. So `1.28.0-87.v48a_8104` is 1, 28,
then the row 87, 'v', 48 and so on. Numbers are higher than rows, rows higher than words. The words of a pre-release (snapshot,
alpha, beta, milestone, rc) are lower than no word, every other word is higher. The wildcard `*`, which Jenkins knows as well,
names no version that can be locked and is no version here.
"""

from __future__ import annotations

import itertools
import re
from typing import TypeAlias

LONGEST = 200  # characters; a longer text is nobody's version
_Row: TypeAlias = "list[int | str | _Row]"
_WORDS = ("snapshot", "alpha", "beta", "milestone", "rc", "", "sp")
_SAME = {"ga": "", "final": "", "cr": "rc", "ea": "rc"}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}  # where a number follows at once
_RELEASE = str(_WORDS.index(""))
_VERSION = re.compile(r"[0-9][0-9A-Za-z._+-]*")
_TIMESTAMPED = re.compile(r"-\d{8}\.\d{6}-\d+$")  # a snapshot that was published


def is_version(text: str) -> bool:
    """Whether a text can be the version of a core or a plugin."""
    return len(text) <= LONGEST and _VERSION.fullmatch(text) is not None


def is_older(one: str, other: str) -> bool:
    """Whether Jenkins holds a version for lower than another."""
    return _compare(_parse(one), _parse(other)) < 0


def _parse(version: str) -> _Row:
    text = _TIMESTAMPED.sub("-snapshot", version[:LONGEST]).lower()
    whole: _Row = []
    rows = [whole]
    for part, is_last_of_part, hyphen, following in _split(text):
        rows[-1].append(part)
        if is_last_of_part and hyphen and isinstance(part, int):
            _cut(rows[-1])
            if following.isdecimal():
                inner: _Row = []
                rows[-1].append(inner)
                rows.append(inner)
    for row in reversed(rows):
        _cut(row)
    return whole


def _split(text: str) -> list[tuple[int | str, bool, bool, str]]:
    """Numbers and words in their order, each with: is it the last before a separator, is that a hyphen, what follows that."""
    found: list[tuple[int | str, bool, bool, str]] = []
    is_number = False  # the last piece; Jenkins asks it again where nothing stands between two separators
    for match in re.finditer(r"([^.-]*)([.-]|$)", text):
        between, separator = match.group(1), match.group(2)
        following = text[match.end() : match.end() + 1]
        if not between:
            if separator:  # nothing between two separators is a zero
                found.append((0, True, is_number and separator == "-", following))
            continue
        pieces = re.findall(r"\d+|\D+", between, re.ASCII)
        for at, piece in enumerate(pieces):
            is_last = at == len(pieces) - 1
            value = int(piece) if piece.isdecimal() else _word(piece, is_followed_by_number=not is_last)
            found.append((value, is_last, is_last and separator == "-", following))
            is_number = isinstance(value, int)
    return found


def _word(text: str, *, is_followed_by_number: bool) -> str:
    word = _SHORT.get(text, text) if is_followed_by_number else text
    return _SAME.get(word, word)


def _cut(row: _Row) -> None:
    """Take what counts for nothing off the end of a row: zeros, empty rows, the words of a release."""
    while row and (row[-1] in (0, []) or (isinstance(row[-1], str) and _rank(row[-1]) == _RELEASE)):
        row.pop()


def _rank(word: str) -> str:
    return str(_WORDS.index(word)) if word in _WORDS else f"{len(_WORDS)}-{word}"


def _kind(item: int | str | _Row) -> int:
    return 2 if isinstance(item, int) else 0 if isinstance(item, str) else 1


def _compare(one: int | str | _Row | None, other: int | str | _Row | None) -> int:
    """Below zero, zero or above it, as the first is lower, the same or higher; None is the end of a row."""
    if one is None:
        return 0 if other is None else -_compare(other, None)
    if isinstance(one, list) and isinstance(other, list):
        return next((it for pair in itertools.zip_longest(one, other) if (it := _compare(*pair))), 0)
    if isinstance(one, list) and other is None:
        return _compare(one[0], None) if one else 0
    if other is not None and _kind(one) != _kind(other):
        return _kind(one) - _kind(other)
    if isinstance(one, int):
        number = other if isinstance(other, int) else 0
        return (one > number) - (one < number)
    left, right = _rank(str(one)), _RELEASE if other is None else _rank(str(other))
    return (left > right) - (left < right)
