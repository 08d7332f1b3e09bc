"""Jenkinsfiles, judged as text: brackets and quotes that do not close, and the sections of a declarative pipeline.

Groovy itself is on the machine only, and Jenkins' validator with it. What is told here is what every Jenkins would refuse at
the first build: hours after a launch, in a console that somebody has to open.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap.errors import Fault

# The sections of `pipeline`, as the declarative model has them (pipeline-model-definition's Parser).
SECTIONS = ("agent", "environment", "libraries", "options", "parameters", "post", "stages", "tools", "triggers")
_NEEDED = ("agent", "stages")
_CLOSING = {"(": ")", "[": "]", "{": "}"}
_QUOTES = ("'''", '"""', "'", '"')


@dataclass(frozen=True)
class _Sign:
    """A word or a bracket outside of texts and comments, with its offset and how many brackets are open around it."""

    text: str
    offset: int
    depth: int


def faults(shown: str, text: str) -> Iterator[Fault]:
    """What is wrong with one Jenkinsfile; `shown` is its name as it is told."""
    try:
        signs = list(_signs(text))
    except _Broken as error:
        yield _at(shown, text, error.offset, error.message)
        return
    start = next((sign for sign in signs if sign.depth == 0 and sign.text == "pipeline"), None)
    if start is None:
        first = next((sign for sign in signs if sign.depth == 0), _Sign("", 0, 0))
        yield _at(shown, text, first.offset, "there is no 'pipeline { ... }': a declarative pipeline begins so")
        return
    sections = [sign for sign in _heads(signs, text) if sign.offset > start.offset]
    names = [sign.text for sign in sections]
    for number, sign in enumerate(sections):
        if sign.text not in SECTIONS:
            near = difflib.get_close_matches(sign.text, SECTIONS, n=1, cutoff=0.6)
            hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(SECTIONS)}"
            yield _at(shown, text, sign.offset, f"unknown section '{sign.text}'; {hint}")
        elif sign.text in names[:number]:
            yield _at(shown, text, sign.offset, f"the section '{sign.text}' stands twice")
    for needed in _NEEDED:
        if needed not in names:
            yield _at(shown, text, start.offset, f"the pipeline has no '{needed}'")


class _Broken(ValueError):
    """A text or bracket that does not close."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset, self.message = offset, message


def _heads(signs: list[_Sign], text: str) -> Iterator[_Sign]:
    """The words that begin a section of the pipeline: directly in its braces, and first in their line or after a bracket."""
    for sign in signs:
        if sign.depth == 1 and sign.text.isidentifier():
            line = text[: sign.offset].rpartition("\n")[2].strip()
            if not line or line.endswith(("{", ";", "}")):
                yield sign


def _signs(text: str) -> Iterator[_Sign]:
    open_ones: list[tuple[str, int]] = []
    offset = 0
    while offset < len(text):
        end = _skipped(text, offset)
        if end > offset:
            offset = end
            continue
        letter = text[offset]
        if letter in _CLOSING:
            yield _Sign(letter, offset, len(open_ones))
            open_ones.append((letter, offset))
        elif letter in _CLOSING.values():
            if not open_ones or _CLOSING[open_ones[-1][0]] != letter:
                opened = f"; '{open_ones[-1][0]}' of line {_line(text, open_ones[-1][1])} is open" if open_ones else ""
                raise _Broken(offset, f"'{letter}' closes nothing{opened}")
            open_ones.pop()
        elif word := re.compile(r"[A-Za-z_]\w*").match(text, offset):
            yield _Sign(word[0], offset, len(open_ones))
            offset = word.end() - 1
        offset += 1
    if open_ones:
        raise _Broken(open_ones[-1][1], f"'{open_ones[-1][0]}' is never closed")


def _skipped(text: str, offset: int) -> int:
    """The end of the comment or text that begins at `offset`, or `offset` itself."""
    if text.startswith("//", offset) or (offset == 0 and text.startswith("#!")):
        end = text.find("\n", offset)
        return len(text) if end < 0 else end
    if text.startswith("/*", offset):
        end = text.find("*/", offset + 2)
        if end < 0:
            raise _Broken(offset, "the comment is never closed")
        return end + 2
    quote = next((it for it in _QUOTES if text.startswith(it, offset)), None)
    return offset if quote is None else _end_of_text(text, offset, quote)


def _end_of_text(text: str, offset: int, quote: str) -> int:
    at = offset + len(quote)
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text.startswith(quote, at):
            return at + len(quote)
        elif len(quote) == 1 and text[at] == "\n":
            break
        else:
            at += 1
    raise _Broken(offset, f"the text that {quote} begins is never closed")


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def _at(shown: str, text: str, offset: int, message: str) -> Fault:
    return Fault(shown, _line(text, offset), offset - (text.rfind("\n", 0, offset) + 1) + 1, message)
