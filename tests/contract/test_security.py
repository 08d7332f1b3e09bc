"""Who may do what, and how it is refused."""

from __future__ import annotations

import re
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

RIGHTS = """
jenkins:
  securityRealm:
    local:
      allowsSignup: false
      users:
        - {id: admin, password: "${ADMIN_PASSWORD}"}
        - {id: knower, password: "knower-password"}
        - {id: blind, password: "blind-password"}
  authorizationStrategy:
    globalMatrix:
      entries:
        - user: {name: admin, permissions: ["Overall/Administer"]}
        - user: {name: knower, permissions: ["Overall/Read", "Job/Discover"]}
        - user: {name: blind, permissions: ["Overall/Read"]}
"""


def test_login_page_is_readable_by_everybody_and_names_the_version(server: Any) -> None:
    response = server.anonymous.get(f"{server.url}/login")
    assert response.status_code == 200
    assert {"X-Jenkins", "X-Jenkins-Session", "X-Hudson"} <= set(response.headers)


def test_anonymous_request_is_refused_without_a_challenge(server: Any) -> None:
    response = requests.get(f"{server.url}/api/json", allow_redirects=False)
    assert response.status_code == 403
    assert "WWW-Authenticate" not in response.headers
    assert response.headers["X-You-Are-Authenticated-As"] == "anonymous"
    assert "/login?from=" in response.text


def test_wrong_password_is_answered_with_401(server: Any) -> None:
    response = requests.get(f"{server.url}/api/json", auth=(server.user, "wrong"))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Basic realm="Jenkins", charset="UTF-8"'


def test_post_with_a_password_needs_a_crumb_of_its_session(server: Any) -> None:
    auth = (server.user, server.password)
    without = requests.post(f"{server.url}/cancelQuietDown", auth=auth, allow_redirects=False)
    crumb = requests.get(f"{server.url}/crumbIssuer/api/json", auth=auth).json()
    headers = {crumb["crumbRequestField"]: crumb["crumb"]}
    without_session = requests.post(f"{server.url}/cancelQuietDown", auth=auth, headers=headers, allow_redirects=False)
    assert (without.status_code, without_session.status_code) == (403, 403)
    assert "No valid crumb was included in the request" in without.text
    assert server.post("cancelQuietDown").status_code == 302


def test_crumb_may_come_as_a_form_field(server: Any) -> None:
    session = requests.Session()
    session.auth = (server.user, server.password)
    crumb = session.get(f"{server.url}/crumbIssuer/api/json").json()
    response = session.post(
        f"{server.url}/cancelQuietDown", data={crumb["crumbRequestField"]: crumb["crumb"]}, allow_redirects=False
    )
    assert response.status_code == 302


def test_token_needs_no_crumb_until_it_is_revoked(server: Any) -> None:
    path = f"user/{server.user}/descriptorByName/jenkins.security.ApiTokenProperty"
    made = server.post(f"{path}/generateNewToken", data={"newTokenName": "contract"}).json()
    assert made["status"] == "ok"
    auth = (server.user, made["data"]["tokenValue"])
    assert requests.post(f"{server.url}/cancelQuietDown", auth=auth, allow_redirects=False).status_code == 302
    assert server.post(f"{path}/revoke", data={"tokenUuid": made["data"]["tokenUuid"]}).status_code == 200
    assert requests.get(f"{server.url}/api/json", auth=auth).status_code == 401


def test_fixed_token_is_accepted_as_it_was_given(server: Any) -> None:
    path = f"user/{server.user}/descriptorByName/jenkins.security.ApiTokenProperty"
    value = "11" + "0123456789abcdef" * 2
    made = server.post(f"{path}/addFixedToken", data={"newTokenName": "fixed", "newTokenPlainValue": value}).json()
    assert made["data"]["tokenName"] == "fixed"
    assert requests.get(f"{server.url}/api/json", auth=(server.user, value)).status_code == 200
    server.post(f"{path}/revoke", data={"tokenUuid": made["data"]["tokenUuid"]})


