"""What waits in Jenkins' queue and why, and how busy its executors are.

Jenkins gives each item a reason in words. An item waits in vain if no agent takes it: no node has its label, all that have it
are offline, or Jenkins calls it stuck (its label is offline, or it waits ten times as long as its job builds). An item that
waits for a free executor, for a build of the same job or for its quiet period is in no trouble.
"""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

import requests

from bootstrap import wording
from bootstrap.jenkins.controller.api import JenkinsClient, ask, expect
from bootstrap.jenkins.controller.console_text import clean_line

NOBODY_SECONDS = 10
"""How long an item waits before it counts as in vain, if neither a node nor a group of agents has its label."""
AGENT_SECONDS = 900
"""The same for every other reason: so long an instance of a group of agents may take to boot and to connect."""

_QUEUE = "items[blocked,buildable,inQueueSince,stuck,task[name,url],why]"
_COMPUTERS = "computer[assignedLabels[name],displayName,executors[idle],offline]"
_JOB = re.compile(r"(?:^|/)job/(?P<name>[^?#]+?)(?:/(?P<number>\d+))?/$")
# Jenkins' two ways to say it: of the label, and of each node, with a semicolon between them.
_NO_NODE = re.compile(r"(?:There are no nodes with the|‘[^’]*’ doesn’t have) label ‘(?P<label>[^’]*)’")
_FREE_EXECUTOR = "next available executor"


@dataclass(frozen=True)
class Waiting:
    """An item of the queue: its job ('folder/job', of a running Pipeline 'folder/job #12'), and Jenkins' reason.

    `seconds` is how long it waits. `is_in_vain` is whether no agent takes it, and it waits longer than an agent needs to come.
    """

    job: str
    reason: str
    seconds: int
    is_in_vain: bool

    def __str__(self) -> str:
        return f"{self.job} waits {_format(self.seconds)}: {self.reason}"


@dataclass(frozen=True)
class Load:
    """The executors of the nodes with one label that are online, how many of them are busy, and how many nodes are offline."""

    label: str
    busy: int
    total: int
    offline: int

    def __str__(self) -> str:
        offline = f", {wording.count_noun(self.offline, 'agent')} offline" if self.offline else ""
        return f"{self.busy} of {self.total} busy{offline}"


def read_queue(client: JenkinsClient, groups: Collection[str] = ()) -> tuple[Waiting, ...]:
    """The items of the queue, the oldest first; `groups` are the labels of groups of agents. BootstrapError if refused."""
    answer = expect(ask(client, "GET", "queue/api/json", params={"tree": _QUEUE}), "asking Jenkins what waits")
    items = [_read_item(item, _read_clock(answer), groups) for item in answer.json().get("items", ())]
    return tuple(sorted(items, key=lambda item: -item.seconds))


def _read_clock(answer: requests.Response) -> float:
    """The time of Jenkins' machine, by which items wait; of this machine if the answer does not have it."""
    try:
        return parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()
    except ValueError:
        return time.time()


def _read_item(item: Mapping[str, Any], now: float, groups: Collection[str]) -> Waiting:
    reason = clean_line(str(item.get("why") or "")) or "Jenkins gives no reason"
    seconds = max(0, int(now - float(item.get("inQueueSince") or now * 1000) / 1000))
    longest = _choose_longest(item, reason, groups)
    return Waiting(_name_job(item.get("task") or {}), reason, seconds, longest is not None and seconds >= longest)


def _choose_longest(item: Mapping[str, Any], reason: str, groups: Collection[str]) -> int | None:
    """How long an item may wait for its reason, in seconds; None for a reason that ends by itself."""
    missing = [_NO_NODE.fullmatch(part) for part in reason.split("; ")]
    labels = {word for match in missing if match for word in re.findall(r"[\w.-]+", match["label"])}
    if all(missing) and not labels & set(groups):
        return NOBODY_SECONDS
    if item.get("stuck") or (item.get("buildable") and _FREE_EXECUTOR not in reason):
        return AGENT_SECONDS
    return None


def _name_job(task: Mapping[str, Any]) -> str:
    """The full name of the job, and the number of a build that waits for an executor; the task's own name if it is no job."""
    match = _JOB.search(unquote(str(task.get("url") or "")))
    if match is None:
        return clean_line(str(task.get("name") or "")) or "a task without a name"
    name = clean_line(match["name"].replace("/job/", "/"))
    return f"{name} #{match['number']}" if match["number"] else name


def _format(seconds: int) -> str:
    """A time as people read it: '45 s', '12 min', '30 h'."""
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"


def describe(items: Sequence[Waiting]) -> str:
    """The oldest item with its reason, and how many wait beside it."""
    if not items:
        return "nothing waits"
    return f"{items[0]}" + (f"; {len(items) - 1} more" if len(items) > 1 else "")


def read_loads(client: JenkinsClient) -> tuple[Load, ...]:
    """The executors by label, in the order of the labels; BootstrapError if Jenkins refuses.

    A node without executors, as the controller's own is, counts for no label. Nor does a node's own name, which Jenkins
    counts among its labels.
    """
    answer = expect(
        ask(client, "GET", "computer/api/json", params={"tree": _COMPUTERS}), "asking Jenkins for its agents"
    )
    computers = [it for it in answer.json().get("computer", ()) if it.get("executors")]
    labels = sorted({label for computer in computers for label in _list_labels(computer)})
    return tuple(_sum(label, [it for it in computers if label in _list_labels(it)]) for label in labels)


def _list_labels(computer: Mapping[str, Any]) -> Iterator[str]:
    names = [str(label.get("name", "")) for label in computer.get("assignedLabels", ())]
    # Before the name of a node of a group, ec2-fleet shows the label.
    own = str(computer.get("displayName", "")).rpartition(" ")[2]
    return (name for name in names if name and name not in {own, computer.get("displayName")})


def _sum(label: str, computers: Sequence[Mapping[str, Any]]) -> Load:
    online = [executor for it in computers if not it.get("offline") for executor in it["executors"]]
    busy = sum(not executor.get("idle", True) for executor in online)
    return Load(label, busy, len(online), sum(bool(it.get("offline")) for it in computers))
