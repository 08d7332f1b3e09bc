"""Drift of jobs and plugins: edited, disabled, added or removed in the web interface.

An edit leaves a job's footer as it is, so the XML itself is compared (controller/job_xml.py, without what Jenkins does by
itself), one-sidedly: what the render says must be on the server. Only a field whose text differs, an entry of a list that is
missing, and an entry too many where lists are a person's to edit are told. A job whose footer names another render awaits its
publication, which is the plan's to tell.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping

from bootstrap.acts import jobs
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, job_path
from bootstrap.jenkins.controller.job_xml import compared, pairs, parsed
from bootstrap.values import JobSet
from bootstrap.views.drift.values import Drifted

# Below these, every element is an entry that somebody put there.
_LISTS = {"properties", "triggers", "parameterDefinitions", "builders", "publishers", "buildWrappers", "branches"}


def of_jobs(jenkins: JenkinsClient, jobset: JobSet, tool: str) -> Iterator[Drifted]:
    """What is not as it was published, and what no code made."""
    there = jobs.look(jenkins)
    wished = {**jobset.jobs, **{f"view {name}": xml for name, xml in jobset.views.items()}}
    for name in sorted(wished):
        yield from _of_ours(jenkins, name, wished[name], there, tool)
    for name, (render, _) in sorted(there.items()):
        if name not in wished and render is None and not name.startswith("view "):
            yield Drifted(
                "jobs", name, "not in the code: created in Jenkins", "add it to jobs/, or delete it in Jenkins"
            )


def _of_ours(
    jenkins: JenkinsClient, name: str, xml: str, there: Mapping[str, tuple[str | None, bool]], tool: str
) -> Iterator[Drifted]:
    if name not in there:
        yield Drifted("jobs", name, "is missing: deleted in Jenkins, or not published yet", f"{tool} jobs apply")
        return
    render, is_disabled = there[name]
    if render is None:
        yield Drifted("jobs", name, "its description was edited: the render mark is missing", f"{tool} jobs apply")
        return
    if name.startswith("view ") or render != jobs.digest_in(xml):
        return
    root = parsed(xml)
    if is_disabled and root is not None and root.findtext("disabled") != "true":
        yield Drifted("jobs", name, "disabled in Jenkins", f"{tool} jobs apply")
    answer = expect(ask(jenkins, "GET", f"{job_path(name)}config.xml"), f"reading the job {name}")
    edits = [edit for edit in edited(xml, answer.text) if not edit.startswith("disabled:")]
    if edits:
        yield Drifted("jobs", name, f"edited in Jenkins: {'; '.join(edits)}", f"{tool} jobs apply --again {name}")


def edited(wished: str, there: str) -> list[str]:
    """The places where a job on the server is not what its render says, each in a few words."""
    found = compared(wished, there)
    return ["it is no XML"] if found is None else list(_differences(*found, ""))


def _differences(ours: ElementTree.Element, theirs: ElementTree.Element, path: str) -> Iterator[str]:
    if not len(ours) and (ours.text or "") != (theirs.text or ""):
        yield f"{_place(path or ours.tag)}: expected {_short(ours.text)}, actual {_short(theirs.text)}"
        return
    for child, other in pairs(ours, theirs):
        if child is not None and other is not None:
            yield from _differences(child, other, f"{path}/{child.tag}" if path else child.tag)
        elif ours.tag in _LISTS and child is not None:
            yield f"{_place(f'{path}/{child.tag}')}: removed"
        elif ours.tag in _LISTS and other is not None:
            yield f"{_place(f'{path}/{other.tag}')}: added"


def _place(path: str) -> str:
    """The last two elements on the way to a place, without the packages of their classes."""
    return " ".join(element.rpartition(".")[2] for element in path.split("/")[-2:])


def _short(text: str | None) -> str:
    found = " ".join((text or "nothing").split())
    return repr(found if len(found) <= 40 else f"{found[:37]}...")


def of_plugins(jenkins: JenkinsClient, locked: Mapping[str, str], tool: str) -> Iterator[Drifted]:
    """Plugins that are not those of the lock."""
    answer = ask(jenkins, "GET", "pluginManager/api/json", params={"tree": "plugins[shortName,version]"})
    listed = expect(answer, "listing the plugins").json().get("plugins", ())
    there = {str(it["shortName"]): str(it["version"]) for it in listed}
    for name in sorted(there.keys() | locked.keys()):
        if name not in locked:
            found, remedy = f"{there[name]} is not in the lock", "remove it in Jenkins, or lock it in jenkins.lock.yaml"
        elif name not in there:
            found, remedy = f"{locked[name]} is missing", f"{tool} host apply"
        elif there[name] != locked[name]:
            found, remedy = f"{there[name]} is installed, the lock has {locked[name]}", f"{tool} host apply"
        else:
            continue
        yield Drifted("plugins", name, found, remedy)
