"""Drift of jobs and plugins: edited, disabled, added or removed in the web interface.

An edit in Jenkins does not change the footer of a job, so the XML itself is compared (controller/job_xml.py, without what
Jenkins changes by itself). Only one direction is compared: what the render has must be on the server. Reported are a field with
another text, a missing entry of a list, and an additional entry of a list that a person can edit. A job whose footer names
another render is not published yet; that is no drift, and `plan` shows it.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator, Mapping

from bootstrap.acts import jobs
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, make_job_path
from bootstrap.jenkins.controller.job_xml import pair_children, parse_xml, remove_rewrites
from bootstrap.values import JobSet
from bootstrap.views.drift.values import Drifted

# Every child of these elements is an entry that a person can add or remove.
_LISTS = {"properties", "triggers", "parameterDefinitions", "builders", "publishers", "buildWrappers", "branches"}


def find_job_drift(jenkins: JenkinsClient, jobset: JobSet, tool: str) -> Iterator[Drifted]:
    """Jobs and views that are not as they were published, and jobs that the code does not have."""
    actual = jobs.read_published(jenkins)
    expected = {**jobset.jobs, **{f"view {name}": xml for name, xml in jobset.views.items()}}
    for name in sorted(expected):
        yield from _find_one_jobs_drift(jenkins, name, expected[name], actual, tool)
    for name, (render, _) in sorted(actual.items()):
        if name not in expected and render is None and not name.startswith("view "):
            yield Drifted(
                "jobs", name, "not in the code: created in Jenkins", "add it to jobs/, or delete it in Jenkins"
            )


def _find_one_jobs_drift(
    jenkins: JenkinsClient, name: str, xml: str, actual: Mapping[str, tuple[str | None, bool]], tool: str
) -> Iterator[Drifted]:
    if name not in actual:
        yield Drifted("jobs", name, "is missing: deleted in Jenkins, or not published yet", f"{tool} jobs apply")
        return
    render, is_disabled = actual[name]
    if render is None:
        yield Drifted("jobs", name, "its description was edited: the render mark is missing", f"{tool} jobs apply")
        return
    if name.startswith("view ") or render != jobs.read_digest(xml):
        return
    root = parse_xml(xml)
    if is_disabled and root is not None and root.findtext("disabled") != "true":
        yield Drifted("jobs", name, "disabled in Jenkins", f"{tool} jobs apply")
    answer = expect(ask(jenkins, "GET", f"{make_job_path(name)}config.xml"), f"reading the job {name}")
    edits = [edit for edit in list_edits(xml, answer.text) if not edit.startswith("disabled:")]
    if edits:
        yield Drifted("jobs", name, f"edited in Jenkins: {'; '.join(edits)}", f"{tool} jobs apply --again {name}")


def list_edits(expected: str, actual: str) -> list[str]:
    """The places where a job on the server differs from its render, each described in a few words."""
    both_roots = remove_rewrites(expected, actual)
    return ["it is not XML"] if both_roots is None else list(_list_differences(*both_roots, ""))


def _list_differences(expected: ElementTree.Element, actual: ElementTree.Element, path: str) -> Iterator[str]:
    if not len(expected) and (expected.text or "") != (actual.text or ""):
        place = _shorten_path(path or expected.tag)
        yield f"{place}: expected {_shorten_text(expected.text)}, actual {_shorten_text(actual.text)}"
        return
    for expected_child, actual_child in pair_children(expected, actual):
        if expected_child is not None and actual_child is not None:
            yield from _list_differences(
                expected_child, actual_child, f"{path}/{expected_child.tag}" if path else expected_child.tag
            )
        elif expected.tag in _LISTS and expected_child is not None:
            yield f"{_shorten_path(f'{path}/{expected_child.tag}')}: removed"
        elif expected.tag in _LISTS and actual_child is not None:
            yield f"{_shorten_path(f'{path}/{actual_child.tag}')}: added"


def _shorten_path(path: str) -> str:
    """The last two elements of a path, without the packages of their classes."""
    return " ".join(element.rpartition(".")[2] for element in path.split("/")[-2:])


def _shorten_text(text: str | None) -> str:
    shortened = " ".join((text or "nothing").split())
    return repr(shortened if len(shortened) <= 40 else f"{shortened[:37]}...")


def find_plugin_drift(jenkins: JenkinsClient, locked: Mapping[str, str], tool: str) -> Iterator[Drifted]:
    """Plugins that are missing, additional, or of another version than in the lock."""
    answer = ask(jenkins, "GET", "pluginManager/api/json", params={"tree": "plugins[shortName,version]"})
    listed = expect(answer, "listing the plugins").json().get("plugins", ())
    installed = {str(it["shortName"]): str(it["version"]) for it in listed}
    for name in sorted(installed.keys() | locked.keys()):
        if name not in locked:
            detail = f"{installed[name]} is not in the lock"
            remedy = "remove it in Jenkins, or lock it in jenkins.lock.yaml"
        elif name not in installed:
            detail, remedy = f"{locked[name]} is missing", f"{tool} host apply"
        elif installed[name] != locked[name]:
            detail, remedy = f"{installed[name]} is installed, the lock has {locked[name]}", f"{tool} host apply"
        else:
            continue
        yield Drifted("plugins", name, detail, remedy)
