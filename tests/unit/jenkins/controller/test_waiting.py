"""What waits in the queue, what waits in vain, and how busy the executors are."""

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from bootstrap.errors import BootstrapError
from bootstrap.jenkins.controller import waiting
from bootstrap.jenkins.controller.waiting import AGENT_SECONDS, NOBODY_SECONDS, Load, Waiting

NOW = datetime(2026, 11, 29, 13, 0, tzinfo=UTC)
# Answers of a real Jenkins 2.568.2: nothing waits, and its one node with two executors, one of which was made busy here.
NOTHING = '{"_class":"hudson.model.Queue","discoverableItems":[],"items":[]}'
ALONE = (
    '{"_class":"hudson.model.ComputerSet","computer":[{"_class":"hudson.model.Hudson$MasterComputer",'
    '"assignedLabels":[{"name":"built-in"}],"displayName":"Built-In Node","executors":[{"idle":false},{"idle":true}],'
    '"offline":false}]}'
)


class Jenkins:
    """A Jenkins with one answer to everything, whose clock is NOW."""

    server = "http://127.0.0.1:8080/"

    def __init__(self, text: str, status: int = 200) -> None:
        self.text, self.status = text, status

    def jenkins_request(self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True) -> Any:
        answer = requests.Response()
        answer.status_code, answer._content = self.status, self.text.encode()
        answer.headers["Date"] = format_datetime(NOW, usegmt=True)
        return answer


def item(why: str, seconds: float, url: str = "http://ci/job/team/job/build/", **more: Any) -> dict[str, Any]:
    since = int((NOW.timestamp() - seconds) * 1000)
    task = {"name": "build", "url": url}
    return {
        "blocked": False,
        "buildable": True,
        "stuck": False,
        "why": why,
        "inQueueSince": since,
        "task": task,
        **more,
    }


def read(*items: dict[str, Any], groups: tuple[str, ...] = ()) -> tuple[Waiting, ...]:
    return waiting.read_queue(Jenkins(json.dumps({"items": items})), groups)


BUSY = "Waiting for next available executor on ‘linux’"
NOBODY = "There are no nodes with the label ‘linux’"
LACKS = "‘Jenkins’ doesn’t have label ‘linux’"
OFFLINE = "All nodes of label ‘linux’ are offline"


@pytest.mark.parametrize(
    ("found", "groups", "is_in_vain"),
    [
        (item(NOBODY, NOBODY_SECONDS), (), True),
        (item(NOBODY, NOBODY_SECONDS - 1), (), False),
        (item(NOBODY, AGENT_SECONDS - 1), ("linux",), False),  # its instance boots
        (item(NOBODY, AGENT_SECONDS), ("linux",), True),
        (item(NOBODY.replace("linux", "linux-arm"), NOBODY_SECONDS), ("linux",), True),
        (item(f"{LACKS}; {LACKS.replace('Jenkins', 'machine')}", NOBODY_SECONDS), (), True),
        (item(f"{LACKS}; ‘builder’ is offline", AGENT_SECONDS - 1), (), False),
        (item(f"{LACKS}; {BUSY}", AGENT_SECONDS), (), False),
        (item(OFFLINE, AGENT_SECONDS - 1), (), False),
        (item(OFFLINE, AGENT_SECONDS), (), True),
        (item("‘Builds’ lacks permission to run on ‘builder’", AGENT_SECONDS), (), True),
        (item(BUSY, AGENT_SECONDS * 9), (), False),
        (item(BUSY, AGENT_SECONDS, stuck=True), (), True),
        (item("Build #5 is already in progress (ETA: 9 min)", AGENT_SECONDS, buildable=False, blocked=True), (), False),
        (item("In the quiet period. Expires in 4.9 sec", AGENT_SECONDS, buildable=False), (), False),
    ],
)
def test_what_no_agent_takes_waits_in_vain(found: dict[str, Any], groups: tuple[str, ...], is_in_vain: bool) -> None:
    (one,) = read(found, groups=groups)

    assert is_in_vain == one.is_in_vain


def test_the_oldest_is_told_with_job_and_reason() -> None:
    part = item(BUSY, 300, "job/canary/12/")
    listed = read(item(NOBODY, 5), part)

    assert f"canary #12 waits 5 min: {BUSY}; 1 more" == waiting.describe(listed)
    assert f"team/build waits 5 s: {NOBODY}" == waiting.describe(listed[1:])
    assert "nothing waits" == waiting.describe(waiting.read_queue(Jenkins(NOTHING)))


def test_a_reason_cannot_write_to_the_terminal() -> None:
    (one,) = read(item("\x1b[31mred\nline", 0, "not a job", task={"name": "of\x07 nobody", "url": ""}))

    assert not {"\x1b", "\n", "\x07"} & set(str(one))


def computer(name: str, labels: list[str], idle: list[bool], *, offline: bool = False) -> dict[str, Any]:
    named = [{"name": label} for label in labels]
    return {
        "displayName": name,
        "assignedLabels": named,
        "executors": [{"idle": it} for it in idle],
        "offline": offline,
    }


def test_executors_are_counted_by_label() -> None:
    listed = [
        computer("Built-In Node", ["built-in"], []),
        computer("linux i-1", ["linux", "i-1"], [False, True]),
        computer("linux i-2", ["linux", "i-2"], [True, True], offline=True),
        computer("machine", ["infrastructure", "machine"], [False]),
    ]
    loads = waiting.read_loads(Jenkins(json.dumps({"computer": listed})))

    assert (Load("infrastructure", 1, 1, 0), Load("linux", 1, 2, 1)) == loads
    assert ["1 of 1 busy", "1 of 2 busy, 1 agent offline"] == [str(load) for load in loads]
    assert (Load("built-in", 1, 2, 0),) == waiting.read_loads(Jenkins(ALONE))


def test_a_refusal_says_what_was_asked() -> None:
    with pytest.raises(BootstrapError, match="asking Jenkins what waits"):
        waiting.read_queue(Jenkins("", 403))
