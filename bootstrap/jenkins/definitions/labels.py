"""Label expressions of Jenkins, and whether the labels of an agent satisfy them.

The operators, from the strongest: `!`, `&&`, `||`, `->` (implies), `<->` (is equivalent to); parentheses; a name may be quoted.
"""

from __future__ import annotations

import re
from collections.abc import Collection

_WORD = re.compile(r'\s*(<->|->|&&|\|\||!|\(|\)|"[^"]*"|(?:(?!<->|->)[^\s&|!()"])+)')


class NoExpression(ValueError):
    """A text that Jenkins does not read as a label expression."""


def satisfies(labels: Collection[str], expression: str) -> bool:
    """Whether an agent with these labels takes a job with this label expression; NoExpression if it is none."""
    words, at = [], 0
    text = expression.strip()
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise NoExpression(f"'{expression}' is not a label expression, from '{text[at:].strip()}' on")
        words.append(found[1])
        at = found.end()
    reader = _Reader(expression, words, labels)
    value = reader.equivalence()
    if words:
        raise NoExpression(f"'{expression}' is not a label expression, from '{words[0]}' on")
    return value


class _Reader:
    """Recursive descent over the words that are left."""

    def __init__(self, expression: str, words: list[str], labels: Collection[str]) -> None:
        self._expression, self._words, self._labels = expression, words, labels

    def equivalence(self) -> bool:
        value = self._implication()
        while self._takes("<->"):
            value = self._implication() is value
        return value

    def _implication(self) -> bool:
        value = self._disjunction()
        while self._takes("->"):
            value = self._disjunction() or not value
        return value

    def _disjunction(self) -> bool:
        value = self._conjunction()
        while self._takes("||"):
            value = self._conjunction() or value
        return value

    def _conjunction(self) -> bool:
        value = self._one()
        while self._takes("&&"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        if self._takes("!"):
            return not self._one()
        if self._takes("("):
            value = self.equivalence()
            if not self._takes(")"):
                raise NoExpression(f"'{self._expression}' is not a label expression: a parenthesis is open")
            return value
        word = self._words.pop(0) if self._words else ""
        if word in {"", ")", "&&", "||", "->", "<->"}:
            raise NoExpression(f"'{self._expression}' is not a label expression: a label is missing")
        return word.strip('"') in self._labels

    def _takes(self, word: str) -> bool:
        if self._words[:1] != [word]:
            return False
        self._words.pop(0)
        return True
