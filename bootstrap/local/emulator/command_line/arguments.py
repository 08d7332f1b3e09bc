"""Reads the arguments of a command as Jenkins does (its library is args4j), with the same faults and the same usage."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

_WIDTH = 80  # of the usage
_GREATEST_INT = 2**31 - 1
_LONGEST_COMPARED = 100  # letters of a name: a caller could keep the server busy with a long one


class Kind(Enum):
    """What an option takes; the value is what the usage calls it if the option has no word of its own."""

    FLAG = ""
    TEXT = "VAL"
    NUMBER = "N"
    PAIRS = " "


class BadArguments(Exception):
    """The arguments do not fit the command: exit code 2, and the usage."""


class NoSuchThing(Exception):
    """An argument names something that does not exist: exit code 3."""


@dataclass(frozen=True)
class Option:
    """An option such as `-f`; without a usage it is not explained. `default` is what the usage says of it."""

    name: str
    usage: str
    kind: Kind = Kind.FLAG
    meta: str = ""
    default: str = "false"

    @property
    def shown(self) -> str:
        """The option as the usage shows it."""
        word = self.meta or self.kind.value.strip()
        return f"{self.name} {word}" if word else self.name


@dataclass(frozen=True)
class Argument:
    """An argument without a name; with `is_repeated` it takes all that follow.

    `meta` is what the usage and a fault call it. Where Jenkins gives it none, the usage says VAL, and a fault nothing.
    """

    meta: str
    usage: str
    is_required: bool = True
    is_repeated: bool = False
    default: str = ""

    @property
    def shown(self) -> str:
        """The argument as the usage shows it."""
        return self.meta or Kind.TEXT.value


@dataclass
class Given:
    """What a caller gave: options by their name, and the other arguments in order."""

    flags: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    pairs: dict[str, str] = field(default_factory=dict)
    arguments: list[str] = field(default_factory=list)


def parse(words: Sequence[str], arguments: Sequence[Argument], options: Sequence[Option]) -> Given:
    """Read the words after the name of a command; raises BadArguments in args4j's words."""
    given, rest = Given(), deque(words)
    known = {option.name: option for option in options}
    while rest:
        word = rest.popleft()
        if word.startswith("-"):
            name, is_pair, value = word.partition("=")
            if name not in known:
                raise BadArguments(f'"{word}" is not a valid option')
            if is_pair:
                rest.appendleft(value)
            _read_option(known[name], rest, given)
            continue
        is_full = len(given.arguments) >= len(arguments) and not (arguments and arguments[-1].is_repeated)
        if is_full:
            raise BadArguments(f"Too many arguments: {word}" if arguments else f"No argument is allowed: {word}")
        given.arguments.append(word)
    for argument in arguments[len(given.arguments) :]:
        if argument.is_required:
            raise BadArguments(f'Argument "{argument.meta}" is required')
    return given


def parse_int(text: str) -> int | None:
    """A number as Java's `int` has it; None for other texts, also for greater numbers."""
    number = int(text) if re.fullmatch(r"[+-]?[0-9]{1,20}", text, re.ASCII) else _GREATEST_INT + 1
    return number if -_GREATEST_INT - 1 <= number <= _GREATEST_INT else None


def _read_option(option: Option, rest: deque[str], given: Given) -> None:
    if option.kind is Kind.FLAG:
        given.flags.add(option.name)
        return
    if not rest:
        raise BadArguments(f'Option "{option.name}" takes an operand')
    value = rest.popleft()
    if option.kind is Kind.TEXT:
        given.texts[option.name] = value
    elif option.kind is Kind.NUMBER:
        number = parse_int(value)
        if number is None:
            raise BadArguments(f'"{value}" is not a valid value for "{option.name}"')
        given.numbers[option.name] = number
    else:
        key, separator, text = value.partition("=")
        if not separator:
            raise BadArguments('An argument for setting a Map must contain a "="')
        if not key:
            raise BadArguments("A key must be set.")
        given.pairs[key] = text


def render_line(arguments: Sequence[Argument], options: Sequence[Option]) -> str:
    """The usage in one line, after the name of the command; options are sorted by name."""
    words = [
        _put_in_brackets(argument.shown + (" ..." if argument.is_repeated else ""), argument) for argument in arguments
    ]
    words += [f"[{option.shown}]" for option in _sort(options)]
    return "".join(f" {word}" for word in words)


def _put_in_brackets(words: str, argument: Argument) -> str:
    return words if argument.is_required else f"[{words}]"


def _sort(options: Sequence[Option]) -> list[Option]:
    return sorted(options, key=lambda option: option.name)


def render_usage(arguments: Sequence[Argument], options: Sequence[Option]) -> str:
    """The arguments and options, each with its usage, in two columns."""
    rows = [(each.shown, each.usage, each.default if not each.is_required else "") for each in arguments]
    rows += [(each.shown, each.usage, each.default) for each in _sort(options) if each.usage]
    left = min(max((len(name) for name, _, _ in rows), default=0), (_WIDTH - 4) // 2)
    lines = []
    for name, usage, default in rows:
        explained = list(_wrap(usage + (f" (default: {default})" if default else ""), _WIDTH - 4 - left))
        lines += [
            f" {name if not place else '':{left}} {' ' if place else ':'} {part}"
            for place, part in enumerate(explained)
        ]
    return "".join(f"{line}\n" for line in lines)


def _wrap(text: str, width: int) -> Iterator[str]:
    """Cut a text into lines; at a blank, unless that would leave a line too short."""
    while len(text) > width:
        blank = text[:width].rfind(" ")
        cut = blank if blank > width * 3 // 5 else width
        yield text[:cut]
        text = text[cut:].strip()
    yield text


def find_nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name with the fewest different letters; None if none is known."""
    name = name[:_LONGEST_COMPARED]
    return min(known, key=lambda each: _count_edits(name, each[:_LONGEST_COMPARED]), default=None)


def _count_edits(one: str, other: str) -> int:
    costs = list(range(len(one) + 1))
    for row, letter in enumerate(other, 1):
        before, costs[0] = costs[:], row
        for place, mine in enumerate(one):
            costs[place + 1] = min(before[place] + (mine != letter), costs[place] + 1, before[place + 1] + 1)
    return costs[-1]
