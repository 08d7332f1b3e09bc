"""What a settings file says that no Jenkins of this kind takes, or takes and drops: misspelt keys, and values of another kind.

The vocabulary (`casc_vocabulary.json`) is what the configurators of the locked Jenkins and its plugins tell of themselves. It
cannot know every plugin, so what it does not know is not judged but left to Jenkins itself, which is asked before a file is
placed. Only the parts that Jenkins must not be asked about (`casc_blanking`) are judged by it alone, and there of Jenkins' own
classes every key.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

from bootstrap.errors import Fault
from bootstrap.jenkins.definitions import casc_blanking, casc_scalars
from bootstrap.jenkins.definitions.casc_tree import Kind, Node
from bootstrap.jenkins.definitions.casc_variables import Variables

_NEAR = 0.8
_USER = "io.jenkins.plugins.casc.core.HudsonPrivateSecurityRealmConfigurator$UserWithPassword"
# Of the parts that a check applies: the classes of Jenkins itself, and what each must have.
_OWN: Mapping[str, Collection[str]] = {
    _USER: ("id",),
    "hudson.ProxyConfiguration": (),
    "hudson.logging.LogRecorderManager": (),
    "hudson.logging.LogRecorder": ("name",),
    "hudson.logging.LogRecorder$Target": ("name", "level"),
}


@cache
def vocabulary() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """Roots, classes and choices, name by name to the kinds of their attributes or their implementations' classes."""
    path = Path(__file__).with_name("casc_vocabulary.json")
    loaded: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def slips(file: str, document: Node, variables: Variables) -> Iterator[Fault]:
    """The faults of one file that the vocabulary shows; `file` is its name as it is told."""
    roots = vocabulary()["roots"]
    judge = _Judge(file, variables)
    for key, value in document.entries:
        name = key.meant.text
        if name in roots:
            yield from judge.attributes(value, roots[name], (name,))
        elif not name.startswith("x-"):
            yield from judge.misspelt(key, roots, (name,))


class _Judge:
    """Judges the values of one file; a path is the keys that lead to a value, numbers for the elements of lists."""

    def __init__(self, file: str, variables: Variables) -> None:
        self._file, self._variables = file, variables

    def value(self, node: Node, kind: str, path: tuple[str, ...]) -> Iterator[Fault]:
        """Whatever an attribute of this kind is given."""
        meant, where = node.meant, ".".join(path)
        if kind == "any":
            return
        if meant.is_null:
            message = f"{where} has no value, so Jenkins keeps its current value without an error"
            yield self._fault(node, f"{message}; write a value, or remove the key")
        elif not kind.endswith("[]"):
            yield from self._single(node, kind, path)
        elif meant.kind is not Kind.LIST:
            message = (
                f"{where}: a list is needed here, not a {meant.kind.value}; Jenkins accepts no element without its list"
            )
            yield self._fault(node, f"{message}: begin it with '- '")
        else:
            for number, item in enumerate(meant.items):
                here = (*path, str(number))
                if item.meant.is_null:
                    yield self._fault(item, f"{'.'.join(here)}: this element of the list is empty; remove it")
                else:
                    yield from self._single(item, kind.removesuffix("[]"), here)

    def _single(self, node: Node, kind: str, path: tuple[str, ...]) -> Iterator[Fault]:
        known = vocabulary()
        if kind in known["choices"]:
            yield from self._choice(node, known["choices"][kind], path)
        elif kind in known["classes"]:
            yield from self._object(node, kind, path)
        elif kind in casc_scalars.WORDS or kind.startswith("="):
            message = casc_scalars.fault(node.meant, kind, ".".join(path), self._variables)
            if message:
                yield self._fault(node, message)

    def _choice(self, node: Node, implementations: Mapping[str, str], path: tuple[str, ...]) -> Iterator[Fault]:
        """One of several implementations: its bare name, or its name over its attributes."""
        meant = node.meant
        if meant.kind is Kind.LIST:
            yield self._fault(node, f"{'.'.join(path)}: a mapping is needed here, not a list")
        elif meant.kind is Kind.SCALAR:
            if casc_scalars.is_number(meant):
                yield self._fault(node, f"{'.'.join(path)}: a mapping is needed here, not a number")
        elif len(meant.entries) > 1:
            names = ", ".join(key.meant.text for key, _ in meant.entries)
            yield self._fault(
                node, f"{'.'.join(path)}: one of its kinds is needed here, not {len(meant.entries)}: {names}"
            )
        else:
            known = {name.lower(): kind for name, kind in implementations.items()}
            for key, value in meant.entries:
                here = (*path, key.meant.text)
                kind = known.get(key.meant.text.lower())
                if kind is None:
                    yield from self.misspelt(key, implementations, here)
                elif kind in vocabulary()["classes"] and not value.meant.is_null:
                    yield from self._object(value, kind, here)

    def _object(self, node: Node, kind: str, path: tuple[str, ...]) -> Iterator[Fault]:
        meant = node.meant
        is_own = kind in _OWN and casc_blanking.is_applied_by_a_check(_named(path))
        if meant.kind is Kind.MAPPING:
            yield from self.attributes(node, vocabulary()["classes"][kind], path, is_closed=is_own)
            there = {key.meant.text.lower() for key, _ in meant.entries}
            for name in _OWN[kind] if is_own else ():
                if name not in there:
                    yield self._fault(node, f"{'.'.join(path)} needs the key '{name}'")
        elif meant.kind is Kind.LIST or casc_scalars.is_number(meant) or is_own:
            shape = "number" if casc_scalars.is_number(meant) else meant.kind.value
            yield self._fault(node, f"{'.'.join(path)}: a mapping is needed here, not a {shape}")

    def attributes(
        self, node: Node, kinds: Mapping[str, str], path: tuple[str, ...], *, is_closed: bool = False
    ) -> Iterator[Fault]:
        """The attributes of an object; with `is_closed` there are no others than the known ones."""
        known = {name.lower(): kind for name, kind in kinds.items()}
        for key, value in node.meant.entries:
            name = key.meant.text
            kind = known.get(name.lower())
            if kind is not None:
                yield from self.value(value, kind, (*path, name))
            elif not is_closed or difflib.get_close_matches(name, list(kinds), n=1, cutoff=_NEAR):
                yield from self.misspelt(key, kinds, (*path, name))
            else:
                yield self._fault(key, f"unknown key '{'.'.join((*path, name))}'; there are: {', '.join(kinds)}")

    def misspelt(self, key: Node, known: Collection[str], path: tuple[str, ...]) -> Iterator[Fault]:
        """A key that is nearly a known one."""
        near = difflib.get_close_matches(path[-1], list(known), n=1, cutoff=_NEAR)
        if near:
            yield self._fault(key, f"unknown key '{'.'.join(path)}'; did you mean '{near[0]}'?")

    def _fault(self, node: Node, message: str) -> Fault:
        return Fault(self._file, node.line, node.column, message)


def _named(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for part in path if not part.isdigit())
