"""Groovy as text: its words, texts and brackets, and the statements of blocks. Nothing is evaluated, and no Groovy needed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_QUOTES = ("'''", '"""', "'", '"')
_TYPOGRAPHIC = "‘’‚“”„«»"
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_NUMBER = re.compile(r"\d[\w.]*")
# A line that ends, or a next one that begins, with one of these goes on.
_GOES_ON = frozenset(",=+-*/%.?:&|<>")
# After a closing brace any other word begins a statement of its own.
_FOLLOWS = frozenset({"catch", "finally", "else", "while", "as", "in", "instanceof"})


class Broken(ValueError):
    """A text or bracket that does not close, and where."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset, self.message = offset, message


@dataclass(frozen=True)
class Token:
    """`kind` is word, text (with its quotes), number, open, close, line (the end of one) or sign."""

    kind: str
    text: str
    offset: int


@dataclass(frozen=True)
class Statement:
    """One statement: its first token, those between it and its body, and the body's statements where it ends with braces.

    One that is `glued` follows another's braces in their line: Groovy takes both for one.
    """

    head: Token
    arguments: tuple[Token, ...]
    body: tuple[Statement, ...] | None
    is_glued: bool = False

    @property
    def word(self) -> str:
        """The word that it begins with; empty where it begins with something else."""
        return self.head.text if self.head.kind == "word" else ""

    @property
    def is_call(self) -> bool:
        """Whether it is a word with what it is given: no assignment, no property, no declaration."""
        first = self.arguments[0] if self.arguments else None
        return bool(self.word) and (first is None or first.text == "(" or first.kind in {"text", "number", "word"})


def statements(text: str) -> tuple[Statement, ...]:
    """The statements of a whole file; Broken where a text or a bracket does not close."""
    tokens = list(_tokens(text))
    return tuple(_statements(tokens, _pairs(tokens, text), 0, len(tokens)))


def line(text: str, offset: int) -> int:
    """The line of an offset, from 1."""
    return text.count("\n", 0, offset) + 1


def _statements(tokens: list[Token], pairs: dict[int, int], start: int, end: int) -> Iterator[Statement]:
    current: list[int] = []
    at, is_glued = start, False
    while at < end:
        token = tokens[at]
        if _ends(tokens, current, at, end):
            yield _statement(tokens, pairs, current, is_glued=is_glued)
            current, is_glued = [], token.kind == "word"
        if token.kind == "open":
            current += [at, pairs[at]]
            at = pairs[at]
        elif token.kind != "line" and token.text != ";":
            current.append(at)
        at += 1
    if current:
        yield _statement(tokens, pairs, current, is_glued=is_glued)


def _ends(tokens: list[Token], current: list[int], at: int, end: int) -> bool:
    """Whether what was read so far is a statement, in view of the token at `at`."""
    if not current:
        return False
    token, last = tokens[at], tokens[current[-1]]
    if token.kind == "line":
        following = next((it for it in tokens[at:end] if it.kind != "line"), token)
        return last.text not in _GOES_ON and following.text not in _GOES_ON
    return token.text == ";" or (last.text == "}" and token.kind == "word" and token.text not in _FOLLOWS)


def _statement(tokens: list[Token], pairs: dict[int, int], current: list[int], *, is_glued: bool) -> Statement:
    body = None
    middle = current[1:]
    if len(middle) > 1 and tokens[middle[-2]].text == "{" and pairs.get(middle[-2]) == middle[-1]:
        body = tuple(_statements(tokens, pairs, middle[-2] + 1, middle[-1]))
        middle = middle[:-2]
    inner: list[Token] = []
    for at in middle:
        inner += tokens[at : pairs[at]] if tokens[at].kind == "open" else tokens[at : at + 1]
    return Statement(tokens[current[0]], tuple(it for it in inner if it.kind != "line"), body, is_glued)


def _pairs(tokens: list[Token], text: str) -> dict[int, int]:
    """Each opening bracket's closing one, by their places."""
    found: dict[int, int] = {}
    waiting: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind == "open":
            waiting.append(at)
        elif token.kind == "close":
            opened = tokens[waiting[-1]] if waiting else None
            if opened is None or _CLOSING[opened.text] != token.text:
                more = f"; '{opened.text}' of line {line(text, opened.offset)} is open" if opened else ""
                raise Broken(token.offset, f"'{token.text}' closes nothing{more}")
            found[waiting.pop()] = at
    if waiting:
        opened = tokens[waiting[-1]]
        raise Broken(opened.offset, f"'{opened.text}' is never closed{_suspect(tokens, found, text)}")
    return found


def _suspect(tokens: list[Token], pairs: dict[int, int], text: str) -> str:
    """Which brace it may be, for the one that is left over is the outermost: the first whose end is indented otherwise."""
    for at, end in sorted(pairs.items()):
        opened, closed = tokens[at].offset, tokens[end].offset
        begun = text[text.rfind("\n", 0, opened) + 1 :]
        before = text[text.rfind("\n", 0, closed) + 1 : closed]
        if not before.strip() and line(text, opened) != line(text, closed):
            indented = len(begun) - len(begun.lstrip(" \t"))
            if indented != len(before):
                return f"; judging by the indentation it may be the one of line {line(text, opened)}"
    return ""


def _tokens(text: str) -> Iterator[Token]:
    offset = 0
    while offset < len(text):
        token = _token(text, offset)
        if token is None:
            offset = max(_after_comment(text, offset), offset + 1)
            continue
        yield token
        offset += len(token.text)


def _token(text: str, offset: int) -> Token | None:
    """The token that begins there; None for a blank or a comment."""
    letter = text[offset]
    if _after_comment(text, offset) > offset or letter in " \t\r":
        return None
    if letter == "\n":
        return Token("line", letter, offset)
    if quote := next((it for it in _QUOTES if text.startswith(it, offset)), None):
        return Token("text", text[offset : _end_of_text(text, offset, quote)], offset)
    if letter in _TYPOGRAPHIC:
        raise Broken(offset, f"the quote {letter} is a typographic one; Groovy has ' and \"")
    if found := _WORD.match(text, offset):
        return Token("word", found[0], offset)
    if found := _NUMBER.match(text, offset):
        return Token("number", found[0], offset)
    kind = "open" if letter in _CLOSING else "close" if letter in _CLOSING.values() else "sign"
    return Token(kind, letter, offset)


def _after_comment(text: str, offset: int) -> int:
    """The end of the comment that begins at `offset`, or `offset` itself."""
    if text.startswith("//", offset) or (offset == 0 and text.startswith("#!")):
        end = text.find("\n", offset)
        return len(text) if end < 0 else end
    if text.startswith("/*", offset):
        end = text.find("*/", offset + 2)
        if end < 0:
            raise Broken(offset, "the comment is never closed")
        return end + 2
    return offset


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
    raise Broken(offset, f"the string that begins with {quote} is never closed")
