"""Converts jobs to files for `jobs/`, renders them as a launch does, and compares each render with what was read.

A job is said in Job Builder's words where these render to the same job; otherwise it is kept as XML. What the toolkit refuses
to render is left out and told.
"""

from __future__ import annotations

import copy
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from bootstrap.errors import Fault, ImportFailed, JobsInvalid
from bootstrap.importing import job_words
from bootstrap.importing.cleaning import Cleaned, clean
from bootstrap.importing.comparison import describe_difference
from bootstrap.importing.findings import Item, Note, make_note
from bootstrap.importing.yaml_text import dump
from bootstrap.jenkins.definitions import elements
from bootstrap.jenkins.definitions.raw_jobs import FOLDER, RawJob
from bootstrap.jenkins.definitions.rendering import render
from bootstrap.jenkins.definitions.safe_xml import parse

YAML = "imported.yaml"
_HEAD = "# Imported; see docs/import.md of the toolkit. In a text, '{{' and '}}' stand for single braces.\n"
_LONGEST = 2000  # bytes of a full name; a system takes 4096 for a path, and the folder of the project is part of it
_VARIABLES = {"repository": "file:///repository-of-this-toolkit", "branch": "main"}


@dataclass(frozen=True)
class Outcome:
    """One job that was written: in Job Builder's words or as XML; and what publishing it would change, empty if nothing."""

    name: str
    is_xml: bool
    difference: str


@dataclass
class Converted:
    """The files by their paths below `jobs/`, the outcome of each job, what is to be told, and the rendered jobs."""

    files: dict[str, bytes] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    rendered: Mapping[str, str] = field(default_factory=dict)


def convert(items: Sequence[Item], own: Path, plugins: Mapping[str, str], project: Path | None = None) -> Converted:
    """Convert the jobs; `own` is the toolkit's `jobs/`, `plugins` are those that are known, name to version.

    The files in `project`, a project's `jobs/`, lie above those in `own`.

    No job is refused for a plugin that is not among them: the list may be unreadable, and a disabled plugin is not in it.
    `requirements` tells what the lock lacks.
    """
    return _Conversion(own, _list_plugins(items) | dict(plugins), project).convert(items)


def _list_plugins(items: Sequence[Item]) -> dict[str, str]:
    """The plugins of all elements of the jobs, with the version that an element names; '0' if none does."""
    versions: dict[str, str] = {}
    for item in items:
        root = parse(item.xml)
        for element in root.iter():
            name, _, version = element.get("plugin", "").partition("@")
            if name and version:
                versions[name] = version
        for class_name, declared in elements.list_classes(root):
            owner = elements.find_owner(class_name) or declared
            if owner is not None and owner != elements.CORE:
                versions.setdefault(owner, "0")
    return versions


