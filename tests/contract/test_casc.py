"""Configuration as Code: strict checking, export, secrets."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from bootstrap.acts import casc
from bootstrap.values import Result
from tests.contract import foreign

CHECK = "configuration-as-code/check"


def signed_in(server: Any) -> requests.Session:
    """A session of the administrator with a crumb."""
    session = requests.Session()
    session.auth = ("admin", "admin-password")
    crumb = session.get(f"{server.url}/crumbIssuer/api/json").json()
    session.headers[crumb["crumbRequestField"]] = crumb["crumb"]
    return session


class EmptyMachine:
    """A machine on which no file of the settings lies yet."""

    def run(self, command: Any, **_: object) -> Result:
        return Result("look", 1 if command[0] == "cat" else 0, "", "")


def test_clean_text_has_no_faults(server: Any) -> None:
    response = server.post(CHECK, data='jenkins:\n  systemMessage: "x"\n')
    assert (response.status_code, response.json()) == (200, [])


def test_the_set_up_file_for_another_jenkins_has_no_faults(server: Any) -> None:
    response = server.post(CHECK, data=foreign.render(server.url))
    assert (response.status_code, response.json()) == (200, [])


def fault(server: Any, text: str) -> str:
    """The one fault that a check tells; its line is never known."""
    response = server.post(CHECK, data=text)
    assert (response.status_code, response.headers["Content-Type"].split(";")[0]) == (400, "application/json")
    (issue,) = response.json()
    assert issue["line"] == -1
    return str(issue["message"])


def test_unknown_attribute_is_named(server: Any) -> None:
    message = fault(server, "jenkins:\n  systemMessage: x\n  noSuchThing: 1\nnope: 1\n")
    start = "jenkins: Invalid configuration elements for type: class jenkins.model.Jenkins : noSuchThing."
    assert message.startswith(f"{start}\nAvailable attributes : ")
    assert "systemMessage" in message


def test_unknown_root_element_is_refused(server: Any) -> None:
    message = fault(server, "nonsense:\n  a: 1\n")
    assert message.startswith("No configurator found for the following root element: nonsense.")


def test_place_of_a_fault_is_where_the_value_of_the_outermost_attribute_begins(server: Any) -> None:
    text = "jenkins:\n  securityRealm:\n\n    local:\n      users: [{id: a, password: [1]}]\n"
    message = fault(server, text)
    assert "Item isn't a Scalar /configuration-as-code/check:5" in message
    assert message.endswith("\n  at /configuration-as-code/check:4 (path: securityRealm)")
    assert "Failed to configure 'users'" in message


def test_cause_is_never_in_the_answer(server: Any) -> None:
    message = fault(server, "jenkins:\n  mode: SOMETIMES\n")
    assert message.endswith("Failed to set attribute 'mode'\n  at /configuration-as-code/check:2 (path: mode)")
    assert "SOMETIMES" not in message


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_nothing_is_no_fault(server: Any, text: str) -> None:
    assert server.post(CHECK, data=text).json() == []


@pytest.mark.parametrize("text", ["---\n", "~\n"])
def test_null_is_no_mapping(server: Any, text: str) -> None:
    fault(server, text)


def test_fault_of_yaml_names_source_line_and_column(server: Any) -> None:
    message = fault(server, "jenkins:\n  mode: [x\n")
    assert re.search(r"\n in /configuration-as-code/check, line 3, column 1", message)


def test_apply_of_a_wrong_text_is_500_with_nothing_but_an_id(server: Any) -> None:
    response = server.post("configuration-as-code/apply", data="jenkins:\n  noSuchThing: 1\n")
    assert response.status_code == 500
    assert re.search(r"Logging ID=[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", response.text)
    assert "noSuchThing" not in response.text


def test_configure_answers_as_check_does(server: Any) -> None:
    empty = server.post("configuration-as-code/configure")
    assert (empty.status_code, empty.json()) == (400, [{"line": -1, "message": "Request body cannot be empty."}])
    wrong = server.post("configuration-as-code/configure", data="jenkins:\n  noSuchThing: 1\n")
    assert wrong.status_code == 400
    assert wrong.json()[0]["line"] == -1


def test_without_a_crumb_the_web_server_answers_itself(server: Any) -> None:
    session = requests.Session()
    session.auth = (server.user, server.password)
    response = session.post(f"{server.url}/{CHECK}", data="")
    assert response.status_code == 403
    assert response.headers["Content-Type"] == "text/html;charset=iso-8859-1"
    assert "X-Jenkins" not in response.headers
    assert "<tr><th>MESSAGE:</th><td>No valid crumb was included in the request</td></tr>" in response.text


def test_without_the_right_the_answer_is_plain(server: Any) -> None:
    session = requests.Session()
    session.auth = ("reader", "reader-password")
    crumb = session.get(f"{server.url}/crumbIssuer/api/json").json()
    response = session.post(f"{server.url}/{CHECK}", data="", headers={crumb["crumbRequestField"]: crumb["crumb"]})
    assert response.status_code == 403
    assert "X-Required-Permission" not in response.headers
    anonymous = server.anonymous.get(f"{server.url}/configuration-as-code/")
    assert (anonymous.status_code, "Authentication required" in anonymous.text) == (403, True)


def test_removed_crumb_attribute_is_refused(server: Any) -> None:
    text = "jenkins:\n  crumbIssuer:\n    standard:\n      excludeClientIPFromCrumb: true\n"
    assert "excludeClientIPFromCrumb" in fault(server, text)


def test_unknown_permission_is_refused(server: Any) -> None:
    entry = "{name: a, permissions: [Job/Fly]}"
    text = f"jenkins:\n  authorizationStrategy:\n    globalMatrix:\n      entries:\n        - user: {entry}\n"
    assert server.post(CHECK, data=text).status_code == 400


PARTS = """
jenkins:
  securityRealm:
    local:
      users:
        - {id: guest-of-check, name: Guest, password: "guest-password"}
  log:
    recorders:
      - name: made-by-check
        loggers: [{name: org.example, level: FINE}]
  proxy: {name: proxy.example.org, port: 3128}
  systemMessage: not applied
