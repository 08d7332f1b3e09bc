"""The footer in the description of every job and view of the code: it says so, and has a digest of the render."""

from __future__ import annotations

import hashlib
import re
import xml.etree.ElementTree as ElementTree

_BUILDERS_MARK = "<!-- Managed by Jenkins Job Builder -->"
_FOOTER = "Managed as code; change it in the repository. [render {}]"
_DIGEST_IN_FOOTER = re.compile(r"\[render ([0-9a-f]{16})\]\s*\Z")
_WHOLE_FOOTER = re.compile(rf"\s*{re.escape(_FOOTER).replace(re.escape('{}'), '[0-9a-f]{16}')}\s*\Z")


def add(xml: ElementTree.Element) -> None:
    """Add the footer to the description of a job or view, in place; Job Builder's own mark goes."""
    description = xml.find("description")
    if description is None:
        description = ElementTree.SubElement(xml, "description")
    text = (description.text or "").replace(_BUILDERS_MARK, "").rstrip()
    description.text = text
    digest = hashlib.sha256(ElementTree.tostring(xml)).hexdigest()[:16]
    description.text = "\n\n".join(part for part in (text, _FOOTER.format(digest)) if part)


def remove(description: str | None) -> str:
    """The description without footer and without Job Builder's mark, as a person wrote it."""
    return _WHOLE_FOOTER.sub("", description or "").replace(_BUILDERS_MARK, "").rstrip()


def find_digest(description: str | None) -> str | None:
    """The digest in the footer of a description, or None if there is no footer: the job was not made by the code."""
    match = _DIGEST_IN_FOOTER.search(description or "")
    return match[1] if match else None


def read_digest(xml: str) -> str | None:
    """The digest in the footer of the XML of a job or view, or None if there is no footer."""
    return find_digest(ElementTree.fromstring(xml.encode()).findtext("description"))


def replace_digest(xml: str, digest: str) -> str:
    """The XML of a job or view with another digest in its footer."""
    return re.sub(r"\[render [0-9a-f]{16}\](?=\s*</description>)", f"[render {digest}]", xml, count=1)
