"""Replaces `${name}` and `${name:-default}` in a text, with `^${` for a literal one, as Apache's StringSubstitutor does."""

from __future__ import annotations

from collections.abc import Callable

_START, _END, _ESCAPE, _DEFAULT = "${", "}", "^", ":-"


class CyclicError(ValueError):
    """The value of a variable leads to the variable itself."""


def substitute(
    text: str,
    look_up: Callable[[str], str | None],
    *,
    replaces_inside: bool,
    keeps_escapes: bool,
    prior: tuple[str, ...] = (),
) -> str:
    """The text with its variables replaced; one without a value stays as it is.

    What a value holds is replaced in its turn, and with `replaces_inside` also what a name holds.
    """

    def substitute_inner(inner: str, names: tuple[str, ...]) -> str:
        return substitute(inner, look_up, replaces_inside=replaces_inside, keeps_escapes=keeps_escapes, prior=names)

    result, index = "", 0
    while index < len(text):
        if not text.startswith(_START, index):
            result, index = result + text[index], index + 1
            continue
        if result.endswith(_ESCAPE) and index:
            result = (result if keeps_escapes else result[:-1]) + text[index]
            index += 1
            continue
        end = _find_end(text, index + len(_START), counts_inner=replaces_inside)
        if end < 0:
            return result + text[index:]
        whole = text[index + len(_START) : end]
        expression = substitute_inner(whole, ()) if replaces_inside else whole
        name, separator, default = expression.partition(_DEFAULT)
        if name in prior:
            raise CyclicError(f"Infinite loop in property interpolation of {prior[0]}: {'->'.join([*prior, name])}")
        value = look_up(name)
        if value is None and separator:
            value = default
        result += text[index : end + 1] if value is None else substitute_inner(value, (*prior, name))
        index = end + 1
    return result


def _find_end(text: str, index: int, *, counts_inner: bool) -> int:
    depth = 0
    while index < len(text):
        if counts_inner and text.startswith(_START, index):
            depth, index = depth + 1, index + len(_START)
            continue
        if text[index] == _END:
            if not depth:
                return index
            depth -= 1
        index += 1
    return -1
