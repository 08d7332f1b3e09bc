"""What settings do that no page shows: who builds run as, what is written down, who sees numbers, what Jenkins warns of."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from bootstrap.acts.casc import NO_PASSWORD

pytestmark = pytest.mark.own_process

USERS = f"""
jenkins:
  securityRealm:
    local:
      users:
        - {{id: builds, name: Builds, password: '{NO_PASSWORD}'}}
  authorizationStrategy:
    globalMatrix:
      entries:
        - user: {{name: builds, permissions: [RIGHTS]}}
"""
SETTINGS = """
security:
  queueItemAuthenticator:
    authenticators:
      - global: {strategy: triggeringUsersAuthorizationStrategy}
      - global: {strategy: {specificUsersAuthorizationStrategy: {userid: builds}}}
  contentSecurityPolicy: {enforce: true}
jenkins:
  noUsageStatistics: true
unclassified:
  prometheusConfiguration: {useAuthenticatedEndpoint: true, collectDiskUsage: false}
  location: {url: "http://127.0.0.1/"}
"""
AUDIT = Path(__file__).resolve().parents[2] / "casc" / "audit.yaml"
MONITORS = (
    "jenkins.model.Jenkins.get().activeAdministrativeMonitors.findAll { !it.activationFake }.each { println it.id }"
)


class Configured:
    """A server with the settings under test, and what it wrote to its standard output."""

    def __init__(self, emulator: Any, server: Any, output: Path) -> None:
        self.emulator, self.server, self._output = emulator, server, output

    @property
    def lines(self) -> list[str]:
        return self._output.read_text().splitlines()


@pytest.fixture
def configure(fresh: Any, connect: Any, tmp_path: Path) -> Iterator[Any]:
    """Start a server with more settings; its own output is kept."""

    def start(*settings: str) -> Configured:
        for number, text in enumerate(settings):
            (fresh.casc / f"{50 + number}.yaml").write_text(text)
        output = tmp_path / "output"
        fresh.output = output.open("w")
        fresh.start()
        return Configured(fresh, connect(fresh), output)

    yield start


def users(*rights: str) -> str:
    return USERS.replace("RIGHTS", ", ".join(rights))


EVERY_MINUTE = (
    "<triggers><hudson.triggers.TimerTrigger><spec>* * * * *</spec></hudson.triggers.TimerTrigger></triggers>"
)
WAITS = 75  # seconds until the clock has struck


def test_build_that_somebody_starts_runs_as_that_user(configure: Any, pipeline: Any, freestyle: Any) -> None:
    one = configure(users("Agent/Build", "Job/Read"), SETTINGS)
    one.server.create("", "pipe", pipeline("echo 'hello'"))
    one.server.create("", "free", freestyle("true"))

    _, piped = one.server.run("pipe")
    _, freed = one.server.run("free")

    assert ["Started by user Admin", "Running as Admin"] == piped.splitlines()[:2]
    assert "Running as Admin\nBuilding " in freed


def test_build_of_a_timer_runs_as_the_user_for_it_and_its_followers_too(
    configure: Any, freestyle: Any, fresh: Any, connect: Any
) -> None:
    """Two servers wait for the same minute: on the second one the user has no right to an agent."""
    one = configure(users("Agent/Build", "Job/Read"), SETTINGS)
    second = type(fresh)(fresh.root / "second")
    for number, text in enumerate((users("Job/Read"), SETTINGS)):
        (second.casc / f"{50 + number}.yaml").write_text(text)
    follows = (
        "<triggers><jenkins.triggers.ReverseBuildTrigger><upstreamProjects>timed</upstreamProjects>"
        "<threshold><name>SUCCESS</name></threshold></jenkins.triggers.ReverseBuildTrigger></triggers>"
    )
    second.start()
    try:
        other = connect(second)
        other.create("", "timed", freestyle("true", EVERY_MINUTE))
        one.server.create("", "timed", freestyle("true", EVERY_MINUTE))
        one.server.create("", "follower", freestyle("true", follows))

        one.server.until(lambda: one.server.client.get_job_info("follower")["lastCompletedBuild"], WAITS)
        # Before the queue has judged an item for the first time, it only says that the quiet period is over.
        (item,) = other.until(
            lambda: [each for each in other.client.get_queue_info() if each["why"] != "Finished waiting"], WAITS
        )
    finally:
        second.stop()

    assert "‘builds’ lacks permission to run on ‘Jenkins’" == item["why"]

    log = one.server.client.get_build_console_output("timed", 1)
    assert "Started by timer\nRunning as Builds\n" in log
    assert "\nRunning as Builds\n" in one.server.client.get_build_console_output("follower", 1)


def test_nobody_signs_in_as_the_user_for_builds(configure: Any) -> None:
    one = configure(users("Agent/Build"), SETTINGS)

    for word in ("", "builds", NO_PASSWORD, NO_PASSWORD.removeprefix("#jbcrypt:")):
        assert 401 == requests.get(f"{one.server.url}/api/json", auth=("builds", word)).status_code


@pytest.mark.parametrize(("right", "result"), [("Credentials/UseItem", "SUCCESS"), ("Job/Read", "FAILURE")])
def test_credentials_are_lent_by_the_rights_of_the_jobs_user(
    configure: Any, pipeline: Any, right: str, result: str
) -> None:
    one = configure(users("Agent/Build", right), SETTINGS)
    script = "node { withCredentials([string(credentialsId: 'token', variable: 'T')]) { sh 'true' } }"
    one.server.create("", "lent", pipeline(script))

    build, log = one.server.run("lent")

    assert (result, result == "FAILURE") == (build["result"], "Could not find credentials entry with ID 'token'" in log)


def test_without_the_settings_builds_run_as_the_system(server: Any, name: str, freestyle: Any) -> None:
    server.create("", name, freestyle("true"))

    _, log = server.run(name)

    assert "Running as SYSTEM\n" in log


def test_audit_lines_are_written_to_the_output(configure: Any, pipeline: Any) -> None:
    one = configure(AUDIT.read_text())
    one.server.create("", "told", pipeline("echo 'hello'"))
    one.server.run("told")
    one.server.get("createItem", params={"name": "word-of-mine"})
    one.server.get("api/json")
    requests.get(f"{one.server.url}/script", allow_redirects=False)
    one.server.until(lambda: any("completed: SUCCESS" in line for line in one.lines))

    lines = one.lines
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4} - audit - ", line) for line in lines), lines
    told = [line.split(" - audit - ")[1] for line in lines]
    assert "/createItem (told) by admin from 127.0.0.1" in told
    assert "/createItem (word-of-mine) by admin from 127.0.0.1" in told
    assert "/script by NA from 127.0.0.1" in told
    assert "job/told/ #1 Started by user Admin, Parameters:[]" in told
    assert [] == [line for line in told if "api/json" in line and "/job/told/" not in line and "crumb" not in line]
    ended = [line for line in told if line.startswith("told #1 Started by user Admin, Parameters:[] on Built-In Node")]
    assert re.search(r" started at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ completed in \d+ms completed: SUCCESS$", ended[0])


def test_audit_without_a_pattern_tells_builds_alone(configure: Any, pipeline: Any) -> None:
    settings = yaml.safe_load(AUDIT.read_text())
    del settings["unclassified"]["audit-trail"]["pattern"]
    one = configure(yaml.safe_dump(settings))
    one.server.create("", "told", pipeline("echo 'hello'"))
    one.server.run("told")
    one.server.until(lambda: any("completed: SUCCESS" in line for line in one.lines))

    assert 2 == len(one.lines)
    assert not any("/createItem" in line for line in one.lines)


def test_numbers_are_closed_to_nobody_until_the_settings_say_so(server: Any) -> None:
    answer = requests.get(f"{server.url}/prometheus/")

    assert (200, True) == (answer.status_code, "\ndefault_jenkins_up 1.0\n" in answer.text)


def test_numbers_are_for_those_alone_who_may_see_metrics(configure: Any) -> None:
    one = configure(users("Agent/Build"), SETTINGS)

    assert 403 == requests.get(f"{one.server.url}/prometheus/").status_code
    assert 403 == requests.get(f"{one.server.url}/prometheus/", auth=("reader", "reader-password")).status_code
    answer = one.server.get("prometheus/")
    assert (200, "text/plain; version=0.0.4; charset=utf-8") == (answer.status_code, answer.headers["Content-Type"])
    assert "# TYPE default_jenkins_up gauge\ndefault_jenkins_up 1.0\n" in answer.text


def test_pages_carry_a_policy_that_is_enforced_once_it_is_asked_for(server: Any, configure: Any) -> None:
    one = configure(users("Agent/Build"), SETTINGS)

    assert "default-src 'self'" in server.get("").headers["Content-Security-Policy-Report-Only"]
    headers = one.server.get("").headers
    assert "default-src 'self'" in headers["Content-Security-Policy"]
    assert "Content-Security-Policy-Report-Only" not in headers


def monitors(server: Any) -> list[str]:
    """Those that do not come from the Java of the machine that runs these tests."""
    answer = server.post("scriptText", data={"script": MONITORS})
    assert 200 == answer.status_code, answer.text
    return [name for name in answer.text.split() if "JavaVersion" not in name]


def test_monitors_follow_the_settings(server: Any, configure: Any) -> None:
    one = configure(users("Agent/Build"), SETTINGS, AUDIT.read_text())

    assert "jenkins.security.csp.impl.CspRecommendation" in monitors(server)
    assert ["jenkins.diagnostics.ControllerExecutorsNoAgents"] == monitors(one.server)


def test_script_that_needs_more_of_jenkins_is_still_refused(server: Any) -> None:
    answer = server.post("scriptText", data={"script": "println jenkins.model.Jenkins.get().numExecutors"})

    assert 501 == answer.status_code


@pytest.mark.parametrize(
    "settings",
    [
        "unclassified: {email-ext: {mailAccount: {default: true}}}",
        "unclassified: {audit-trail: {loggers: [{console: {output: FILE, dateFormat: yyyy}}]}}",
        "unclassified: {audit-trail: {loggers: [{console: {output: STD_OUT}}]}}",
        "unclassified: {audit-trail: {loggers: [{paper: {}}]}}",
        "unclassified: {prometheusConfiguration: {period: 3}}",
        "security: {queueItemAuthenticator: {authenticators: [{global: {strategy: {whoever: {}}}}]}}",
        "security: {queueItemAuthenticator: {authenticators: [{local: {}}]}}",
    ],
)
def test_settings_that_jenkins_does_not_know_are_refused(server: Any, settings: str) -> None:
    answer = server.post("configuration-as-code/check", data=settings.encode())

    assert 400 == answer.status_code, answer.text


def test_settings_that_jenkins_knows_are_accepted(server: Any) -> None:
    settings = [
        *(SETTINGS, AUDIT.read_text()),
        "unclassified: {email-ext: {mailAccount: {smtpHost: a, smtpPort: '25'}}}",
    ]

    for text in settings:
        answer = server.post("configuration-as-code/check", data=text.encode())
        assert (200, "[]") == (answer.status_code, answer.text)


def test_extended_mail_does_not_use_the_other_publishers_server(configure: Any, pipeline: Any) -> None:
    """Its own server answers and refuses, so that nothing is tried again."""
    with socket.create_server(("127.0.0.1", 0)) as own, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        servers = [f"{{smtpHost: 127.0.0.1, smtpPort: '{it.getsockname()[1]}'}}" for it in (own, other)]
        one = configure(f"unclassified: {{email-ext: {{mailAccount: {servers[0]}}}, mailer: {servers[1]}}}")
        one.server.create("", "mail", pipeline("emailext to: 'a@localhost', subject: 's', body: 'b'"))
        number = one.server.begin("mail")
        connection, _ = own.accept()
        with connection:
            connection.sendall(b"554 closed\r\n")

        build, log = one.server.finish("mail", number)

    assert "SUCCESS" == build["result"] and "Sending email to: a@localhost" in log
    assert "Retrying" not in log and "Failed after" not in log
