"""Label expressions of jobs and steps, and whether a node's labels satisfy them."""

from __future__ import annotations

import re
from collections.abc import Collection


def matches(expression: str, labels: Collection[str]) -> bool:
    """Whether labels satisfy an expression of names, &&, ||, ! and parentheses; ValueError for anything else."""
    words = re.findall(r"\s*(&&|\|\||!|\(|\)|[^\s&|!()]+)", expression)
    return _Expression(words, labels).evaluate()


class _Expression:
    """Label expressions, by recursive descent."""

    def __init__(self, words: list[str], labels: Collection[str]) -> None:
        self._words, self._labels = words, labels

    def evaluate(self) -> bool:
        result = self._evaluate_any()
        if self._words:
            raise ValueError(f"Invalid label expression near {self._words[0]}")
        return result

    def _evaluate_any(self) -> bool:
        result = self._evaluate_all()
        while self._words[:1] == ["||"]:
            self._words.pop(0)
            result = self._evaluate_all() or result
        return result

    def _evaluate_all(self) -> bool:
        result = self._evaluate_one()
        while self._words[:1] == ["&&"]:
            self._words.pop(0)
            result = self._evaluate_one() and result
        return result

    def _evaluate_one(self) -> bool:
        if not self._words:
            raise ValueError("Invalid label expression: it ends too early")
        word = self._words.pop(0)
        if word == "!":
            return not self._evaluate_one()
        if word == "(":
            result = self._evaluate_any()
            if self._words[:1] != [")"]:
                raise ValueError("Invalid label expression: a parenthesis is open")
            self._words.pop(0)
            return result
        return word in self._labels
