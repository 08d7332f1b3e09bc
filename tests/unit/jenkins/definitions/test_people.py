"""People in Jenkins' settings: their accounts and permissions, and nothing else in the files changes."""

from pathlib import Path

import pytest
import yaml

from bootstrap.acts import casc
from bootstrap.environment.people import ROLES, Person
from bootstrap.errors import CascRejected
from bootstrap.jenkins.definitions.people import (
    DESCRIPTION,
    NO_PASSWORD,
    PERMISSIONS,
    add_people,
    has_accounts,
    list_users,
)
from bootstrap.local.emulator.casc.variables import Variables
from bootstrap.local.emulator.model.security import is_permission

ROOT = Path(__file__).resolve().parents[4]
PLAIN = """\
jenkins:
  securityRealm:
    local:
      users: [{id: admin, password: "${ADMIN_PASSWORD}"}]  # one
  authorizationStrategy:
    projectMatrix:
      entries:
        - group:
            name: team
            permissions: [Job/Configure, Job/Create]
        # the administrator
        - user: {name: admin, permissions: [Overall/Administer]}

  # at the end
  mode: NORMAL
"""


def person(role: str = "developer", *groups: str) -> Person:
    return Person(name='A "quoted" name', email="a@example.org", role=role, groups=groups)  # type: ignore[arg-type]


def test_without_people_the_files_stay_as_they_are() -> None:
    files = {"a.yaml": PLAIN}

    assert files == add_people(files, {})


def test_the_files_of_the_toolkit_with_people_are_good_and_else_the_same(tmp_path: Path) -> None:
    files = casc.read(ROOT / "casc")
    changed = add_people(files, {f"first-{role}": person(role) for role in ROLES})

    for name, text in changed.items():
        (tmp_path / name).write_text(text)
    assert changed == casc.read(tmp_path)
    assert ["access.yaml"] == [name for name in files if files[name] != changed[name]]
    kept = files["access.yaml"].splitlines()
    assert kept == [line for line in changed["access.yaml"].splitlines() if line in kept]
    assert ("admin", "toolkit", "builds", *(f"first-{role}" for role in ROLES)) == list_users(changed)


def test_lists_in_any_style_take_people() -> None:
    changed = yaml.safe_load(add_people({"a.yaml": PLAIN}, {"first": person()})["a.yaml"])["jenkins"]

    users = changed["securityRealm"]["local"]["users"]
    assert ["admin", "first"] == [user["id"] for user in users]
    assert {
        "id": "first",
        "name": 'A "quoted" name',
        "description": DESCRIPTION,
        "password": f"${{readFile:/etc/jenkins/people/first:-{NO_PASSWORD}}}",
        "properties": [{"mailer": {"emailAddress": "a@example.org"}}],
    } == users[1]
    entries = changed["authorizationStrategy"]["projectMatrix"]["entries"]
    assert {"user": {"name": "first", "permissions": list(PERMISSIONS["developer"])}} == entries[-1]
    assert "NORMAL" == changed["mode"]


def test_names_are_written_as_they_are() -> None:
    """YAML has no pairs of surrogates, as JSON writes characters beyond the first plane."""
    one = person().model_copy(update={"name": "Zoë 🦊"})
    changed = add_people({"a.yaml": PLAIN}, {"first": one})["a.yaml"]

    assert "Zoë 🦊" in changed and "\\u" not in changed
    assert "Zoë 🦊" == yaml.safe_load(changed)["jenkins"]["securityRealm"]["local"]["users"][1]["name"]


def test_what_a_group_of_people_may_do_its_members_may_do() -> None:
    changed = yaml.safe_load(
        add_people({"a.yaml": PLAIN}, {"first": person("developer", "team"), "other": person()})["a.yaml"]
    )
    entries = changed["jenkins"]["authorizationStrategy"]["projectMatrix"]["entries"]

    assert {"user": {"name": "first", "permissions": ["Job/Configure", "Job/Create"]}} == entries[-1]
    assert 1 == sum("Job/Create" in entry.get("user", {}).get("permissions", ()) for entry in entries)


def test_with_another_user_database_people_have_permissions_and_no_account() -> None:
    text = PLAIN.replace('local:\n      users: [{id: admin, password: "${ADMIN_PASSWORD}"}]  # one', "ldap: {}")
    changed = add_people({"a.yaml": text}, {"first": person()})

    assert not has_accounts({"a.yaml": text}) and has_accounts({"a.yaml": PLAIN})
    assert "readFile" not in changed["a.yaml"] and '"name": "first"' in changed["a.yaml"]


def test_without_a_matrix_people_are_refused() -> None:
    with pytest.raises(CascRejected, match="roles have no permissions"):
        add_people({"a.yaml": "jenkins: {authorizationStrategy: loggedInUsersCanDoAnything}\n"}, {"first": person()})


def test_a_user_in_both_files_is_refused_with_its_place() -> None:
    text = PLAIN.replace("{id: admin,", "{id: First,")

    with pytest.raises(CascRejected) as caught:
        add_people({"a.yaml": text}, {"first": person()})

    assert ["casc/a.yaml:4:15"] == [f"{it.file}:{it.line}:{it.column}" for it in caught.value.faults]


def test_roles_have_permissions_that_exist_and_only_administrators_configure() -> None:
    assert set(ROLES) == set(PERMISSIONS)
    assert [] == [it for listed in PERMISSIONS.values() for it in listed if not is_permission(it)]
    far = {"Overall/Administer", "Job/Configure", "Job/Create", "Run/Replay", "Credentials/Create"}
    far |= {"Agent/Configure", "Agent/Connect", "Agent/Create"}
    assert {"administrator"} == {role for role, listed in PERMISSIONS.items() if far.intersection(listed)}
    changes = {"Job/Build", "Job/Cancel", "Run/Delete", "Run/Update", "Credentials/UseItem", "Agent/Disconnect"}
    assert not changes.intersection(PERMISSIONS["auditor"])
    # A build runs as who started it, and needs an agent.
    builders = {role for role, listed in PERMISSIONS.items() if "Job/Build" in listed}
    assert builders == {role for role, listed in PERMISSIONS.items() if "Agent/Build" in listed}


@pytest.mark.parametrize(("is_there", "expected"), [(True, "#jbcrypt:one"), (False, NO_PASSWORD)])
def test_jenkins_reads_the_hash_or_one_of_no_password(is_there: bool, expected: str, tmp_path: Path) -> None:
    text = yaml.safe_load(add_people({"a.yaml": PLAIN}, {"first": person()})["a.yaml"])
    password = text["jenkins"]["securityRealm"]["local"]["users"][1]["password"]
    if is_there:
        (tmp_path / "first").write_text("#jbcrypt:one")

    assert expected == Variables({"CASC_STRICT_SECRET_RESOLUTION": "true"}).resolve(
        password.replace("/etc/jenkins/people", str(tmp_path))
    )