def test_malformed_fixed_token_is_refused(server: Any) -> None:
    path = f"user/{server.user}/descriptorByName/jenkins.security.ApiTokenProperty/addFixedToken"
    assert server.post(path, data={"newTokenName": "x", "newTokenPlainValue": "short"}).status_code == 500


def read_crumb(session: requests.Session, server: Any) -> dict[str, str]:
    """The hidden crumb of the login form; it belongs to the session that the form begins."""
    page = session.get(f"{server.url}/login").text
    found = re.search(r"""name=["']Jenkins-Crumb["'][^>]* value=["']([^"']+)""", page)
    assert found, page
    return {"Jenkins-Crumb": found[1]}


def test_form_login_opens_a_session_and_logout_ends_it(server: Any) -> None:
    session = requests.Session()
    form = {"j_username": server.user, "j_password": server.password, "from": "/"}
    login = f"{server.url}/j_spring_security_check"
    without = session.post(login, data=form, allow_redirects=False)
    assert (without.status_code, urlsplit(without.headers["Location"]).path) == (302, "/loginError")
    answer = session.post(login, data={**form, **read_crumb(session, server)}, allow_redirects=False)
    assert (answer.status_code, urlsplit(answer.headers["Location"]).path) == (302, "/")
    assert session.get(f"{server.url}/me/api/json").json()["id"] == server.user
    left = session.get(f"{server.url}/logout", allow_redirects=False)
    assert (left.status_code, urlsplit(left.headers["Location"]).path) == (302, "/")
    assert session.get(f"{server.url}/api/json").status_code == 403


def test_wrong_form_login_leads_to_the_error_page(server: Any) -> None:
    session = requests.Session()
    form = {"j_username": server.user, "j_password": "wrong", **read_crumb(session, server)}
    answer = session.post(f"{server.url}/j_spring_security_check", data=form, allow_redirects=False)
    assert answer.headers["Location"].endswith("/loginError")


def test_user_without_the_right_is_told_which_one(server: Any) -> None:
    session = requests.Session()
    session.auth = ("reader", "reader-password")
    crumb = session.get(f"{server.url}/crumbIssuer/api/json").json()
    headers = {crumb["crumbRequestField"]: crumb["crumb"], "Content-Type": "text/xml"}
    answer = session.post(f"{server.url}/createItem?name=no", data="<project/>", headers=headers)
    assert answer.status_code == 403
    assert answer.headers["X-Required-Permission"] == "hudson.model.Item.Create"


@pytest.mark.own_process
def test_secrets_on_the_disk_are_closed_and_tokens_hashed(server: Any, emulator: Any) -> None:
    assert (emulator.home / "secrets").stat().st_mode & 0o777 == 0o700
    stored = (emulator.home / "credentials.xml").read_text()
    assert "pass-word-1" not in stored
    assert "{AQAA" in stored
    users = "".join(path.read_text() for path in (emulator.home / "users").glob("*/config.xml"))
    assert "#jbcrypt:$2a$" in users
    assert "admin-password" not in users


def test_get_on_a_method_for_post_is_405(server: Any) -> None:
    assert server.get("quietDown").status_code == 405


@pytest.mark.own_process
@pytest.mark.parametrize("path", ["j_spring_security_check", "createItem?name=big", "quietDown"])
def test_a_stranger_s_big_body_is_refused_before_it_is_read(emulator: Any, path: str) -> None:
    head = f"POST /{path} HTTP/1.1\r\nHost: localhost:{emulator.port}\r\nContent-Length: 50000000\r\n"
    with socket.create_connection(("127.0.0.1", emulator.port), timeout=10) as stream:
        stream.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\nj_username=".encode())
        answer = stream.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 413")


@pytest.mark.own_process
def test_a_stranger_s_body_without_a_length_is_read_to_its_limit_alone(emulator: Any) -> None:
    def parts() -> Any:
        yield b"j_username="
        for _ in range(64):
            yield b"x" * 4096

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = requests.post(f"{emulator.url}/j_spring_security_check", data=parts(), headers=form, timeout=30)
    assert answer.status_code == 413


