"""The import as a whole: read the Jenkins, convert what was read, judge the result, write it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from bootstrap.importing import jobs, own_settings, plugins, requirements, settings, writing
from bootstrap.importing.findings import Note, Secret, make_visible
from bootstrap.importing.jobs import Outcome
from bootstrap.importing.plugins import Plugin
from bootstrap.importing.reading import read
from bootstrap.importing.source import Source
from bootstrap.importing.yaml_text import dump
from bootstrap.jenkins.distribution import load_lock
from bootstrap.projects import folders

_SECRETS_HEAD = """\
# Store each of these values in Secrets Manager under its name here (or another one), and add these lines to the environment
# file. The values themselves never stand in a file.
"""


@dataclass
class Imported:
    """The result: what was read, what was written, and what is to be told."""

    url: str
    version: str
    into: Path
    plugins: list[Plugin] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def differing(self) -> list[Outcome]:
        """The jobs that publishing would change."""
        return [outcome for outcome in self.outcomes if outcome.difference]


def import_jenkins(source: Source, into: Path, root: Path, project: Path | None = None) -> Imported:
    """Import a Jenkins into the new folder `into`; `root` is the toolkit's folder, `project` a project's that lies above it."""
    casc_folder, jobs_folder = (project / name if project else None for name in ("casc", "jobs"))
    writing.check_target(into)
    reading = read(source)
    lock = load_lock(folders.find("jenkins.lock.yaml"))
    imported = Imported(reading.url, reading.version, into)
    imported.plugins = plugins.read(reading.plugins, imported.notes)
    imported.notes += plugins.judge(imported.plugins, lock.plugins)
    if imported.plugins:
        imported.files["plugins.yaml"] = plugins.write(imported.plugins, lock.plugins).encode()
    if reading.export is not None:
        converted = settings.convert(reading.export, root / "casc", casc_folder)
        imported.notes += converted.notes
        imported.secrets = converted.secrets
        imported.files |= {f"casc/{name}": text.encode() for name, text in converted.files.items()}
        if converted.left:
            imported.files["not-carried.yaml"] = converted.left.encode()
        if converted.secrets:
            imported.files["secrets.yaml"] = _write_secrets(converted.secrets).encode()
    present = {plugin.name: plugin.version for plugin in imported.plugins if plugin.is_active}
    rendered = jobs.convert(reading.items, root / "jobs", present | lock.plugins, jobs_folder)
    imported.outcomes = rendered.outcomes
    imported.files |= {f"jobs/{name}": content for name, content in rendered.files.items()}
    imported.notes += rendered.notes
    files = own_settings.read_layers(root / "casc", casc_folder)
    imported.notes += requirements.judge(rendered.rendered, lock.plugins, files)
    imported.notes += reading.notes
    imported.files["report.txt"] = "".join(f"{line}\n" for line in describe(imported)).encode()
    writing.write(into, imported.files)
    return imported


def describe(imported: Imported) -> list[str]:
    """The result in lines: each job with its difference, each secret to provide, each thing that was not carried over."""
    lines = [f"read {imported.url} (Jenkins {imported.version})", ""]
    for outcome in imported.outcomes:
        form = "XML" if outcome.is_xml else "Job Builder"
        lines.append(f"job {outcome.name} ({form}): {outcome.difference or 'no difference'}")
    lines += [f"secret ${{{secret.variable}}}: to be provided, it is {secret.place}" for secret in imported.secrets]
    lines += [str(note) for note in imported.notes]
    return [make_visible(line) for line in lines]


def _write_secrets(secrets: list[Secret]) -> str:
    names = {secret.variable: {"secret": f"imported/{secret.variable.lower()}"} for secret in secrets}
    return _SECRETS_HEAD + dump({"jenkins": {"secrets": names}})
