"""Compares the XML of a job or view that was sent with the XML that Jenkins returns for it.

Jenkins rewrites the XML: it orders fields, adds the defaults of its classes, drops fields that a class no longer has, and adds
notes of declarative builds (`actions`). These rewrites are not differences. The diffs of a plan, the drift view and the jobs
act, which reads back what it sent, use this module. The rewrites of each class are in the emulator's `rewrites.yaml`.
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

from bootstrap.jenkins.definitions.elements import LISTS, decode_class_name, list_classes

_REWRITES = Path(__file__).resolve().parents[2] / "local" / "emulator" / "data" / "rewrites.yaml"
# Every child of these elements is an entry that a person added.
ENTRIES = LISTS | {"parameterDefinitions", "branches", "columns", "jobFilters", "extensions", "userRemoteConfigs"}
_EMPTY = frozenset({"", "false"})
_FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
# Jenkins replaces these classes when it reads a job.
_REPLACED = frozenset({"hudson.util.CaseInsensitiveComparator"})


@dataclass(frozen=True)
class Losses:
    """What Jenkins did not keep of a job: `elements` by their classes, and `fields` as 'Class field'."""

    elements: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()


def parse_xml(xml: str) -> ElementTree.Element | None:
    """The root element, without white space and plugin versions, with sorted fields; None if the text is not XML."""
    # Jenkins declares XML 1.1, which Python's parser does not read; the content is valid XML 1.0.
    text = xml.strip().replace("<?xml version='1.1'", "<?xml version='1.0'", 1).replace('"1.1"', '"1.0"', 1)
    try:
        root = ElementTree.fromstring(text.encode())
    except ElementTree.ParseError:
        return None
    _normalize(root)
    return root


def format_xml(root: ElementTree.Element) -> str:
    """The XML as text with one element per line; indents `root` in place."""
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode")


def remove_rewrites(desired: str, actual: str) -> tuple[ElementTree.Element, ElementTree.Element] | None:
    """Both documents without Jenkins' rewrites: a difference between them was made by a person. None if one is not XML."""
    desired_root, actual_root = parse_xml(desired), parse_xml(actual)
    if desired_root is None or actual_root is None:
        return None
    _remove_actions(desired_root)
    _remove_actions(actual_root)
    _align(desired_root, actual_root)
    return desired_root, actual_root


def find_losses(sent: str, kept: str) -> Losses:
    """What is in the XML that was `sent` and not in the XML that Jenkins `kept`."""
    both = remove_rewrites(sent, kept)
    if both is None:
        return Losses(("the whole configuration, which Jenkins does not return",))
    sent_root, kept_root = both
    missing = _count_classes(sent_root) - _count_classes(kept_root)
    elements = dict.fromkeys(_find_outermost_missing(sent_root, missing))
    return Losses(tuple(elements), tuple(dict.fromkeys(_find_missing_fields(sent_root, kept_root))))


def remove_notes(xml: str) -> str:
    """The XML in a form that stays the same when a build runs or Jenkins writes the job again; for a saved digest."""
    root = parse_xml(xml)
    if root is None:
        return xml
    _remove_actions(root)
    return format_xml(root)


def pair_children(
    desired: ElementTree.Element, actual: ElementTree.Element
) -> Iterator[tuple[ElementTree.Element | None, ElementTree.Element | None]]:
    """The children of two elements in pairs: each with the most similar child of the same name, or with None."""
    unpaired = list(actual)
    for child in desired:
        same = [other for other in unpaired if other.tag == child.tag]
        best = (
            min(same, key=lambda other: _count_differences(child, other)) if len(same) > 1 else next(iter(same), None)
        )
        if best is not None:
            unpaired.remove(best)
        yield child, best
    for other in unpaired:
        yield None, other


def _normalize(element: ElementTree.Element) -> None:
    element.attrib.pop("plugin", None)
    element.text = (element.text or "").strip() or None
    element.tail = None
    children = list(element)
    for child in children:
        _normalize(child)
    if len({child.tag for child in children}) == len(children):  # fields; a list keeps its order
        element[:] = sorted(children, key=lambda child: child.tag)


