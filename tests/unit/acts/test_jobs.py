"""The jobs act publishes: one bulk query, only what differs, and nothing is ever deleted."""

from pathlib import Path

import pytest

from bootstrap.acts import jobs
from bootstrap.errors import UsageError
from bootstrap.values import Change, ChangeKind, JobSet
from tests.recorder import Recorder
from tests.unit.acts.job_definitions import JOB, keeps, listed, rendered


def test_an_empty_server_gets_every_job_after_one_query(tmp_path: Path, jenkins_server) -> None:
    jobset = rendered(tmp_path, "- job: {name: team, project-type: folder}\n- job: {name: team/a}\n")
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    jenkins_server.on("POST", "createItem", "")
    jenkins_server.on("POST", "job/team/createItem", "")
    keeps(jenkins_server, "team", "team/a")
    report = Recorder()

    jobs.apply(jenkins_server.client, jobset, report)

    assert [
        "GET api/json",
        "POST createItem team",
        "GET job/team/config.xml",
        "POST job/team/createItem a",
        "GET job/team/job/a/config.xml",
    ] == jenkins_server.asked
    assert jobset.jobs["team/a"] == jenkins_server.bodies["POST job/team/createItem a"]
    assert [Change("jobs", ChangeKind.ADD, "team"), Change("jobs", ChangeKind.ADD, "team/a")] == report.changes


def test_a_second_apply_sends_one_query_and_nothing_else(tmp_path: Path, jenkins_server) -> None:
    jobset = rendered(tmp_path, "- job: {name: a}\n- job: {name: b}\n- view: {name: v, view-type: list}\n")
    jenkins_server.on("GET", "api/json", listed(jobset))
    report = Recorder()

    jobs.apply(jenkins_server.client, jobset, report)

    assert ["GET api/json"] == jenkins_server.asked
    assert [] == report.changes


def test_only_the_job_that_changed_is_sent(tmp_path: Path, jenkins_server) -> None:
    before = rendered(tmp_path, "- job: {name: a, description: old}\n- job: {name: b}\n")
    jobset = rendered(tmp_path, "- job: {name: a, description: new}\n- job: {name: b}\n")
    jenkins_server.on("GET", "api/json", listed(before))
    jenkins_server.on("POST", "job/a/config.xml", "")
    keeps(jenkins_server, "a")

    jobs.apply(jenkins_server.client, jobset, Recorder())

    assert ["GET api/json", "POST job/a/config.xml", "GET job/a/config.xml"] == jenkins_server.asked


def test_a_plan_sends_nothing(tmp_path: Path, jenkins_server) -> None:
    jobset = rendered(tmp_path, JOB)
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})

    assert (Change("jobs", ChangeKind.ADD, "a"),) == jobs.plan(jenkins_server.client, jobset)
    assert ["GET api/json"] == jenkins_server.asked


def test_a_job_that_left_the_code_is_disabled_and_kept(tmp_path: Path, jenkins_server) -> None:
    before = rendered(tmp_path, "- job: {name: a}\n- job: {name: b}\n")
    after = rendered(tmp_path, JOB)
    jenkins_server.on("GET", "api/json", listed(before))
    jenkins_server.on("POST", "job/b/disable", (302, {"Location": "http://jenkins.invalid/job/b/"}, ""))
    jenkins_server.on("GET", "job/b/", "")
    report = Recorder()

    jobs.apply(jenkins_server.client, after, report)

    assert [(ChangeKind.REMOVE, "b")] == [(change.kind, change.name) for change in report.changes]


def test_a_job_that_is_disabled_already_is_left_alone(tmp_path: Path, jenkins_server) -> None:
    before = rendered(tmp_path, "- job: {name: a}\n- job: {name: b}\n")
    jenkins_server.on("GET", "api/json", listed(before, b={"color": "disabled"}))

    assert () == jobs.plan(jenkins_server.client, rendered(tmp_path, JOB))


def test_a_job_that_no_code_made_is_left_alone(tmp_path: Path, jenkins_server) -> None:
    jobset = rendered(tmp_path, JOB)
    answer = listed(jobset)
    answer["jobs"].append({"fullName": "by-hand", "description": "mine", "color": "blue"})
    jenkins_server.on("GET", "api/json", answer)

    assert () == jobs.plan(jenkins_server.client, jobset)


