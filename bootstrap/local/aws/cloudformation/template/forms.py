"""The forms that the arguments of functions must have, whatever the values of parameters and resources are.

`check` refuses a wrong form before any other code reads the argument, so that code can rely on it. The texts are
CloudFormation's where they are known. An argument that is a function itself is judged when it is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused

AND_OR = "Template error: every {} object requires a list of at least 2 and at most 10 boolean parameters."
BASE64 = "Template error: every Fn::Base64 object must have a String-typed value."
CIDR = (
    "Template error: every Fn::Cidr object requires an IP block, a count from 1 to 256 and, if given, a number of bits"
)
CONDITION = "Template format error: Every Condition member must be a string."
EQUALS = "Template error: every Fn::Equals object requires a list of 2 string parameters."
FIND_IN_MAP = (
    "Template error: every Fn::FindInMap object requires three parameters, the map name, map key and the attribute for return "
    "value"
)
GET_ATT = (
    "Template error: every Fn::GetAtt object requires two non-empty parameters, the resource name and the resource "
    "attribute"
)
GET_AZS = "Template error: every Fn::GetAZs object requires the name of a region, or a function that returns one"
IF = "Template error: Fn::If requires a list argument with three elements"
IMPORT = "Template error: the attribute in Fn::ImportValue must be a string or a function that returns a string"
JOIN = (
    "Template error: every Fn::Join object requires two parameters, (1) a string delimiter and (2) a list of strings to be "
    "joined or a function that returns a list of strings (such as Fn::GetAZs) to be joined."
)
LENGTH = "Template error: every Fn::Length object requires a list, or a function that returns one"
NOT = "Template error: every Fn::Not object requires a list with exactly 1 boolean parameter."
REF = "Template error: every Ref object must have a single String value."
SELECT = "Template error: Fn::Select requires a list argument with two elements: an integer index and a list"
SPLIT = (
    "Template error: every Fn::Split object requires two parameters, (1) a string delimiter and (2) a string to be split or a "
    "function that returns a string to be split."
)
SUB = (
    "Template error: One or more Fn::Sub intrinsic functions don't specify expected arguments. Specify a string as first "
    "argument, and an optional second argument to specify a mapping of values to replace in the string"
)
SUB_NAMES = (
    "Template error: variable names in Fn::Sub syntax must contain only alphanumeric characters, underscores, periods, and "
    "colons"
)
TO_JSON = "Template error: every Fn::ToJsonString object requires a map or a list"
NOT_OUTSIDE_OF_RULES = "Template validation error: {} is not a valid intrinsic function"
RULE_FUNCTIONS = frozenset(
    ("Fn::Contains", "Fn::EachMemberEquals", "Fn::EachMemberIn", "Fn::ValueOf", "Fn::ValueOfAll", "Fn::RefAll")
)
CONDITION_FUNCTIONS = frozenset(("Condition", "Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"))
SUB_VARIABLE = re.compile(r"\$\{(!?)([^${}]*)\}")


def check(value: Any, *, is_extended: bool) -> None:
    """Raise Refused for the first function in `value` whose argument has a wrong form.

    With AWS::LanguageExtensions (`is_extended`), names in Ref and Fn::GetAtt, and some arguments, may be functions.
    """
    for name, argument in find_functions(value):
        judge = _JUDGES.get(name)
        refusal = judge(argument, is_extended) if judge else ""
        if refusal:
            raise Refused(refusal)


def find_functions(value: Any) -> list[tuple[str, Any]]:
    """Return every Ref and Fn:: function in a value with its argument, outermost first."""
    if isinstance(value, list):
        return [pair for item in value for pair in find_functions(item)]
    if not isinstance(value, dict):
        return []
    own = [(name, item) for name, item in value.items() if len(value) == 1 and (name == "Ref" or name in _JUDGES)]
    return own + [pair for item in value.values() for pair in find_functions(item)]


def is_function(value: Any) -> bool:
    """Whether a value is a call of a function, whose result is not known before it is evaluated."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and (name := next(iter(value))) is not None
        and (name in {"Ref", "Condition"} or name.startswith("Fn::"))
    )


