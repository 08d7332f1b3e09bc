"""Reads and writes XML as Jenkins does: declared as version 1.1, indented by two spaces, replaced atomically on the disk."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from lxml import etree

DECLARATION = b"<?xml version='1.1' encoding='UTF-8'?>\n"
_DECLARED = re.compile(rb"^\s*(<\?xml[^>]*\?>)")


class BadXml(ValueError):
    """The text is not well-formed XML."""


class _NothingOutside(etree.Resolver):  # type: ignore[misc]
    """Gives every external entity an empty text, as Jenkins does: no document reads a file or asks a server."""

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:
        return self.resolve_string("", context)  # libxml2 takes `resolve_empty` for no answer, and reads the file


def parse(content: bytes | str) -> Any:
    """Parse a document; returns the root element. Raises BadXml if the text is not well-formed.

    Entities that the document itself defines are expanded, and external ones are empty. The encoding of the declaration counts.
    """
    data = _DECLARED.sub(b"", content.encode(), count=1) if isinstance(content, str) else content
    # lxml accepts only XML 1.0.
    data = _DECLARED.sub(lambda match: re.sub(rb"(version\s*=\s*.)1\.1", rb"\g<1>1.0", match[1]), data, count=1)
    parser = etree.XMLParser(resolve_entities=True, no_network=True, load_dtd=False, remove_blank_text=True)
    parser.resolvers.add(_NothingOutside())
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise BadXml(str(fault)) from fault


def serialise(root: Any) -> bytes:
    """Serialise a document as Jenkins stores it."""
    etree.indent(root, space="  ")
    return DECLARATION + bytes(etree.tostring(root, encoding="UTF-8")) + b"\n"


def serialise_for_client(root: Any) -> bytes:
    """Serialise a document as Jenkins sends it: with another declaration than on the disk, and without a newline at its end."""
    return serialise(root).replace(DECLARATION, b'<?xml version="1.1" encoding="UTF-8"?>\n', 1).rstrip(b"\n")


def read_text(root: Any, path: str, default: str = "") -> str:
    """Read the text of the element at `path` below `root`; `default` if there is none."""
    child = root.find(path)
    return default if child is None or child.text is None else str(child.text)


def put(parent: Any, tag: str, content: object = None, **attributes: str) -> Any:
    """Append a child with text; None gives an empty element, and booleans are 'true' or 'false'.

    A trailing underscore of an attribute's name is removed: `class_`.
    """
    child = etree.SubElement(parent, tag, **{key.rstrip("_"): value for key, value in attributes.items()})
    if isinstance(content, bool):
        child.text = "true" if content else "false"
    elif content is not None:
        child.text = remove_unprintable(str(content))
    return child


def make_element(tag: str, **attributes: str) -> Any:
    """A new root element."""
    return etree.Element(tag, **{key.rstrip("_"): value for key, value in attributes.items()})


def remove_unprintable(content: str) -> str:
    """Remove the control characters that XML cannot contain."""
    return "".join(letter for letter in content if letter in "\t\n\r" or ord(letter) >= 32)


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace a file atomically: after a crash it has either the old or the new content."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(draft).chmod(mode)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
