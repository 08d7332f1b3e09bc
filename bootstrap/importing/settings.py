"""Converts the exported settings to files for `casc/`.

The toolkit's own `casc/` stays as it is. A setting that it has already is told and not written again, because Jenkins refuses a
setting in two files, or appends one list to the other. The files are then read as a launch reads them, together with those of
the toolkit; an attribute with a fault is taken out and told.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bootstrap.acts import casc
from bootstrap.errors import CascRejected, Fault
from bootstrap.importing import own_settings, settings_tree
from bootstrap.importing.findings import Note, Secret, make_note, shorten
from bootstrap.importing.yaml_text import dump
from bootstrap.jenkins.definitions.casc import find_variables
from bootstrap.jenkins.definitions.casc_schema import load_vocabulary
from bootstrap.projects import folders

_ABSENT = object()
_IGNORED = frozenset({"configuration-as-code"})  # its four values are always the defaults
# The service of the toolkit's Jenkins sets these, whatever the settings say.
_FIXED = frozenset({("jenkins", "slaveagentport")})
_ACCOUNTS = ("jenkins", "securityRealm", "local", "users")
_OWN_ACCOUNTS = frozenset({"admin", "toolkit", "builds"})
_HEAD = "# Imported; see docs/import.md of the toolkit.\n"
_FAILED = "FAILED TO EXPORT"
# The toolkit's file of this name has nothing but this list, and is replaced as a whole: the new one has its entries, too.
_CREDENTIALS = "credentials"
_LIST = ("credentials", "system", "domainCredentials")
_ROUNDS = 100


@dataclass
class Converted:
    """The files by name, what was left out as YAML, the secrets that the files refer to, and what is to be told."""

    files: dict[str, str] = field(default_factory=dict)
    left: str = ""
    secrets: list[Secret] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def convert(export: str, own: Path, project: Path | None = None) -> Converted:
    """Convert an export; `own` is the toolkit's `casc/`, above which the files in `project`, a project's `casc/`, lie."""
    try:
        exported = settings_tree.parse(export)
    except settings_tree.Unusable as error:
        remedy = "correct it in the imported Jenkins and import again, or write casc/ by hand"
        return Converted(notes=[make_note("settings", "", f"the export cannot be used: {error}", remedy)])
    return _Conversion(own, project).convert(exported)


class _Conversion:
    """The conversion of one export."""

    def __init__(self, own: Path, project: Path | None) -> None:
        self._own, self._project = own, project
        self._own_tree, self._own_files = own_settings.read_files(own, project)
        self._notes: list[Note] = []
        self._left: dict[str, Any] = {}
        self._variables = settings_tree.Variables()

    def convert(self, exported: Mapping[str, Any]) -> Converted:
        carried: dict[str, dict[str, Any]] = {}
        for root, value in exported.items():
            attributes = self._take_out_failed(value, (root,))
            if root in _IGNORED or attributes is _ABSENT:
                continue
            if not isinstance(attributes, Mapping) or not root.replace("-", "").isalnum() or not root.isascii():
                self._leave((root,), attributes, "it is not a section of settings", "look at it in not-carried.yaml")
                continue
            if root == _ACCOUNTS[0]:
                self._note_accounts(exported)
            kept = self._split(attributes, self._own_tree.get(root, _ABSENT), (root,))
            if isinstance(kept, dict) and kept:
                carried[root] = settings_tree.replace_secrets(kept, (root,), self._variables.add, self._report_url)
            if root == _CREDENTIALS:
                self._add_own_credentials(carried.get(root, {}))
        files = self._judge(carried)
        names = {
            secret.variable
            for secret in self._variables.secrets
            if f"${{{secret.variable}}}" in "".join(files.values())
        }
        secrets = [secret for secret in self._variables.secrets if secret.variable in names]
        return Converted(files, dump(self._left) if self._left else "", secrets, self._notes)

    def _report_url(self, path: tuple[str, ...], why: str) -> None:
        self._notes.append(make_note("secret", ".".join(path), why, "use a credential by its id in its place"))

    def _add_own_credentials(self, attributes: dict[str, Any]) -> None:
        """Put the toolkit's own credentials before the imported ones; those without a domain stand in one entry.

        An id is there once: an imported credential with an id of the toolkit's is left out and told.
        """
        own, theirs = (
            own_settings.find_list(tree, _LIST[1:]) for tree in (self._own_tree.get(_CREDENTIALS), attributes)
        )
        if not own or not theirs:
            return
        joined = copy.deepcopy(own)
        taken = {
            settings_tree.find_id(each) for entry in own for each in own_settings.find_list(entry, ["credentials"])
        }
        for entry in theirs:
            if not isinstance(entry, Mapping):
                joined.append(entry)
                continue
            listed = own_settings.find_list(entry, ["credentials"])
            kept = [each for each in listed if settings_tree.find_id(each) not in taken - {""}]
            for name in (settings_tree.find_id(each) for each in listed if each not in kept):
                why = f"casc/{_CREDENTIALS}.yaml has a credential with this id already"
                self._notes.append(make_note("credential", name, why, "give it another id there, and read again"))
            if not entry.get("domain") and not joined[0].get("domain"):
                joined[0]["credentials"] = [*joined[0]["credentials"], *kept]
            elif kept:
                joined.append({**entry, "credentials": kept})
        attributes["system"]["domainCredentials"] = joined

    def _take_out_failed(self, value: Any, path: tuple[str, ...]) -> Any:
        """The value without the messages that Jenkins writes in place of what it cannot export, at any depth."""
        if isinstance(value, str) and value.lstrip().startswith(_FAILED):
            self._leave(path, value, "that Jenkins could not export it", "set it in casc/ by hand")
            return _ABSENT
        if not value or not isinstance(value, Mapping | list):
            return value
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        kept = [
            (key, inner)
            for key, old in pairs
            if (inner := self._take_out_failed(old, (*path, str(key)))) is not _ABSENT
        ]
        if not kept:
            return _ABSENT
        return dict(kept) if isinstance(value, Mapping) else [inner for _, inner in kept]

    def _split(self, theirs: Any, own: Any, path: tuple[str, ...]) -> Any:
        """What is carried over of a value; the rest is told and kept for a person. _ABSENT if nothing is."""
        if len(path) <= 3 and theirs in (None, {}):
            return _ABSENT  # it sets nothing
        if tuple(part.lower() for part in path) in _FIXED:
            self._leave(path, theirs, "the toolkit sets it for the service of Jenkins", "nothing to do")
            return _ABSENT
        if own is _ABSENT or (path == _LIST and isinstance(theirs, list)):
            if not isinstance(theirs, Mapping) or len(path) > 3:
                return theirs
            own = {}
        if isinstance(theirs, Mapping) and isinstance(own, Mapping) and not (own and own_settings.is_choice(path)):
            mine = {key.lower(): value for key, value in own.items()}
            kept = {
                key: self._split(value, mine.get(key.lower(), _ABSENT), (*path, key)) for key, value in theirs.items()
            }
            return {key: value for key, value in kept.items() if value is not _ABSENT} or _ABSENT
        file = next((name for at, name in self._own_files.items() if own_settings.does_overlap(at, path)), "casc/")
        same = theirs == own or str(theirs).lower() == str(own).lower()
        difference = f"as {_show(own, path)}; there it is {_show(theirs, path)}"
        why = f"{file} has it already, {'with the same value' if same else difference}"
        self._leave(
            path,
            theirs,
            why,
            "nothing to do"
            if same
            else f"if the other value is right, write it into {file if self._project is None else 'a file of casc/'}",
        )
        return _ABSENT

    def _note_accounts(self, exported: Mapping[str, Any]) -> None:
        node: Any = exported
        for part in _ACCOUNTS:
            node = node.get(part) if isinstance(node, Mapping) else None
        for each in node if isinstance(node, list) else ():
            name = str(each.get("id", "")) if isinstance(each, Mapping) else ""
            if name and name not in _OWN_ACCOUNTS:
                remedy = "add the person to casc/access.yaml, see docs/changes.md, 'A person'"
                self._notes.append(make_note("account", name, "Jenkins does not export its password", remedy))

    def _leave(self, path: tuple[str, ...], value: Any, why: str, remedy: str) -> None:
        self._notes.append(make_note("setting", ".".join(path), why, remedy))
        masked = settings_tree.replace_secrets(value, path, lambda _: settings_tree.MASK)
        node = self._left
        for part in path[:-1]:
            inner = node.setdefault(part, {})
            node = inner if isinstance(inner, dict) else {}
        node[path[-1]] = masked

    def _judge(self, carried: dict[str, dict[str, Any]]) -> dict[str, str]:
        """The files, without the attributes that a launch would refuse."""
        for _ in range(_ROUNDS):
            files = _write_files(carried)
            faults = self._find_faults(files, carried)
            if not faults:
                break
            for root, attribute, fault in faults:
                value = carried[root].pop(attribute, _ABSENT)
                if value is not _ABSENT:
                    self._leave(
                        (root, attribute), value, f"it has a fault: {fault.message}", "correct it in not-carried.yaml"
                    )
            carried = {root: attributes for root, attributes in carried.items() if attributes}
        else:
            files = {}
            self._notes.append(make_note("settings", "", "the files have too many faults", "write casc/ by hand"))
        for name, text in files.items():
            if name.endswith("-other.yaml"):
                attributes = ", ".join(
                    settings_tree.parse(text)[name.removeprefix("imported-").removesuffix("-other.yaml")]
                )
                why = f"the toolkit knows no plugin of the lock with these settings: {shorten(attributes)}"
                self._notes.append(
                    make_note("settings", f"casc/{name}", why, "lock their plugins first; until then leave it out")
                )
        return files

    def _find_faults(
        self, files: Mapping[str, str], carried: Mapping[str, Mapping[str, Any]]
    ) -> list[tuple[str, str, Fault]]:
        """Root, attribute and fault of everything that the reading of `casc/` refuses."""
        if not files:
            return []
        with TemporaryDirectory(prefix="import-") as folder:
            stage = Path(folder) / "casc"
            stage.mkdir()
            layered = folders.list_layered_files(self._own, self._project)
            own = {path.name: path.read_text(encoding="utf-8") for path in layered}
            upper = {path.name for path in (self._project or self._own).glob("*.y*ml")}
            for name, text in {**{name: own[name] for name in upper}, **files}.items():
                (stage / name).write_text(text, encoding="utf-8")
            # Secrets of one's own that the toolkit's files use belong to an environment, which is not opened here.
            provided = {secret.variable for secret in self._variables.secrets} | find_variables(own)
            try:
                if self._project is None:
                    casc.read(stage, own=provided)
                else:
                    casc.read(self._own, own=provided, own_folder=stage)
            except CascRejected as error:
                return [_locate(fault, files, carried) for fault in error.faults]
        return []


def _locate(fault: Fault, files: Mapping[str, str], carried: Mapping[str, Mapping[str, Any]]) -> tuple[str, str, Fault]:
    """The root and attribute in which a fault is; a fault of the toolkit's own files cannot be mended here.

    A fault of the whole file, such as its size, is that of the largest attribute.
    """
    name = fault.file.rpartition("/")[2]
    text = files.get(name)
    if text is None:
        raise CascRejected(
            "reading the settings of this toolkit together with the imported ones", [fault], "Correct the file."
        )
    lines = text.splitlines()
    root = next(line for line in lines if line[:1].isalnum()).rstrip(":")
    attribute = next(
        (line for line in reversed(lines[: fault.line]) if line[:2] == "  " and line[2:3] not in {" ", "-", ""}), None
    )
    if attribute is not None:
        return root, next(iter(settings_tree.parse(f"{attribute.strip().partition(': ')[0].rstrip(':')}:"))), fault
    sizes = {key: len(dump({key: value})) for key, value in carried[root].items() if _find_file(root, key) == name}
    return root, max(sizes, key=lambda key: sizes[key]), fault


def _write_files(carried: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The text of each file: one for each root, and one with what only a plugin that the lock lacks can know."""
    files: dict[str, dict[str, Any]] = {}
    roots: dict[str, str] = {}
    for root, attributes in carried.items():
        for key, value in attributes.items():
            files.setdefault(_find_file(root, key), {})[key] = value
            roots[_find_file(root, key)] = root
    return {file: _HEAD + dump({roots[file]: chosen}) for file, chosen in files.items()}


def _find_file(root: str, attribute: str) -> str:
    if not _is_known(attribute, load_vocabulary()["roots"].get(root)):
        return f"imported-{root}-other.yaml"
    return f"{_CREDENTIALS}.yaml" if root == _CREDENTIALS else f"imported-{root}.yaml"


def _is_known(attribute: str, known: Collection[str] | None) -> bool:
    return known is not None and attribute.lower() in {name.lower() for name in known}


def _show(value: Any, path: tuple[str, ...]) -> str:
    """The value at a path in a few words, without its secrets."""
    masked = settings_tree.replace_secrets(value, path, lambda _: settings_tree.MASK)
    if isinstance(masked, list):
        return f"a list of {len(masked)}"
    if isinstance(masked, Mapping):
        return f"'{shorten(', '.join(masked))}'"
    text = str(masked).lower() if isinstance(masked, bool) else str(masked).replace("^${", "${")
    return f"'{shorten(text)[:60]}'" if masked not in ("", None) else "empty"
