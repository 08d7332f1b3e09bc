"""Splits Groovy code into tokens and statements. It needs no Groovy and evaluates nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

DEEPEST = 100
"""The most brackets inside of each other; code that walks statements calls itself for each."""

_CLOSING = {"(": ")", "[": "]", "{": "}"}
_QUOTES = ("'''", '"""', "'", '"')
_TYPOGRAPHIC = "‘’‚“”„«»"
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_NUMBER = re.compile(r"\d[\w.]*")
# A statement continues in the next line if a line ends, or the next one begins, with one of these.
_CONTINUES = frozenset(",=+-*/%.?:&|<>")
# After a closing brace, any other word begins a new statement.
_FOLLOWS = frozenset({"catch", "finally", "else", "while", "as", "in", "instanceof"})


class Broken(ValueError):
    """A string, comment or bracket is not closed, or brackets are nested too deeply; `offset` is its place in the text."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset, self.message = offset, message


@dataclass(frozen=True)
class Token:
    """`kind` is word, text (a string with its quotes), number, open, close, line (the end of a line) or sign."""

    kind: str
    text: str
    offset: int


@dataclass(frozen=True)
class Statement:
    """One statement: its first token, the tokens after it, and the statements in the braces at its end, or None.

    If `is_glued`, it follows the braces of another statement on the same line; Groovy reads both as one statement.
    """

    head: Token
    arguments: tuple[Token, ...]
    body: tuple[Statement, ...] | None
    is_glued: bool = False

    @property
    def word(self) -> str:
        """The first token if it is a word, otherwise ''."""
        return self.head.text if self.head.kind == "word" else ""

    @property
    def is_call(self) -> bool:
        """Whether it is a call, `word arguments`: no assignment, no property, no declaration."""
        first = self.arguments[0] if self.arguments else None
        return bool(self.word) and (first is None or first.text == "(" or first.kind in {"text", "number", "word"})


def parse_statements(text: str) -> tuple[Statement, ...]:
    """The statements of a whole file. Raises Broken if a string, comment or bracket is not closed."""
    tokens = list(_read_tokens(text))
    return tuple(_parse_statements(tokens, _pair_brackets(tokens, text), 0, len(tokens)))


def find_line(text: str, offset: int) -> int:
    """The number of the line (from 1) that contains the offset."""
    return text.count("\n", 0, offset) + 1


def _parse_statements(tokens: list[Token], pairs: dict[int, int], start: int, end: int) -> Iterator[Statement]:
    current: list[int] = []
    at, is_glued = start, False
    while at < end:
        token = tokens[at]
        if _is_complete(tokens, current, at, end):
            yield _build_statement(tokens, pairs, current, is_glued=is_glued)
            current, is_glued = [], token.kind == "word"
        if token.kind == "open":
            current += [at, pairs[at]]
            at = pairs[at]
        elif token.kind != "line" and token.text != ";":
            current.append(at)
        at += 1
    if current:
        yield _build_statement(tokens, pairs, current, is_glued=is_glued)


def _is_complete(tokens: list[Token], current: list[int], at: int, end: int) -> bool:
    """Whether the tokens in `current` are a complete statement before the token at `at`."""
    if not current:
        return False
    token, last = tokens[at], tokens[current[-1]]
    if token.kind == "line":
        following = next((each for each in tokens[at:end] if each.kind != "line"), token)
        return last.text not in _CONTINUES and following.text not in _CONTINUES
    return token.text == ";" or (last.text == "}" and token.kind == "word" and token.text not in _FOLLOWS)


def _build_statement(tokens: list[Token], pairs: dict[int, int], current: list[int], *, is_glued: bool) -> Statement:
    body = None
    middle = current[1:]
    if len(middle) > 1 and tokens[middle[-2]].text == "{" and pairs.get(middle[-2]) == middle[-1]:
        body = tuple(_parse_statements(tokens, pairs, middle[-2] + 1, middle[-1]))
        middle = middle[:-2]
    inner: list[Token] = []
    for at in middle:
        inner += tokens[at : pairs[at]] if tokens[at].kind == "open" else tokens[at : at + 1]
    return Statement(tokens[current[0]], tuple(each for each in inner if each.kind != "line"), body, is_glued)


def _pair_brackets(tokens: list[Token], text: str) -> dict[int, int]:
    """The index of the closing bracket for the index of each opening one. Raises Broken."""
    pairs: dict[int, int] = {}
    waiting: list[int] = []
    for at, token in enumerate(tokens):
        if token.kind == "open":
            waiting.append(at)
            if len(waiting) > DEEPEST:
                raise Broken(token.offset, f"brackets are nested more than {DEEPEST} deep")
        elif token.kind == "close":
            opened = tokens[waiting[-1]] if waiting else None
            if opened is None or _CLOSING[opened.text] != token.text:
                more = f"; '{opened.text}' of line {find_line(text, opened.offset)} is open" if opened else ""
                raise Broken(token.offset, f"'{token.text}' closes nothing{more}")
            pairs[waiting.pop()] = at
    if waiting:
        opened = tokens[waiting[-1]]
        raise Broken(opened.offset, f"'{opened.text}' is never closed{_guess_unclosed(tokens, pairs, text)}")
    return pairs


def _guess_unclosed(tokens: list[Token], pairs: dict[int, int], text: str) -> str:
    """A hint which bracket is not closed: the first one whose closing bracket has another indentation.

    The bracket without a partner itself is always an outer one.
    """
    for at, end in sorted(pairs.items()):
        opened, closed = tokens[at].offset, tokens[end].offset
        begun = text[text.rfind("\n", 0, opened) + 1 :]
        before = text[text.rfind("\n", 0, closed) + 1 : closed]
        if not before.strip() and find_line(text, opened) != find_line(text, closed):
            indented = len(begun) - len(begun.lstrip(" \t"))
            if indented != len(before):
                return f"; judging by the indentation it may be the one of line {find_line(text, opened)}"
    return ""


def _read_tokens(text: str) -> Iterator[Token]:
    offset = 0
    while offset < len(text):
        token = _read_token(text, offset)
        if token is None:
            offset = max(_skip_comment(text, offset), offset + 1)
            continue
        yield token
        offset += len(token.text)


def _read_token(text: str, offset: int) -> Token | None:
    """The token at the offset; None for white space or a comment. Raises Broken."""
    letter = text[offset]
    if _skip_comment(text, offset) > offset or letter in " \t\r":
        return None
    if letter == "\n":
        return Token("line", letter, offset)
    if quote := next((each for each in _QUOTES if text.startswith(each, offset)), None):
        return Token("text", text[offset : _find_end_of_string(text, offset, quote)], offset)
    if letter in _TYPOGRAPHIC:
        raise Broken(offset, f"the quote {letter} is a typographic one; Groovy needs ' or \"")
    if match := _WORD.match(text, offset):
        return Token("word", match[0], offset)
    if match := _NUMBER.match(text, offset):
        return Token("number", match[0], offset)
    kind = "open" if letter in _CLOSING else "close" if letter in _CLOSING.values() else "sign"
    return Token(kind, letter, offset)


def _skip_comment(text: str, offset: int) -> int:
    """The end of the comment that begins at `offset`, or `offset` if there is none. Raises Broken."""
    if text.startswith("//", offset) or (offset == 0 and text.startswith("#!")):
        end = text.find("\n", offset)
        return len(text) if end < 0 else end
    if text.startswith("/*", offset):
        end = text.find("*/", offset + 2)
        if end < 0:
            raise Broken(offset, "the comment is never closed")
        return end + 2
    return offset


def _find_end_of_string(text: str, offset: int, quote: str) -> int:
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
