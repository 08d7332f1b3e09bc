"""The schema, applied."""

from __future__ import annotations

from typing import Any

import pytest

from bootstrap.local.emulator.casc.check import Checker, SecretText, schema
from bootstrap.local.emulator.casc.export import export, json_schema
from bootstrap.local.emulator.casc.sources import parse
from bootstrap.local.emulator.casc.variables import Variables
from bootstrap.local.emulator.failures import ConfigurationRefused
from bootstrap.local.emulator.options import BUNDLED_PLUGINS, read_plugins


def check(text: str, plugins: dict[str, str] | None = None) -> dict[str, Any]:
    known = read_plugins(BUNDLED_PLUGINS) if plugins is None else plugins
    return Checker(known, Variables({"SECRETS": "/nonexistent", "PW": "hidden"})).check(parse(text, "f"))


def faults(text: str, plugins: dict[str, str] | None = None) -> list[tuple[int, str]]:
    with pytest.raises(ConfigurationRefused) as caught:
        check(text, plugins)
    return [(issue.line, issue.message) for issue in caught.value.issues]


def test_every_fault_is_reported_at_once() -> None:
    found = faults("jenkins:\n  a: 1\n  b: 2\nnope: 1\n")
    assert [line for line, _ in found] == [2, 3, 4]


def test_values_are_typed() -> None:
    assert check("jenkins: {numExecutors: '3', disableRememberMe: yes}")["jenkins"] == {
        "numExecutors": 3,
        "disableRememberMe": True,
    }


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("numExecutors: abc", {"numExecutors": 0}),
        ("numExecutors: ''", {"numExecutors": 0}),
        ("numExecutors: 0x10", {"numExecutors": 0}),
        ("numExecutors: 1_000", {"numExecutors": 0}),
        ("numExecutors: 010", {"numExecutors": 10}),
        ("numExecutors: +4", {"numExecutors": 4}),
        ("numExecutors: 1.5", {}),
        ("systemMessage: 1.5", {}),
        ("systemMessage: ~", {}),
        ("disableRememberMe: maybe", {"disableRememberMe": False}),
        ("disableRememberMe: t", {"disableRememberMe": False}),
        ("disableRememberMe: Y", {"disableRememberMe": True}),
        ("disableRememberMe: 1", {"disableRememberMe": True}),
        ("mode: NORMAL, mode: EXCLUSIVE", {"mode": "EXCLUSIVE"}),
    ],
)
def test_values_are_taken_dropped_and_bent_as_jenkins_does(text: str, taken: dict[str, Any]) -> None:
    assert check(f"jenkins: {{{text}}}")["jenkins"] == taken


@pytest.mark.parametrize(
    "text",
    [
        "mode: SOMETIMES",
        "systemMessage: 2026-11-29",
        "systemMessage: !foo x",
        "systemMessage: !!binary aGk=",
        "views: {all: {name: a}}",
        "disabledAdministrativeMonitors: x",
    ],
)
def test_value_of_the_wrong_type_is_refused(text: str) -> None:
    assert len(faults(f"jenkins: {{{text}}}")) == 1


def test_attribute_names_match_without_case() -> None:
    assert check("jenkins: {SYSTEMMESSAGE: x}")["jenkins"] == {"systemMessage": "x"}


def test_implementation_may_be_a_bare_word() -> None:
    assert check("jenkins: {crumbIssuer: standard}")["jenkins"] == {"crumbIssuer": {"standard": {}}}


def test_unknown_implementation_names_the_extension_point() -> None:
    ((line, message),) = faults("jenkins:\n  securityRealm:\n    magic: {}\n")
    assert line == 3
    assert "No hudson.security.SecurityRealm implementation found for magic" in message


def test_element_of_a_missing_plugin_is_refused() -> None:
    ((_, message),) = faults("unclassified: {mailer: {smtpHost: x}}", {"configuration-as-code": "1"})
    assert "mailer" in message
    assert check("unclassified: {mailer: {smtpHost: x}}", {"mailer": "1"})["unclassified"] == {
        "mailer": {"smtpHost": "x"}
    }


def test_tool_of_the_core_needs_no_plugin() -> None:
    text = "tool: {maven: {installations: [{name: M3, home: /opt/maven}]}, jdk: {installations: [{name: J, home: /opt/jdk}]}}"
    assert check(text, {"configuration-as-code": "1"})["tool"]["maven"] == {
        "installations": [{"name": "M3", "home": "/opt/maven"}]
    }


def test_unknown_attribute_only_warns_when_that_is_asked_for() -> None:
    assert check("configuration-as-code: {unknown: warn}\njenkins: {nope: 1, mode: NORMAL}")["jenkins"] == {
        "mode": "NORMAL"
    }


def test_root_keys_for_anchors_are_ignored() -> None:
    assert check("x-anchors: {a: 1}") == {}


def test_user_without_id_is_refused() -> None:
    ((_, message),) = faults("jenkins: {securityRealm: {local: {users: [{name: x}]}}}")
    assert "id is required" in message


def test_export_seals_secrets_even_where_the_schema_is_silent() -> None:
    tree = check("jenkins: {proxy: {name: p, secretPassword: '${PW}'}, securityRealm: {local: {}}}")
    assert isinstance(tree["jenkins"]["proxy"]["secretPassword"], SecretText)
    text = export({**tree, "any": {"clientSecret": SecretText("hidden")}}, lambda secret: "{sealed}")
    assert "hidden" not in text
    assert text.count("{sealed}") == 2


def test_schema_refers_only_to_what_it_defines() -> None:
    seen: set[str] = set()

    def walk(kind: Any) -> None:
        if isinstance(kind, dict):
            if "ref" in kind and isinstance(kind["ref"], str):
                seen.add(kind["ref"])
            for child in kind.values():
                walk(child)
        elif isinstance(kind, list):
            for child in kind:
                walk(child)

    walk(schema())
    assert seen <= set(schema()["definitions"])
    assert set(json_schema()["properties"]) == set(schema()["roots"])
