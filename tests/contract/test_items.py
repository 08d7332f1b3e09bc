"""Making and changing items, and every way it is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

# Views have other requests, and folders their views, of which the emulator has none unless they are made.
RECORDED = [
    case
    for case in yaml.safe_load((Path(__file__).parents[1] / "cases" / "job_xml.yaml").read_text())
    if case["sent"].startswith(("<project", "<flow-definition"))
]
PROJECT = "<project><description>first</description></project>"


def plain(xml: str) -> str:
    """A definition without the versions of plugins."""
    return re.sub(r' plugin="[^"]*"', "", xml)


def test_new_job_answers_200_and_is_there(server: Any, name: str) -> None:
    response = server.create("", name, PROJECT)
    assert (response.status_code, response.text) == (200, "")
    assert server.client.get_job_info(name)["color"] == "notbuilt"


def test_name_that_differs_in_case_alone_is_taken(server: Any, name: str) -> None:
    server.create("", name, PROJECT)
    response = server.create("", name.upper(), PROJECT)
    assert response.status_code == 400
    assert "already exists" in response.headers["X-Error"]


@pytest.mark.parametrize("bad", ["a?b", "a*b", "a/b", "a%b", "a#b", "a<b", "a:b", "..", ".", "ends.", "a\x07b", ""])
def test_bad_name_is_refused(server: Any, bad: str) -> None:
    assert server.create("", bad, PROJECT).status_code == 400


def test_missing_content_type_is_refused(server: Any, name: str) -> None:
    assert server.post("createItem", params={"name": name}, data=PROJECT.encode()).status_code == 400


@pytest.mark.parametrize("xml", ["<project>", "not xml", "<nobody.knows.This/>"])
def test_bad_definition_is_refused_and_nothing_is_kept(server: Any, name: str, xml: str) -> None:
    assert server.create("", name, xml).status_code == 500
    assert not server.client.job_exists(name)


def test_missing_parent_is_404(server: Any) -> None:
    assert server.create("job/contract-no-such-folder/", "x", PROJECT).status_code == 404


@pytest.mark.parametrize("case", RECORDED, ids=lambda case: case["case"])
def test_definition_comes_back_as_the_recorded_one(server: Any, name: str, case: dict[str, Any]) -> None:
    assert server.create("", name, case["sent"]).status_code == 200
    assert plain(server.client.get_job_config(name)) == plain(case["kept"].rstrip("\n"))


def test_elements_of_an_absent_plugin_are_dropped_wherever_they_stand(server: Any, name: str) -> None:
    steps = (
        "<hudson.tasks.Shell><command>true</command></hudson.tasks.Shell><no.such.Step plugin='no-such@1'/><NoSuch/>"
    )
    xml = (
        f"<project><scm class='no.such.Scm'/><builders>{steps}</builders><publishers><no.Such/></publishers></project>"
    )
    assert server.create("", name, xml).status_code == 200
    text = server.client.get_job_config(name)
    assert "no" not in {part.split(".")[0].lower() for part in re.findall(r"<([\w.]+)", text)}
    assert "NoSuch" not in text
    assert "<publishers/>" in text
    assert '<scm class="hudson.scm.NullSCM"/>' in text
    assert "<command>true</command>" in text


def test_replaced_definition_loses_the_same(server: Any, name: str) -> None:
    server.create("", name, PROJECT)
    xml = "<project><publishers><no.Such><x>1</x></no.Such></publishers></project>"
    assert server.post(f"job/{name}/config.xml", data=xml.encode()).status_code == 200
    assert "<publishers/>" in server.client.get_job_config(name)


def test_fields_that_git_has_no_more_are_dropped_and_defaults_are_added(server: Any, name: str) -> None:
    former = "<disableSubmodules>false</disableSubmodules><recursiveSubmodules>false</recursiveSubmodules>"
    former += "<remotePoll>false</remotePoll><reference/><gitConfigName/><gitConfigEmail/>"
    git = f'<scm class="hudson.plugins.git.GitSCM"><configVersion>2</configVersion>{former}<extensions/></scm>'
    rotation = '<strategy class="hudson.tasks.LogRotator"><numToKeep>3</numToKeep></strategy>'
    own = "org.jenkinsci.plugins.workflow.job.properties.DisableConcurrentBuildsJobProperty"
    discarder = f"<jenkins.model.BuildDiscarderProperty>{rotation}</jenkins.model.BuildDiscarderProperty>"
    definition = f'<definition class="org.jenkinsci.plugins.workflow.cps.CpsScmFlowDefinition">{git}</definition>'
    server.create(
        "", name, f"<flow-definition>{definition}<properties><{own}/>{discarder}</properties></flow-definition>"
    )
    text = server.client.get_job_config(name)
    assert not re.findall("Submodules>|remotePoll|reference|gitConfig", text)
    assert "<removeLastBuild>false</removeLastBuild>" in text
    assert "<abortPrevious>false</abortPrevious>" in text
    assert re.search(r'<scm class="hudson.plugins.git.GitSCM" plugin="git@[^"]+">', text)


def test_declarative_build_is_noted_in_the_definition(server: Any, name: str, pipeline: Callable[[str], str]) -> None:
    script = "pipeline { agent none\n stages { stage('One') { steps { echo 'x' } } } }"
    server.create("", name, pipeline(script))
    assert "<actions" not in server.client.get_job_config(name)
    server.run(name)
    text = server.client.get_job_config(name)
    kind = "org.jenkinsci.plugins.pipeline.modeldefinition.actions.DeclarativeJob"
    assert f"<{kind}Action " in text
    assert f"<{kind}PropertyTrackerAction " in text
    assert text.index("<actions>") < text.index("<keepDependencies>")


def test_definition_is_kept_in_meaning_but_not_in_bytes(server: Any, name: str) -> None:
    server.create("", name, PROJECT)
    text = server.client.get_job_config(name)
    assert text != PROJECT
    assert text.startswith('<?xml version="1.1" encoding="UTF-8"?>')
    assert "<description>first</description>" in text
    assert not text.endswith("\n")


def test_type_of_an_item_cannot_change(server: Any, name: str, pipeline: Callable[[str], str]) -> None:
    server.create("", name, PROJECT)
    assert server.post(f"job/{name}/config.xml", data=pipeline("echo 1").encode()).status_code == 500


def test_nested_folders_have_nested_urls(server: Any, name: str) -> None:
    server.client.create_folder(name)
    server.client.create_folder(f"{name}/inner")
    server.client.create_job(f"{name}/inner/job", PROJECT)
    info = server.client.get_job_info(f"{name}/inner/job")
    assert info["fullName"] == f"{name}/inner/job"
    assert info["url"] == f"{server.url}/job/{name}/job/inner/job/job/"
    assert f"{name}/inner/job" in {job["fullname"] for job in server.client.get_all_jobs()}


def test_copy_cannot_be_built_until_it_is_saved(server: Any, name: str) -> None:
    server.client.create_folder(name)
    server.client.create_job(f"{name}/one", PROJECT)
    answer = server.post(f"job/{name}/createItem", params={"name": "two", "mode": "copy", "from": "one"})
    assert (answer.status_code, answer.headers["Location"].endswith("/job/two/configure")) == (302, True)
    assert server.post(f"job/{name}/job/two/build").status_code == 409
    server.post(f"job/{name}/job/two/disable")
    server.post(f"job/{name}/job/two/enable")
    assert server.post(f"job/{name}/job/two/build").status_code == 201


def test_disabled_job_shows_it_and_refuses_builds(server: Any, name: str) -> None:
    server.create("", name, PROJECT)
    server.client.disable_job(name)
    assert server.client.get_job_info(name)["color"] == "disabled"
    assert server.post(f"job/{name}/build").status_code == 409
    server.client.enable_job(name)
    assert server.client.get_job_info(name)["buildable"] is True


def test_rename_moves_the_job(server: Any, name: str) -> None:
    server.client.create_folder(name)
    server.client.create_job(f"{name}/old", PROJECT)
    server.client.rename_job(f"{name}/old", f"{name}/new")
    assert server.client.job_exists(f"{name}/new")
    assert not server.client.job_exists(f"{name}/old")


def test_rename_to_a_used_or_equal_name_is_refused(server: Any, name: str) -> None:
    server.client.create_folder(name)
    server.client.create_job(f"{name}/a", PROJECT)
    server.client.create_job(f"{name}/b", PROJECT)
    statuses = [
        server.post(f"job/{name}/job/a/confirmRename", params={"newName": new}).status_code for new in ("a", "b")
    ]
    assert statuses == [400, 400]


def test_deleted_job_is_gone(server: Any, name: str) -> None:
    server.create("", name, PROJECT)
    assert server.post(f"job/{name}/doDelete").status_code == 302
    assert server.get(f"job/{name}/api/json").status_code == 404


def test_list_view_shows_what_its_pattern_matches(server: Any, name: str) -> None:
    server.create("", name, PROJECT)
    xml = f"<hudson.model.ListView><includeRegex>{name}</includeRegex></hudson.model.ListView>"
    server.client.create_view(name, xml)
    try:
        jobs = server.get(f"view/{name}/api/json", params={"tree": "jobs[name]"}).json()["jobs"]
        assert [job["name"] for job in jobs] == [name]
        assert (
            server.post("createView", params={"name": name}, data=xml, headers={"Content-Type": "text/xml"}).status_code
            == 400
        )
    finally:
        server.client.delete_view(name)


def test_tree_selects_and_ranges(server: Any, name: str) -> None:
    server.client.create_folder(name)
    for child in "abc":
        server.client.create_job(f"{name}/{child}", PROJECT)
    answer = server.get(f"job/{name}/api/json", params={"tree": "name,jobs[name]{1,2},nonsense"}).json()
    assert answer["name"] == name
    assert [job["name"] for job in answer["jobs"]] == ["b"]
    assert "nonsense" not in answer


def test_malformed_tree_is_500(server: Any) -> None:
    assert server.get("api/json", params={"tree": "jobs[name"}).status_code == 500


def test_xml_and_python_say_the_same_as_json(server: Any, name: str) -> None:
    import ast

    server.create("", name, PROJECT)
    as_json = server.get(f"job/{name}/api/json").json()
    as_python = ast.literal_eval(server.get(f"job/{name}/api/python").text)
    found = server.get(f"job/{name}/api/xml", params={"xpath": "/*/name"})
    assert as_python["fullName"] == as_json["fullName"]
    assert found.text == f"<name>{name}</name>"
    assert server.get(f"job/{name}/api/xml", params={"xpath": "/*/nothing"}).status_code == 404


def test_plugins_are_listed_with_versions(server: Any) -> None:
    plugins = {plugin["shortName"]: plugin["version"] for plugin in server.client.get_plugins_info()}
    assert plugins["workflow-job"]
    assert plugins["configuration-as-code"]


def test_built_in_node_is_listed(server: Any) -> None:
    assert server.client.get_node_info("(master)")["displayName"] == "Built-In Node"