def is_text(value: Any) -> bool:
    """Whether a value is a text, or a number or boolean that CloudFormation reads as one."""
    return isinstance(value, str | int | float)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number that is not negative, or a text of one."""
    return (isinstance(value, int) and not isinstance(value, bool) and value >= 0) or (
        isinstance(value, str) and value.isascii() and value.strip().isdigit()
    )


def _is_list(value: Any, *lengths: int) -> bool:
    return isinstance(value, list) and len(value) in lengths


def _judge_ref(argument: Any, is_extended: bool) -> str:
    return "" if isinstance(argument, str) or (is_extended and is_function(argument)) else REF


def _judge_get_att(argument: Any, is_extended: bool) -> str:
    parts = argument.split(".", 1) if isinstance(argument, str) else argument
    if not (_is_list(parts, 2) and all(parts)):
        return GET_ATT
    logical, name = parts
    is_logical = isinstance(logical, str) or (is_extended and is_function(logical))
    return "" if is_logical and (isinstance(name, str) or is_function(name)) else GET_ATT


def _judge_sub(argument: Any, _: bool) -> str:
    text, variables = argument if _is_list(argument, 2) else (argument, {})
    if not isinstance(text, str) or not isinstance(variables, dict):
        return SUB
    for literal, name in SUB_VARIABLE.findall(text):
        if not literal and not re.fullmatch(r"\s*[A-Za-z0-9_.:]+\s*", name):
            return SUB_NAMES
    return ""


def _judge_join(argument: Any, _: bool) -> str:
    if not _is_list(argument, 2) or not isinstance(argument[0], str):
        return JOIN
    items = argument[1]
    is_good = (
        all(is_text(item) or is_function(item) for item in items) if isinstance(items, list) else is_function(items)
    )
    return "" if is_good else JOIN


def _judge_select(argument: Any, _: bool) -> str:
    if not _is_list(argument, 2):
        return SELECT
    index, items = argument
    is_index = (
        is_function(index) or isinstance(index, int) or (isinstance(index, str) and re.fullmatch("-?[0-9]+", index))
    )
    return "" if is_index and (isinstance(items, list) or is_function(items)) else SELECT


def _judge_split(argument: Any, _: bool) -> str:
    is_pair = _is_list(argument, 2) and isinstance(argument[0], str) and argument[0]
    return "" if is_pair and (isinstance(argument[1], str) or is_function(argument[1])) else SPLIT


def _judge_cidr(argument: Any, _: bool) -> str:
    if not _is_list(argument, 2, 3):
        return CIDR
    block, *numbers = argument
    is_block = isinstance(block, str) or is_function(block)
    return "" if is_block and all(is_whole(number) or is_function(number) for number in numbers) else CIDR


def _judge_find_in_map(argument: Any, is_extended: bool) -> str:
    if not _is_list(argument, 3, *([4] if is_extended else [])):
        return FIND_IN_MAP
    if len(argument) == 4 and not (isinstance(argument[3], dict) and set(argument[3]) == {"DefaultValue"}):
        return FIND_IN_MAP
    return "" if all(is_text(key) or is_function(key) for key in argument[:3]) else FIND_IN_MAP


def _judge_if(argument: Any, _: bool) -> str:
    if not _is_list(argument, 3):
        return IF
    return "" if isinstance(argument[0], str) else CONDITION


def _judge_equals(argument: Any, _: bool) -> str:
    is_pair = _is_list(argument, 2) and all(is_text(item) or is_function(item) for item in argument)
    return "" if is_pair else EQUALS


def _judge_and_or(name: str) -> Callable[[Any, bool], str]:
    def judge(argument: Any, _: bool) -> str:
        is_good = _is_list(argument, *range(2, 11)) and all(map(is_function, argument))
        return "" if is_good else AND_OR.format(name)

    return judge


def _judge_not(argument: Any, _: bool) -> str:
    return "" if _is_list(argument, 1) and is_function(argument[0]) else NOT


def _judge_text(refusal: str) -> Callable[[Any, bool], str]:
    return lambda argument, _: "" if is_text(argument) or is_function(argument) else refusal


_JUDGES: dict[str, Callable[[Any, bool], str]] = {
    "Ref": _judge_ref,
    "Fn::And": _judge_and_or("Fn::And"),
    "Fn::Base64": _judge_text(BASE64),
    "Fn::Cidr": _judge_cidr,
    "Fn::Equals": _judge_equals,
    "Fn::FindInMap": _judge_find_in_map,
    "Fn::GetAZs": _judge_text(GET_AZS),
    "Fn::GetAtt": _judge_get_att,
    "Fn::If": _judge_if,
    "Fn::ImportValue": _judge_text(IMPORT),
    "Fn::Join": _judge_join,
    "Fn::Length": lambda argument, _: "" if isinstance(argument, list) or is_function(argument) else LENGTH,
    "Fn::Not": _judge_not,
    "Fn::Or": _judge_and_or("Fn::Or"),
    "Fn::Select": _judge_select,
    "Fn::Split": _judge_split,
    "Fn::Sub": _judge_sub,
    "Fn::ToJsonString": lambda argument, _: "" if isinstance(argument, dict | list) else TO_JSON,
}
