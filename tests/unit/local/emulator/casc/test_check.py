"""The recorded vocabulary, applied."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from bootstrap.local.emulator.casc import vocabulary
from bootstrap.local.emulator.casc.check import Checker
from bootstrap.local.emulator.casc.sources import parse
from bootstrap.local.emulator.casc.variables import Variables
from bootstrap.local.emulator.failures import ConfigurationRefused
from bootstrap.local.emulator.options import BUNDLED_PLUGINS, read_plugins

sys.path.insert(0, str(Path(__file__).parent))
import recorded_schema

RECORDED = read_plugins(BUNDLED_PLUGINS)


def check(text: str, plugins: dict[str, str] | None = None) -> dict[str, Any]:
    return Checker(
        RECORDED if plugins is None else plugins, Variables({"SECRETS": "/nonexistent", "PW": "hidden"})
    ).check(parse(text, "f"))


def said(text: str, plugins: dict[str, str] | None = None) -> str:
    """The whole message of the fault, as an answer has it."""
    with pytest.raises(ConfigurationRefused) as caught:
        check(text, plugins)
    (issue,) = caught.value.issues
    return issue.said


def warned(text: str) -> list[tuple[int, str]]:
    checker = Checker(RECORDED, Variables({"SECRETS": "/nonexistent"}))
    checker.check(parse(text, "f"))
    return [(each.line, each.message) for each in checker.warned.values()]


def test_first_fault_ends_the_check_and_what_is_unknown_comes_last() -> None:
    assert said("nope: 1\njenkins:\n  a: 1\n  mode: NO\n").startswith(
        "jenkins: Failed to set attribute 'mode'\n  at f:4 "
    )


def test_unknown_names_are_told_in_the_order_of_java() -> None:
    assert said("foo: 1\nbar: 2\n").startswith(
        "No configurator found for the following root elements: bar, foo. This may"
    )
    assert said("jenkins: {foo: 1, bar: 2}").startswith(
        "jenkins: Invalid configuration elements for type: class jenkins.model.Jenkins : bar,foo.\nAvailable attributes : "
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("jenkins: {crumbIssuer: {standard: {x: 1}}}", "standard: Invalid configuration elements for type: class "),
        pytest.param(
            "jenkins:\n  systemMessage: [a]",
            "string: Failed to configure 'systemMessage': Item isn't a Scalar f:2\n  at f:2 (path: systemMessage)",
            marks=pytest.mark.only_read,
        ),
        (
            "jenkins:\n  securityRealm:\n\n    local:\n      users: [{id: a, password: [1]}]",
            "securityRealm: Failed to configure 'securityRealm': Failed to configure 'users': Item isn't a Scalar f:5"
            "\n  at f:4 (path: securityRealm)",
        ),
        ("jenkins: {rawBuildsDir: x}", "'rawBuildsDir' is restricted: NoExternalUse"),
        ("jenkins: {myViewsTabBar: standard}", "'myViewsTabBar' is deprecated"),
        ("jenkins: {agentProtocols: [x]}", "'agentProtocols' is deprecated"),
        ("unclassified: {email-ext: {smtpPort: '1'}}", "'smtpPort' is deprecated"),
        pytest.param(
            "jenkins: {securityRealm: magic}",
            "securityRealm: No hudson.security.SecurityRealm implementation found for magic",
            marks=pytest.mark.only_read,
        ),
    ],
)
def test_fault_has_the_words_of_jenkins(text: str, words: str) -> None:
    assert words in said(text)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (
            "configuration-as-code: {unknown: warn}\njenkins:\n\n  nope: 1\n",
            4,
            "Invalid configuration elements for type: class",
        ),
        (
            "configuration-as-code: {deprecated: warn}\njenkins:\n  agentProtocols: [x]",
            3,
            "'agentProtocols' is deprecated",
        ),
        ("configuration-as-code: {restricted: warn}\njenkins: {rawBuildsDir: x}", 2, "'rawBuildsDir' is restricted: "),
    ],
)
def test_what_is_only_warned_of_has_a_line(text: str, line: int, words: str) -> None:
    ((where, message),) = warned(text)
    assert (where, message[: len(words)]) == (line, words)


@pytest.mark.parametrize(
    "text",
    [
        "jenkins: {workspaceDir: x}",
        "jenkins: {nodes: [{permanent: {name: a, launcher: {inbound: {vmargs: x}}}}]}",
        "unclassified: {buildTimeout: {}}",
        "unclassified: {appearance: {}}",
        "unclassified: {quietPeriod: {quietPeriod: 1}}",
        "unclassified: {scmRetryCount: {scmCheckoutRetryCount: 1}}",
        "unclassified: {email-ext: {mailAccount: {default: true}}}",
        "jenkins: {log: {recorders: [{loggers: [{name: a, level: FINE}]}]}}",
        "jenkins: {globalNodeProperties: [{envVars: {env: [{value: x}]}}]}",
        "jenkins: {authorizationStrategy: {globalMatrix: {entries: [{user: {name: a}}]}}}",
        "jenkins: {securityRealm: {local: {}, none: {}}}",
        "jenkins: {primaryView: {all: {name: all, properties: [x]}}}",
        "jenkins: {crumbIssuer: [standard]}",
        "unclassified: {location: x}",
        "jenkins: {views: [{list: {name: a, columns: [status, whoever]}}]}",
    ],
)
def test_what_jenkins_refuses_is_refused(text: str) -> None:
    said(text)


@pytest.mark.parametrize(
    "text",
    [
        "items: {items: [{freestyle: {name: a}}]}",
        "globalCredentialsConfiguration: {configuration: {typeFilter: none, providerFilter: none}}",
        "jenkins: {views: [{proxy: {name: a}}], authorizationStrategy: legacy, securityRealm: legacy}",
        "jenkins: {nodes: [{dumbSlave: {name: a, nodeProperties: [cascKeepNode, diskSpaceMonitor]}}]}",
        "jenkins: {labelAtoms: [{name: a}], nodeMonitors: [clock], disabledAdministrativeMonitors: [x]}",
        "credentials: {system: {domainCredentials: [{credentials: [{string: {scope: USER, id: a, secret: b}}]}]}}",
        "jenkins: {authorizationStrategy: {globalMatrix: {permissions: ['USER:Overall/Read:x']}}}",
        "tool: {git: {installations: [{name: Default, home: git}]}, maven: {installations: [{name: M, home: /m}]}}",
        "configuration-as-code: {version: 1}",
    ],
)
def test_what_jenkins_takes_is_taken(text: str) -> None:
    check(text, RECORDED)


@pytest.mark.parametrize(
    "name", ["hudson.model.Hudson.Administer", "Job/WipeOut", "Overall/RunScripts", "N/A/GenericRead"]
)
def test_permission_is_known_by_its_id_and_by_old_names(name: str) -> None:
    entry = f"{{user: {{name: a, permissions: ['{name}']}}}}"
    check(f"jenkins: {{authorizationStrategy: {{globalMatrix: {{entries: [{entry}]}}}}}}")


@pytest.mark.parametrize(
    "text",
    [
        "jobs: [{script: x}]",
        "unclassified: {throttleJobProperty: {x: 1}}",
        "jenkins: {clouds: [{amazonEC2: {name: a}}]}",
    ],
)
def test_settings_of_a_plugin_without_a_record_are_not_judged(text: str) -> None:
    said(text, RECORDED)
    checker = Checker({**RECORDED, "of-somebody": "1"}, Variables({"SECRETS": "/nonexistent"}))
    checker.check(parse(text, "f"))
    assert len(checker.unjudged) == 1


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
    said(f"jenkins: {{{text}}}")


def test_attribute_names_match_without_case() -> None:
    assert check("jenkins: {SYSTEMMESSAGE: x}")["jenkins"] == {"systemMessage": "x"}


def test_implementation_may_be_a_bare_word() -> None:
    assert check("jenkins: {crumbIssuer: standard}")["jenkins"] == {"crumbIssuer": {"standard": {}}}


def test_element_of_a_missing_plugin_is_refused() -> None:
    assert "mailer" in said("unclassified: {mailer: {smtpHost: x}}", {"configuration-as-code": "1"})
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
    assert "id is required" in said("jenkins: {securityRealm: {local: {users: [{name: x}]}}}")


def test_vocabulary_is_made_from_the_recording() -> None:
    made = Path(vocabulary.__file__).with_name("vocabulary.json")
    assert recorded_schema.render(recorded_schema.RECORDING) == made.read_text(), (
        "make it anew as recorded_schema.py says"
    )


def test_notes_on_classes_are_about_classes_that_were_recorded() -> None:
    table, notes = vocabulary._load_table(), vocabulary._load_notes()
    for kind, parameters in notes["constructors"].items():
        known = {*table["classes"][kind]["of"], *notes["untold"].get(kind, [])}
        assert {parameter.rstrip("!0") for parameter in parameters} <= known, kind
    for beginning in notes["plugins"]:
        assert any(kind.startswith(beginning) for kind in [*table["classes"], *table["implementations"]]), beginning
    assert set(notes["plugins"].values()) <= {*notes["recorded"], *notes["described"]}


def test_every_plugin_of_the_emulators_own_list_is_judged() -> None:
    assert vocabulary.Vocabulary(RECORDED).unrecorded_plugins == []
    described = {**RECORDED, "lockable-resources": "1"}
    assert vocabulary.Vocabulary(described).unrecorded_plugins == []
    assert check("unclassified: {lockableResourcesManager: {declaredResources: [{name: a}]}}", described)
