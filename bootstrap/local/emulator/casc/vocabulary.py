"""What Configuration as Code knows: roots, classes, attributes and implementations, as a real Jenkins tells them.

`vocabulary.json` is generated from the recording. `classes.yaml` has what the recording does not tell: the plugin that brings a
class, and the parameters of constructors.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import yaml

_FOLDER = Path(__file__).parent
# Roots whose attributes are brought by plugins; those of all others are Jenkins' own.
OPEN_ROOTS = frozenset(
    {"appearance", "credentials", "globalCredentialsConfiguration", "security", "tool", "unclassified"}
)
TEXT = "java.lang.String"


@cache
def _load_table() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((_FOLDER / "vocabulary.json").read_text(encoding="utf-8"))
    for described in _load_notes()["described"].values():
        if "root" in described:
            root, attribute, kind = described["root"]
            loaded["roots"][root]["of"][attribute] = kind
        for base, names in described.get("implementations", {}).items():
            loaded["implementations"].setdefault(base, {}).update(names)
        loaded["names"].update(described.get("names", {}))
        loaded["classes"].update(described.get("classes", {}))
    return loaded


@cache
def _load_notes() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((_FOLDER / "classes.yaml").read_text(encoding="utf-8"))
    return loaded


@dataclass(frozen=True)
class Attribute:
    """An attribute: the Java class of its value, the words of an enumeration, and how Jenkins restricts its use."""

    name: str
    kind: str
    is_list: bool = False
    words: tuple[str, ...] = ()
    is_deprecated: bool = False
    restriction: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """A parameter of a constructor."""

    name: str
    is_required: bool = False
    is_shown: bool = False  # in an export, also if nobody set it


@cache
def _read_attribute(name: str, told: str | tuple[str, ...]) -> Attribute:
    kind, *flags = (told,) if isinstance(told, str) else told
    shown, _, words = kind.removesuffix("[]").partition("=")
    restriction = next((flag.partition(" ")[2] for flag in flags if flag.startswith("restricted ")), "")
    aliases = tuple(flag.partition(" ")[2] for flag in flags if flag.startswith("alias "))
    return Attribute(
        name,
        shown,
        kind.endswith("[]"),
        tuple(filter(None, words.split(","))),
        "deprecated" in flags,
        restriction,
        aliases,
    )


def _read_attributes(told: Mapping[str, Any]) -> dict[str, Attribute]:
    return {name: _read_attribute(name, kind if isinstance(kind, str) else tuple(kind)) for name, kind in told.items()}


def uncapitalise(kind: str) -> str:
    """The name that Jenkins makes of a class that has none: its simple name with a small first letter, or all small."""
    simple = kind.rpartition(".")[2].rpartition("$")[2]
    return simple.lower() if simple.upper() == simple else simple[:1].lower() + simple[1:]


class Vocabulary:
    """The vocabulary of a Jenkins with these plugins."""

    def __init__(self, plugins: Mapping[str, str]) -> None:
        self._plugins = plugins

    @cached_property
    def unrecorded_plugins(self) -> list[str]:
        """The installed plugins whose settings are not known here."""
        return sorted(set(self._plugins) - set(_load_notes()["recorded"]) - set(_load_notes()["described"]))

    def _has(self, kind: str) -> bool:
        beginnings = [beginning for beginning in _load_notes()["plugins"] if kind.startswith(beginning)]
        return not beginnings or _load_notes()["plugins"][max(beginnings, key=len)] in self._plugins

    @cached_property
    def roots(self) -> list[str]:
        """The root elements, in the order in which Jenkins reads them."""
        return [name for name, root in _load_table()["roots"].items() if self._has(root["class"])]

    def find_root_class(self, root: str) -> str:
        """The class that a root element configures."""
        return str(_load_table()["roots"][root]["class"])

    def list_root_attributes(self, root: str) -> dict[str, Attribute]:
        """The attributes of a root element."""
        return self._select_present(_read_attributes(_load_table()["roots"][root]["of"]))

    def list_attributes(self, kind: str) -> dict[str, Attribute]:
        """The attributes of a class."""
        attributes = _read_attributes(_load_table()["classes"].get(kind, {"of": {}})["of"])
        for name in _load_notes()["untold"].get(kind, []):
            attributes.setdefault(name, Attribute(name, TEXT))
        return self._select_present(attributes)

    def _select_present(self, attributes: dict[str, Attribute]) -> dict[str, Attribute]:
        return {name: attribute for name, attribute in attributes.items() if self._has(attribute.kind)}

    def is_class(self, kind: str) -> bool:
        """Whether objects of a class are made of a mapping."""
        return kind in _load_table()["classes"] or kind == "hudson.security.SecurityRealm$None"

    def is_descriptor(self, kind: str) -> bool:
        """Whether a class is a singleton, of which an export shows every attribute."""
        return bool(_load_table()["classes"].get(kind, {}).get("by") == "DescriptorConfigurator")

    def list_implementations(self, kind: str) -> dict[str, str] | None:
        """The implementations of a base class by each of their names; None if it is no base class."""
        told = _load_table()["implementations"].get(kind)
        return None if told is None else {name: each for name, each in told.items() if self._has(each)}

    def find_preferred_name(self, base: str, kind: str) -> str:
        """The name by which an export shows an implementation."""
        names = self.list_implementations(base) or {}
        return next((name for name, each in names.items() if each == kind), uncapitalise(kind))

    def find_owner_name(self, kind: str) -> str:
        """How Jenkins calls what configures a class."""
        told = _load_table()["names"].get(kind)
        if told is not None:
            return str(told)
        for root in _load_table()["roots"].values():
            for name, attribute in root["of"].items():
                if (attribute if isinstance(attribute, str) else attribute[0]) == kind and self.is_descriptor(kind):
                    return str(name)
        return uncapitalise(kind)

    @staticmethod
    def list_parameters(kind: str) -> list[Parameter]:
        """The known parameters of the constructor of a class."""
        return [
            Parameter(word.rstrip("!0"), word.endswith("!"), word.endswith("0"))
            for word in _load_notes()["constructors"].get(kind, [])
        ]
