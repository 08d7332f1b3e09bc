"""Ref and Fn::GetAtt with a function as their name, which the transform AWS::LanguageExtensions allows.

Such a name must be known when the template is read: it can depend on parameters, mappings and conditions, but not on resources
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/transform-aws-languageextensions.html).
"""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template.known_values import KnownValues, NoValue

SUBJECT = "the name of a resource in Ref or Fn::GetAtt"


def resolve(value: Any, known: KnownValues) -> Any:
    """Return a document with every such name evaluated; raises Refused.

    A name that depends on a parameter without a value stays a function, so that the template can still be described.
    """
    if isinstance(value, list):
        return [resolve(item, known) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return {"Ref": _evaluate_name(value["Ref"], known)}
    if set(value) == {"Fn::GetAtt"} and isinstance(value["Fn::GetAtt"], list) and value["Fn::GetAtt"]:
        logical, *attribute = value["Fn::GetAtt"]
        return {"Fn::GetAtt": [_evaluate_name(logical, known), *resolve(attribute, known)]}
    return {key: resolve(item, known) for key, item in value.items()}


def _evaluate_name(written: Any, known: KnownValues) -> Any:
    if not isinstance(written, dict):
        return written
    try:
        name = known.evaluate(written, SUBJECT)
    except NoValue:
        return written
    if not isinstance(name, str):
        raise Refused(f"Template error: {SUBJECT} must be a string")
    return name
