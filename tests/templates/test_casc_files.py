"""The Configuration as Code files of this repository: closed doors, no secrets, and only what the locked Jenkins knows."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap.acts import casc, jobs
from bootstrap.jenkins.definitions import agents
from bootstrap.jenkins.definitions.casc import find_variables
from bootstrap.jenkins.distribution.lock import load_lock
from bootstrap.remote.desired import agent

ROOT = Path(__file__).resolve().parents[2]
FILES = casc.read(ROOT / "casc")
LOCK = load_lock(ROOT / "jenkins.lock.yaml")

# Every key down to the first one that a plugin or a class of Jenkins owns, and the plugin that brings it ('' is the core).
KNOWN = {
    "jenkins.securityRealm.local": "",
    "jenkins.authorizationStrategy.globalMatrix": "matrix-auth",
    "jenkins.disableRememberMe": "",
    "jenkins.systemMessage": "",
    "jenkins.numExecutors": "",
    "jenkins.labelString": "",
    "jenkins.nodes": "",
    "jenkins.mode": "",
    "jenkins.quietPeriod": "",
    "jenkins.scmCheckoutRetryCount": "",
    "jenkins.noUsageStatistics": "",
    "jenkins.crumbIssuer": "",
    "jenkins.markupFormatter": "",
    "jenkins.globalNodeProperties": "",
    "jenkins.log.recorders": "",
    "jenkins.primaryView.all": "",
    "jenkins.views": "",
    "security.apiToken": "",
    "security.contentSecurityPolicy": "",
    "security.queueItemAuthenticator": "authorize-project",
    "security.scriptApproval": "script-security",
    "security.gitHostKeyVerificationConfiguration": "git-client",
    "unclassified.location": "",
    "unclassified.mailer": "mailer",
    "unclassified.email-ext": "email-ext",
    "unclassified.audit-trail": "audit-trail",
    "unclassified.prometheusConfiguration": "prometheus",
    "unclassified.buildDiscarders": "",
    "unclassified.timestamper": "timestamper",
    "credentials.system.domainCredentials": "credentials",
    "tool.git": "git",
    "tool.jdk": "",
}
# What breaks the start of this Jenkins, or opens it, wherever it stands.
FORBIDDEN = (
    "excludeClientIPFromCrumb",
    "agentProtocols",
    "myViewsTabBar",
    "diskSpaceMonitor",
    "remotingSecurity",
    "unsecured",
    "allowAnonymousRead",
    "loggedInUsersCanDoAnything",
    "noHostKeyVerificationStrategy",
)


def merge(left: Any, right: Any) -> Any:
    """As Jenkins merges: mappings merge; the reader has seen to it that nothing else meets."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left | {key: merge(left[key], value) if key in left else value for key, value in right.items()}
    raise AssertionError(f"two values meet: {left} and {right}")


@pytest.fixture(scope="module")
def settings() -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for text in FILES.values():
        merged = merge(merged, yaml.safe_load(text))
    return merged