def test_a_folder_that_left_the_code_is_left_alone_but_what_it_holds_is_disabled(
    tmp_path: Path, jenkins_server
) -> None:
    before = rendered(tmp_path, "- job: {name: a}\n- job: {name: f, project-type: folder}\n- job: {name: f/b}\n")
    answer = listed(before)
    held = next(item for item in answer["jobs"] if item["fullName"] == "f/b")
    answer["jobs"].remove(held)
    folder = next(item for item in answer["jobs"] if item["fullName"] == "f")
    folder |= {"jobs": [held]}
    del folder["color"]
    jenkins_server.on("GET", "api/json", answer)

    assert ["f/b"] == [change.name for change in jobs.plan(jenkins_server.client, rendered(tmp_path, JOB))]


def test_a_job_that_returns_is_enabled_again(tmp_path: Path, jenkins_server) -> None:
    jobset = rendered(tmp_path, JOB)
    jenkins_server.on("GET", "api/json", listed(jobset, a={"color": "disabled_anime"}))
    jenkins_server.on("POST", "job/a/config.xml", "")
    keeps(jenkins_server, "a")
    report = Recorder()

    jobs.apply(jenkins_server.client, jobset, report)

    assert [Change("jobs", ChangeKind.ALTER, "a", "enabled again")] == report.changes
    assert "<disabled>false</disabled>" in jenkins_server.bodies["POST job/a/config.xml"]


def test_a_job_of_that_name_made_by_hand_is_taken_over(tmp_path: Path, jenkins_server) -> None:
    jobset = rendered(tmp_path, JOB)
    jenkins_server.on("GET", "api/json", listed(jobset, a={"description": "mine"}))

    assert ["created by hand; now managed by the code"] == [c.detail for c in jobs.plan(jenkins_server.client, jobset)]


def test_a_view_is_made_and_altered(tmp_path: Path, jenkins_server) -> None:
    text = f"{JOB}- view: {{name: v, view-type: list}}\n- view: {{name: w, view-type: list}}\n"
    jobset = rendered(tmp_path, text)
    answer = listed(JobSet(jobset.jobs))
    answer["views"].append({"name": "w", "description": "old [render 0000000000000000]"})
    jenkins_server.on("GET", "api/json", answer)
    jenkins_server.on("POST", "createView", "")
    jenkins_server.on("POST", "view/w/config.xml", "")
    for name in ("v", "w"):
        jenkins_server.on("GET", f"view/{name}/config.xml", jobset.views[name])

    jobs.apply(jenkins_server.client, jobset, Recorder())

    assert ["POST createView v", "POST view/w/config.xml"] == [
        asked for asked in jenkins_server.asked if asked.startswith("POST")
    ]


def test_a_look_tells_renders_hand_made_jobs_and_views_apart(jenkins_server) -> None:
    described = f"x [render {'a' * 16}]"
    listed = {
        "jobs": [
            {"fullName": "ours", "description": described, "color": "disabled"},
            {"fullName": "theirs", "description": "", "color": "blue"},
        ],
        "views": [{"name": "v", "description": described}],
    }
    jenkins_server.on("GET", "api/json", listed)

    found = jobs.read_published(jenkins_server.client)

    assert {"ours": ("a" * 16, True), "theirs": (None, False), "view v": ("a" * 16, False)} == found


def test_a_job_that_is_named_is_sent_again_though_nothing_differs(tmp_path: Path, jenkins_server) -> None:
    jobset = rendered(tmp_path, JOB)
    jenkins_server.on("GET", "api/json", listed(jobset))
    jenkins_server.on("POST", "job/a/config.xml", "")
    keeps(jenkins_server, "a")
    report = Recorder()

    jobs.apply(jenkins_server.client, jobset, report, ["a"])

    assert [Change("jobs", ChangeKind.ALTER, "a", "sent again")] == report.changes


def test_a_job_that_the_code_does_not_have_cannot_be_sent_again(jenkins_server) -> None:
    jenkins_server.on("GET", "api/json", {"jobs": []})

    with pytest.raises(UsageError, match="the code has no job 'b'"):
        jobs.apply(jenkins_server.client, JobSet({}), Recorder(), ["b"])
