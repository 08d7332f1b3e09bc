"""What the recorded answers do not show: what the objects of the REST interface do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

XML = {"Content-Type": "application/xml"}
ORGANIZATION = "jenkins.branch.OrganizationFolder"
BRANCHES = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
BINDING = (
    "<buildWrappers><org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper><bindings>"
    "<org.jenkinsci.plugins.credentialsbinding.impl.StringBinding><credentialsId>own</credentialsId><variable>SECRET</variable>"
    "</org.jenkinsci.plugins.credentialsbinding.impl.StringBinding></bindings>"
    "</org.jenkinsci.plugins.credentialsbinding.impl.SecretBuildWrapper></buildWrappers>"
)
CREDENTIAL = (
    "<org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl><scope>GLOBAL</scope><id>own</id>"
    "<secret>of-the-folder</secret></org.jenkinsci.plugins.plaincredentials.impl.StringCredentialsImpl>"
)


@pytest.fixture
def folder(server: Any, name: str) -> str:
    """The path of a new folder."""
    server.create("", name, "<com.cloudbees.hudson.plugins.folder.Folder/>")
    return f"job/{name}/"


@pytest.fixture
def agent(server: Any, name: str) -> Iterator[str]:
    """The path of a new agent, which is not connected."""
    settings = {"remoteFS": "/tmp/agent", "numExecutors": 1, "labelString": "l1", "launcher": {"stapler-class": ""}}
    form = {"name": name, "type": "hudson.slaves.DumbSlave", "json": json.dumps(settings)}
    assert 302 == server.post("computer/doCreateItem", data=form).status_code
    yield f"computer/{name}/"
    server.post(f"computer/{name}/doDelete")


def test_an_agent_that_is_marked_as_offline_says_who_marked_it(server: Any, agent: str) -> None:
    server.post(f"{agent}toggleOffline", data={"offlineMessage": "repairs"})
    marked = server.get(f"{agent}api/json").json()
    server.post(f"{agent}toggleOffline")

    assert (True, "repairs") == (marked["temporarilyOffline"], marked["offlineCauseReason"])
    assert server.get(f"{agent}api/json").json()["temporarilyOffline"] is False


def test_a_deleted_agent_is_gone(server: Any, agent: str) -> None:
    assert 302 == server.post(f"{agent}doDelete").status_code

    assert 404 == server.get(f"{agent}api/json").status_code


@pytest.mark.own_process
def test_no_build_begins_on_a_node_that_is_marked_as_offline(server: Any, name: str, freestyle: Any) -> None:
    server.create("", name, freestyle("true"))
    server.post("computer/(built-in)/toggleOffline")
    try:
        item = server.client.build_job(name)
        why = server.until(lambda: server.client.get_queue_item(item).get("why"))
    finally:
        server.post("computer/(built-in)/toggleOffline")

    assert "offline" in why
    server.until(lambda: server.client.get_job_info(name)["lastCompletedBuild"])


@pytest.mark.only_read
def test_a_credential_of_a_folder_is_for_the_jobs_in_it_alone(
    server: Any, folder: str, name: str, freestyle: Any
) -> None:
    path = f"{folder}credentials/store/folder/domain/_/createCredentials"
    assert 200 == server.post(path, data=CREDENTIAL, headers=XML).status_code
    job = freestyle('test "$SECRET" = of-the-folder', BINDING)
    server.create(folder, "inside", job)
    server.create("", f"{name}-outside", job)

    results = [server.run(f"{name}/inside")[0]["result"], server.run(f"{name}-outside")[0]["result"]]
    server.client.delete_job(f"{name}-outside")

    assert ["SUCCESS", "FAILURE"] == results


@pytest.mark.only_read
def test_a_moved_job_keeps_its_builds(server: Any, folder: str, name: str, freestyle: Any) -> None:
    server.create("", f"{name}-moved", freestyle("true"))
    server.run(f"{name}-moved")

    answer = server.post(f"job/{name}-moved/move/move", data={"destination": f"/{name}"})

    assert f"/{folder}job/{name}-moved/" == answer.headers["Location"]
    assert 1 == server.get(f"{folder}job/{name}-moved/api/json").json()["lastBuild"]["number"]


@pytest.mark.only_read
def test_a_project_of_many_branches_takes_no_items(server: Any, name: str) -> None:
    assert 200 == server.create("", name, f"<{BRANCHES}/>").status_code

    assert BRANCHES == server.get(f"job/{name}/api/json").json()["_class"]
    assert 404 == server.create(f"job/{name}/", "x", "<project/>").status_code


@pytest.mark.only_read
def test_an_organization_folder_is_written_with_its_defaults_and_needs_its_lists(server: Any, name: str) -> None:
    lists = "<navigators/><projectFactories/>"

    assert 500 == server.create("", name, f"<{ORGANIZATION}/>").status_code
    assert 200 == server.create("", name, f"<{ORGANIZATION}>{lists}</{ORGANIZATION}>").status_code

    text = server.get(f"job/{name}/config.xml").text
    assert "<interval>86400000</interval>" in text
    assert f'<folderViews class="{ORGANIZATION}ViewHolder">' in text
    assert ORGANIZATION == server.get(f"job/{name}/api/json").json()["_class"]


@pytest.mark.own_process
@pytest.mark.parametrize(
    ("kind", "xml"),
    [
        ("a matrix", "<matrix-project><builders/><publishers/><buildWrappers/></matrix-project>"),
        ("branches", f"<{BRANCHES}/>"),
        ("an organization", f"<{ORGANIZATION}><navigators/><projectFactories/></{ORGANIZATION}>"),
    ],
)
def test_what_is_kept_and_not_built_is_refused_in_the_emulators_name(
    server: Any, name: str, kind: str, xml: str
) -> None:
    server.create("", name, xml)

    answer = server.post(f"job/{name}/build")

    assert (501, True) == (answer.status_code, "the emulator keeps" in answer.text)


@pytest.mark.parametrize("path", ["securityRealm/user/admin/api/json", "user/admin/api/json", "securityRealm/"])
def test_anonymous_users_read_no_accounts(server: Any, path: str) -> None:
    assert 403 == server.anonymous.get(f"{server.url}/{path}", timeout=30).status_code