def paths(node: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(node, Mapping):
        for key, value in node.items():
            yield f"{prefix}{key}"
            yield from paths(value, f"{prefix}{key}.")


def test_every_variable_that_is_provided_is_used_and_no_other() -> None:
    assert {*casc.SECRETS, *casc.VARIABLES} == find_variables(FILES)


def test_every_key_is_one_that_the_locked_jenkins_knows(settings: dict[str, Any]) -> None:
    leaves = [path for path in paths(settings) if not any(other.startswith(f"{path}.") for other in paths(settings))]

    unknown = [path for path in leaves if not any(f"{path}.".startswith(f"{known}.") for known in KNOWN)]

    assert [] == unknown


def test_every_key_of_a_plugin_has_its_plugin_in_the_lock() -> None:
    assert set() == {plugin for plugin in KNOWN.values() if plugin} - LOCK.plugins.keys()
    assert "configuration-as-code" in LOCK.plugins


@pytest.mark.parametrize("key", FORBIDDEN)
def test_no_file_names_what_opens_jenkins_or_breaks_its_start(key: str) -> None:
    assert [] == [name for name, text in FILES.items() if key in text]


def test_nobody_has_a_right_but_the_three_users(settings: dict[str, Any]) -> None:
    entries = settings["jenkins"]["authorizationStrategy"]["globalMatrix"]["entries"]

    assert [{"user"}] * 3 == [set(entry) for entry in entries]
    assert {
        "admin": ["Overall/Administer"],
        "toolkit": ["Overall/Administer"],
        "builds": ["Agent/Build", "Credentials/UseItem", "Job/Read"],
    } == {entry["user"]["name"]: entry["user"]["permissions"] for entry in entries}


def test_builds_that_nobody_started_run_as_a_user_who_cannot_sign_in(settings: dict[str, Any]) -> None:
    triggering, rest = settings["security"]["queueItemAuthenticator"]["authenticators"]
    password = casc.NO_PASSWORD.removeprefix("#jbcrypt:")

    assert {"global": {"strategy": "triggeringUsersAuthorizationStrategy"}} == triggering
    assert {"global": {"strategy": {"specificUsersAuthorizationStrategy": {"userid": "builds"}}}} == rest
    # As Jenkins tells a hash from a password; what hashes to zeros nobody knows.
    assert re.fullmatch(r"\$2a\$([0-9]{2})\$.{53}", password)
    assert "#jbcrypt:$2a$10$" + 53 * "." == casc.NO_PASSWORD


def test_pages_are_guarded_numbers_closed_and_no_statistics_sent(settings: dict[str, Any]) -> None:
    assert {"enforce": True} == settings["security"]["contentSecurityPolicy"]
    assert settings["jenkins"]["noUsageStatistics"] is True
    assert {"useAuthenticatedEndpoint": True, "collectDiskUsage": False} == settings["unclassified"][
        "prometheusConfiguration"
    ]


def test_both_publishers_of_mail_have_the_same_server(settings: dict[str, Any]) -> None:
    mailer, extended = settings["unclassified"]["mailer"], settings["unclassified"]["email-ext"]

    same = {key: mailer[key] for key in ("smtpHost", "smtpPort", "useSsl", "useTls")}
    assert same | {"credentialsId": "${SMTP_CREDENTIAL}"} == extended["mailAccount"]


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/createItem",
            "/job/canary/config.xml",
            "/job/canary/doDelete",
            "/job/canary/buildWithParameters",
            "/script",
        ),
        *("/scriptText", "/configuration-as-code/reload", "/user/toolkit/x/addFixedToken", "/job/canary/7/stop"),
        *("/job/network/3/input/Approve/proceedEmpty", "/quietDown", "/static/forged/restart", "/restart/forged"),
        "/restart;x",
    ],
)
def test_a_request_that_changes_something_is_written_down(settings: dict[str, Any], path: str) -> None:
    assert re.fullmatch(settings["unclassified"]["audit-trail"]["pattern"], path)


@pytest.mark.parametrize("path", ["/", "/login", "/job/canary/builds", "/static/abc/scripts/hudson.js", "/api/json"])
def test_a_request_that_only_looks_is_not_written_down(settings: dict[str, Any], path: str) -> None:
    assert not re.fullmatch(settings["unclassified"]["audit-trail"]["pattern"], path)


def test_the_audit_goes_to_the_journal_and_to_no_file(settings: dict[str, Any]) -> None:
    (logger,) = settings["unclassified"]["audit-trail"]["loggers"]

    assert {"output": "STD_OUT", "dateFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSZ", "logPrefix": "audit"} == logger["console"]


def test_nobody_can_sign_up_and_passwords_come_by_reference(settings: dict[str, Any]) -> None:
    realm = settings["jenkins"]["securityRealm"]["local"]

    assert realm["allowsSignup"] is False
    assert {"admin": "${ADMIN_PASSWORD}", "toolkit": "${TOOLKIT_PASSWORD}", "builds": "${NO_PASSWORD}"} == {
        user["id"]: user["password"] for user in realm["users"]
    }


