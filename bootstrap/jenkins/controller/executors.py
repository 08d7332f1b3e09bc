"""Which builds occupy executors, and why a build waits for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect
from bootstrap.jenkins.controller.console_text import clean_line

_COMPUTERS = "computer[displayName,executors[currentExecutable[url]],oneOffExecutors[currentExecutable[url]]]"
_ITEMS = "items[why,task[url]]"
_PATH = re.compile(r"/job/(?P<name>[^?#]+?)/(?P<number>\d+)/$")
# Jenkins' text; if only one node has the label, the node's name follows in quotes.
_NO_EXECUTOR = re.compile(r"next available executor(?: on ‘(?P<node>[^’]*)’)?")
_SAME_JOB = re.compile(r"Build #(?P<number>\d+) is already in progress")


@dataclass(frozen=True)
class Occupied:
    """An executor that runs a build; `build` is 'folder/job #12'.

    A one-off executor (a Pipeline itself runs on one) does not count against the executors of its node.
    """

    node: str
    build: str
    is_one_off: bool


def read_occupied(client: JenkinsClient) -> tuple[Occupied, ...]:
    """The executors of all nodes that run a build; one request. Raises BootstrapError if Jenkins refuses it."""
    answer = ask(client, "GET", "computer/api/json", params={"tree": _COMPUTERS})
    computers = expect(answer, "asking Jenkins which builds run").json().get("computer", ())
    return tuple(occupied for computer in computers for occupied in _read_computer(computer))


def _read_computer(computer: dict[str, Any]) -> Iterator[Occupied]:
    for kind in ("executors", "oneOffExecutors"):
        for executor in computer.get(kind, ()):
            executable = executor.get("currentExecutable") or {}
            if match := _PATH.search(str(executable.get("url", ""))):
                name = unquote(match["name"]).replace("/job/", "/")
                build = "".join(each if each.isprintable() else "?" for each in f"{name} #{match['number']}")
                yield Occupied(str(computer.get("displayName", "")), build, kind == "oneOffExecutors")


def explain(client: JenkinsClient, why: str, name: str) -> str:
    """Add the builds that are in the way to `why`, the queue's reason why a build of the job `name` waits.

    One request if the build waits for an executor, otherwise none.
    """
    reason = clean_line(why)
    if same := _SAME_JOB.search(reason):
        return f"{reason}; it waits for {name} #{same['number']}"
    missing = _NO_EXECUTOR.search(reason)
    if missing is None:
        return reason
    node = missing["node"]
    builds = [each.build for each in read_occupied(client) if not each.is_one_off and node in {None, each.node}]
    return f"{reason}; it waits for one of: {', '.join(dict.fromkeys(builds))}" if builds else reason


def find_waiting_reasons(client: JenkinsClient, path: str) -> tuple[str, ...]:
    """The reasons, in Jenkins' words, why parts of the running Pipeline at `path` (job/NAME/NUMBER/) are in the queue."""
    answer = ask(client, "GET", "queue/api/json", params={"tree": _ITEMS})
    items = expect(answer, f"asking Jenkins why {path} waits").json().get("items", ())
    own = [item for item in items if unquote(str((item.get("task") or {}).get("url", ""))).endswith(unquote(path))]
    return tuple(dict.fromkeys(str(item["why"]) for item in own if item.get("why")))
