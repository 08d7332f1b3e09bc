"""A build of a published job is followed from the queue to its result."""

import pytest

from bootstrap.acts import jobs
from bootstrap.errors import JobsRejected, Unreachable

MORE, END = {"X-Text-Size": "40", "X-More-Data": "true"}, {"X-Text-Size": "90"}


def queued(jenkins_server, *items: dict) -> None:
    """A job `canary` whose build 3 comes out of the queue after `items`."""
    parameters = {"property": [{}, {"parameterDefinitions": [{"name": "WORD"}]}]}
    jenkins_server.on("GET", "job/canary/api/json", parameters)
    jenkins_server.on("POST", "job/canary/buildWithParameters", (201, {"Location": "http://x/queue/item/7/"}, ""))
    jenkins_server.on("GET", "queue/item/7/api/json", *items, {"executable": {"number": 3}})


def followed(jenkins_server) -> tuple[str, str]:
    written: list[str] = []
    result = jobs.follow(jenkins_server.client, "canary", {"WORD": "x"}, written.append, sleep=lambda _: None)
    return result, "".join(written)


def test_a_build_is_followed_from_the_queue_to_its_result(jenkins_server) -> None:
    queued(jenkins_server)
    log = [
        (200, MORE, "\x1b[8mha:AAAA"),
        (200, MORE, "AA==\x1b[0mone\r"),
        (200, END, "\ntwo\r\n"),
        (200, END, "end\r\n"),
    ]
    jenkins_server.on("GET", "job/canary/3/logText/progressiveText", *log)
    ends = [{"inProgress": True, "building": False, "result": "SUCCESS"}, {"inProgress": False, "result": "SUCCESS"}]
    jenkins_server.on("GET", "job/canary/3/api/json", {"inProgress": True, "result": None}, *ends)

    assert ("SUCCESS", "one\ntwo\nend\n") == followed(jenkins_server)
    # It has not ended when it is no longer building.
    assert 3 == jenkins_server.asked.count("GET job/canary/3/api/json")


def test_the_end_of_a_build_that_does_not_tell_whether_it_is_in_progress(jenkins_server) -> None:
    queued(jenkins_server)
    jenkins_server.on("GET", "job/canary/3/logText/progressiveText", (200, END, ""))
    states = [{"building": True, "result": "FAILURE"}, {"building": False, "result": "FAILURE"}]
    jenkins_server.on("GET", "job/canary/3/api/json", {"result": None}, *states)

    assert "FAILURE" == followed(jenkins_server)[0]
    assert 3 == jenkins_server.asked.count("GET job/canary/3/api/json")


def test_what_a_build_waits_for_in_the_queue_is_told_once_and_in_plain_words(jenkins_server) -> None:
    quiet = [{"why": f"In the quiet period. Expires in {seconds} sec"} for seconds in (4.9, 4.4)]
    queued(jenkins_server, *quiet, {"why": None}, {"why": "Waiting for next\x1b[2J available executor"}, {})
    jenkins_server.on("GET", "computer/api/json", {"computer": []})
    jenkins_server.on("GET", "job/canary/3/logText/progressiveText", (200, END, ""))
    jenkins_server.on("GET", "job/canary/3/api/json", {"inProgress": False, "result": "SUCCESS"})

    expected = ["In the quiet period. Expires in 4.9 sec", "Waiting for next available executor"]
    assert "".join(f"waiting in the queue: {why}\n" for why in expected) == followed(jenkins_server)[1]


def test_an_unknown_parameter_is_refused_before_anything_is_queued(jenkins_server) -> None:
    jenkins_server.on("GET", "job/canary/api/json", {"property": []})

    with pytest.raises(JobsRejected, match="starting the job") as caught:
        jobs.follow(jenkins_server.client, "canary", {"WRD": "x"}, print)

    assert "it has no parameter 'WRD'; there are: none" == caught.value.found


def test_a_job_that_does_not_exist_cannot_be_built(jenkins_server) -> None:
    jenkins_server.on("GET", "job/nope/api/json", (404, {}, "Not Found"))

    with pytest.raises(JobsRejected) as caught:
        jobs.follow(jenkins_server.client, "nope", {}, print)

    assert "there is no such job" == caught.value.found


def test_a_build_that_never_starts_is_given_up(jenkins_server) -> None:
    jenkins_server.on("GET", "job/a/api/json", {"property": []})
    jenkins_server.on("POST", "job/a/build", (201, {"Location": "http://x/queue/item/7/"}, ""))
    jenkins_server.on("GET", "queue/item/7/api/json", {"why": "no executor"})

    with pytest.raises(Unreachable) as caught:
        jobs.follow(jenkins_server.client, "a", {}, print, timeout=0, sleep=lambda _: None)

    assert "no executor" in caught.value.found