def test_the_crumb_issuer_is_on_and_has_no_attributes(settings: dict[str, Any]) -> None:
    assert "standard" == settings["jenkins"]["crumbIssuer"]


def test_no_port_waits_for_agents_and_no_script_leaves_the_sandbox(settings: dict[str, Any]) -> None:
    service = (ROOT / "bootstrap" / "remote" / "desired" / "jenkins.py").read_text()

    # Once: Jenkins warns at each start of a setting that its property makes void.
    assert "slaveAgentPort" not in settings["jenkins"]
    for setting, value in {"slaveAgentPort": "-1", "slaveAgentPortEnforce": "true"}.items():
        assert f'"jenkins.model.Jenkins.{setting}": "{value}"' in service
    assert settings["security"]["scriptApproval"] == {"forceSandbox": True}


def test_the_controller_builds_nothing(settings: dict[str, Any]) -> None:
    assert (0, "") == (settings["jenkins"]["numExecutors"], settings["jenkins"]["labelString"])


def test_the_agents_of_the_settings_are_those_that_the_machine_starts(settings: dict[str, Any]) -> None:
    nodes = [each["permanent"] for each in settings["jenkins"]["nodes"]]

    assert [(each.node, each.home) for each in agent.AGENTS] == [(node["name"], node["remoteFS"]) for node in nodes]
    takes = {node["name"]: (node["mode"], node["labelString"]) for node in nodes}
    builder = ("${JENKINS_BUILDER_MODE}", "${JENKINS_BUILDER_LABEL}")
    assert {"machine": ("EXCLUSIVE", "infrastructure"), "builder": builder} == takes
    values = {"JENKINS_BUILDER_MODE": "NORMAL", "JENKINS_BUILDER_LABEL": "linux"}
    assert values == agents.make_builder_variables({})  # where there are no groups of agents
    assert all({"inbound": {}} == node["launcher"] for node in nodes)
    # Only what a job asks for by its label may run where the IAM role of the machine is.
    assert {each.node for each in agent.AGENTS if each.has_role} == {
        name for name, (mode, _) in takes.items() if mode == "EXCLUSIVE"
    }
    (machine, _) = nodes
    assert [{"envVars": {"env": [{"key": "BOOTSTRAP_VENVS", "value": agent.VENVS}]}}] == machine["nodeProperties"]
    everywhere = [each["key"] for one in settings["jenkins"]["globalNodeProperties"] for each in one["envVars"]["env"]]
    assert "BOOTSTRAP_VENVS" not in everywhere


def test_a_build_can_bind_the_login_of_the_mail_server_and_nothing_else(settings: dict[str, Any]) -> None:
    ((kind, login),) = settings["credentials"]["system"]["domainCredentials"][0]["credentials"][0].items()

    assert {"system": {"domainCredentials": [{"credentials": [{kind: login}]}]}} == settings["credentials"]
    assert ("usernamePassword", "mail", "${SMTP_SCOPE}") == (kind, login["id"], login["scope"])
    # The extended publisher looks for the credential with the rights of a build; without a login no build finds it.
    mail = settings["unclassified"]["mailer"]
    assert {"username": login["username"], "password": login["password"]} == mail["authentication"]


def test_the_view_shows_every_job_of_the_code_and_the_code_brings_no_view(settings: dict[str, Any]) -> None:
    rendered = jobs.render(ROOT / "jobs", {"repository": "x", "branch": "main"}, LOCK.plugins)
    (view,) = [each["list"] for each in settings["jenkins"]["views"] if "list" in each]

    assert list(rendered.jobs) == [name for name in rendered.jobs if re.fullmatch(view["includeRegex"], name)]
    assert {} == rendered.views


def test_every_file_says_what_it_is_for() -> None:
    assert [] == [name for name, text in FILES.items() if not text.startswith("# ")]
