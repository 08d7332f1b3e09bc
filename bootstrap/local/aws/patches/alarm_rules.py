"""The rule of a composite alarm: whether CloudWatch can read it, and which alarms it names.

The form is that of the API reference of PutCompositeAlarm: ALARM(), OK() and INSUFFICIENT_DATA() of an alarm by name or ARN,
TRUE and FALSE, combined by AND, OR, NOT and parentheses.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r'\s*(?:(?P<sign>[()])|(?P<state>ALARM|OK|INSUFFICIENT_DATA)\(\s*(?:"(?P<quoted>[^"]+)"|(?P<plain>[^\s()"]+))\s*\)'
    r"|(?P<word>AND|OR|NOT|TRUE|FALSE)(?![\w]))"
)


class InvalidRule(ValueError):
    """The rule is not of the form; the text says where it is not."""


def list_alarms(rule: str) -> tuple[str, ...]:
    """The names of the alarms in a rule, in their order; raises InvalidRule. No depth of parentheses is too deep."""
    names, place, depth, wants_operand = list[str](), 0, 0, True
    end = len(rule.rstrip())
    while place < end:
        token = _TOKEN.match(rule, place)
        if token is None:
            raise InvalidRule(f"at character {place + 1}: {rule[place : place + 40].strip()}")
        sign, word = token["sign"] or "", token["word"] or ""
        is_operand = bool(token["state"]) or word in {"TRUE", "FALSE"}
        if wants_operand != (is_operand or sign == "(" or word == "NOT") or (sign == ")" and depth == 0):
            raise InvalidRule(f"at character {place + 1}: {token[0].strip()} is not expected there")
        depth += {"(": 1, ")": -1}.get(sign, 0)
        wants_operand = not is_operand and sign != ")"
        if token["state"]:
            names.append((token["quoted"] or token["plain"]).rpartition(":alarm:")[2])
        place = token.end()
    if wants_operand or depth:
        raise InvalidRule("it ends too early")
    return tuple(dict.fromkeys(names))