def _remove_actions(root: ElementTree.Element) -> None:
    """Remove the notes of declarative builds; they are not part of the definition."""
    for notes in root.findall("actions"):
        root.remove(notes)


def _align(desired: ElementTree.Element, actual: ElementTree.Element) -> None:
    """Remove from both elements, which describe the same object, what Jenkins adds or drops by itself."""
    kind = decode_class_name(desired.get("class") or desired.tag)
    former = _load_rewrites()["dropped"].get(kind, ())
    for side in (desired, actual):
        side[:] = [child for child in side if child.tag not in former]
    # The class of a list ('vector', 'list') has no meaning here.
    if not _is_chosen_class(desired.get("class")) and not _is_chosen_class(actual.get("class")):
        desired.attrib.pop("class", None)
        actual.attrib.pop("class", None)
    for child, other in list(pair_children(desired, actual)):
        if child is not None and other is not None:
            _align(child, other)
        elif desired.tag in ENTRIES:
            continue
        elif other is not None and (_is_empty(other) or _is_default(kind, other)):
            actual.remove(other)
        elif child is not None and _is_empty(child):
            desired.remove(child)


def _is_chosen_class(name: str | None) -> bool:
    """Whether the class is an implementation that a person chose, not one of Java's collections."""
    return name is not None and "." in name and not name.startswith("java.")


def _is_empty(element: ElementTree.Element) -> bool:
    """Whether the element is a field that is empty or false, which means the same as no field."""
    return _is_field(element) and not len(element) and (element.text or "") in _EMPTY


def _is_field(element: ElementTree.Element) -> bool:
    """Whether the element is a field: its name is no class, it has no class, and it is no entry of a list of strings."""
    return "." not in element.tag and element.tag != "string" and not _is_chosen_class(element.get("class"))


def _is_default(kind: str, field: ElementTree.Element) -> bool:
    """Whether Jenkins writes this field of the class `kind`, with this value, by itself."""
    if kind == _FOLDER and field.tag == "folderViews":
        return True
    tables = (_load_rewrites()[name].get(kind, {}) for name in ("order", "added", "later"))
    value = next((table[field.tag] for table in tables if table.get(field.tag) is not None), None)
    if isinstance(value, Mapping):
        return not len(field) and dict(field.attrib) == dict(value)
    return value is not None and not len(field) and (field.text or "") == value


def _count_differences(desired: ElementTree.Element, actual: ElementTree.Element) -> int:
    if not len(desired):
        return int((desired.text or "") != (actual.text or ""))
    return sum(
        1 if child is None or other is None else _count_differences(child, other)
        for child, other in pair_children(desired, actual)
    )


def _count_classes(root: ElementTree.Element) -> Counter[str]:
    names = (name for name, _ in list_classes(root))
    return Counter(name for name in names if name not in _REPLACED and not name.startswith("java."))


def _count_classes_below(element: ElementTree.Element) -> Counter[str]:
    """The classes of the element itself and of everything in it."""
    holder = ElementTree.Element("properties")
    holder.append(element)
    return _count_classes(holder)


def _find_outermost_missing(element: ElementTree.Element, missing: Counter[str]) -> Iterator[str]:
    """The missing classes in the order of the document, without those inside of a missing element.

    Changes `missing`.
    """
    for child in element:
        tag, attribute = decode_class_name(child.tag), decode_class_name(child.get("class", ""))
        name = next((each for each in (tag, attribute) if missing[each] > 0), None)
        if name is None:
            yield from _find_outermost_missing(child, missing)
            continue
        yield name
        missing.subtract(_count_classes_below(child))


def _find_missing_fields(desired: ElementTree.Element, actual: ElementTree.Element) -> Iterator[str]:
    for child, other in pair_children(desired, actual):
        if child is not None and other is not None:
            yield from _find_missing_fields(child, other)
        elif child is not None and _is_field(child) and desired.tag not in ENTRIES:
            yield f"{decode_class_name(desired.get('class') or desired.tag).rpartition('.')[2]} {child.tag}"


@cache
def _load_rewrites() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.load(_REWRITES.read_bytes(), yaml.CSafeLoader)
    return loaded
