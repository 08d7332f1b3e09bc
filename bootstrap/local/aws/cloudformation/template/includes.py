"""The transform AWS::Include: puts the content of an object in S3 into a template, before anything else reads the template.

It stands in the section Transform, or as Fn::Transform in any section but Parameters. The members of the snippet come beside
those that stand there. The rules and limits are those of
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-aws-include.html,
the words of a refusal are those that users quote. The page does not say what becomes of members that both the snippet and the
template have: they are refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NoReturn

import yaml

from bootstrap.local.aws.cloudformation.errors import Refused, TransformFailed
from bootstrap.local.aws.cloudformation.template import documents, foreach, forms, limits
from bootstrap.local.aws.cloudformation.template.known_values import KnownValues, NoValue
from bootstrap.local.aws.cloudformation.template.template import Template

NAME = "AWS::Include"
FUNCTION = "Fn::Transform"
FORM = f"Template format error: {FUNCTION} must have a Name and Parameters"
INVALID = "The specified S3 object's content should be valid Yaml/JSON"
_FORBIDDEN = ("AWSTemplateFormatVersion", "Parameters")

Fetch = Callable[[str, str], str]  # bucket and key -> the text; raises Refused


def make_failure(reason: str) -> TransformFailed:
    """The failure of a snippet in CloudFormation's words."""
    return TransformFailed(f"Transform {NAME} failed with: {reason}")


def expand(text: str, given_values: dict[str, str], region: str, fetch: Fetch) -> str:
    """Return the template with every snippet in its place, as JSON; a template without the transform is returned unchanged.

    Locations may depend on the values of parameters. Raises Refused, also for other transforms inside of sections.
    """
    if NAME not in text and FUNCTION not in text and "!Transform" not in text:
        return text
    document = documents.parse(text)
    if not isinstance(document, dict):
        return text
    inclusion = _Inclusion(document, given_values, region, fetch)
    expanded = inclusion.expand()
    return limits.check_object(json.dumps(expanded).encode()).decode() if inclusion.count else text


class _Inclusion:
    """The inclusion of snippets into one document; `count` is their number."""

    def __init__(self, document: dict[str, Any], given_values: dict[str, str], region: str, fetch: Fetch) -> None:
        self.count = 0
        self._document = document
        self._fetch = fetch
        self._given_values = given_values
        self._region = region

    def expand(self) -> dict[str, Any]:
        """Return the document with the snippets of its sections, then with those of the section Transform."""
        expanded = {}
        for name, section in self._document.items():
            if name in _FORBIDDEN and self._has_transform(section):
                raise Refused(f"Template error: {NAME} cannot be used in the section {name}")
            expanded[name] = section if name == "Transform" else self._expand(section)
        declared = self._document.get("Transform", [])
        transforms = declared if isinstance(declared, list) else [declared]
        others = [one for one in transforms if not (isinstance(one, dict) and one.get("Name") == NAME)]
        for transform in (one for one in transforms if one not in others):
            self._add(expanded, self._load(transform), "the template")
        if len(others) < len(transforms):
            expanded.pop("Transform")
            expanded |= {"Transform": others} if others else {}
        return expanded

    def _expand(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._expand(item) for item in value]
        if not isinstance(value, dict):
            return value
        expanded = {key: self._expand(item) for key, item in value.items() if key != FUNCTION}
        written = value.get(FUNCTION, [])
        for transform in written if isinstance(written, list) else [written]:
            self._add(expanded, self._load(transform), "the members beside it")
        return expanded

    def _has_transform(self, value: Any) -> bool:
        if isinstance(value, list):
            return any(map(self._has_transform, value))
        return isinstance(value, dict) and (FUNCTION in value or any(map(self._has_transform, value.values())))

    def _add(self, target: dict[str, Any], snippet: dict[str, Any], place: str) -> None:
        both = sorted(target.keys() & snippet.keys())
        if both:
            raise Refused(
                f"The local cloud cannot include a snippet that has {', '.join(both)}, which {place} have, too"
            )
        target |= snippet

    def _load(self, transform: Any) -> dict[str, Any]:
        if not (isinstance(transform, dict) and isinstance(transform.get("Parameters", {}), dict)):
            raise Refused(FORM)
        if transform.get("Name") != NAME:
            name = transform.get("Name")
            raise TransformFailed(f"No transform named {name if forms.is_text(name) else ''} found.")
        location = self._locate(transform.get("Parameters", {}).get("Location"))
        match = re.fullmatch(r"s3://([^/]+)/(.+)", location) if isinstance(location, str) else None
        if match is None:
            _fail("The location parameter is not a valid S3 uri.")
        self.count += 1
        return _parse(self._fetch(match[1], match[2]))

    def _locate(self, written: Any) -> Any:
        if not isinstance(written, dict):
            return written
        declared = self._document.get("Parameters")
        if not (isinstance(declared, dict) and all(isinstance(one, dict) for one in declared.values())):
            declared = {}
        document = {**self._document, "Parameters": declared}
        lists = foreach.read_parameter_lists(document, self._given_values)
        known = KnownValues(Template("", document), self._given_values, lists, self._region)
        forms.check(written, is_extended=False)
        try:
            return known.evaluate(written, f"the Location of {NAME}")
        except NoValue as missing:
            raise Refused(f"Parameters: [{missing}] must have values") from None


def _parse(text: str) -> dict[str, Any]:
    """The members of a snippet: YAML without short forms, or JSON; raises Refused, also for a snippet with snippets."""
    try:
        snippet = documents.parse(text)
    except Refused:
        _fail(INVALID)
    has_short_forms = not text.lstrip().startswith("{") and any(
        str(getattr(event, "tag", None) or "").startswith("!") for event in yaml.parse(text, Loader=yaml.SafeLoader)
    )
    if has_short_forms or not isinstance(snippet, dict) or f'"{FUNCTION}":' in json.dumps(snippet):
        _fail(INVALID)
    return snippet


def _fail(reason: str) -> NoReturn:
    raise make_failure(reason)
