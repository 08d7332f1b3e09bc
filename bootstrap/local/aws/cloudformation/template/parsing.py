"""Reads a template: parses its text and checks its structure, as CloudFormation does first.

A stack's template is read at nearly every call about the stack, so the last REMEMBERED results are kept, packed: every reader
gets a copy of its own, and unpacking takes a fiftieth of the time of parsing and checking.
"""

from __future__ import annotations

import pickle
from functools import lru_cache

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.template import computed_names, documents, foreach, structure
from bootstrap.local.aws.cloudformation.template.intrinsics import UNKNOWN
from bootstrap.local.aws.cloudformation.template.known_values import KnownValues
from bootstrap.local.aws.cloudformation.template.template import Template

REMEMBERED = 64


def read(text: str, parameters: dict[str, str] | None = None, region: str = "") -> Template:
    """Parse a template and check its structure; raises Refused.

    Fn::ForEach and computed names use the values of `parameters` or their defaults, and the stack's `region`.
    """
    plain, is_extended = _parse_once(text)
    if not is_extended:
        return Template(text, pickle.loads(plain))  # noqa: S301 -- packed by this process
    given_values = tuple(sorted((parameters or {}).items()))
    return Template(text, pickle.loads(_extend_once(text, given_values, region)))  # noqa: S301


@lru_cache(REMEMBERED)
def _parse_once(text: str) -> tuple[bytes, bool]:
    """Return the document, packed, and whether it may have loops; then the rest is checked when they are expanded."""
    if UNKNOWN in text:
        raise Refused(f"Template format error: {UNKNOWN} is not allowed: in change sets it stands for unknown values")
    document = documents.parse(text)
    if not isinstance(document, dict):
        raise Refused("Template format error: unsupported structure.")
    template = Template(text, document)
    structure.check_sections(template)
    if not template.is_extended:
        structure.check(template)
    return pickle.dumps(document), template.is_extended


@lru_cache(REMEMBERED)
def _extend_once(text: str, given_values: tuple[tuple[str, str], ...], region: str) -> bytes:
    """Return the document without its loops, which depend on parameters, checked and packed."""
    document, parameters = pickle.loads(_parse_once(text)[0]), dict(given_values)  # noqa: S301
    lists = foreach.read_parameter_lists(document, parameters)
    known = KnownValues(Template(text, document), parameters, lists, region)
    expanded = Template(text, foreach.expand(document, lists, known))
    structure.check_sections(expanded)
    structure.check_forms(expanded)
    known = KnownValues(expanded, parameters, lists, region)  # its conditions may come from loops
    template = Template(text, computed_names.resolve(expanded.document, known))
    structure.check(template)
    return pickle.dumps(template.document)
