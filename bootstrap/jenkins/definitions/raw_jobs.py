"""Reads the jobs that are kept as XML: `jobs/raw/<folder>/<name>.xml` is the configuration of the job `<folder>/<name>`.

Job Builder takes XML only for parts of a job (`raw`), and has words only for the kinds of jobs that it knows. A whole job that
it cannot describe, such as one that was imported, is a file here. It gets the same checks and the same footer as a job in YAML.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bootstrap.environment import yaml_source
from bootstrap.jenkins.definitions.safe_xml import UnsafeXml, parse

FOLDER = "raw"


@dataclass(frozen=True)
class Place:
    """A position in a file as Job Builder gives it: line and column count from 0."""

    path: Path
    line: int = 0
    column: int = 0

    @property
    def pos(self) -> Place:
        """The position of a context of Job Builder, which this is, too."""
        return self


@dataclass(frozen=True)
class RawJob:
    """A job in XML; it has the attributes of a job of Job Builder and of what Job Builder renders."""

    name: str
    xml: ElementTree.Element
    context: tuple[Place, ...]

    def output(self) -> bytes:
        """The XML as it is sent."""
        ElementTree.indent(self.xml)
        # A parser takes a bare carriage return for a line feed; Jenkins has them in texts that a browser sent.
        text = ElementTree.tostring(self.xml, encoding="unicode").replace("\r", "&#13;")
        return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def read(folder: Path, own: Path | None, add_fault: Callable[[Place, str], None]) -> list[RawJob]:
    """The jobs in the folder `raw` of the folder of the jobs; a file that cannot be read is a fault.

    `own` is the project's folder of jobs, where it is apart: a file of it takes the place of its namesake. Hidden files and
    folders are skipped: editors and version control keep theirs beside the files of people.
    """
    jobs, roots = [], [each / FOLDER for each in (folder, own) if each is not None]
    paths = {path.relative_to(root): path for root in roots for path in root.rglob("*.xml")}
    for name, path in sorted(paths.items()):
        if any(part.startswith(".") for part in name.parts):
            continue
        try:
            xml = parse(yaml_source.read_text(path))
        except yaml_source.Unreadable as error:
            add_fault(Place(path, error.line - 1), str(error))
        except UnsafeXml as error:
            add_fault(Place(path, error.line - 1, error.column - 1), str(error))
        else:
            remove_white_space(xml)
            jobs.append(RawJob(name.with_suffix("").as_posix(), xml, (Place(path),)))
    return jobs


def remove_white_space(element: ElementTree.Element) -> None:
    """Remove the white space between elements; that in an element without others is its text."""
    if len(element) and not (element.text or "").strip():
        element.text = None
    for child in element:
        if not (child.tail or "").strip():
            child.tail = None
        remove_white_space(child)
