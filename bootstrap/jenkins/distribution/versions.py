"""Compares versions of cores and plugins as Jenkins does (hudson.util.VersionNumber).

A version is a list of numbers and words; a number after a hyphen begins a list inside of the list. So `1.28.0-87.v48a_8104` is
1, 28, and the list 87, 'v', 48 and so on. A number is higher than a list, and a list is higher than a word. The words of a
pre-release (snapshot, alpha, beta, milestone, rc) are lower than the end of the list; every other word is higher. Jenkins'
wildcard `*` is not a version here, because the lock cannot contain it.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import TypeAlias

LONGEST = 200  # characters; a longer string is not a version
_Row: TypeAlias = "list[int | str | _Row]"
_WORDS = ("snapshot", "alpha", "beta", "milestone", "rc", "", "sp")
_SAME = {"ga": "", "final": "", "cr": "rc", "ea": "rc"}
_SHORT = {"a": "alpha", "b": "beta", "m": "milestone"}  # only if a number follows directly
_RELEASE = str(_WORDS.index(""))
_VERSION = re.compile(r"[0-9][0-9A-Za-z._+-]*")
_TIMESTAMPED = re.compile(r"-\d{8}\.\d{6}-\d+$")  # a published snapshot


def is_version(text: str) -> bool:
    """Whether a string can be the version of a core or a plugin."""
    return len(text) <= LONGEST and _VERSION.fullmatch(text) is not None


@lru_cache(4096)
def is_older(one: str, other: str) -> bool:
    """Whether Jenkins considers the first version lower than the second one."""
    return _compare(_parse(one), _parse(other)) < 0


def _parse(version: str) -> _Row:
    text = _TIMESTAMPED.sub("-snapshot", version[:LONGEST]).lower()
    outer: _Row = []
    rows = [outer]
    for part, is_last_of_part, hyphen, following in _split(text):
        rows[-1].append(part)
        if is_last_of_part and hyphen and isinstance(part, int):
            _trim(rows[-1])
            if following.isdecimal():
                inner: _Row = []
                rows[-1].append(inner)
                rows.append(inner)
    for row in reversed(rows):
        _trim(row)
    return outer


def _split(text: str) -> list[tuple[int | str, bool, bool, str]]:
    """The numbers and words in their order.

    Each has: whether it is the last one before a separator, whether the separator is a hyphen, and the character after it.
    """
    items: list[tuple[int | str, bool, bool, str]] = []
    is_number = False  # the last piece; Jenkins uses it again if nothing is between two separators
    for match in re.finditer(r"([^.-]*)([.-]|$)", text):
        between, separator = match.group(1), match.group(2)
        following = text[match.end() : match.end() + 1]
        if not between:
            if separator:  # nothing between two separators is a zero
                items.append((0, True, is_number and separator == "-", following))
            continue
        pieces = re.findall(r"\d+|\D+", between, re.ASCII)
        for at, piece in enumerate(pieces):
            is_last = at == len(pieces) - 1
            value = int(piece) if piece.isdecimal() else _normalize_word(piece, is_followed_by_number=not is_last)
            items.append((value, is_last, is_last and separator == "-", following))
            is_number = isinstance(value, int)
    return items


def _normalize_word(text: str, *, is_followed_by_number: bool) -> str:
    word = _SHORT.get(text, text) if is_followed_by_number else text
    return _SAME.get(word, word)


def _trim(row: _Row) -> None:
    """Remove items without meaning from the end of a list: zeros, empty lists, the words of a release."""
    while row and (row[-1] in (0, []) or (isinstance(row[-1], str) and _rank_word(row[-1]) == _RELEASE)):
        row.pop()


def _rank_word(word: str) -> str:
    return str(_WORDS.index(word)) if word in _WORDS else f"{len(_WORDS)}-{word}"


def _rank_kind(item: int | str | _Row) -> int:
    return 2 if isinstance(item, int) else 0 if isinstance(item, str) else 1


def _compare(one: int | str | _Row | None, other: int | str | _Row | None) -> int:
    """Negative, zero or positive if the first is lower, equal or higher; None is the end of a list."""
    if one is None:
        return 0 if other is None else -_compare(other, None)
    if isinstance(one, list) and isinstance(other, list):
        return next((order for pair in itertools.zip_longest(one, other) if (order := _compare(*pair))), 0)
    if isinstance(one, list) and other is None:
        return _compare(one[0], None) if one else 0
    if other is not None and _rank_kind(one) != _rank_kind(other):
        return _rank_kind(one) - _rank_kind(other)
    if isinstance(one, int):
        number = other if isinstance(other, int) else 0
        return (one > number) - (one < number)
    left, right = _rank_word(str(one)), _RELEASE if other is None else _rank_word(str(other))
    return (left > right) - (left < right)
