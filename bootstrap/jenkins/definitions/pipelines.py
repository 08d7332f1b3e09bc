"""Checks Jenkinsfiles as text: brackets and quotes that are not closed, and the grammar of a declarative Pipeline.

Groovy and Jenkins' validator exist only on the machine. The faults that are found here would fail the first build of the job:
hours after a launch, and only its console would show them.
"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.errors import Fault
from bootstrap.jenkins.definitions import agents, declarative
from bootstrap.jenkins.definitions.groovy_text import Broken, find_line, parse_statements


def find_faults(shown: str, text: str, known: agents.Agents | None = None) -> Iterator[Fault]:
    """The faults in one Jenkinsfile, in the order of its lines; `shown` is the file's name in the faults.

    With `known` agents, it is also a fault if none of them takes the Pipeline or a part of it.
    """
    try:
        parsed = parse_statements(text)
    except Broken as error:
        yield _make_fault(shown, text, error.offset, error.message)
        return
    root = next((each for each in parsed if each.word == "pipeline" and each.body is not None), None)
    if root is None:
        first = parsed[0].head.offset if parsed else 0
        yield _make_fault(shown, text, first, "there is no 'pipeline { ... }'; a declarative Pipeline begins with it")
        return
    without_agent = () if known is None else agents.find_statement_faults(parsed, known)
    for offset, message in sorted({*declarative.check_pipeline(root), *without_agent}):
        yield _make_fault(shown, text, offset, message)


def _make_fault(shown: str, text: str, offset: int, message: str) -> Fault:
    return Fault(shown, find_line(text, offset), offset - (text.rfind("\n", 0, offset) + 1) + 1, message)
