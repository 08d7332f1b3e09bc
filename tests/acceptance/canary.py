"""The build that the checks start: followed from the queue to its end, and told why where it cannot start.

Its wait for an executor and its run have limits of their own: others may hold the executors for minutes, and the build of
'verify' on this Jenkins holds one of them itself. What cannot start is taken back, and is one finding, not one for each check
that would have looked at the build.
"""

from __future__ import annotations

import contextlib
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bootstrap.errors import BootstrapError, Unreachable
from bootstrap.jenkins.controller import builds
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect
from bootstrap.preconditions import running_builds

CANARY, LABEL = "canary", "infrastructure"
START_SECONDS, RUN_SECONDS = 420, 180
_LOOK_SECONDS = 2.0
_RUNS = "Running on "  # the line that a Pipeline's node block begins with once it has its executor
_AGENT = re.compile(r"Running on (?P<name>.+) in /")
_NOTE = re.compile(r"\x1b\[8mha:[^\x1b]*\x1b\[0m")  # what a page makes links of
_TIME = re.compile(r"^\[[^\]\s]+Z\] ")  # timestamper begins each line of a Pipeline with it
_WAITS = "Still waiting to schedule task"  # before the line that says why


@dataclass(frozen=True)
class Build:
    """The canary's build that these checks started, and the job's history after it.

    `waited` are the seconds from its start until it had an executor. `hindrance` says why it could not start; everything else
    is empty then.
    """

    word: str
    number: int = 0
    result: str = ""
    log: str = ""
    artifact: str = ""
    history: tuple[int, ...] = ()
    waited: float = 0.0
    hindrance: str = ""


def find_agent(log: str) -> str:
    """The name of the node on which a build ran at last, by its log; '' if it ran on none."""
    found = _AGENT.findall(_NOTE.sub("", log))
    return found[-1] if found else ""


class CannotStart(Exception):
    """The build got no executor; why, in one line."""


@dataclass
class Wait:
    """Stands in for the pauses between two looks at the build, and ends them where it does not start."""

    client: JenkinsClient
    log: list[str] = field(default_factory=list)
    start_seconds: float = START_SECONDS
    run_seconds: float = RUN_SECONDS
    begun: float = field(default_factory=time.monotonic)
    started: float = 0.0
    looked: float = 0.0

    def pause(self, seconds: float) -> None:
        """A short sleep; CannotStart where no executor came in time, Unreachable where the build does not end."""
        now = time.monotonic()
        if not self.started and _RUNS in "".join(self.log):
            self.started = now
        if self.started and now - self.started > self.run_seconds:
            raise Unreachable(
                f"following {CANARY}", f"it had not ended after {self.run_seconds:g} s", "Look at its log."
            )
        if not self.started and now - self.looked > _LOOK_SECONDS:
            self.looked = now
            if _is_quiet(self.client):
                raise CannotStart(f"{hindrance(self.client, self.log)}; Jenkins starts no build in quiet mode")
            if now - self.begun > self.start_seconds:
                raise CannotStart(f"it waited {self.start_seconds:g} s: {hindrance(self.client, self.log)}")
        time.sleep(min(seconds, 0.2))


def build(client: JenkinsClient, label: str = LABEL, start_seconds: float = START_SECONDS) -> Build:
    """Start the canary on agents of a label with a word of this run's own, follow it to its end, read everything back."""
    word, wait = secrets.token_hex(4), Wait(client, start_seconds=start_seconds)
    asked = {"WORD": word, "LABEL": label}
    try:
        result = builds.follow(
            client, CANARY, asked, wait.log.append, timeout=start_seconds + RUN_SECONDS, sleep=wait.pause
        )
    except CannotStart as error:
        _take_back(client, word)
        return Build(word, hindrance=str(error))
    if result == "ABORTED" and not wait.started and _RUNS not in "".join(wait.log):
        return Build(word, hindrance=f"it was aborted before it got an executor: {hindrance(client, wait.log)}")
    told = _json(client, f"job/{CANARY}/", "builds[number,result,actions[parameters[name,value]]]")
    number = _number(told, word)
    artifact = ask(client, "GET", f"job/{CANARY}/{number}/artifact/canary.txt")
    history = tuple(build["number"] for build in told["builds"])
    text = artifact.text if artifact.status_code == 200 else f"HTTP {artifact.status_code}"
    waited = (wait.started or time.monotonic()) - wait.begun
    return Build(word, number, result, "".join(wait.log), text, history, waited)


def hindrance(client: JenkinsClient, log: list[str]) -> str:
    """Why it waits, in the queue's own words, and which builds hold the executors."""
    reason = _reason(client, "".join(log))
    held = [name for name in running_builds.list_builds_on_executors(client) if not name.startswith(f"{CANARY} #")]
    return f"{reason} (the executors run {', '.join(held)})" if held else reason


def _reason(client: JenkinsClient, log: str) -> str:
    """From its console where it is a build already, else from the queue."""
    lines = [_TIME.sub("", line.strip()) for line in _NOTE.sub("", log).splitlines()]
    if _WAITS in lines[:-1]:
        return lines[lines.index(_WAITS) + 1]
    told = _json(client, "queue/", "items[why,task[name]]")
    found = [
        str(item.get("why"))
        for item in told.get("items", ())
        if CANARY in str(item.get("task", {}).get("name")) and item.get("why")
    ]
    return found[0] if found else "no executor took it, and the queue gives no reason"


def _is_quiet(client: JenkinsClient) -> bool:
    return bool(_json(client, "", "quietingDown").get("quietingDown"))


def _take_back(client: JenkinsClient, word: str) -> None:
    """It must not run when nobody looks any more; where that fails, it does no harm either."""
    with contextlib.suppress(BootstrapError):
        number = _number(_json(client, f"job/{CANARY}/", "builds[number,actions[parameters[name,value]]]"), word)
        if number:
            ask(client, "POST", f"job/{CANARY}/{number}/stop")
            return
        for item in _json(client, "queue/", "items[id,task[name],actions[parameters[name,value]]]").get("items", ()):
            if word in _words(item):
                ask(client, "POST", "queue/cancelItem", params={"id": str(item["id"])})


def _number(told: Mapping[str, Any], word: str) -> int:
    return next((int(build["number"]) for build in told["builds"] if word in _words(build)), 0)


def _words(build: Mapping[str, Any]) -> set[str]:
    return {str(it.get("value")) for action in build.get("actions", ()) for it in action.get("parameters", ())}


def _json(client: JenkinsClient, path: str, tree: str) -> dict[str, Any]:
    answer = ask(client, "GET", f"{path}api/json", params={"tree": tree})
    found: dict[str, Any] = expect(answer, f"asking Jenkins for {path or '/'}").json()
    return found
