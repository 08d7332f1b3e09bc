"""Accounts of people who are gone: found by what the toolkit wrote into them, now or at the last reload."""

from typing import Any

import pytest

from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller import people_accounts
from bootstrap.jenkins.definitions.people import DESCRIPTION

REALM = "jenkins:\n  securityRealm:\n    local:\n      users:\n"


def export(**descriptions: str) -> str:
    lines = (f'      - id: "{name}"\n        description: "{text}"\n' for name, text in descriptions.items())
    return REALM + "".join(lines)


def test_an_account_of_a_person_who_is_gone_is_left_over() -> None:
    now = export(admin="", first=DESCRIPTION, second=DESCRIPTION)

    assert ("second",) == people_accounts.find_left(now, None, ("admin", "First"))


def test_who_changed_the_description_is_known_by_the_last_reload() -> None:
    now, before = export(first="made by hand"), export(first=DESCRIPTION)

    assert ("first",) == people_accounts.find_left(now, before, ())
    assert () == people_accounts.find_left(now, None, ())


def test_who_changed_it_is_known_by_the_record_too() -> None:
    now = export(admin="", first="mine", other="")
    assert ("first",) == people_accounts.find_left(now, None, ("Admin",), {"admin", "first", "gone"})


def test_an_account_made_by_hand_is_no_person() -> None:
    assert () == people_accounts.find_left(export(other=""), export(other=""), ("admin",))


@pytest.mark.parametrize(
    "text", ["", "jenkins: {}\n", "jenkins:\n  securityRealm: none\n", "jenkins: {securityRealm: {ldap: {}}}\n"]
)
def test_settings_without_accounts_have_none(text: str) -> None:
    assert {} == people_accounts.read_accounts(text)


def test_a_removal_that_jenkins_refuses_is_told(jenkins_server: Any) -> None:
    jenkins_server.on("POST", "user/first/doDelete", (302, {"Location": "http://jenkins.invalid/"}, ""))
    jenkins_server.on("GET", "", "")
    people_accounts.remove(jenkins_server.client, "first")
    jenkins_server.on("POST", "user/first/doDelete", (403, {}, ""))

    with pytest.raises(BootstrapError, match="removing the user first"):
        people_accounts.remove(jenkins_server.client, "first")
