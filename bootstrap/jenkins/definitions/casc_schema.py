"""Finds misspelt keys and values of the wrong kind in a settings file, by the vocabulary of the locked Jenkins.

The vocabulary (`casc_vocabulary.json`) lists the attributes that the configurators of the locked Jenkins and its plugins
report. It does not know every plugin. So an unknown key is a fault only if it is similar to a known one; Jenkins' own check,
which runs before a file is placed, finds the others. Only the parts that are not sent to that check (`casc_blanking`) are
checked completely here: in them, every unknown key of a class of Jenkins itself is a fault.
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
# The classes of Jenkins itself in the parts that a check applies, with the keys that each must have.
_OWN: Mapping[str, Collection[str]] = {
    _USER: ("id",),
    "hudson.ProxyConfiguration": (),
    "hudson.logging.LogRecorderManager": (),
    "hudson.logging.LogRecorder": ("name",),
    "hudson.logging.LogRecorder$Target": ("name", "level"),
}


@cache
def load_vocabulary() -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    """The sections roots, classes and choices.

    A root or class has its attributes and their kinds; a choice has the names of its implementations and their classes.
    """
    path = Path(__file__).with_name("casc_vocabulary.json")
    loaded: Mapping[str, Mapping[str, Mapping[str, str]]] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def find_faults(file: str, document: Node, variables: Variables) -> Iterator[Fault]:
    """The faults in one file that the vocabulary shows; `file` is the file's name in the faults."""
    roots = load_vocabulary()["roots"]
    checker = _Checker(file, variables)
    for key, value in document.entries:
        name = key.meant.text
        if name in roots:
            yield from checker.check_attributes(value, roots[name], (name,))
        elif not name.startswith("x-"):
            yield from checker.check_spelling(key, roots, (name,))


class _Checker:
    """Checks the values of one file; a path has the keys to a value, and numbers for elements of lists."""

    def __init__(self, file: str, variables: Variables) -> None:
        self._file, self._variables = file, variables

    def check_value(self, node: Node, kind: str, path: tuple[str, ...]) -> Iterator[Fault]:
        """The faults in the value of an attribute of this kind."""
        meant, where = node.meant, ".".join(path)
        if kind == "any":
            return
        if meant.is_null:
            message = f"{where} has no value, so Jenkins keeps its current value without an error"
            yield self._make_fault(node, f"{message}; write a value, or remove the key")
        elif not kind.endswith("[]"):
            yield from self._check_single(node, kind, path)
        elif meant.kind is not Kind.LIST:
            message = (
                f"{where}: a list is needed here, not a {meant.kind.value}; Jenkins accepts no element without its list"
            )
            yield self._make_fault(node, f"{message}: begin it with '- '")
        else:
            for number, item in enumerate(meant.items):
                here = (*path, str(number))
                if item.meant.is_null:
                    yield self._make_fault(item, f"{'.'.join(here)}: this element of the list is empty; remove it")
                else:
                    yield from self._check_single(item, kind.removesuffix("[]"), here)

    def _check_single(self, node: Node, kind: str, path: tuple[str, ...]) -> Iterator[Fault]:
        known = load_vocabulary()
        if kind in known["choices"]:
            yield from self._check_choice(node, known["choices"][kind], path)
        elif kind in known["classes"]:
            yield from self._check_object(node, kind, path)
        elif kind in casc_scalars.KIND_NAMES or kind.startswith("="):
            message = casc_scalars.find_fault(node.meant, kind, ".".join(path), self._variables)
            if message:
                yield self._make_fault(node, message)

    def _check_choice(self, node: Node, implementations: Mapping[str, str], path: tuple[str, ...]) -> Iterator[Fault]:
        """Check a choice between implementations: a name alone, or a mapping from the name to attributes."""
        meant = node.meant
        if meant.kind is Kind.LIST:
            yield self._make_fault(node, f"{'.'.join(path)}: a mapping is needed here, not a list")
        elif meant.kind is Kind.SCALAR:
            if casc_scalars.is_number(meant):
                yield self._make_fault(node, f"{'.'.join(path)}: a mapping is needed here, not a number")
        elif len(meant.entries) > 1:
            names = ", ".join(key.meant.text for key, _ in meant.entries)
            yield self._make_fault(
                node, f"{'.'.join(path)}: one of its kinds is needed here, not {len(meant.entries)}: {names}"
            )
        else:
            known = {name.lower(): kind for name, kind in implementations.items()}
            for key, value in meant.entries:
                here = (*path, key.meant.text)
                kind = known.get(key.meant.text.lower())
                if kind is None:
                    yield from self.check_spelling(key, implementations, here)
                elif kind in load_vocabulary()["classes"] and not value.meant.is_null:
                    yield from self._check_object(value, kind, here)

    def _check_object(self, node: Node, kind: str, path: tuple[str, ...]) -> Iterator[Fault]:
        meant = node.meant
        is_own = kind in _OWN and casc_blanking.is_applied_by_a_check(_remove_indexes(path))
        if meant.kind is Kind.MAPPING:
            yield from self.check_attributes(node, load_vocabulary()["classes"][kind], path, is_closed=is_own)
            present = {key.meant.text.lower() for key, _ in meant.entries}
            for name in _OWN[kind] if is_own else ():
                if name not in present:
                    yield self._make_fault(node, f"{'.'.join(path)} needs the key '{name}'")
        elif meant.kind is Kind.LIST or casc_scalars.is_number(meant) or is_own:
            shape = "number" if casc_scalars.is_number(meant) else meant.kind.value
            yield self._make_fault(node, f"{'.'.join(path)}: a mapping is needed here, not a {shape}")

    def check_attributes(
        self, node: Node, kinds: Mapping[str, str], path: tuple[str, ...], *, is_closed: bool = False
    ) -> Iterator[Fault]:
        """Check the attributes of an object; with `is_closed`, every unknown key is a fault."""
        known = {name.lower(): kind for name, kind in kinds.items()}
        for key, value in node.meant.entries:
            name = key.meant.text
            kind = known.get(name.lower())
            if kind is not None:
                yield from self.check_value(value, kind, (*path, name))
            elif not is_closed or difflib.get_close_matches(name, list(kinds), n=1, cutoff=_NEAR):
                yield from self.check_spelling(key, kinds, (*path, name))
            else:
                yield self._make_fault(key, f"unknown key '{'.'.join((*path, name))}'; there are: {', '.join(kinds)}")

    def check_spelling(self, key: Node, known: Collection[str], path: tuple[str, ...]) -> Iterator[Fault]:
        """A fault if the key is similar to a known one."""
        near = difflib.get_close_matches(path[-1], list(known), n=1, cutoff=_NEAR)
        if near:
            yield self._make_fault(key, f"unknown key '{'.'.join(path)}'; did you mean '{near[0]}'?")

    def _make_fault(self, node: Node, message: str) -> Fault:
        return Fault(self._file, node.line, node.column, message)


def _remove_indexes(path: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part for part in path if not part.isdigit())
