"""The comparison of configuration files with an export, in the ways in which exports differ from files."""

from typing import Any

import pytest
import yaml
from exported import differences, rights, wished


def compared(wish: str, export: str, **variables: str) -> list[str]:
    return list(differences(wished({"a.yaml": wish}, variables), yaml.safe_load(export)))


@pytest.mark.parametrize(
    ("wish", "export"),
    [
        ("jenkins: {numExecutors: 2}", "jenkins: {numExecutors: 2, mode: NORMAL}"),
        ("mail: {smtpPort: '25'}", "mail: {smtpPort: 25}"),
        ("jenkins: {crumbIssuer: standard}", "jenkins: {crumbIssuer: {standard: {}}}"),
        ("jenkins: {crumbIssuer: {standard: }}", "jenkins: {crumbIssuer: standard}"),
        ("realm: {local: {allowsSignup: false}}", "realm: {local: {enableCaptcha: false}}"),
        ("realm: {local: {allowsSignup: false}}", "realm: local"),
        ("views: [{list: {name: b}}, {all: {name: a}}]", "views: [{all: {name: a}}, {list: {name: b, recurse: true}}]"),
        ("users: [{id: a, password: '${SECRET}'}]", "users: [{id: a}]"),
        ("token: '11${TOKEN}'", "token: '{AQAAABAAAAAw}'"),
        ("password: '${WORD:-}'", "password: '{AQAAABAAAAAw}'"),
        ("password: '${WORD:-}'", "{}"),
        ("jenkins: {securityRealm: {local: {users: [{id: a}]}}}", "jenkins: {securityRealm: local}"),
        ("Tool: {git: 1}", "tool: {git: 1}"),
        ("shown: '^${HOME}'", "shown: '${HOME}'"),
        ("account: {useSsl: '${SSL}'}", "account: {}"),
    ],
)
def test_what_the_files_say_is_found_in_the_export(wish: str, export: str) -> None:
    assert [] == compared(wish, export, SSL="false")


@pytest.mark.parametrize(
    ("wish", "export", "expected"),
    [
        (
            "jenkins: {numExecutors: 2}",
            "jenkins: {numExecutors: 4}",
            ["jenkins.numExecutors: 2 is wished, 4 is there"],
        ),
        ("jenkins: {numExecutors: 2}", "{}", ["jenkins.numExecutors: 2 is wished, nothing is there"]),
        ("a: {b: false}", "a: {b: true}", ["a.b: False is wished, True is there"]),
        ("a: standard", "a: {other: {}}", ["a: standard is wished, {other: {}} is there"]),
        ("a: standard", "a: {standard: {x: 1}}", ["a: standard is wished, {standard: {x: 1}} is there"]),
        ("a: [x, y]", "a: [x]", ["a: y is wished and not there"]),
        ("a: [{n: 1, p: [q]}]", "a: [{n: 1, p: [r]}]", ["a: {n: 1, p: ['q']} is wished and not there"]),
    ],
)
def test_what_the_export_does_not_say_is_told_with_its_place(wish: str, export: str, expected: list[str]) -> None:
    assert expected == compared(wish, export)


def test_variables_are_filled_in_and_compared() -> None:
    assert [] == compared("url: 'https://${HOST}/'", "url: https://here/", HOST="here")
    assert ["url: https://here/ is wished, https://there/ is there"] == compared(
        "url: 'https://${HOST}/'", "url: https://there/", HOST="here"
    )


def test_files_are_merged_as_jenkins_merges_them() -> None:
    files = {"a.yaml": "x-anchors: 1\njenkins: {a: 1, list: [1]}", "b.yaml": "jenkins: {b: 2, list: [2]}"}

    assert {"jenkins": {"a": 1, "b": 2, "list": [1, 2]}} == wished(files, {})


ENTRIES: dict[str, Any] = {
    "jenkins": {
        "authorizationStrategy": {
            "globalMatrix": {
                "entries": [
                    {"user": {"name": "admin", "permissions": ["Overall/Administer"]}},
                    {"group": {"name": "anonymous", "permissions": ["Overall/Read"]}},
                ],
                "permissions": ["USER:Job/Read:old"],
            }
        }
    }
}


def test_rights_are_read_from_every_form_of_entry() -> None:
    expected = {
        "user admin": {"Overall/Administer"},
        "group anonymous": {"Overall/Read"},
        "user old": {"Job/Read"},
    }

    assert expected == rights(ENTRIES)


@pytest.mark.parametrize("strategy", ["unsecured", None, {"loggedInUsersCanDoAnything": {}}])
def test_another_strategy_than_the_matrix_is_told_as_a_right_of_everybody(strategy: Any) -> None:
    (who,) = rights({"jenkins": {"authorizationStrategy": strategy}})

    assert who.startswith("everybody by ")