"""


def may_enter(server: Any, password: str) -> bool:
    answer = requests.get(f"{server.url}/whoAmI/api/json", auth=("guest-of-check", password))
    return answer.status_code == 200


def test_a_check_makes_accounts_and_changes_their_passwords(server: Any) -> None:
    accounts = PARTS.partition("  log:")[0] + "  systemMessage: not applied\n"
    assert (server.post(CHECK, data=accounts).status_code, may_enter(server, "guest-password")) == (200, True)

    changed = accounts.replace("guest-password", "another-password")
    assert server.post(CHECK, data=changed).json() == []
    assert [may_enter(server, it) for it in ("guest-password", "another-password")] == [False, True]
    assert "not applied" not in server.get("api/json").text


@pytest.mark.own_process
def test_a_check_writes_log_recorders_and_the_proxy(fresh: Any) -> None:
    fresh.start()
    session = signed_in(fresh)
    before = {path.name for path in fresh.home.rglob("*.xml")}
    assert session.post(f"{fresh.url}/{CHECK}", data=PARTS).json() == []

    assert not {"made-by-check.xml", "proxy.xml"} & before
    recorder = (fresh.home / "log" / "made-by-check.xml").read_text()
    assert "<name>org.example</name>" in recorder and "<level>500</level>" in recorder
    assert "<port>3128</port>" in (fresh.home / "proxy.xml").read_text()


@pytest.mark.own_process
def test_a_plan_of_settings_leaves_jenkins_as_it_is(fresh: Any) -> None:
    fresh.start()
    session = signed_in(fresh)
    client = SimpleNamespace(
        server=f"{fresh.url}/",
        jenkins_request=lambda request, add_crumb: session.send(session.prepare_request(request)),
    )
    kept = {path: path.read_bytes() for path in fresh.home.rglob("*") if path.is_file()}
    files = {"parts.yaml": PARTS, "accounts.yaml": PARTS.partition("  log:")[0]}

    changes = casc.plan(EmptyMachine(), client, files, {}, SimpleNamespace(notice=print))

    assert [change.name for change in changes] == ["accounts.yaml", "parts.yaml"]
    assert kept == {path: path.read_bytes() for path in fresh.home.rglob("*") if path.is_file()}
    assert not may_enter(fresh, "guest-password")
    # Sent as it is, the same file is not without effect.
    session.post(f"{fresh.url}/{CHECK}", data=PARTS)
    assert may_enter(fresh, "guest-password")


@pytest.mark.parametrize("text", ["jenkins: [", "jenkins:\n\t- x\n", "- a\n"])
def test_text_that_is_no_yaml_mapping_is_refused(server: Any, text: str) -> None:
    assert server.post(CHECK, data=text).status_code == 400


def test_get_on_check_is_405(server: Any) -> None:
    response = server.get(CHECK)
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_export_is_yaml_with_sealed_secrets(server: Any) -> None:
    response = server.post("configuration-as-code/export")
    assert response.status_code == 200
    assert "jenkins:" in response.text
    assert server.password not in response.text


def test_export_holds_what_is_configured_and_no_plain_secret(server: Any) -> None:
    text = server.post("configuration-as-code/export").text
    assert 'systemMessage: "contract"' in text
    assert "token-s3cr3t" not in text
    assert "{AQAA" in text
