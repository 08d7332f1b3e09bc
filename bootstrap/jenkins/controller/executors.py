"""What the executors of the nodes do, and why something waits for one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect
from bootstrap.jenkins.controller.console_text import plain

_COMPUTERS = "computer[displayName,executors[currentExecutable[url]],oneOffExecutors[currentExecutable[url]]]"
_ITEMS = "items[why,task[url]]"
_PATH = re.compile(r"/job/(?P<name>[^?#]+?)/(?P<number>\d+)/$")
# Jenkins' words; where one node has the label, its name follows in quotes.
_NO_EXECUTOR = re.compile(r"next available executor(?: on ‘(?P<node>[^’]*)’)?")
_SAME_JOB = re.compile(r"Build #(?P<number>\d+) is already in progress")


@dataclass(frozen=True)
class Occupied:
    """An executor with its build, as 'folder/job #12'; a build that is `one_off` needs no executor of its node."""

    node: str
    build: str
    is_one_off: bool


def read(client: JenkinsClient) -> tuple[Occupied, ...]:
    """The executors that have a build; one request."""
    answer = ask(client, "GET", "computer/api/json", params={"tree": _COMPUTERS})
    computers = expect(answer, "asking Jenkins which builds run").json().get("computer", ())
    return tuple(found for computer in computers for found in _of(computer))


def _of(computer: dict[str, Any]) -> Iterator[Occupied]:
    for kind in ("executors", "oneOffExecutors"):
        for executor in computer.get(kind, ()):
            executable = executor.get("currentExecutable") or {}
            if match := _PATH.search(str(executable.get("url", ""))):
                name = unquote(match["name"]).replace("/job/", "/")
                build = "".join(each if each.isprintable() else "?" for each in f"{name} #{match['number']}")
                yield Occupied(str(computer.get("displayName", "")), build, kind == "oneOffExecutors")


def explain(client: JenkinsClient, why: str, name: str) -> str:
    """The queue's reason why a build of the job `name` waits, and the builds that it waits for."""
    reason = plain(why)
    if same := _SAME_JOB.search(reason):
        return f"{reason}; it waits for {name} #{same['number']}"
    missing = _NO_EXECUTOR.search(reason)
    if missing is None:
        return reason
    node = missing["node"]
    builds = [each.build for each in read(client) if not each.is_one_off and node in {None, each.node}]
    return f"{reason}; it waits for one of: {', '.join(dict.fromkeys(builds))}" if builds else reason


def reasons_of_parts(client: JenkinsClient, path: str) -> tuple[str, ...]:
    """Why parts of the running Pipeline at `path` (job/NAME/NUMBER/) wait for an executor, in the queue's own words."""
    answer = ask(client, "GET", "queue/api/json", params={"tree": _ITEMS})
    items = expect(answer, f"asking Jenkins why {path} waits").json().get("items", ())
    own = [item for item in items if unquote(str((item.get("task") or {}).get("url", ""))).endswith(unquote(path))]
    return tuple(dict.fromkeys(str(item["why"]) for item in own if item.get("why")))
