"""The types of values, as resource schemas and CloudFormation's messages name them."""

from __future__ import annotations

import re
from typing import Any

# Type in a schema -> name in a message.
NAMES = {
    "array": "JSONArray",
    "boolean": "Boolean",
    "integer": "Integer",
    "number": "Number",
    "object": "JSONObject",
    "string": "String",
}
_WORDS = {
    "boolean": r"(?i)true|false",
    "integer": r"[-+]?[0-9]+(\.0+)?",
    "number": r"[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?",
}


def fits(kind: str, value: Any) -> bool:
    """Whether CloudFormation takes a value for a property of this type: it converts between texts, numbers and booleans."""
    if kind == "array":
        return isinstance(value, list)
    if kind == "object":
        return isinstance(value, dict)
    if isinstance(value, list | dict) or value is None:
        return False
    if kind not in _WORDS or "{{resolve:" in str(value):  # the value of a dynamic reference is not known yet
        return True
    return re.fullmatch(_WORDS[kind], str(value)) is not None


def name_type(value: Any) -> str:
    """Return the name of a value's type in CloudFormation's messages."""
    names = ((bool, "Boolean"), (int, "Integer"), (float, "BigDecimal"), (str, "String"), (list, "JSONArray"))
    return next((name for kind, name in names if isinstance(value, kind)), "JSONObject")
