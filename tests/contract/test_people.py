"""People in the settings: they sign in with the password whose hash is in a file, and may do what their role permits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import requests

from bootstrap.environment.people import ROLES, Person
from bootstrap.jenkins.controller.password_hash import hash_password
from bootstrap.jenkins.definitions.people import DESCRIPTION, add_people
from bootstrap.values import Secret

BASE = """\
jenkins:
  securityRealm:
    local:
      allowsSignup: false
      users:
        - {id: admin, password: "${ADMIN_PASSWORD}"}
  authorizationStrategy:
    globalMatrix:
      entries:
        - user: {name: admin, permissions: ["Overall/Administer"]}
"""
RIGHTS = {
    "administrator": (200, 201, 200, 302),
    "operator": (200, 201, 403, 403),
    "developer": (200, 201, 403, 403),
    "auditor": (200, 403, 403, 403),
}


@pytest.mark.only_read
def test_each_role_may_do_what_it_should(fresh: Any, connect: Any, freestyle: Any, tmp_path: Path) -> None:
    people = {f"first-{it}": Person(name="First", email="first@example.org", role=it) for it in ROLES}
    folder = tmp_path / "hashes"
    folder.mkdir()
    for name in people:
        (folder / name).write_text(hash_password(Secret(f"{name}-password"), name).reveal())
    text = add_people({"10-base.yaml": BASE}, people)["10-base.yaml"].replace("/etc/jenkins/people", str(folder))
    (fresh.casc / "10-base.yaml").write_text(text)
    fresh.start()
    server = connect(fresh)
    server.create("", "work", freestyle("true"))

    def ask(name: str) -> tuple[int, ...]:
        session = requests.Session()
        session.auth = (name, f"{name}-password")
        crumb = session.get(f"{fresh.url}/crumbIssuer/api/json", timeout=30).json()
        session.headers[crumb["crumbRequestField"]] = crumb["crumb"]
        asked = (("GET", "job/work/api/json"), ("POST", "job/work/build"), ("GET", "job/work/config.xml"))
        asked += (("POST", "job/work/disable"),)
        return tuple(
            session.request(method, f"{fresh.url}/{path}", timeout=30, allow_redirects=False).status_code
            for method, path in asked
        )

    # The administrator comes last: a disabled job cannot be built.
    assert RIGHTS == {role: ask(f"first-{role}") for role in reversed(ROLES)}
    exported = server.post("configuration-as-code/export").text
    assert len(ROLES) == exported.count(DESCRIPTION)
    assert 401 == requests.get(f"{fresh.url}/me/api/json", auth=("first-auditor", "wrong"), timeout=30).status_code
