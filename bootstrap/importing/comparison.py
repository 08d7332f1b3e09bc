"""Compares a rendered job with the configuration that was read: what would publishing the render change?

Jenkins' own rewrites are no differences, as for the jobs act (`job_xml`); neither are the footer of the render and versions of
plugins.
"""

from __future__ import annotations

import difflib
import xml.etree.ElementTree as ElementTree

from bootstrap.jenkins.controller import job_xml
from bootstrap.jenkins.definitions import footer
from bootstrap.jenkins.definitions.safe_xml import parse

_SHOWN = 6  # lines of a difference


def describe_difference(rendered: str, read: ElementTree.Element) -> str:
    """The lines that differ ('-' as it was read, '+' as rendered), in one line; empty if there is no difference."""
    root = parse(rendered)
    description = root.find("description")
    if description is not None:
        description.text = footer.remove(description.text)
    desired, actual = write_xml(root), write_xml(read)
    if _normalize(desired) == _normalize(actual):
        return ""
    both = job_xml.remove_rewrites(desired, actual)
    assert both is not None
    desired, actual = map(job_xml.format_xml, both)
    # `splitlines` would take a carriage return, which is a difference, for the end of a line.
    both_texts = actual.split("\n"), desired.split("\n")
    lines = [
        " ".join(line.replace("\r", "&#13;").split())
        for line in difflib.unified_diff(*both_texts, lineterm="", n=0)
        if line[:1] in "+-" and line[:3] not in {"+++", "---"}
    ]
    more = [f"and {len(lines) - _SHOWN} more lines"] if len(lines) > _SHOWN else []
    return ", ".join([*(line[:120] for line in lines[:_SHOWN]), *more])


def write_xml(root: ElementTree.Element) -> str:
    """The XML as text; a carriage return in it stays one when it is parsed again."""
    return ElementTree.tostring(root, encoding="unicode").replace("\r", "&#13;")


def _normalize(xml: str) -> str:
    root = job_xml.parse_xml(xml)
    assert root is not None
    return job_xml.format_xml(root)
