"""Removes from the XML of a job what does not belong into a repository: secrets, versions of plugins, notes of builds."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass

from bootstrap.importing.plain_secrets import HARMLESS, NAMES, VALUES, has_user, is_named_after_secret, remove_user
from bootstrap.jenkins.definitions import footer
from bootstrap.jenkins.definitions.casc import is_secret
from bootstrap.jenkins.definitions.raw_jobs import remove_white_space
from bootstrap.jenkins.definitions.safe_xml import parse

# Ciphertexts, and the stars that Jenkins shows to who may not see them.
_ENCRYPTED = re.compile(r"\{AQAA[A-Za-z0-9+/=]+\}|\A\*{8}\Z")


@dataclass(frozen=True)
class Cleaned:
    """The XML without secrets; where they were; and where a script seems to have one, which stays."""

    root: ElementTree.Element
    secrets: tuple[str, ...]
    suspicious: tuple[str, ...]


def clean(xml: str) -> Cleaned:
    """Clean the config.xml of a job, which `reading` has accepted."""
    root = parse(xml)
    remove_white_space(root)
    for notes in root.findall("actions"):
        root.remove(notes)
    description = root.find("description")
    if description is not None:
        description.text = footer.remove(description.text)
    secrets: list[str] = []
    suspicious: list[str] = []
    for token in root.findall("authToken"):  # who knows it can start builds
        root.remove(token)
        secrets.append("authToken")
    named = {id(value) for element in root.iter() for value in _find_named_values(element)}
    for path, element in _walk(root, ""):
        if "plugin" in element.attrib:
            element.set("plugin", element.attrib["plugin"].partition("@")[0])
        text = element.text or ""
        if _ENCRYPTED.search(text) or ((_is_secret(element) or id(element) in named) and text.strip() not in HARMLESS):
            secrets.append(path)
            element.text = None
        elif len(text.split()) > 1:
            if has_user(text):
                suspicious.append(path)
        elif (shorter := remove_user(text)) != text:
            secrets.append(f"{path}, user and password in the URL")
            element.text = shorter
    return Cleaned(root, tuple(secrets), tuple(suspicious))


def _walk(element: ElementTree.Element, above: str) -> Iterator[tuple[str, ElementTree.Element]]:
    for child in element:
        # The last part of a class name says enough.
        path = f"{above}/{child.tag.rpartition('.')[2]}".lstrip("/")
        yield path, child
        yield from _walk(child, path)
    if not above:
        yield "", element


def _find_named_values(element: ElementTree.Element) -> Iterator[ElementTree.Element]:
    """The values in an element that is named after a secret: a parameter DB_PASSWORD, or an entry of a map."""
    names = [element.findtext(name) or "" for name in NAMES]
    values = [child for child in element if child.tag in VALUES]
    if element.tag == "entry" and [child.tag for child in element] == ["string", "string"]:
        names, values = [element[0].text or ""], [element[1]]
    if any(map(is_named_after_secret, names)):
        yield from (value for value in values if not len(value))


def _is_secret(element: ElementTree.Element) -> bool:
    """Whether the name of the element is that of a secret."""
    return not len(element) and is_secret(element.tag.rpartition(".")[2])
