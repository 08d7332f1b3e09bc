"""Reads everything that is imported, before anything is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bootstrap.errors import ImportFailed
from bootstrap.importing.findings import Item, Note, explain_unusable_name, make_note, shorten
from bootstrap.importing.source import Answer, Source
from bootstrap.jenkins.controller.api import make_job_path
from bootstrap.jenkins.definitions.safe_xml import UnsafeXml, parse

FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
_DEEPEST = 20  # folders inside of each other
_MOST = 20_000  # jobs
MOST_ELEMENTS = 1_000_000  # of all jobs together, which are in memory at the same time
_COMPUTED = ("jenkins.branch.OrganizationFolder", "WorkflowMultiBranchProject")
_PLUGIN_FIELDS = "shortName,version,active,enabled,pinned,dependencies[shortName,optional]"


@dataclass
class Reading:
    """What was read. `plugins` are the entries of the API, `export` the settings as YAML, None if they cannot be read."""

    url: str
    version: str
    plugins: list[dict[str, Any]] = field(default_factory=list)
    export: str | None = None
    items: list[Item] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def read(source: Source) -> Reading:
    """Read the Jenkins; Unreachable or ImportFailed if it does not answer, or stops to do so.

    One thing that cannot be read is a note, and the rest is read.
    """
    greeting = source.get("api/json", "mode")
    version = greeting.headers.get("X-Jenkins", "")
    if greeting.status != 200 or not version:
        remedy = "Check the URL, the user and the API token."
        fault = (
            greeting.refusal if greeting.status != 200 else "the answer has no header X-Jenkins: this is not a Jenkins"
        )
        raise ImportFailed(f"asking {source.url} what it is", fault, remedy)
    reading = Reading(source.url, shorten(version))
    reading.plugins = _read_plugins(source, reading.notes)
    reading.export = _read_settings(source, reading.notes)
    elements = 0
    for item in _walk(source, "", reading.notes):
        reading.items.append(item)
        elements += sum(1 for _ in parse(item.xml).iter())
        if elements > MOST_ELEMENTS:
            fault = f"the jobs have more than {MOST_ELEMENTS} elements of XML together"
            raise ImportFailed(f"reading the jobs of {source.url}", fault, "Import them by hand.")
        if len(reading.items) > _MOST:
            raise ImportFailed(
                f"listing the jobs of {source.url}", f"there are more than {_MOST}", "Import them by hand."
            )
    reading.notes += _list_agents(source)
    reading.notes += _make_general_notes(len(reading.items))
    return reading


def _read_plugins(source: Source, notes: list[Note]) -> list[dict[str, Any]]:
    try:
        listed = source.get_json("pluginManager/api/json", f"plugins[{_PLUGIN_FIELDS}]")
    except ImportFailed as error:
        remedy = "read again with an API token of an administrator"
        notes.append(make_note("plugins", "", f"they cannot be read: {error.found}", remedy))
        return []
    return _list_entries(listed, "plugins")


def _read_settings(source: Source, notes: list[Note]) -> str | None:
    remedy = "install the plugin there and read again with an administrator's token, or write casc/ by hand"
    try:
        answer = source.export_settings()
    except ImportFailed as error:
        notes.append(make_note("settings", "", f"they cannot be exported: {error.found}", "read again"))
        return None
    if answer.status == 200:
        try:
            return answer.body.decode()
        except UnicodeDecodeError:
            why = "the export is not UTF-8"
    else:
        why = "it has no plugin configuration-as-code" if answer.status == 404 else answer.refusal
    notes.append(make_note("settings", "", f"they cannot be exported: {why}", remedy))
    return None


def _walk(source: Source, folder: str, notes: list[Note], depth: int = 1) -> Iterator[Item]:
    """The jobs and folders in a folder, each folder before what it holds."""
    try:
        listed = source.get_json(f"{make_job_path(folder) if folder else ''}api/json", "jobs[name],views[name]")
    except ImportFailed as error:
        remedy = "read again with a token of a user who may read it"
        kind, whose = ("folder", "its") if folder else ("jobs", "the")
        notes.append(make_note(kind, folder, f"{whose} jobs cannot be listed: {error.found}", remedy))
        return
    _note_views(listed, folder, notes)
    for each in _list_entries(listed, "jobs")[:_MOST]:
        name = f"{folder}/{each.get('name')}" if folder else str(each.get("name"))
        reason = explain_unusable_name(each.get("name"))
        if reason:
            why = f"its name cannot be that of a file: {reason}"
            notes.append(make_note("job", name, why, "rename it there, read again"))
            continue
        item = _read_item(source, name, notes, is_folder=str(each.get("_class", "")) == FOLDER)
        if item is None:
            continue
        yield item
        is_folder = parse(item.xml).tag == FOLDER
        if is_folder and depth >= _DEEPEST:
            why = f"its jobs are not read: folders are nested more than {_DEEPEST} deep"
            notes.append(make_note("folder", name, why, "move it up there, read again"))
        elif is_folder:
            yield from _walk(source, name, notes, depth + 1)


def _list_entries(listed: Any, key: str) -> list[dict[str, Any]]:
    """The objects in a list of an answer; whatever is something else is left out."""
    entries = listed.get(key) if isinstance(listed, dict) else None
    return [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []


def _read_item(source: Source, name: str, notes: list[Note], *, is_folder: bool) -> Item | None:
    try:
        answer = source.get(f"{make_job_path(name)}config.xml")
        why, remedy = _explain_unreadable(answer)
    except ImportFailed as error:
        why, remedy = f"its configuration cannot be read: {error.found}", "look at it in the imported Jenkins"
    if why:
        kind, more = ("folder", ", so nothing inside of it was read") if is_folder else ("job", "")
        notes.append(make_note(kind, name, f"{why}{more}", remedy))
        return None
    text = answer.body.decode()
    if parse(text).tag.endswith(_COMPUTED):
        remedy = "nothing to do: a scan of the repositories makes them again"
        notes.append(make_note("job", name, "the jobs of its branches are not carried over", remedy))
    return Item(name, text)


def _explain_unreadable(answer: Answer) -> tuple[str, str]:
    """Why a config.xml cannot be used, and what to do; empty if it can."""
    if answer.status != 200:
        remedy = "read again with a token of a user who has Job/Configure or Job/ExtendedRead"
        return f"its configuration cannot be read: {answer.refusal}", remedy
    try:
        parse(answer.body.decode())
    except UnicodeDecodeError:
        return "its configuration is not UTF-8", "save it again in the imported Jenkins, then import again"
    except UnsafeXml as error:
        return (
            f"its configuration cannot be read: line {error.line}: {error}",
            "correct it in the imported Jenkins, then import again",
        )
    return "", ""


def _note_views(listed: Any, folder: str, notes: list[Note]) -> None:
    """Tell the views of a folder but the one that every folder has; those of the root stand in the settings, too."""
    for view in _list_entries(listed, "views"):
        name = str(view.get("name", ""))
        if name.lower() not in {"", "all"}:
            in_root = "its lines are in not-carried.yaml: add them to casc/views.yaml"
            remedy = "nothing to do: it stays in the XML of the folder" if folder else in_root
            shown = f"{folder}/{name}" if folder else name
            notes.append(make_note("view", shown, "views are not written as code of their own", remedy))


def _list_agents(source: Source) -> Iterator[Note]:
    try:
        listed = source.get_json("computer/api/json", "computer[displayName]")
    except ImportFailed as error:
        yield make_note("agents", "", f"they cannot be listed: {error.found}", "look at them there")
        return
    for each in _list_entries(listed, "computer"):
        name = str(each.get("displayName", ""))
        if name and not str(each.get("_class", "")).endswith("$MasterComputer"):
            remedy = "add it to 'jenkins.nodes' in casc/controller.yaml and connect it with its new secret"
            yield make_note("agent", name, "its secret is that of the other Jenkins", remedy)


def _make_general_notes(jobs: int) -> Iterator[Note]:
    """What no API hands out, or what must not leave that Jenkins."""
    remedies = {
        "build history": (
            f"builds, artifacts and build numbers of {jobs} jobs and folders are data, not code",
            "keep the old Jenkins to read them, or copy its JENKINS_HOME/jobs",
        ),
        "credentials": (
            "the secrets of credentials are encrypted with a key of that Jenkins",
            "store each again, as secrets.yaml names them; credentials in folders by hand",
        ),
        "API tokens": ("Jenkins keeps only their hashes", "each user makes a new one"),
        "files": (
            "no API lists init.groovy.d, userContent and other files of JENKINS_HOME",
            "look into it, and move what is needed to casc/ or jobs/",
        ),
    }
    for kind, (why, remedy) in remedies.items():
        yield make_note(kind, "", why, remedy)
