"""People: whoever is in the environment file has access, and nobody else."""

from __future__ import annotations

import hashlib
from typing import Any

from bootstrap.context import Context
from bootstrap.environment.people import is_sso_role
from bootstrap.jenkins.controller import people_accounts
from bootstrap.jenkins.definitions import people as definitions
from bootstrap.remote.desired.people import GIT_USER, KEYS, list_key_files
from bootstrap.views.people import list_principals, list_trusted

_SECOND_FACTOR = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


def test_no_account_of_a_person_is_left_over(exported_settings: dict[str, Any], context: Context) -> None:
    """Jenkins has no account of a person who is not in the environment file any more."""
    users = definitions.list_users(context.casc_files)

    assert () == people_accounts.list_left(people_accounts.list_accounts(exported_settings), {}, users)


def test_the_keys_equal_the_code(inspection: dict[str, Any], context: Context) -> None:
    """The machine accepts the SSH keys of people in the environment file, and no others."""
    files = list_key_files(context.settings, "admin")
    expected = {user: files.get(user) for user in ("admin", GIT_USER)}

    for user, content in expected.items():
        found = inspection["files"][f"{KEYS}/{user}"]
        digest = hashlib.sha256(content.encode()).hexdigest() if content else None
        assert digest == (found and found["sha256"]), user


def test_the_roles_trust_people_of_the_code_alone(
    trust_in_people: dict[str, list[dict[str, Any]]], context: Context
) -> None:
    """The roles for people on AWS trust the people of the environment file, with a second factor, and nobody else."""
    expected = {(person.aws_role, person.aws) for person in context.settings.people.values() if person.aws}
    allowed = [it for statements in trust_in_people.values() for it in statements if it["Effect"] == "Allow"]
    without = [statement for statement in allowed if statement.get("Condition") != _SECOND_FACTOR]

    assert expected == list_trusted(trust_in_people)
    assert [] == [it for statement in without for it in list_principals(statement) if not is_sso_role(it)]