@pytest.mark.own_process
def test_who_has_signed_in_may_send_more(server: Any, name: str) -> None:
    padded = f"<project><description>{'x' * 300_000}</description></project>"
    assert server.create("", name, padded).status_code == 200


@pytest.mark.own_process
def test_a_stranger_s_form_must_come_soon(fresh: Any) -> None:
    customization = fresh.root / "customization"
    customization.mkdir()
    (customization / "sitecustomize.py").write_text(
        "import jenkins_emulator.web.calls as calls\ncalls.ANONYMOUS_SECONDS = 0.3\n"
    )
    fresh.variables["PYTHONPATH"] = f"{customization}:{fresh.environment()['PYTHONPATH']}"
    fresh.start()
    head = "POST /j_spring_security_check HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
    with socket.create_connection(("127.0.0.1", fresh.port), timeout=10) as stream:
        stream.sendall(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\nj_user".encode())
        assert stream.recv(4096).startswith(b"HTTP/1.1 408")


@pytest.mark.own_process
def test_a_queue_item_of_a_job_that_may_not_be_read_is_not_shown(fresh: Any, connect: Any, freestyle: Any) -> None:
    (fresh.casc / "10-base.yaml").write_text(RIGHTS)
    fresh.start()
    server = connect(fresh)
    assert server.create("", "concealed", freestyle("true")).status_code == 200
    queued = server.post("job/concealed/build", params={"delay": "600sec"})
    item = queued.headers["Location"].partition("/queue/")[2]

    def ask(user: str, path: str) -> requests.Response:
        return requests.get(f"{fresh.url}/queue/{path}", auth=(user, f"{user}-password"), timeout=30)

    path = f"{item}api/json"
    assert [200, 403, 404] == [ask(user, path).status_code for user in ("admin", "knower", "blind")]
    assert "concealed" not in ask("blind", path).text
    shown = {user: ask(user, "api/json").json() for user in ("admin", "knower", "blind")}
    assert {"admin": 1, "knower": 0, "blind": 0} == {user: len(queue["items"]) for user, queue in shown.items()}
    assert [] == shown["blind"]["discoverableItems"] == shown["admin"]["discoverableItems"]
    assert ["concealed"] == [entry["task"]["name"] for entry in shown["knower"]["discoverableItems"]]
    assert 404 == cancel(fresh.url, "blind", item.split("/")[1])


def cancel(url: str, user: str, number: str) -> int:
    session = requests.Session()
    session.auth = (user, f"{user}-password")
    crumb = session.get(f"{url}/crumbIssuer/api/json").json()
    headers = {crumb["crumbRequestField"]: crumb["crumb"]}
    return session.post(f"{url}/queue/cancelItem", params={"id": number}, headers=headers).status_code


@pytest.mark.only_read
def test_a_deleted_user_is_refused_with_password_and_token(fresh: Any, connect: Any) -> None:
    (fresh.casc / "10-base.yaml").write_text(RIGHTS)
    fresh.start()
    server = connect(fresh)

    def status(user: str, secret: str) -> int:
        return requests.get(f"{fresh.url}/me/api/json", auth=(user, secret), timeout=30).status_code

    session = requests.Session()
    session.auth = ("knower", "knower-password")
    crumb = session.get(f"{fresh.url}/crumbIssuer/api/json", timeout=30).json()
    session.headers[crumb["crumbRequestField"]] = crumb["crumb"]
    tokens = f"{fresh.url}/me/descriptorByName/jenkins.security.ApiTokenProperty/generateNewToken"
    token = session.post(tokens, timeout=30).json()["data"]["tokenValue"]
    assert 200 == status("knower", token)

    assert 403 == session.post(f"{fresh.url}/user/blind/doDelete", timeout=30).status_code
    assert 400 == server.post("user/admin/doDelete").status_code
    assert 302 == server.post("user/knower/doDelete").status_code
    assert 404 == server.post("user/knower/doDelete").status_code

    assert [401, 401, 200] == [
        status(*it) for it in (("knower", "knower-password"), ("knower", token), ("blind", "blind-password"))
    ]
