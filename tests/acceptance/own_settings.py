"""What the checks of Jenkins' own settings look at: its warnings, audit trail, numbers and pages, and who builds run as.

Importing it adds its gatherers to those of `evidence`.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from evidence import GATHERERS
from machine_evidence import inspection
from subject import Client, Subject

from bootstrap.jenkins.controller.api import ask, expect
from bootstrap.remote.questions import STARTED

_MONITORS = (
    "jenkins.model.Jenkins.get().activeAdministrativeMonitors.findAll { !it.activationFake }.each { println it.id }\n"
    "null"  # Jenkins prints what a script returns, too
)
_SECONDS = 20
_BUILDS_OF_A_JOB = 20
_BETWEEN = 2.5  # seconds; each look takes the machine a second of work, and the canary some to begin
_PERIOD = 150  # seconds; COLLECTING_METRICS_PERIOD_IN_SECONDS, and some more
_TIME = r"^(?:\[[^\]\s]+Z\] )?"  # timestamper begins each line of a Pipeline with it
RUNS_AS = re.compile(_TIME + r"Running as (.*?)\r?$", re.MULTILINE)
"""The line of a console that says whose permissions the build has."""


def active_monitors(subject: Subject) -> frozenset[str]:
    """The ids of what Manage Jenkins warns of; no API tells them, so Jenkins' script console is asked."""
    body = urlencode({"script": _MONITORS})
    form = "application/x-www-form-urlencoded"
    answer = ask(Client(subject), "POST", "scriptText", body=body, content_type=form)
    return frozenset(expect(answer, "asking Jenkins for its active monitors").text.split())


@dataclass(frozen=True)
class Audit:
    """The word that one request of the toolkit's carried, and the newest audit lines of the journal."""

    word: str
    lines: tuple[str, ...]

    @property
    def requests(self) -> tuple[str, ...]:
        """The lines about that request."""
        return tuple(line for line in self.lines if f"/createItem ({self.word}) by toolkit from " in line)

    @property
    def builds(self) -> tuple[str, ...]:
        """The lines about builds that began."""
        return tuple(line for line in self.lines if re.search(r" - job/\S+ #\d+ Started by .*, Parameters:\[", line))


def audit(subject: Subject) -> Audit:
    """Ask for something that has no effect but is written down, and read the journal until it and a build are there."""
    word, lines = f"verify-{secrets.token_hex(4)}", tuple[str, ...]()
    client, end = Client(subject), time.monotonic() + _SECONDS
    while time.monotonic() < end:
        # Refused, because only a POST makes something. Repeated, because the plugin logs beside answering and may miss one.
        ask(client, "GET", "createItem", params={"name": word})
        time.sleep(_BETWEEN)
        lines = tuple(inspection(subject)["audit"])
        found = Audit(word, lines)
        if found.requests and found.builds:
            break
    return Audit(word, lines)


@dataclass(frozen=True)
class Numbers:
    """What /prometheus/ answers the toolkit."""

    status: int
    kind: str
    text: str


def numbers(subject: Subject) -> Numbers:
    """The metrics for Prometheus. Jenkins collects them first at some moment of the first period after its start."""
    client, end = Client(subject), time.monotonic() + _PERIOD
    while True:
        answer = ask(client, "GET", "prometheus/")
        if answer.status_code != 200 or "default_jenkins_up" in answer.text or time.monotonic() > end:
            return Numbers(answer.status_code, answer.headers.get("Content-Type", ""), answer.text)
        time.sleep(2)


def page_headers(subject: Subject) -> Mapping[str, str]:
    """The headers of the front page as somebody who is signed in gets it."""
    return expect(ask(Client(subject), "GET", ""), "asking Jenkins for its front page").headers


@dataclass(frozen=True)
class Unstarted:
    """A build that no person and no client started: its name and what its console says of whom it ran as."""

    name: str
    runs_as: str


def unstarted_builds(subject: Subject) -> tuple[Unstarted, ...]:
    """The newest builds of timers and polling since the service was started, as far as there are any."""
    client, since = Client(subject), _started(subject.host.check_output(STARTED))
    found = []
    for job in client.json("", f"jobs[name,builds[number,timestamp,actions[causes[_class]]]{{0,{_BUILDS_OF_A_JOB}}}]")[
        "jobs"
    ]:
        for build in job.get("builds", ()):
            if build["timestamp"] / 1000 < since or not _is_unstarted(build):
                continue
            text = expect(
                ask(client, "GET", f"job/{job['name']}/{build['number']}/consoleText"), "reading a console"
            ).text
            named = RUNS_AS.search(text)
            found.append(Unstarted(f"{job['name']} #{build['number']}", named[1] if named else "nobody named"))
            break
    return tuple(found)


def _started(line: str) -> float:
    moment = datetime.strptime(line.strip(), "%a %Y-%m-%d %H:%M:%S UTC")
    return moment.replace(tzinfo=UTC).timestamp()


def _is_unstarted(build: Mapping[str, Any]) -> bool:
    kinds = {cause.get("_class", "") for action in build.get("actions", ()) for cause in action.get("causes", ())}
    return bool(kinds) and all(kind.endswith(("$TimerTriggerCause", "$SCMTriggerCause")) for kind in kinds)


GATHERERS.update(
    {function.__name__: function for function in (active_monitors, audit, numbers, page_headers, unstarted_builds)}
)
