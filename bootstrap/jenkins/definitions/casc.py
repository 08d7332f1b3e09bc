"""Reads the Configuration as Code files, and refuses what Jenkins would refuse or, worse, would take silently.

Jenkins merges its files: mappings merge, the same scalar in two files is an error, but lists are silently appended, so a
list in two files is refused here. A variable that nothing provides would become an empty text in an older Jenkins and stop
the boot in this one; a password in plain text would be taken; a word for a number becomes a default. All of it is found
before anything is sent: forms by `casc_forms`, values by `casc_schema`. Which keys there are is Jenkins' own knowledge: the
act asks it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from bootstrap.environment import yaml_source
from bootstrap.errors import CascRejected, Fault
from bootstrap.jenkins.definitions import casc_forms, casc_schema, casc_tree
from bootstrap.jenkins.definitions.casc_tree import Node
from bootstrap.jenkins.definitions.casc_variables import HELPERS, VARIABLE, Variables

_SECRET_KEY = re.compile(r"(password|secret|passphrase|privatekey|secretkey|token)$", re.IGNORECASE)

_REMEDY = "Correct the file; nothing was sent to Jenkins, which keeps its current settings."


@dataclass(frozen=True)
class _Leaf:
    """A scalar or a list of one file: the key path that leads to it, its value and where it stands."""

    file: str
    path: tuple[str, ...]
    value: Any
    line: int
    column: int

    @property
    def key(self) -> str:
        return ".".join(self.path)

    @property
    def kind(self) -> str:
        return "list" if isinstance(self.value, CommentedSeq) else "value"


def read(folder: Path, provided: Collection[str], values: Mapping[str, str] | None = None) -> dict[str, str]:
    """The folder's files, name to text in the order in which Jenkins applies them.

    `provided` names the variables and secrets that `${NAME}` may use, `values` gives those variables that are known already.
    Raises CascRejected with every fault of every file.
    """
    variables = Variables(provided, values or {})
    files: dict[str, str] = {}
    leaves: list[_Leaf] = []
    faults: list[Fault] = []
    slips: list[Fault] = []
    for path in sorted(folder.glob("*.y*ml")):
        if path.name.startswith("."):
            continue  # an editor's copy
        shown = f"{folder.name}/{path.name}"
        text, document, found = _load(path, shown)
        faults += found
        if document is None:
            continue
        files[path.name] = text
        tree, found = _tree(shown, text)
        faults += found
        if tree is None or found:
            continue  # a merge key, for one, leaves no places to tell
        leaves += _leaves(shown, (), document)
        faults += _faulty_scalars(shown, document, variables)
        slips += casc_schema.slips(shown, tree, variables)
    if not files and not faults:
        faults = [
            Fault(
                str(folder), 1, 1, "there is no *.yaml file here, and a Jenkins without settings is open to everybody"
            )
        ]
    faults += _conflicts(leaves)
    faults = faults or slips  # files that contradict each other are mended first
    if faults:
        raise CascRejected(
            f"reading the settings in {folder}", sorted(faults, key=lambda f: (f.file, f.line, f.column)), _REMEDY
        )
    return files


def _load(path: Path, shown: str) -> tuple[str, CommentedMap | None, list[Fault]]:
    try:
        text = yaml_source.text(path)
    except yaml_source.Unreadable as error:
        return "", None, [Fault(shown, error.line, 1, str(error))]
    document, faults = yaml_source.mapping(shown, text, "the file must be a mapping such as 'jenkins:'")
    return ("", None, faults) if faults else (text, document, [])


def _tree(shown: str, text: str) -> tuple[Node | None, list[Fault]]:
    """The file as Jenkins' parser has it, with the forms in it that Jenkins does not take."""
    try:
        tree = casc_tree.parse(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return None, [Fault(shown, line, column, f"not YAML as Jenkins reads it: {error.problem}")]
    except yaml.YAMLError as error:
        return None, [Fault(shown, 1, 1, f"not YAML as Jenkins reads it: {error}")]
    return tree, list(casc_forms.faults(shown, tree)) if tree else []


def _leaves(file: str, path: tuple[str, ...], node: CommentedMap) -> Iterator[_Leaf]:
    for key, value in node.items():
        if not path and str(key).startswith("x-"):
            continue  # Jenkins' own place for anchors
        here = (*path, str(key))
        if isinstance(value, CommentedMap) and value:
            yield from _leaves(file, here, value)
        else:
            line, column = node.lc.key(key)
            yield _Leaf(file, here, value, line + 1, column + 1)


def _conflicts(leaves: list[_Leaf]) -> Iterator[Fault]:
    """The same key in two files, and a key that is a value in one and a mapping in the other."""
    first: dict[tuple[str, ...], _Leaf] = {}
    for leaf in leaves:
        for depth in range(1, len(leaf.path)):
            above = first.get(leaf.path[:depth])
            if above is not None and above.file != leaf.file:
                yield _at(leaf, f"'{above.key}' is a {above.kind} in {above.file}:{above.line}, and a mapping here")
        other = first.setdefault(leaf.path, leaf)
        if other.file != leaf.file:
            reason = "Jenkins would append one to the other" if leaf.kind == "list" else "Jenkins refuses to choose"
            yield _at(leaf, f"'{leaf.key}' is in {other.file}:{other.line} already; {reason}")
    for leaf in leaves:
        below = next(
            (b for b in leaves if b.file < leaf.file and b.path[: len(leaf.path)] == leaf.path != b.path), None
        )
        if below is not None:
            yield _at(leaf, f"'{leaf.key}' is a mapping in {below.file}:{below.line}, and a {leaf.kind} here")


def _at(leaf: _Leaf, message: str) -> Fault:
    return Fault(leaf.file, leaf.line, leaf.column, message)


def _faulty_scalars(file: str, node: Any, variables: Variables) -> Iterator[Fault]:
    """Variables that nothing provides, and secrets that are written out."""
    for key, value, line, column in _entries(node):
        if isinstance(value, CommentedMap | CommentedSeq):
            yield from _faulty_scalars(file, value, variables)
        elif isinstance(value, str):
            yield from (Fault(file, line, column, text) for text in _unknown_variables(value, variables))
            if isinstance(key, str) and is_secret(key) and value and not VARIABLE.search(value):
                yield Fault(file, line, column, f"'{key}' is in plain text; use a reference, ${{NAME}}")


def is_secret(key: str) -> bool:
    """Whether what stands under that key is not for eyes."""
    return _SECRET_KEY.search(key) is not None


def _entries(node: CommentedMap | CommentedSeq) -> Iterator[tuple[object, Any, int, int]]:
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            line, column = node.lc.value(key)
            yield key, value, line + 1, column + 1
    else:
        for index, value in enumerate(node):
            line, column = node.lc.item(index)
            yield index, value, line + 1, column + 1


def _unknown_variables(text: str, variables: Variables) -> Iterator[str]:
    provided = variables.provided
    for name, rest in VARIABLE.findall(text):
        if "${" in variables.values.get(name, ""):
            yield f"the value of ${{{name}}} contains '${{', which Jenkins would replace again; give it another value"
        has_default = rest.startswith(":-")
        if name in provided or has_default or (rest and name in HELPERS):
            continue
        near = difflib.get_close_matches(name, list(provided), n=1, cutoff=0.6)
        hint = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(sorted(provided))}"
        yield f"nothing provides ${{{name}}}; {hint}"


def position(text: str, line: int) -> tuple[int, int]:
    """Line and column, both from 1, of the first thing on `line` of `text`; Jenkins tells lines alone, or -1 for none."""
    lines = text.splitlines()
    if not 1 <= line <= len(lines):
        return 1, 1
    return line, len(lines[line - 1]) - len(lines[line - 1].lstrip()) + 1


def names_of_variables(files: Mapping[str, str]) -> set[str]:
    """Every `${NAME}` that the files use, without helpers."""
    found = (match for text in files.values() for match in VARIABLE.finditer(_without_comments(text)))
    return {match[1] for match in found if not (match[2] and match[1] in HELPERS)}


def _without_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
