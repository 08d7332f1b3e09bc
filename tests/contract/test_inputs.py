"""Questions that a Pipeline asks: who may answer them and how, what comes of it, and what ends them otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jenkins
import pytest
import requests

from bootstrap.jenkins.controller import builds, questions
from bootstrap.values import Secret

Xml = Callable[[str], str]
ASKED = "input id: 'Question', message: 'Go on?'"
NAMED = "input id: 'Question', message: 'Go on?', submitter: 'Builder, somebody'"


def stage(steps: str, more: str = "") -> str:
    return f"pipeline {{\nagent any\nstages {{\nstage('One') {{\n{more}\nsteps {{\n{steps}\n}}\n}}\n}}\n}}"


def asked(server: Any, name: str, xml: str, text: str = "Go on?") -> int:
    """A build of a new job that has asked its question."""
    server.create("", name, xml)
    number = int(server.begin(name))
    server.until(lambda: text in server.client.get_build_console_output(name, number))
    return number


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


PARAMETERS = "parameters: [string(name: 'WHO', defaultValue: 'world'), choice(name: 'HOW', choices: ['fast', 'slow'])]"


def scripted(more: str, told: str) -> str:
    """Asks, and tells what was answered."""
    return f"script {{\ndef given = input(id: 'Question', message: 'Go on?', {more})\necho \"{told}\"\n}}"


def test_the_values_of_a_form_are_the_steps_value(server: Any, name: str, pipeline: Xml) -> None:
    script = scripted(PARAMETERS, "${given.WHO} ${given.HOW}")
    number = asked(server, name, pipeline(stage(script)), "Input requested")
    form = '{"parameter": [{"name": "WHO", "value": "you"}, {"name": "HOW", "value": "slow"}]}'
    assert server.post(f"job/{name}/{number}/input/Question/proceed", data={"json": form}).status_code == 200
    build, log = server.finish(name, number)
    assert build["result"] == "SUCCESS"
    assert "\nyou slow\n" in log


def test_the_next_input_is_answered_by_its_identifier(server: Any, name: str, pipeline: Xml) -> None:
    number = asked(server, name, pipeline(stage(scripted(PARAMETERS, "${given.WHO} ${given.HOW}"))), "Input requested")
    path = f"job/{name}/{number}/wfapi"
    waiting = server.get(f"{path}/nextPendingInputAction").json()
    form = '{"parameter": [{"name": "WHO", "value": "me"}, {"name": "HOW", "value": "fast"}]}'

    answer = server.post(
        f"{path}/inputSubmit", params={"inputId": waiting["id"]}, data={"json": form, "proceed": "Yes"}
    )

    assert 200 == answer.status_code
    assert "\nme fast\n" in server.finish(name, number)[1]
    assert server.get(f"{path}/nextPendingInputAction").json() is None


def test_nothing_given_is_nothing_answered_not_even_a_default(server: Any, name: str, pipeline: Xml) -> None:
    script = scripted(PARAMETERS, "it is ${given}")
    number = asked(server, name, pipeline(stage(script)), "Input requested")
    server.post(f"job/{name}/{number}/input/Question/proceedEmpty")
    assert "\nit is null\n" in server.finish(name, number)[1]


def test_who_answered_is_a_value_where_that_is_asked_for(server: Any, name: str, pipeline: Xml) -> None:
    script = scripted("submitterParameter: 'WHO'", "by ${given}")
    number = asked(server, name, pipeline(stage(script)))
    server.post(f"job/{name}/{number}/input/Question/proceedEmpty")
    assert f"\nby {server.user}\n" in server.finish(name, number)[1]


def test_a_stage_asks_before_it_takes_an_agent_and_its_answers_are_variables(
    server: Any, name: str, pipeline: Xml
) -> None:
    more = (
        "input {\nid 'Question'\nmessage 'Go on?'\nok 'Yes'\nparameters { string(name: 'WHO', defaultValue: 'x') }\n}"
    )
    script = stage('echo "to ${WHO}"', f"agent any\n{more}").replace("agent any", "agent none", 1)
    number = asked(server, name, pipeline(script), "Input requested")
    before = server.client.get_build_console_output(name, number)
    form = '{"parameter": {"name": "WHO", "value": "you"}}'
    server.post(f"job/{name}/{number}/input/Question/proceed", data={"json": form})
    build, log = server.finish(name, number)
    assert "Running on" not in before
    assert (build["result"], "\nto you\n" in log) == ("SUCCESS", True)


def test_a_question_that_when_rules_out_is_not_asked(server: Any, name: str, pipeline: Xml) -> None:
    more = "when {\nbeforeInput true\nexpression { false }\n}\ninput {\nmessage 'Go on?'\n}"
    server.create("", name, pipeline(stage("echo 'never'", more)))
    build, log = server.run(name)
    assert build["result"] == "SUCCESS"
    assert "Go on?" not in log and "\nnever\n" not in log


def test_a_question_that_nobody_answers_aborts_when_its_time_is_up(server: Any, name: str, pipeline: Xml) -> None:
    more = "options { timeout(time: 2, unit: 'SECONDS') }\ninput {\nid 'Question'\nmessage 'Go on?'\n}"
    number = asked(server, name, pipeline(stage("echo 'never'", more)))
    build, log = server.finish(name, number)
    assert build["result"] == "ABORTED"
    assert "Cancelling nested steps due to timeout" in log
    assert "\nnever\n" not in log
    assert server.post(f"job/{name}/{number}/input/Question/proceedEmpty").status_code == 404


def with_token(server: Any) -> jenkins.Jenkins:
    """A client as the toolkit's own: an API token needs no crumb."""
    path = f"user/{server.user}/descriptorByName/jenkins.security.ApiTokenProperty/generateNewToken"
    token = server.post(path, data={"newTokenName": "follows"}).json()["data"]["tokenValue"]
    return jenkins.Jenkins(server.url, server.user, token, timeout=60)


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


def test_a_secret_that_an_answer_hands_over_is_a_variable_of_its_stage_alone(
    server: Any, name: str, pipeline: Xml
) -> None:
    more = "input {\nid 'Question'\nmessage 'Go on?'\nparameters { password(name: 'KEY', description: 'x') }\n}"
    script = stage("sh 'printenv KEY | tr ab AB'", f"agent any\n{more}").replace(
        "\n}\n}\n}\n}", "\n}\n}\nstage('Two') {\nagent any\nsteps { sh 'echo later ${KEY:-none}' }\n}\n}\n}"
    )
    number = asked(server, name, pipeline(script), "Input requested")
    client = with_token(server)

    assert number == questions.find_question(client, name, "Question")
    assert questions.find_question(client, name, "Other") is None
    questions.proceed(client, name, number, "Question", {"KEY": Secret("a/+=b")})

    build, log = server.finish(name, number)
    assert "SUCCESS" == build["result"], log
    assert "\nA/+=B\n" in log and "\nlater none\n" in log and "a/+=b" not in log
    assert questions.find_question(client, name, "Question") is None