class _Conversion:
    """The conversion of all jobs of one Jenkins."""

    def __init__(self, own: Path, plugins: Mapping[str, str], project: Path | None) -> None:
        self._layers = [each for each in (own, project) if each is not None and each.is_dir()]
        self._plugins = plugins
        self._notes: list[Note] = []
        self._cleaned: dict[str, Cleaned] = {}
        self._words: dict[str, job_words.Words] = {}

    def convert(self, items: Sequence[Item]) -> Converted:
        if not items:
            return Converted()
        self._take(items)
        rendered = self._render_without_faults()
        # Words that render to another job are no use: such a job is kept as XML.
        unlike = [name for name in self._words if self._compare(name, rendered)]
        for name in unlike:
            del self._words[name]
        rendered = self._render_without_faults() if unlike else rendered
        outcomes = [Outcome(name, name not in self._words, self._compare(name, rendered)) for name in self._cleaned]
        self._note_secrets()
        imported = {name: rendered[name] for name in self._cleaned}
        return Converted(self._write() if self._cleaned else {}, outcomes, self._notes, imported)

    def _take(self, items: Sequence[Item]) -> None:
        """Clean the jobs and say them in words; leave out those whose names the toolkit has itself."""
        taken = self._render()
        for item in items:
            if len(item.name.encode("utf-8", "replace")) > _LONGEST:
                why = f"its name with its folders has more than {_LONGEST} bytes"
                self._notes.append(make_note("job", item.name, why, "move it up there, read again"))
                continue
            parts = item.name.split("/")
            clash = next(
                (each for each in taken if each in {"/".join(parts[:at]) for at in range(1, len(parts) + 1)}), None
            )
            if clash is not None:
                why = f"this repository has a job '{clash}' already"
                self._notes.append(make_note("job", item.name, why, "give it another name there, and read again"))
                continue
            self._cleaned[item.name] = cleaned = clean(item.xml)
            try:
                self._words[item.name] = job_words.convert_job(item.name, cleaned.root)
            except job_words.NoWords:
                continue

    def _compare(self, name: str, rendered: Mapping[str, str]) -> str:
        return describe_difference(rendered[name], self._cleaned[name].root)

    def _render_without_faults(self) -> Mapping[str, str]:
        """Render all jobs. One with a fault loses its words; one that has none of them any more is left out."""
        while True:
            try:
                return self._render()
            except JobsInvalid as error:
                for name, fault in self._locate(error.faults).items():
                    if self._words.pop(name, None) is None:
                        del self._cleaned[name]
                        remedy = "correct it there, and read again"
                        self._notes.append(make_note("job", name, f"the toolkit refuses it: {fault.message}", remedy))

    def _render(self) -> Mapping[str, str]:
        with TemporaryDirectory(prefix="import-") as folder:
            stage = Path(folder) / "jobs"
            for layer in self._layers:
                shutil.copytree(layer, stage, dirs_exist_ok=True)
            for name, content in self._write().items():
                path = stage / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            # The scripts of a project's own Pipelines can be anywhere in its repository.
            return render(stage, _VARIABLES, self._plugins, has_scripts=False).jobs

    def _locate(self, faults: Sequence[Fault]) -> dict[str, Fault]:
        """The faults by the jobs in which they are; at least one job."""
        starts = self._list_starts()
        located: dict[str, Fault] = {}
        for fault in faults:
            file = fault.file.partition("/")[2]
            if file == YAML:
                located[next((name for line, name in reversed(starts) if line <= fault.line), starts[0][1])] = fault
            elif file.startswith(f"{FOLDER}/"):
                located[file.removeprefix(f"{FOLDER}/").removesuffix(".xml")] = fault
        known = {name: fault for name, fault in located.items() if name in self._cleaned}
        if not known and self._words:
            return dict.fromkeys(self._words, faults[0])  # a fault without its place: no words at all
        if not known:
            raise ImportFailed("rendering the imported jobs", str(faults[0]), "Correct the toolkit's own jobs/ first.")
        return known

    def _list_starts(self) -> list[tuple[int, str]]:
        """The line in the YAML file at which each job begins."""
        line, starts = 1 + _HEAD.count("\n"), []
        for name, words in self._words.items():
            starts.append((line, name))
            line += _dump_job(words).count("\n")
        return starts

    def _write(self) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        if self._words:
            files[YAML] = (_HEAD + "".join(map(_dump_job, self._words.values()))).encode()
        for name, cleaned in self._cleaned.items():
            words = self._words.get(name)
            if words is None:
                files[f"{FOLDER}/{name}.xml"] = RawJob(name, copy.deepcopy(cleaned.root), ()).output()
            else:
                files |= {path: text.encode() for path, text in words.scripts.items()}
        return files

    def _note_secrets(self) -> None:
        for name, cleaned in self._cleaned.items():
            for place in cleaned.secrets:
                remedy = "use a credential by its id there, and read again, or add it by hand"
                self._notes.append(make_note("secret", f"{name}: {place}", "it was left out of the job", remedy))
            for place in cleaned.suspicious:
                remedy = "replace it by a credential before you commit the file"
                self._notes.append(
                    make_note("secret", f"{name}: {place}", "a URL there seems to have a password", remedy)
                )


def _dump_job(words: job_words.Words) -> str:
    return dump([{"job": words.body}])
