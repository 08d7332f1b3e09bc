"""Starts a build of a job and follows it: the queue, the console while it grows, and the result."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from bootstrap.errors import JobsRejected, Unreachable
from bootstrap.jenkins.controller import executors
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect, explain_refusal, make_job_path
from bootstrap.jenkins.controller.console_text import ConsoleText, clean_line

PAUSE = 0.5
"""Seconds between two requests."""

SILENT_READS = 5
"""Requests without new console text, after which the queue is read: the build may wait for an executor."""


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
    """Start a build of the job, write its console while it grows, and return its result in Jenkins' words (SUCCESS, FAILURE).

    `write` also gets a line for everything that the build waits for: the reason of the queue with the builds that occupy the
    executors, the reason of a part of a Pipeline that waits for an executor (the console shows it late), and the page of an
    open question (the step `input`). `url` is the root URL of Jenkins in that line. `timeout` is in seconds.
    Raises JobsRejected if the job or a parameter does not exist or Jenkins does not queue the build, and Unreachable if the
    build has not ended after `timeout`.
    """
    deadline = time.monotonic() + timeout
    item = start(jenkins, name, parameters)
    number = _wait_for_start(jenkins, name, item, write, deadline, sleep)
    console = _Console(jenkins, f"{make_job_path(name)}{number}/", f"{name} #{number}", write)
    is_reported, waiting_parts = False, _WaitingParts(jenkins, name, console.path, write)
    while True:
        has_more, is_silent = console.read()
        if not has_more:
            break
        waiting_parts.report(is_silent=is_silent)
        is_reported = is_silent and (
            is_reported or _report_question(jenkins, console.path, f"{url}{console.path}input/", write)
        )
        _pause(deadline, f"following {name} #{number}", sleep)
    result = _wait_for_result(jenkins, name, number, deadline, sleep)
    console.finish()
    return result


class _Console:
    """The console of a build; `_offset` is a position in the log that Jenkins stores, not in the text that it sends."""

    def __init__(self, jenkins: JenkinsClient, path: str, shown: str, write: Callable[[str], object]) -> None:
        self.path = path
        self._jenkins, self._shown, self._write = jenkins, shown, write
        self._text, self._offset = ConsoleText(), "0"

    def read(self) -> tuple[bool, bool]:
        """Write the new text; return whether more will follow, and whether there was no new text."""
        log = ask(self._jenkins, "GET", f"{self.path}logText/progressiveText", params={"start": self._offset})
        expect(log, f"reading the console of {self._shown}")
        self._write(self._text.read(log.content))
        size = log.headers.get("X-Text-Size", "")
        if size.isdigit():
            self._offset = size
        return log.headers.get("X-More-Data") == "true", not log.content

    def finish(self) -> None:
        """Write the last text of the build, and the incomplete rest that the reader still holds."""
        self.read()
        self._write(self._text.take_rest())


class _WaitingParts:
    """Reports why parts of a Pipeline wait for an agent; each part is an item of the queue, like a build."""

    def __init__(self, jenkins: JenkinsClient, name: str, path: str, write: Callable[[str], object]) -> None:
        self._jenkins, self._name, self._path, self._write = jenkins, name, path, write
        self._silent, self._reported = 0, set[str]()

    def report(self, *, is_silent: bool) -> None:
        """Read the queue while the console has no new text, and write each reason once."""
        self._silent = self._silent + 1 if is_silent else 0
        if self._silent % SILENT_READS or not self._silent:
            return
        for why in executors.find_waiting_reasons(self._jenkins, self._path):
            if why not in self._reported:
                self._reported.add(why)
                self._write(f"waiting in the queue: {executors.explain(self._jenkins, why, self._name)}\n")


def _report_question(jenkins: JenkinsClient, path: str, page: str, write: Callable[[str], object]) -> bool:
    """Write the page of the build's open question, and return whether there is one; the console has the question itself.

    The Pipeline step `input` adds an action to the build while it waits (plugin pipeline-input-step).
    """
    answer = ask(jenkins, "GET", f"{path}api/json", params={"tree": "actions[waitingForInput]"})
    actions = expect(answer, f"looking whether {path} waits for an answer").json().get("actions", ())
    is_waiting = any(action.get("waitingForInput") for action in actions)
    if is_waiting:
        write(f"waiting for an answer: {page}\n")
    return is_waiting


def start(jenkins: JenkinsClient, name: str, parameters: Mapping[str, str]) -> int:
    """Queue a build of the job; return the number of the queue item.

    Raises JobsRejected if the job or a parameter does not exist, or if Jenkins does not queue the build.
    """
    doing = f"starting the job '{name}'"
    known = _read_parameters(jenkins, name, doing)
    if unknown := sorted(parameters.keys() - known):
        # Jenkins would drop them without an error.
        listed = ", ".join(sorted(known)) or "none"
        raise JobsRejected(
            doing, f"it has no parameter '{unknown[0]}'; there are: {listed}", "Use one of the job's parameters."
        )
    verb = "buildWithParameters" if known else "build"
    answer = ask(jenkins, "POST", f"{make_job_path(name)}{verb}", params=dict(parameters))
    first = answer.history[0] if answer.history else answer
    item = re.search(r"/queue/item/(\d+)", first.headers.get("Location", ""))
    if first.status_code not in {201, 303} or item is None:
        raise JobsRejected(doing, explain_refusal(answer), "If the job is disabled, enable it first.")
    return int(item[1])


def _read_parameters(jenkins: JenkinsClient, name: str, doing: str) -> set[str]:
    answer = ask(
        jenkins, "GET", f"{make_job_path(name)}api/json", params={"tree": "property[parameterDefinitions[name]]"}
    )
    if answer.status_code == 404:
        raise JobsRejected(doing, "there is no such job", "Run the jobs act, or name another job.")
    properties = expect(answer, doing).json().get("property", ())
    return {str(each["name"]) for kind in properties for each in kind.get("parameterDefinitions", ())}


def _wait_for_start(
    jenkins: JenkinsClient,
    name: str,
    item: int,
    write: Callable[[str], object],
    deadline: float,
    sleep: Callable[[float], None],
) -> int:
    """Wait until the queue item has become a build, and return the build's number; write each reason to wait once."""
    doing, reported = f"waiting for '{name}' to leave the queue", set[str]()
    while True:
        queued: dict[str, Any] = expect(ask(jenkins, "GET", f"queue/item/{item}/api/json"), doing).json()
        if queued.get("cancelled"):
            raise JobsRejected(doing, "somebody cancelled it in the queue", "Start it again.")
        if queued.get("executable"):
            return int(queued["executable"]["number"])
        why = clean_line(str(queued.get("why") or ""))
        # While an item is in its quiet period, only the seconds in the reason change.
        if (kind := re.sub(r"[\d.]+", "", why)) and kind not in reported:
            reported.add(kind)
            write(f"waiting in the queue: {executors.explain(jenkins, why, name)}\n")
        _pause(deadline, doing, sleep, why)


def _wait_for_result(
    jenkins: JenkinsClient, name: str, number: int, deadline: float, sleep: Callable[[float], None]
) -> str:
    """Wait until the build has ended, and return its result.

    `building` becomes false before the last steps of a build, `inProgress` after them.
    """
    doing = f"asking for the result of {name} #{number}"
    tree = {"tree": "building,inProgress,result"}
    while True:
        build = expect(ask(jenkins, "GET", f"{make_job_path(name)}{number}/api/json", params=tree), doing).json()
        is_running = build.get("inProgress", build.get("building", False))
        if build.get("result") and not is_running:
            return str(build["result"])
        _pause(deadline, doing, sleep)


def _pause(deadline: float, doing: str, sleep: Callable[[float], None], why: str = "") -> None:
    if time.monotonic() > deadline:
        raise Unreachable(doing, f"time-out {why}".rstrip(), "Check the build in Jenkins.")
    sleep(PAUSE)
