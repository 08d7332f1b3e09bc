"""What Jenkins did not keep of a job that was sent, and what it refuses or fails at."""

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bootstrap.acts import jobs
from bootstrap.errors import JobsRejected
from tests.recorder import Recorder
from tests.unit.acts.job_definitions import JOB, keeps, kept, listed, rendered


def test_a_refused_job_is_named_with_jenkins_own_reason_once_the_others_are_sent(
    tmp_path: Path, jenkins_server
) -> None:
    jobset = rendered(tmp_path, "- job: {name: a}\n- job: {name: b}\n")
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    refusal = (400, {"X-Error": "A job already exists with the name 'A'"}, "<html>")
    jenkins_server.on("POST", "createItem", refusal, "")
    keeps(jenkins_server, "b")
    report = Recorder()

    with pytest.raises(JobsRejected) as caught:
        jobs.apply(jenkins_server.client, jobset, report)

    assert "a: Jenkins answered 400: A job already exists with the name 'A'" == caught.value.found
    assert ["b"] == [change.name for change in report.changes]


def test_a_failure_within_jenkins_is_told_by_what_its_journal_has(tmp_path: Path, jenkins_server) -> None:
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    page = "<h1>Oops!</h1><p>Logging ID=61fd9478-81d7-487b-8657-6f6b115835b4</p>"
    jenkins_server.on("POST", "createItem", (500, {}, page))
    looked_up: list[str] = []

    def explain(identifier: str) -> str:
        looked_up.append(identifier)
        return "com.thoughtworks.xstream.mapper.CannotResolveClassException: nope"

    with pytest.raises(JobsRejected) as caught:
        jobs.apply(jenkins_server.client, rendered(tmp_path, JOB), Recorder(), explain=explain)

    assert ["61fd9478-81d7-487b-8657-6f6b115835b4"] == looked_up
    assert caught.value.found.endswith("\ncom.thoughtworks.xstream.mapper.CannotResolveClassException: nope")


def test_a_page_of_an_internal_error_is_told_without_its_tags(tmp_path: Path, jenkins_server) -> None:
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    page = "<html><head><title>Oops</title></head><body><h1>No such class: x.Y</h1><p>line 3</p></body></html>"
    jenkins_server.on("POST", "createItem", (500, {}, page))

    with pytest.raises(JobsRejected) as caught:
        jobs.apply(jenkins_server.client, rendered(tmp_path, JOB), Recorder())

    assert "a: Jenkins answered 500: No such class: x.Y\nline 3" == caught.value.found


SHELLS = f"{JOB}    builders:\n      - shell: make\n      - shell: make install\n"


def test_what_jenkins_dropped_is_told_by_its_name_and_the_job_does_not_pass_for_published(
    tmp_path: Path, jenkins_server
) -> None:
    jobset = rendered(tmp_path, SHELLS)
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    jenkins_server.on("POST", "createItem", "")
    jenkins_server.on("POST", "job/a/config.xml", "")
    root = ElementTree.fromstring(jobset.jobs["a"].encode())
    builders = root.find("builders")
    builders.remove(builders[1])
    jenkins_server.on("GET", "job/a/config.xml", ElementTree.tostring(root, encoding="unicode"))

    with pytest.raises(JobsRejected) as caught:
        jobs.apply(jenkins_server.client, jobset, Recorder())

    assert "a: Jenkins dropped hudson.tasks.Shell" == caught.value.found
    assert "0" * 16 == jobs.read_digest(jenkins_server.bodies["POST job/a/config.xml"])
    marked = kept(jenkins_server.bodies["POST job/a/config.xml"])
    jenkins_server.on("GET", "api/json", listed(jobset, a={"description": marked}))
    assert ["a"] == [change.name for change in jobs.plan(jenkins_server.client, jobset)]


def test_a_field_that_jenkins_did_not_keep_is_a_notice(tmp_path: Path, jenkins_server) -> None:
    jobset = rendered(tmp_path, f"{JOB}    quiet-period: 7\n")
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    jenkins_server.on("POST", "createItem", "")
    jenkins_server.on("GET", "job/a/config.xml", jobset.jobs["a"].replace("<quietPeriod>7</quietPeriod>", ""))
    report = Recorder()

    jobs.apply(jenkins_server.client, jobset, report)

    assert ["a: Jenkins did not keep project quietPeriod"] == report.notices


def test_a_job_that_cannot_be_read_back_is_told(tmp_path: Path, jenkins_server) -> None:
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    jenkins_server.on("POST", "createItem", "")
    jenkins_server.on("GET", "job/a/config.xml", (503, {}, "Jenkins is restarting"))

    with pytest.raises(JobsRejected, match="publishing the jobs") as caught:
        jobs.apply(jenkins_server.client, rendered(tmp_path, JOB), Recorder())

    assert caught.value.found.startswith("a: published, but Jenkins does not return it: Jenkins answered 503")


def test_what_the_table_does_not_know_is_said_once(tmp_path: Path, jenkins_server) -> None:
    raw = "      - raw:\n          xml: '<our.own.Builder/>'\n"
    jobset = rendered(tmp_path, f"{JOB}    builders:\n{raw}")
    jenkins_server.on("GET", "api/json", listed(jobset))
    report = Recorder()

    jobs.apply(jenkins_server.client, jobset, report)

    assert ["not checked, because their plugin is not known: element our.own.Builder of 'a'"] == report.notices
