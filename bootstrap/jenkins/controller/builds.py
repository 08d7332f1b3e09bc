"""Starts a job's build and follows it: the queue, the console as it grows, the result."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from bootstrap.errors import JobsRejected, Unreachable
from bootstrap.jenkins.controller import executors
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, job_path, reason
from bootstrap.jenkins.controller.console_text import ConsoleText, plain

PAUSE = 0.5
"""Seconds between two looks."""

SILENT_LOOKS = 5
"""After as many looks at a console that says nothing, Jenkins is asked whether the build waits for an executor."""


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

    What it waits for in the queue is told, in Jenkins' words, with the builds that are in the way; also where a part of a
    Pipeline waits for an executor, which its console says late. A build that waits for somebody's answer (an `input` of its
    Pipeline) is said to, with the page where that is given.
    Raises JobsRejected where there is no such job or parameter, or Jenkins will not queue it, and Unreachable where the build
    has not ended within `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    item = start(jenkins, name, parameters)
    number = _wait_for_start(jenkins, name, item, write, deadline, sleep)
    console = _Console(jenkins, f"{job_path(name)}{number}/", f"{name} #{number}", write)
    is_told, parts = False, _Parts(jenkins, name, console.path, write)
    while True:
        has_more, is_silent = console.read()
        if not has_more:
            break
        parts.look(is_silent=is_silent)
        is_told = is_silent and (is_told or _tell_question(jenkins, console.path, f"{url}{console.path}input/", write))
        _pause(deadline, f"following {name} #{number}", sleep)
    result = _result(jenkins, name, number, deadline, sleep)
    console.finish()
    return result


class _Console:
    """A build's console, written as it comes; the offsets are Jenkins' own, of what it keeps, not of what it sends."""

    def __init__(self, jenkins: JenkinsClient, path: str, shown: str, write: Callable[[str], object]) -> None:
        self.path = path
        self._jenkins, self._shown, self._write = jenkins, shown, write
        self._text, self._offset = ConsoleText(), "0"

    def read(self) -> tuple[bool, bool]:
        """Write what is new; whether more will come, and whether nothing was new."""
        log = ask(self._jenkins, "GET", f"{self.path}logText/progressiveText", params={"start": self._offset})
        expect(log, f"reading the console of {self._shown}")
        self._write(self._text.read(log.content))
        size = log.headers.get("X-Text-Size", "")
        if size.isdigit():
            self._offset = size
        return log.headers.get("X-More-Data") == "true", not log.content

    def finish(self) -> None:
        """Write what came with the build's very end, and what was held back for a rest that did not come."""
        self.read()
        self._write(self._text.end())


class _Parts:
    """Tells why the parts of a Pipeline that run on agents wait. They are items of the queue, as its builds are."""

    def __init__(self, jenkins: JenkinsClient, name: str, path: str, write: Callable[[str], object]) -> None:
        self._jenkins, self._name, self._path, self._write = jenkins, name, path, write
        self._silent, self._told = 0, set[str]()

    def look(self, *, is_silent: bool) -> None:
        """Ask the queue while the console is silent, and write each reason once."""
        self._silent = self._silent + 1 if is_silent else 0
        if self._silent % SILENT_LOOKS or not self._silent:
            return
        for why in executors.reasons_of_parts(self._jenkins, self._path):
            if why not in self._told:
                self._told.add(why)
                self._write(f"waiting in the queue: {executors.explain(self._jenkins, why, self._name)}\n")


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
        raise JobsRejected(
            doing, f"it has no parameter '{unknown[0]}'; there are: {there}", "Use one of the job's parameters."
        )
    verb = "buildWithParameters" if known else "build"
    answer = ask(jenkins, "POST", f"{job_path(name)}{verb}", params=dict(parameters))
    first = answer.history[0] if answer.history else answer
    found = re.search(r"/queue/item/(\d+)", first.headers.get("Location", ""))
    if first.status_code not in {201, 303} or found is None:
        raise JobsRejected(doing, reason(answer), "If the job is disabled, enable it first.")
    return int(found[1])


def _parameters_of(jenkins: JenkinsClient, name: str, doing: str) -> set[str]:
    answer = ask(jenkins, "GET", f"{job_path(name)}api/json", params={"tree": "property[parameterDefinitions[name]]"})
    if answer.status_code == 404:
        raise JobsRejected(doing, "there is no such job", "Run the jobs act, or name another job.")
    found = expect(answer, doing).json().get("property", ())
    return {str(each["name"]) for kind in found for each in kind.get("parameterDefinitions", ())}


def _wait_for_start(
    jenkins: JenkinsClient,
    name: str,
    item: int,
    write: Callable[[str], object],
    deadline: float,
    sleep: Callable[[float], None],
) -> int:
    """The number of the build that the queue's item becomes; each reason to wait is told once."""
    doing, told = f"waiting for '{name}' to leave the queue", set[str]()
    while True:
        found: dict[str, Any] = expect(ask(jenkins, "GET", f"queue/item/{item}/api/json"), doing).json()
        if found.get("cancelled"):
            raise JobsRejected(doing, "somebody cancelled it in the queue", "Start it again.")
        if found.get("executable"):
            return int(found["executable"]["number"])
        why = plain(str(found.get("why") or ""))
        # Only its seconds change while an item is in its quiet period.
        if (kind := re.sub(r"[\d.]+", "", why)) and kind not in told:
            told.add(kind)
            write(f"waiting in the queue: {executors.explain(jenkins, why, name)}\n")
        _pause(deadline, doing, sleep, why)


def _result(jenkins: JenkinsClient, name: str, number: int, deadline: float, sleep: Callable[[float], None]) -> str:
    """The result, once the build has ended: `building` turns false before its last steps, `inProgress` after them."""
    doing = f"asking for the result of {name} #{number}"
    tree = {"tree": "building,inProgress,result"}
    while True:
        told = expect(ask(jenkins, "GET", f"{job_path(name)}{number}/api/json", params=tree), doing).json()
        is_running = told.get("inProgress", told.get("building", False))
        if told.get("result") and not is_running:
            return str(told["result"])
        _pause(deadline, doing, sleep)


def _pause(deadline: float, doing: str, sleep: Callable[[float], None], why: str = "") -> None:
    if time.monotonic() > deadline:
        raise Unreachable(doing, f"time-out {why}".rstrip(), "Check the build in Jenkins.")
    sleep(PAUSE)
