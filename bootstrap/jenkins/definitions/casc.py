"""Reads the Configuration as Code files, and finds the faults that Jenkins would refuse or accept without an error.

Jenkins merges its files: it merges mappings, refuses the same scalar in two files, and appends lists without an error. So a
list in two files is a fault here. A variable without a provider stops the start of Jenkins (an older Jenkins uses an empty
string). Jenkins accepts a password in plain text, and uses the default for a string that should be a number. All these faults
are found before anything is sent: YAML forms by `casc_forms`, values by `casc_schema`. Only Jenkins knows all valid keys, so
the casc act also lets Jenkins check the files.
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
from bootstrap.jenkins.definitions import casc_forms, casc_layers, casc_mail_login, casc_schema, casc_tree
from bootstrap.jenkins.definitions.casc_tree import Node
from bootstrap.jenkins.definitions.casc_variables import HELPERS, VARIABLE, Variables
from bootstrap.projects import folders

_SECRET_KEY = re.compile(r"(password|secret|passphrase|privatekey|secretkey|token)$", re.IGNORECASE)

_REMEDY = "Correct the file; nothing was sent to Jenkins, which keeps its current settings."


@dataclass(frozen=True)
class _Leaf:
    """A scalar or a list in a file: its path of keys, its value and its place."""

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


def read(
    folder: Path, provided: Collection[str], values: Mapping[str, str] | None = None, own: Path | None = None
) -> dict[str, str]:
    """The text of each settings file in the folder by file name, in the order in which Jenkins applies them.

    The files of the folder `own` are the upper layer: what they have is taken out of the others (`casc_layers`).
    `provided` are the names of the variables and secrets that `${NAME}` may use; `values` has the known values of variables.
    Raises CascRejected with all faults of all files.
    """
    variables = Variables(provided, values or {})
    files: dict[str, str] = {}
    documents: dict[str, CommentedMap] = {}
    leaves: list[_Leaf] = []
    faults: list[Fault] = []
    value_faults: list[Fault] = []
    paths = [
        path for path in folders.list_layered_files(folder, own) if not path.name.startswith(".")
    ]  # the copies of editors
    own_keys = casc_layers.list_keys([path for path in paths if path.parent == own])
    for path in paths:
        shown = _show(path, folder, own)
        text, document, load_faults = _load(path, shown, own_keys if path.parent == folder else ())
        faults += load_faults
        if document is None:
            continue
        files[path.name] = text
        tree, form_faults = _parse_tree(shown, text)
        faults += form_faults
        if tree is None or form_faults:
            continue  # some forms, such as a merge key, have no places for further faults
        documents[shown] = document
        leaves += _list_leaves(shown, (), document)
        faults += _find_faulty_scalars(shown, document, variables)
        value_faults += casc_schema.find_faults(shown, tree, variables)
    if not files and not faults:
        faults = [
            Fault(
                str(folder), 1, 1, "there is no *.yaml file here, and a Jenkins without settings is open to everybody"
            )
        ]
    faults += _find_conflicts(leaves)
    value_faults += casc_mail_login.find_faults(documents, variables)
    faults = faults or value_faults  # conflicts between files must be corrected first
    if faults:
        raise CascRejected(
            f"reading the settings in {folder}", sorted(faults, key=lambda f: (f.file, f.line, f.column)), _REMEDY
        )
    return files


def _show(path: Path, folder: Path, own: Path | None) -> str:
    """The path of a file as its reader finds it, from the folder of the repository."""
    if own is None or path.parent == own:
        return f"{path.parent.name}/{path.name}"
    return str(path.relative_to(own.parent)) if folder.is_relative_to(own.parent) else str(path)


def _load(path: Path, shown: str, hidden: Collection[casc_layers.Keys]) -> tuple[str, CommentedMap | None, list[Fault]]:
    """The text and content of a file, without the hidden keys, and its faults; no content if nothing is left of it."""
    try:
        text = yaml_source.read_text(path)
    except yaml_source.Unreadable as error:
        return "", None, [Fault(shown, error.line, 1, str(error))]
    document, faults = yaml_source.parse_mapping(shown, text, "the file must be a mapping such as 'jenkins:'")
    if faults or not hidden:
        return ("", None, faults) if faults else (text, document, [])
    text = casc_layers.take_out(text, hidden)
    return (text, yaml_source.parse_mapping(shown, text)[0], []) if text else ("", None, [])


def _parse_tree(shown: str, text: str) -> tuple[Node | None, list[Fault]]:
    """The file as Jenkins' parser reads it, and the YAML forms in it that Jenkins does not accept."""
    try:
        tree = casc_tree.parse(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return None, [Fault(shown, line, column, f"not YAML as Jenkins reads it: {error.problem}")]
    except yaml.YAMLError as error:
        return None, [Fault(shown, 1, 1, f"not YAML as Jenkins reads it: {error}")]
    return tree, list(casc_forms.find_faults(shown, tree)) if tree else []


def _list_leaves(file: str, path: tuple[str, ...], node: CommentedMap) -> Iterator[_Leaf]:
    for key, value in node.items():
        if not path and str(key).startswith("x-"):
            continue  # Jenkins ignores these roots; they hold anchors
        here = (*path, str(key))
        if isinstance(value, CommentedMap) and value:
            yield from _list_leaves(file, here, value)
        else:
            line, column = node.lc.key(key)
            yield _Leaf(file, here, value, line + 1, column + 1)


def _find_conflicts(leaves: list[_Leaf]) -> Iterator[Fault]:
    """Keys that are in two files, and keys that are a value in one file and a mapping in another."""
    first: dict[tuple[str, ...], _Leaf] = {}
    for leaf in leaves:
        for depth in range(1, len(leaf.path)):
            above = first.get(leaf.path[:depth])
            if above is not None and above.file != leaf.file:
                yield _make_fault(
                    leaf, f"'{above.key}' is a {above.kind} in {above.file}:{above.line}, and a mapping here"
                )
        other = first.setdefault(leaf.path, leaf)
        if other.file != leaf.file:
            reason = (
                "Jenkins would append one list to the other" if leaf.kind == "list" else "Jenkins refuses to choose"
            )
            yield _make_fault(leaf, f"'{leaf.key}' is in {other.file}:{other.line} already; {reason}")
    for leaf in leaves:
        below = next(
            (b for b in leaves if b.file < leaf.file and b.path[: len(leaf.path)] == leaf.path != b.path), None
        )
        if below is not None:
            yield _make_fault(leaf, f"'{leaf.key}' is a mapping in {below.file}:{below.line}, and a {leaf.kind} here")


def _make_fault(leaf: _Leaf, message: str) -> Fault:
    return Fault(leaf.file, leaf.line, leaf.column, message)


def _find_faulty_scalars(file: str, node: Any, variables: Variables) -> Iterator[Fault]:
    """Variables without a provider, and secrets in plain text."""
    for key, value, line, column in _list_entries(node):
        if isinstance(value, CommentedMap | CommentedSeq):
            yield from _find_faulty_scalars(file, value, variables)
        elif isinstance(value, str):
            yield from (Fault(file, line, column, text) for text in _find_unknown_variables(value, variables))
            if isinstance(key, str) and is_secret(key) and value and not VARIABLE.search(value):
                yield Fault(file, line, column, f"'{key}' is in plain text; use a reference, ${{NAME}}")


def is_secret(key: str) -> bool:
    """Whether the key is that of a secret, such as a password or a token."""
    return _SECRET_KEY.search(key) is not None


def _list_entries(node: CommentedMap | CommentedSeq) -> Iterator[tuple[object, Any, int, int]]:
    if isinstance(node, CommentedMap):
        for key, value in node.items():
            line, column = node.lc.value(key)
            yield key, value, line + 1, column + 1
    else:
        for index, value in enumerate(node):
            line, column = node.lc.item(index)
            yield index, value, line + 1, column + 1


def _find_unknown_variables(text: str, variables: Variables) -> Iterator[str]:
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


def find_position(text: str, line: int) -> tuple[int, int]:
    """Line and column (from 1) of the first character on `line` that is no space; 1, 1 if there is no such line.

    Jenkins' check reports a line without a column, or -1.
    """
    lines = text.splitlines()
    if not 1 <= line <= len(lines):
        return 1, 1
    return line, len(lines[line - 1]) - len(lines[line - 1].lstrip()) + 1


def find_variables(files: Mapping[str, str]) -> set[str]:
    """The names of all variables `${NAME}` in the files, without Jenkins' helper functions."""
    matches = (match for text in files.values() for match in VARIABLE.finditer(_remove_comments(text)))
    return {match[1] for match in matches if not (match[2] and match[1] in HELPERS)}


def find_required_variables(text: str) -> set[str]:
    """The names of the variables `${NAME}` in a file that have no default: Jenkins refuses the file if it lacks one."""
    matches = ((match[1], match[2] or "") for match in VARIABLE.finditer(_remove_comments(text)))
    return {name for name, rest in matches if not rest.startswith(":-") and not (rest and name in HELPERS)}


def _remove_comments(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
