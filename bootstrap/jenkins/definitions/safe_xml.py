"""Parses the XML of jobs that this toolkit did not write: no document type, no entities, and no more depth than Jenkins needs.

Jenkins writes no document type, and entities of one can expand to gigabytes or name other files. So a text with one is refused.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from xml.parsers import expat

DEEPEST = 200
"""The most elements inside of each other; code that walks a job calls itself for each."""

MOST = 10_000
"""The most elements of a job; a comparison of two lists looks at each pair of them."""

_VERSION = re.compile(r"""\A<\?xml\s+version=(["'])1\.1\1""")


class UnsafeXml(ValueError):
    """The text is no XML of a job; the message says why, `line` and `column` (from 1) where."""

    def __init__(self, message: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.line, self.column = line, column


def parse(text: str) -> ElementTree.Element:
    """The root element; UnsafeXml for anything that is not well-formed, or that no Jenkins writes."""
    # Jenkins declares XML 1.1, which Python's parser does not read; its content is valid XML 1.0, but for control characters.
    content = _VERSION.sub('<?xml version="1.0"', text.strip(), count=1).encode("utf-8", "replace")
    _Scan().read(content)
    # The text is Unicode already, whatever encoding it declares.
    try:
        return ElementTree.fromstring(content, ElementTree.XMLParser(encoding="utf-8"))
    except ElementTree.ParseError as error:
        line, column = error.position
        raise UnsafeXml(f"not XML: {error.msg}", line, column + 1) from error


class _Scan:
    """Reads the text once without keeping anything, and refuses it."""

    def __init__(self) -> None:
        self._depth = self._count = 0
        # With a separator the parser knows name spaces, as the one does that builds the elements.
        self._parser = expat.ParserCreate("utf-8", "}")
        self._parser.StartDoctypeDeclHandler = self._refuse_doctype
        self._parser.StartElementHandler = self._enter
        self._parser.EndElementHandler = self._leave

    def read(self, content: bytes) -> None:
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as error:
            reason = expat.ErrorString(error.code) or "not well-formed"
            raise UnsafeXml(f"not XML: {reason}", error.lineno, error.offset + 1) from error

    def _refuse_doctype(self, *_: object) -> None:
        raise self._make_fault("it has a document type (<!DOCTYPE ...>), and Jenkins writes none; remove it")

    def _enter(self, *_: object) -> None:
        self._depth += 1
        self._count += 1
        if self._count > MOST:
            raise self._make_fault(f"it has more than {MOST} elements")
        if self._depth > DEEPEST:
            raise self._make_fault(f"its elements are nested more than {DEEPEST} deep")

    def _leave(self, _: str) -> None:
        self._depth -= 1

    def _make_fault(self, message: str) -> UnsafeXml:
        return UnsafeXml(message, self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber + 1)
