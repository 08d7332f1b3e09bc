"""Questions that a Pipeline asks: who may answer them and how, and what ends them otherwise."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from bootstrap.jenkins.controller import builds
from tests.contract.questions import Xml, asked, stage, with_token

ASKED = "input id: 'Question', message: 'Go on?'"
NAMED = "input id: 'Question', message: 'Go on?', submitter: 'Builder, somebody'"


def login(server: Any, user: str) -> requests.Session:
    session = requests.Session()
    session.auth = (user, f"{user}-password")
    crumb = session.get(f"{server.url}/crumbIssuer/api/json", timeout=60).json()
    session.headers[crumb["crumbRequestField"]] = crumb["crumb"]
    return session


def answer(server: Any, user: str, name: str, number: int, verb: str) -> tuple[int, str]:
    """Status and Jenkins' own reason of an answer."""
    url = f"{server.url}/job/{name}/{number}/input/Question/{verb}"
    found = login(server, user).post(url, allow_redirects=False, timeout=60)
    return found.status_code, found.headers.get("X-Error", "")


def test_input_waits_for_an_answer(server: Any, name: str, pipeline: Xml) -> None:
    number = asked(server, name, pipeline(stage(f"{ASKED}\necho 'went on'")))
    assert server.post(f"job/{name}/{number}/input/Question/proceedEmpty").status_code == 200
    build, log = server.finish(name, number)
    assert build["result"] == "SUCCESS"
    assert "Approved by" in log
    assert "\nwent on\n" in log


def test_refused_input_aborts_and_the_stages_after_it_are_skipped(server: Any, name: str, pipeline: Xml) -> None:
    more = "}\nstage('Two') {\nsteps { echo 'never' }\n"
    script = stage(ASKED).replace("\n}\n}\n}\n}", f"\n}}\n{more}}}\n}}\n}}")
    number = asked(server, name, pipeline(script))
    assert server.post(f"job/{name}/{number}/input/Question/abort").status_code == 200
    build, log = server.finish(name, number)
    assert build["result"] == "ABORTED"
    assert "Rejected by" in log
    assert 'Stage "Two" skipped due to earlier failure(s)' in log
    assert "\nnever\n" not in log


def test_an_open_question_is_an_action_of_the_build_and_an_answered_one_is_none(
    server: Any, name: str, pipeline: Xml
) -> None:
    number = asked(server, name, pipeline(stage(ASKED)))
    tree = {"tree": "actions[waitingForInput,executions[id]]"}
    waiting = server.get(f"job/{name}/{number}/api/json", params=tree).json()["actions"]
    server.post(f"job/{name}/{number}/input/Question/proceedEmpty")
    server.finish(name, number)
    after = server.get(f"job/{name}/{number}/api/json", params=tree).json()["actions"]
    assert [["Question"]] == [[it["id"] for it in one["executions"]] for one in waiting if one.get("waitingForInput")]
    assert [] == [one for one in after if one.get("waitingForInput")]


@pytest.mark.parametrize("verb", ["proceedEmpty", "abort"])
def test_an_answered_question_is_gone(server: Any, name: str, pipeline: Xml, verb: str) -> None:
    number = asked(server, name, pipeline(stage(f"{ASKED}\nsleep 30")))
    server.post(f"job/{name}/{number}/input/Question/proceedEmpty")
    server.until(lambda: "Approved by" in server.client.get_build_console_output(name, number))
    again = server.post(f"job/{name}/{number}/input/Question/{verb}").status_code
    server.client.stop_build(name, number)
    build, _ = server.finish(name, number)
    assert (404, "ABORTED") == (again, build["result"])


def test_a_question_without_an_id_is_found_by_its_words(server: Any, name: str, pipeline: Xml) -> None:
    number = asked(server, name, pipeline(stage("input 'Go on?'")))
    # The MD5 sum of the message, its first letter a capital where it is one.
    path = f"job/{name}/{number}/input/2a3ce1d6fa76bea0f33be2685f406cac"
    assert server.post(f"{path}/proceedEmpty").status_code == 200
    assert server.finish(name, number)[0]["result"] == "SUCCESS"


def test_an_id_that_is_no_part_of_a_url_is_refused(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline(stage("input id: 'a/b', message: 'Go on?'")))
    build, log = server.run(name)
    assert build["result"] == "FAILURE"
    assert "InputStep id is required to be URL safe" in log


def test_without_a_submitter_whoever_may_build_answers(server: Any, name: str, pipeline: Xml) -> None:
    number = asked(server, name, pipeline(stage(ASKED)))
    refused = [answer(server, "reader", name, number, verb) for verb in ("proceedEmpty", "abort")]
    assert [
        (400, "You need to have Job/Build permissions to submit this."),
        (400, "You need to have Job/Cancel permissions to cancel this."),
    ] == refused
    assert (200, "") == answer(server, "builder", name, number, "proceedEmpty")
    assert "Approved by Builder" in server.finish(name, number)[1]


