"""XML as Jenkins writes it: declared as version 1.1, indented by two, replaced atomically on the disk."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from lxml import etree

DECLARATION = b"<?xml version='1.1' encoding='UTF-8'?>\n"
_DECLARED = re.compile(rb"^\s*<\?xml[^>]*\?>")


class BadXml(ValueError):
    """The text is not well-formed XML."""


def parse(content: bytes | str) -> Any:
    """The root element; BadXml when the text is not well formed. Entities and the network stay untouched."""
    data = content.encode() if isinstance(content, str) else content
    # lxml knows XML 1.0 only, and everything here is UTF-8.
    data = _DECLARED.sub(b"", data, count=1)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True, encoding="utf-8")
    try:
        return etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as fault:
        raise BadXml(str(fault)) from fault


def serialise(root: Any) -> bytes:
    """The document as bytes, indented by two spaces."""
    etree.indent(root, space="  ")
    return DECLARATION + bytes(etree.tostring(root, encoding="UTF-8")) + b"\n"


def serialise_for_client(root: Any) -> bytes:
    """The document as it is handed out: with another declaration than on the disk, and no new line at its end."""
    return serialise(root).replace(DECLARATION, b'<?xml version="1.1" encoding="UTF-8"?>\n', 1).rstrip(b"\n")


def text(root: Any, path: str, default: str = "") -> str:
    """The text at `path` below `root`, or `default` where there is none."""
    child = root.find(path)
    return default if child is None or child.text is None else str(child.text)


def put(parent: Any, tag: str, content: object = None, **attributes: str) -> Any:
    """Append a child with text; None gives an empty element, booleans are written as Java writes them."""
    child = etree.SubElement(parent, tag, **{key.rstrip("_"): value for key, value in attributes.items()})
    if isinstance(content, bool):
        child.text = "true" if content else "false"
    elif content is not None:
        child.text = printable(str(content))
    return child


def element(tag: str, **attributes: str) -> Any:
    """A new root element."""
    return etree.Element(tag, **{key.rstrip("_"): value for key, value in attributes.items()})


def printable(content: str) -> str:
    """The text without the control characters that XML cannot hold."""
    return "".join(letter for letter in content if letter in "\t\n\r" or ord(letter) >= 32)


def write(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Replace `path` atomically: a crash leaves the old content or the new, never half of it."""
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
