"""Jenkinsfiles, judged as text: brackets and quotes that do not close, and the grammar of a declarative pipeline.

Groovy itself is on the machine only, and Jenkins' validator with it. What is told here is what every Jenkins would refuse at
the first build: hours after a launch, in a console that somebody has to open.
"""

from __future__ import annotations

from collections.abc import Iterator

from bootstrap.errors import Fault
from bootstrap.jenkins.definitions import agents, declarative
from bootstrap.jenkins.definitions.groovy_text import Broken, line, statements


def faults(shown: str, text: str, known: agents.Agents | None = None) -> Iterator[Fault]:
    """What is wrong with one Jenkinsfile, in the order of its lines; `shown` is its name as it is told.

    A Pipeline that none of the `known` agents takes is wrong, too.
    """
    try:
        found = statements(text)
    except Broken as error:
        yield _at(shown, text, error.offset, error.message)
        return
    root = next((it for it in found if it.word == "pipeline" and it.body is not None), None)
    if root is None:
        first = found[0].head.offset if found else 0
        yield _at(shown, text, first, "there is no 'pipeline { ... }', with which a declarative pipeline begins")
        return
    waiting = () if known is None else agents.faults_of_statements(found, known)
    for offset, message in sorted({*declarative.pipeline(root), *waiting}):
        yield _at(shown, text, offset, message)


def _at(shown: str, text: str, offset: int, message: str) -> Fault:
    return Fault(shown, line(text, offset), offset - (text.rfind("\n", 0, offset) + 1) + 1, message)
