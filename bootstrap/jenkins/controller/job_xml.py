"""The XML of a job or view, as it is sent and as Jenkins hands it out again: what is Jenkins' own doing, and what is lost.

Jenkins rewrites what it is given: it orders fields, writes the defaults of its classes, drops fields that they have no more,
and notes what a declarative build found. None of that is a difference. The plan's diff, the look for drift and the look at what
was just published all compare through here.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bootstrap.jenkins.definitions.elements import LISTS, class_name, named

_REWRITES = Path(__file__).resolve().parents[2] / "local" / "emulator" / "data" / "rewrites.yaml"
# Below these, every element is an entry that somebody put there.
ENTRIES = LISTS | {"parameterDefinitions", "branches", "columns", "jobFilters", "extensions", "userRemoteConfigs"}
_IDLE = frozenset({"", "false"})
# Jenkins replaces the first by the second in what it reads.
_REPLACED = frozenset({"hudson.util.CaseInsensitiveComparator"})


@dataclass(frozen=True)
class Lost:
    """What was sent and is not there: elements, by their classes, and single fields of others."""

    elements: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def parsed(xml: str) -> ElementTree.Element | None:
    """XML without plugins' versions and layout, its fields in the order of their names; None where it is no XML."""
    # Jenkins declares XML 1.1, which Python's parser does not read; its content is 1.0 all the same.
    text = xml.strip().replace("<?xml version='1.1'", "<?xml version='1.0'", 1).replace('"1.1"', '"1.0"', 1)
    try:
        root = ElementTree.fromstring(text.encode())
    except ElementTree.ParseError:
        return None
    _plain(root)
    return root


def readable(root: ElementTree.Element) -> str:
    """One element a line."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def compared(ours: str, theirs: str) -> tuple[ElementTree.Element, ElementTree.Element] | None:
    """Both sides without what Jenkins does by itself: what differs in them was said by a person. None where one is no XML."""
    wished, there = parsed(ours), parsed(theirs)
    if wished is None or there is None:
        return None
    _forget_notes(wished)
    _forget_notes(there)
    _align(wished, there)
    return wished, there


def lost(sent: str, kept: str) -> Lost:
    """What of a job that was sent is not in what Jenkins kept of it."""
    found = compared(sent, kept)
    if found is None:
        return Lost(("the whole configuration, which Jenkins does not return",))
    wished, there = found
    missing = _classes(wished) - _classes(there)
    elements = dict.fromkeys(_outermost(wished, missing))
    return Lost(tuple(elements), tuple(dict.fromkeys(_missing_fields(wished, there))))


def without_notes(xml: str) -> str:
    """A job's XML as a text that no build and no writing anew alters, to be remembered by."""
    root = parsed(xml)
    if root is None:
        return xml
    _forget_notes(root)
    return readable(root)


def pairs(
    ours: ElementTree.Element, theirs: ElementTree.Element
) -> Iterator[tuple[ElementTree.Element | None, ElementTree.Element | None]]:
    """The children of two elements, each with the most similar one of its name on the other side, or with none."""
    left = list(theirs)
    for child in ours:
        same = [other for other in left if other.tag == child.tag]
        best = min(same, key=lambda other: _distance(child, other)) if len(same) > 1 else next(iter(same), None)
        if best is not None:
            left.remove(best)
        yield child, best
    for other in left:
        yield None, other


def _plain(element: ElementTree.Element) -> None:
    element.attrib.pop("plugin", None)
    element.text = (element.text or "").strip() or None
    element.tail = None
    children = list(element)
    for child in children:
        _plain(child)
    if len({child.tag for child in children}) == len(children):  # fields; a list keeps its order
        element[:] = sorted(children, key=lambda child: child.tag)


def _forget_notes(root: ElementTree.Element) -> None:
    """What builds write into a job is not its definition."""
    for notes in root.findall("actions"):
        root.remove(notes)


def _align(ours: ElementTree.Element, theirs: ElementTree.Element) -> None:
    """Take out of both what Jenkins adds or drops, below two elements that stand for the same thing."""
    kind = class_name(ours.get("class") or ours.tag)
    former = _rewrites()["dropped"].get(kind, ())
    for side in (ours, theirs):
        side[:] = [child for child in side if child.tag not in former]
    # A list is a list, whether Java's is called 'vector' or 'list'.
    if not _is_spoken(ours.get("class")) and not _is_spoken(theirs.get("class")):
        ours.attrib.pop("class", None)
        theirs.attrib.pop("class", None)
    for child, other in list(pairs(ours, theirs)):
        if child is not None and other is not None:
            _align(child, other)
        elif ours.tag in ENTRIES:
            continue
        elif other is not None and (_is_idle(other) or _is_default(kind, other)):
            theirs.remove(other)
        elif child is not None and _is_idle(child):
            ours.remove(child)


def _is_spoken(name: str | None) -> bool:
    """Whether a class is one that somebody chose, and no list of Java's."""
    return name is not None and "." in name and not name.startswith("java.")


def _is_idle(element: ElementTree.Element) -> bool:
    """Whether a field says what it would mean if it were not there."""
    return _is_field(element) and not len(element) and (element.text or "") in _IDLE


def _is_field(element: ElementTree.Element) -> bool:
    """Whether an element is a plain field: no class, and no entry of a list of texts."""
    return "." not in element.tag and element.tag != "string" and not _is_spoken(element.get("class"))


def _is_default(kind: str, field: ElementTree.Element) -> bool:
    """Whether Jenkins writes this field of a class by itself."""
    if kind == _FOLDER and field.tag == "folderViews":
        return True
    values = _rewrites()["order"].get(kind, {}) | _rewrites()["added"].get(kind, {})
    value = values.get(field.tag)
    if isinstance(value, Mapping):
        return not len(field) and dict(field.attrib) == dict(value)
    return value is not None and not len(field) and (field.text or "") == value


_FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"


def _distance(ours: ElementTree.Element, theirs: ElementTree.Element) -> int:
    if not len(ours):
        return int((ours.text or "") != (theirs.text or ""))
    return sum(1 if child is None or other is None else _distance(child, other) for child, other in pairs(ours, theirs))


def _classes(root: ElementTree.Element) -> Counter[str]:
    names = (name for name, _ in named(root))
    return Counter(name for name in names if name not in _REPLACED and not name.startswith("java."))


def _classes_below(element: ElementTree.Element) -> Counter[str]:
    """Those of an element itself and of what it holds."""
    holder = ElementTree.Element("properties")
    holder.append(element)
    return _classes(holder)


def _outermost(element: ElementTree.Element, missing: Counter[str]) -> Iterator[str]:
    """The missing classes in the order of the document; what lay within one that is missing went with it."""
    for child in element:
        tag, attribute = class_name(child.tag), class_name(child.get("class", ""))
        name = next((it for it in (tag, attribute) if missing[it] > 0), None)
        if name is None:
            yield from _outermost(child, missing)
            continue
        yield name
        missing.subtract(_classes_below(child))


def _missing_fields(ours: ElementTree.Element, theirs: ElementTree.Element) -> Iterator[str]:
    for child, other in pairs(ours, theirs):
        if child is not None and other is not None:
            yield from _missing_fields(child, other)
        elif child is not None and _is_field(child) and ours.tag not in ENTRIES:
            yield f"{class_name(ours.get('class') or ours.tag).rpartition('.')[2]} {child.tag}"


@cache
def _rewrites() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.load(_REWRITES.read_bytes(), yaml.CSafeLoader)
    return loaded
