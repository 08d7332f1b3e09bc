"""Starts a job's build and follows it: the queue, the console as it grows, the result."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from bootstrap.errors import JobsRejected, Unreachable
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, job_path, reason

PAUSE = 0.5
"""Seconds between two looks."""


def follow(
    jenkins: JenkinsClient,
    name: str,
    parameters: Mapping[str, str],
    write: Callable[[str], object],
    *,
    url: str = "",
    timeout: float = 3600,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Build the job, write its console as it comes, return its result as Jenkins names it (SUCCESS, FAILURE ...).

    A build that waits for somebody's answer (an `input` of its Pipeline) is said to, with the page where that is given.
    Raises JobsRejected where there is no such job or parameter, or Jenkins will not queue it, and Unreachable where the build
    has not ended within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    item = start(jenkins, name, parameters)
    number = _wait_for_start(jenkins, name, item, deadline, sleep)
    path, offset, has_more, is_told = f"{job_path(name)}{number}/", 0, True, False
    while has_more:
        log = ask(jenkins, "GET", f"{path}logText/progressiveText", params={"start": str(offset)})
        expect(log, f"reading the console of {name} #{number}")
        write(log.content.decode("utf-8", "replace"))
        offset = int(log.headers.get("X-Text-Size", offset))
        has_more = log.headers.get("X-More-Data") == "true"
        if has_more:
            is_told = not log.content and (is_told or _tell_question(jenkins, path, f"{url}{path}input/", write))
            _pause(deadline, f"following {name} #{number}", sleep)
    return _result(jenkins, name, number, deadline, sleep)


def _tell_question(jenkins: JenkinsClient, path: str, page: str, write: Callable[[str], object]) -> bool:
    """Say where a build's open question is answered, and whether there is one; its words are in the console already.

    The Pipeline's input step shows it as an action of the build.
    """
    found = ask(jenkins, "GET", f"{path}api/json", params={"tree": "actions[waitingForInput]"})
    actions = expect(found, f"looking whether {path} waits for an answer").json().get("actions", ())
    is_waiting = any(action.get("waitingForInput") for action in actions)
    if is_waiting:
        write(f"waiting for an answer: {page}\n")
    return is_waiting


def start(jenkins: JenkinsClient, name: str, parameters: Mapping[str, str]) -> int:
    """Queue a build of the job; the number of the queue's item."""
    doing = f"starting the job '{name}'"
    known = _parameters_of(jenkins, name, doing)
    if unknown := sorted(parameters.keys() - known):
        # Jenkins itself would drop them without a word.
        there = ", ".join(sorted(known)) or "none"
        raise JobsRejected(doing, f"it has no parameter '{unknown[0]}'; there are: {there}", "Name another parameter.")
    verb = "buildWithParameters" if known else "build"
    answer = ask(jenkins, "POST", f"{job_path(name)}{verb}", params=dict(parameters))
    first = answer.history[0] if answer.history else answer
    found = re.search(r"/queue/item/(\d+)", first.headers.get("Location", ""))
    if first.status_code not in {201, 303} or found is None:
        raise JobsRejected(doing, reason(answer), "A job that is disabled must be enabled before it can be built.")
    return int(found[1])


def _parameters_of(jenkins: JenkinsClient, name: str, doing: str) -> set[str]:
    answer = ask(jenkins, "GET", f"{job_path(name)}api/json", params={"tree": "property[parameterDefinitions[name]]"})
    if answer.status_code == 404:
        raise JobsRejected(doing, "there is no such job", "Run the jobs act, or name another job.")
    found = expect(answer, doing).json().get("property", ())
    return {str(each["name"]) for kind in found for each in kind.get("parameterDefinitions", ())}


def _wait_for_start(
    jenkins: JenkinsClient, name: str, item: int, deadline: float, sleep: Callable[[float], None]
) -> int:
    doing = f"waiting for '{name}' to leave the queue"
    while True:
        told: dict[str, Any] = expect(ask(jenkins, "GET", f"queue/item/{item}/api/json"), doing).json()
        if told.get("cancelled"):
            raise JobsRejected(doing, "somebody took it out of the queue", "Start it again.")
        if told.get("executable"):
            return int(told["executable"]["number"])
        _pause(deadline, doing, sleep, str(told.get("why") or ""))


def _result(jenkins: JenkinsClient, name: str, number: int, deadline: float, sleep: Callable[[float], None]) -> str:
    """The result; it may come a moment after the log ended."""
    doing = f"asking for the result of {name} #{number}"
    while True:
        told = expect(
            ask(jenkins, "GET", f"{job_path(name)}{number}/api/json", params={"tree": "result"}), doing
        ).json()
        if told.get("result"):
            return str(told["result"])
        _pause(deadline, doing, sleep)


def _pause(deadline: float, doing: str, sleep: Callable[[float], None], why: str = "") -> None:
    if time.monotonic() > deadline:
        raise Unreachable(doing, f"it did not happen in time {why}".rstrip(), "Look at the build in Jenkins.")
    sleep(PAUSE)