def test_with_a_submitter_only_those_named_and_administrators_answer(server: Any, name: str, pipeline: Xml) -> None:
    number = asked(server, name, pipeline(stage(f"{NAMED}\n{NAMED}\n{NAMED.replace('Builder', 'nobody')}")))
    # The name counts in any case, and who is named need not be one who may build.
    refused = [answer(server, "reader", name, number, verb) for verb in ("proceedEmpty", "abort")]
    assert [
        (400, "You need to be Builder, somebody to submit this."),
        (400, "You need to be 'Builder, somebody' (or have Job/Cancel permissions) to cancel this."),
    ] == refused
    assert (200, "") == answer(server, "builder", name, number, "proceedEmpty")
    server.until(lambda: server.client.get_build_console_output(name, number).count("Go on?") == 2)
    assert server.post(f"job/{name}/{number}/input/Question/proceedEmpty").status_code == 200
    server.until(lambda: server.client.get_build_console_output(name, number).count("Go on?") == 3)
    status, reason = answer(server, "builder", name, number, "proceedEmpty")
    assert (400, "You need to be nobody, somebody to submit this.") == (status, reason)
    server.post(f"job/{name}/{number}/input/Question/abort")
    assert server.finish(name, number)[0]["result"] == "ABORTED"


def test_a_question_that_nobody_answers_aborts_when_its_time_is_up(server: Any, name: str, pipeline: Xml) -> None:
    more = "options { timeout(time: 2, unit: 'SECONDS') }\ninput {\nid 'Question'\nmessage 'Go on?'\n}"
    number = asked(server, name, pipeline(stage("echo 'never'", more)))
    build, log = server.finish(name, number)
    assert build["result"] == "ABORTED"
    assert "Cancelling nested steps due to timeout" in log
    assert "\nnever\n" not in log
    assert server.post(f"job/{name}/{number}/input/Question/proceedEmpty").status_code == 404


def test_who_follows_a_build_is_told_where_its_question_is_answered(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline(stage(f"{ASKED}\n{ASKED}")))
    told: list[str] = []

    def listen(text: str) -> None:
        told.append(text)
        if text.startswith("waiting for an answer: "):
            server.post(f"job/{name}/1/input/Question/proceedEmpty")

    result = builds.follow(with_token(server), name, {}, listen, url=f"{server.url}/", timeout=60)
    waits = [text for text in told if text.startswith("waiting")]
    assert ("SUCCESS", [f"waiting for an answer: {server.url}/job/{name}/1/input/\n"] * 2) == (result, waits)


def test_who_follows_a_build_is_told_why_a_part_of_it_waits(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline("node('nowhere') { echo 'never' }"))
    told: list[str] = []

    def listen(text: str) -> None:
        told.append(text)
        if text.startswith("waiting in the queue: "):
            server.post(f"job/{name}/1/stop")

    client = with_token(server)
    assert builds.follow(client, name, {}, listen, url=f"{server.url}/", timeout=60) == "ABORTED"
    (reason,) = [text for text in told if text.startswith("waiting in the queue: ")]
    assert "‘nowhere’" in reason
    queued = server.client.get_queue_info()
    assert name not in str(queued)


def test_a_part_that_waits_is_an_item_of_the_queue(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline("node('nowhere') { echo 'never' }"))
    server.client.build_job(name)
    (item,) = server.until(lambda: [it for it in server.client.get_queue_info() if "nowhere" in str(it.get("why"))])
    alone = server.get(f"queue/item/{item['id']}/api/json").json()
    server.post(f"job/{name}/1/stop")

    assert item["id"] > 0
    assert (item["id"], item["why"]) == (alone["id"], alone["why"])


@pytest.mark.emulator_alone
def test_the_emulator_says_that_it_cancels_no_part(server: Any, name: str, pipeline: Xml) -> None:
    server.create("", name, pipeline("node('nowhere') { echo 'never' }"))
    server.client.build_job(name)
    (item,) = server.until(lambda: [it for it in server.client.get_queue_info() if "nowhere" in str(it.get("why"))])
    refused = server.post("queue/cancelItem", data={"id": str(item["id"])})
    server.post(f"job/{name}/1/stop")

    assert (501, True) == (refused.status_code, "the emulator cannot cancel a part" in refused.text)


def test_the_page_of_a_question_has_its_two_buttons(server: Any, name: str, pipeline: Xml) -> None:
    number = asked(server, name, pipeline(stage(f"{ASKED}\n{ASKED}")))
    page = server.get(f"job/{name}/{number}/input/").text
    assert f'action="/job/{name}/{number}/input/Question/submit"' in page
    assert server.post(f"job/{name}/{number}/input/Question/submit", data={"proceed": "1"}).status_code == 302
    server.until(lambda: server.client.get_build_console_output(name, number).count("Go on?") == 2)
    assert server.post(f"job/{name}/{number}/input/Question/submit", data={"abort": "1"}).status_code == 302
    assert server.finish(name, number)[0]["result"] == "ABORTED"
