"""Decides whether the labels of an agent satisfy a label expression of Jenkins.

The operators, in order of precedence: `!`, `&&`, `||`, `->` (implies), `<->` (is equivalent to). There are
parentheses, and a label may be quoted.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_WORD = re.compile(r'\s*(<->|->|&&|\|\||!|\(|\)|"[^"]*"|(?:(?!<->|->)[^\s&|!()"])+)')

_OPERATORS = {"<->", "->", "&&", "||", "!", "(", ")"}

_DEEPEST = 50  # parentheses and negations: the parser calls itself for each


class NoExpression(ValueError):
    """The text is not a label expression for Jenkins."""


def satisfies(labels: Collection[str], expression: str) -> bool:
    """Whether an agent with these labels takes a job with this label expression.

    Raises NoExpression if Jenkins cannot read the expression.
    """
    words = _split(expression)
    if words.count("(") + words.count("!") > _DEEPEST:
        raise NoExpression(f"it has more than {_DEEPEST} of '(' and '!'")
    parser = _Parser(expression, words, labels)
    value = parser.parse_equivalence()
    if words:
        raise NoExpression(f"'{expression}' is not a label expression: '{words[0]}' is not expected")
    return value


def find_names(expression: str) -> frozenset[str]:
    """The labels that an expression names, also those behind a `!`. Raises NoExpression."""
    return frozenset(word.strip('"') for word in _split(expression)) - _OPERATORS


def _split(expression: str) -> list[str]:
    words, at = [], 0
    text = expression.strip()
    while at < len(text):
        match = _WORD.match(text, at)
        if match is None:
            raise NoExpression(f"'{expression}' is not a label expression: '{text[at:].strip()}' is not expected")
        words.append(match[1])
        at = match.end()
    return words


class _Parser:
    """A recursive descent parser; it removes the words that it has read, and evaluates while it parses."""

    def __init__(self, expression: str, words: list[str], labels: Collection[str]) -> None:
        self._expression, self._words, self._labels = expression, words, labels

    def parse_equivalence(self) -> bool:
        value = self._parse_implication()
        while self._take("<->"):
            value = self._parse_implication() is value
        return value

    def _parse_implication(self) -> bool:
        value = self._parse_disjunction()
        while self._take("->"):
            value = self._parse_disjunction() or not value
        return value

    def _parse_disjunction(self) -> bool:
        value = self._parse_conjunction()
        while self._take("||"):
            value = self._parse_conjunction() or value
        return value

    def _parse_conjunction(self) -> bool:
        value = self._parse_operand()
        while self._take("&&"):
            value = self._parse_operand() and value
        return value

    def _parse_operand(self) -> bool:
        if self._take("!"):
            return not self._parse_operand()
        if self._take("("):
            value = self.parse_equivalence()
            if not self._take(")"):
                raise NoExpression(f"'{self._expression}' is not a label expression: a parenthesis is open")
            return value
        word = self._words.pop(0) if self._words else ""
        if word in {"", ")", "&&", "||", "->", "<->"}:
            raise NoExpression(f"'{self._expression}' is not a label expression: a label is missing")
        return word.strip('"') in self._labels

    def _take(self, word: str) -> bool:
        if self._words[:1] != [word]:
            return False
        self._words.pop(0)
        return True
