"""The jobs act: faults with their places, one bulk query, only what differs, and nothing is ever deleted."""

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from bootstrap.acts import jobs
from bootstrap.errors import JobsInvalid, JobsRejected, Unreachable, UsageError
from bootstrap.jenkins.controller.api import make_job_path
from bootstrap.jenkins.definitions.jobs import find_schedule_fault
from bootstrap.values import Change, ChangeKind, JobSet

INI = (Path(__file__).resolve().parents[3] / "jobs" / "job-builder.ini").read_text()
DEFAULTS = "- defaults: {name: global, disabled: false}\n"
PLUGINS = {"git": "5.10.1", "cloudbees-folder": "6", "workflow-cps": "1", "workflow-job": "1"}
VARIABLES = {"repository": "file:///srv/git/toolkit.git", "branch": "main"}

JOB = "- job:\n    name: a\n"
PIPELINE = f"{JOB}    project-type: pipeline\n"

# What is wrong: the definition, where the fault must be, and a part of its text.
BROKEN = {
    "indentation": ("- job:\n    name: a\n   x: [", "3:4", "not YAML"),
    "a tab": ("- job:\n\tname: a\n", "2:1", "cannot start any token"),
    "a mapping on top": ("job:\n  name: a\n", "1:1", "must be a list"),
    "two kinds in one item": ("- job:\n    name: a\n  view:\n    name: b\n", "1:3", "should be single-item"),
    "an unknown kind": ("- jop:\n    name: a\n", "1:3", "'jop'"),
    "a job without a name": ("- job:\n    description: x\n", "2:5", "'name'"),
    "an unknown variable": (f"{JOB}    description: 'on {{host}}'\n", "3:19", "Missing parameter: 'host'"),
    "braces of a shell": (f"{JOB}    builders:\n      - shell: 'x() {{ y; }}'\n", "4:17", "Missing parameter"),
    "an unknown builder": (f"{JOB}    builders:\n      - shel: x\n", "1:3", "'shel'"),
    "an unknown project type": (f"{JOB}    project-type: pipelin\n    dsl: x\n", "1:3", "pipelin"),
    "two pipeline sources": (f"{PIPELINE}    dsl: x\n    pipeline-scm: {{scm: [git: {{url: x}}]}}\n", "1:3", "both"),
    "no pipeline source": (PIPELINE, "1:3", "Either 'dsl' or"),
    "a job twice": (JOB * 2, "3:3", "Duplicate job: 'a'; previous job definition in line 1"),
    "a key twice": (f"{JOB}    name: b\n", "3:5", "'name' is in line 2 already"),
    "a misspelt key": (f"{JOB}    triger:\n      - timed: '@daily'\n", "3:5", "did you mean 'triggers'?"),
    "a missing include": (f"{JOB}    builders:\n      - shell: !include-raw-verbatim: no.sh\n", "4:16", "no.sh"),
    "a missing template": ("- project:\n    name: p\n    jobs:\n      - nope\n", "4:9", "'nope'"),
    "an unset template variable": (
        "- job-template:\n    name: 't-{x}'\n- project:\n    name: p\n    jobs: ['t-{x}']\n",
        "2:12",
        "Missing parameter: 'x'",
    ),
    "a number for a list": (f"{JOB}    properties: 5\n", "1:3", "cannot be rendered"),
    "a wrong choice": (f"{JOB}    triggers:\n      - reverse: {{jobs: [x], result: good}}\n", "4:9", "SUCCESS"),
    "a clock that never strikes": (f"{JOB}    triggers:\n      - timed: '99 * * * *'\n", "1:3", "not within 0-59"),
    "a pipeline without its file": (
        f"{PIPELINE}    pipeline-scm:\n      scm: [git: {{url: '{{repository}}'}}]\n      script-path: no.Jenkinsfile\n",
        "1:3",
        "no file 'no.Jenkinsfile'",
    ),
    "a folder that nothing makes": ("- job:\n    name: f/a\n", "1:3", "which no job defines"),
    "an element whose plugin the lock lacks": (
        f"{JOB}    publishers:\n      - slack\n",
        "1:3",
        "the element jenkins.plugins.slack.SlackNotifier belongs to the plugin slack, which jenkins.lock.yaml does not have",
    ),
    "a raw element of such a plugin": (
        f"{JOB}    builders:\n      - raw: {{xml: '<EnvInjectBuilder/>'}}\n",
        "1:3",
        "EnvInjectBuilder belongs to the plugin envinject",
    ),
    "a class of such a plugin in an attribute": (
        f"{JOB}    scm:\n      - svn: {{url: 'http://x'}}\n",
        "1:3",
        "hudson.scm.SubversionSCM belongs to the plugin subversion",
    ),
    "a macro that calls itself": (
        f"- builder:\n    name: b\n    builders: [b]\n{JOB}    builders: [b]\n",
        "4:3",
        "cannot be rendered",
    ),
}


class Report:
    """Remembers the changes."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.notices: list[str] = []

    def change(self, change: Change) -> None:
        self.changes.append(change)

    def progress(self, text: str) -> None: ...

    def notice(self, text: str) -> None:
        self.notices.append(text)


def definitions(tmp_path: Path, text: str) -> Path:
    folder = tmp_path / "jobs"
    folder.mkdir(exist_ok=True)
    (folder / "job-builder.ini").write_text(INI)
    (folder / "defaults.yaml").write_text(DEFAULTS)
    (folder / "x.yaml").write_text(text)
    return folder


def rendered(tmp_path: Path, text: str) -> JobSet:
    return jobs.render(definitions(tmp_path, text), VARIABLES, PLUGINS)


def kept(xml: str) -> str:
    """The description as Jenkins hands it out again."""
    found = re.search(r"<description>(.*?)</description>", xml, re.DOTALL)
    assert found is not None
    return found[1]


def listed(jobset: JobSet, **changed: dict[str, object]) -> dict[str, object]:
    """The bulk query's answer for a server that has exactly this set, with some fields changed or a job left out."""
    items = [
        {"fullName": name, "description": kept(xml), "color": "blue"} | changed.get(name, {})
        for name, xml in jobset.jobs.items()
    ]
    views = [{"name": name, "description": kept(xml)} for name, xml in jobset.views.items()]
    return {"_class": "hudson.model.Hudson", "jobs": items, "views": [{"name": "all", "description": None}, *views]}


def keeps(jenkins_server, *names: str) -> None:
    """Hand out whole what was sent, as a server with all plugins does in meaning."""
    for name in names:
        parent, _, short = name.rpartition("/")
        created = f"POST {make_job_path(parent) if parent else ''}createItem {short}"
        altered = f"POST {make_job_path(name)}config.xml"

        def answer(_: object, created: str = created, altered: str = altered) -> tuple[int, dict[str, str], str]:
            return 200, {}, jenkins_server.bodies.get(altered) or jenkins_server.bodies[created]

        jenkins_server.answers["GET", f"{make_job_path(name)}config.xml"] = answer


# --- rendering


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_definition_is_refused_with_its_place(case: str, tmp_path: Path) -> None:
    text, place, part = BROKEN[case]

    with pytest.raises(JobsInvalid) as caught:
        rendered(tmp_path, text)

    fault = caught.value.faults[0]
    assert f"jobs/x.yaml:{place}" == f"{fault.file}:{fault.line}:{fault.column}", str(fault)
    assert part in fault.message


def test_every_broken_job_is_told_not_only_the_first(tmp_path: Path) -> None:
    text = "- job:\n    name: a\n    project-type: nope\n- job:\n    name: b\n    builders: [nope]\n"

    with pytest.raises(JobsInvalid) as caught:
        rendered(tmp_path, text)

    assert [1, 4] == [fault.line for fault in caught.value.faults]


def test_a_folder_without_a_job_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JobsInvalid, match="rendering the jobs"):
        rendered(tmp_path, "- _parked: {name: a}\n")


def test_folders_come_before_what_they_hold(tmp_path: Path) -> None:
    text = "- job: {name: team/a}\n- job: {name: team-b}\n- job: {name: team, project-type: folder}\n"

    assert ["team", "team/a", "team-b"] == list(rendered(tmp_path, text).jobs)


def test_a_render_is_the_same_twice_and_another_for_another_variable(tmp_path: Path) -> None:
    folder = definitions(tmp_path, f"{JOB}    description: '{{branch}}'\n")

    first, again = (jobs.render(folder, VARIABLES, {}) for _ in range(2))
    other = jobs.render(folder, VARIABLES | {"branch": "next"}, {})

    assert first == again
    assert kept(first.jobs["a"]) != kept(other.jobs["a"])


def test_a_description_ends_with_the_render_and_not_with_job_builders_mark(tmp_path: Path) -> None:
    description = kept(rendered(tmp_path, f"{JOB}    description: What it does.\n").jobs["a"])

    assert re.fullmatch(r"What it does\.\n\nManaged as code; [^<]*\[render [0-9a-f]{16}\]", description)


def test_no_settings_of_the_system_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tmp_path / ".config" / "jenkins_jobs" / "jenkins_jobs.ini"
    settings.parent.mkdir(parents=True)
    settings.write_text("[job_builder]\nallow_duplicates = True\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(JobsInvalid):
        rendered(tmp_path, JOB * 2)


def test_missing_settings_of_job_builder_are_a_fault_of_that_file(tmp_path: Path) -> None:
    folder = definitions(tmp_path, JOB)
    (folder / "job-builder.ini").unlink()

    with pytest.raises(JobsInvalid) as caught:
        jobs.render(folder, VARIABLES, {})

    assert "jobs/job-builder.ini" == caught.value.faults[0].file


@pytest.mark.parametrize(
    "spec", ["H 3 * * *", "H/5 * * * *", "@daily", "H(0-29)/10 8-16 1,15 */2 1-5", "TZ=UTC\n0 0 * * 7"]
)
def test_a_schedule_of_jenkins_is_taken(spec: str) -> None:
    assert find_schedule_fault(spec) is None


@pytest.mark.parametrize(
    "spec", ["* * * *", "60 * * * *", "* 24 * * *", "5-1 * * * *", "*/0 * * * *", "@never", "x * * * *"]
)
def test_a_schedule_that_never_strikes_is_a_fault(spec: str) -> None:
    assert "is not a schedule" in str(find_schedule_fault(spec))


# --- comparing and sending


def test_an_empty_server_gets_every_job_after_one_query(tmp_path: Path, jenkins_server) -> None:
    jobset = rendered(tmp_path, "- job: {name: team, project-type: folder}\n- job: {name: team/a}\n")
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    jenkins_server.on("POST", "createItem", "")
    jenkins_server.on("POST", "job/team/createItem", "")
    keeps(jenkins_server, "team", "team/a")
    report = Report()

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
    report = Report()

    jobs.apply(jenkins_server.client, jobset, report)

    assert ["GET api/json"] == jenkins_server.asked
    assert [] == report.changes


def test_only_the_job_that_changed_is_sent(tmp_path: Path, jenkins_server) -> None:
    before = rendered(tmp_path, "- job: {name: a, description: old}\n- job: {name: b}\n")
    jobset = rendered(tmp_path, "- job: {name: a, description: new}\n- job: {name: b}\n")
    jenkins_server.on("GET", "api/json", listed(before))
    jenkins_server.on("POST", "job/a/config.xml", "")
    keeps(jenkins_server, "a")

    jobs.apply(jenkins_server.client, jobset, Report())

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
    report = Report()

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
    report = Report()

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

    jobs.apply(jenkins_server.client, jobset, Report())

    assert ["POST createView v", "POST view/w/config.xml"] == [
        asked for asked in jenkins_server.asked if asked.startswith("POST")
    ]


def test_a_refused_job_is_named_with_jenkins_own_reason_once_the_others_are_sent(
    tmp_path: Path, jenkins_server
) -> None:
    jobset = rendered(tmp_path, "- job: {name: a}\n- job: {name: b}\n")
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    refusal = (400, {"X-Error": "A job already exists with the name 'A'"}, "<html>")
    jenkins_server.on("POST", "createItem", refusal, "")
    keeps(jenkins_server, "b")
    report = Report()

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
        jobs.apply(jenkins_server.client, rendered(tmp_path, JOB), Report(), explain=explain)

    assert ["61fd9478-81d7-487b-8657-6f6b115835b4"] == looked_up
    assert caught.value.found.endswith("\ncom.thoughtworks.xstream.mapper.CannotResolveClassException: nope")


def test_a_page_of_an_internal_error_is_told_without_its_tags(tmp_path: Path, jenkins_server) -> None:
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    page = "<html><head><title>Oops</title></head><body><h1>No such class: x.Y</h1><p>line 3</p></body></html>"
    jenkins_server.on("POST", "createItem", (500, {}, page))

    with pytest.raises(JobsRejected) as caught:
        jobs.apply(jenkins_server.client, rendered(tmp_path, JOB), Report())

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
        jobs.apply(jenkins_server.client, jobset, Report())

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
    report = Report()

    jobs.apply(jenkins_server.client, jobset, report)

    assert ["a: Jenkins did not keep project quietPeriod"] == report.notices


def test_a_job_that_cannot_be_read_back_is_told(tmp_path: Path, jenkins_server) -> None:
    jenkins_server.on("GET", "api/json", {"jobs": [], "views": []})
    jenkins_server.on("POST", "createItem", "")
    jenkins_server.on("GET", "job/a/config.xml", (503, {}, "Jenkins is restarting"))

    with pytest.raises(JobsRejected, match="publishing the jobs") as caught:
        jobs.apply(jenkins_server.client, rendered(tmp_path, JOB), Report())

    assert caught.value.found.startswith("a: published, but Jenkins does not return it: Jenkins answered 503")


def test_what_the_table_does_not_know_is_said_once(tmp_path: Path, jenkins_server) -> None:
    raw = "      - raw:\n          xml: '<our.own.Builder/>'\n"
    jobset = rendered(tmp_path, f"{JOB}    builders:\n{raw}")
    jenkins_server.on("GET", "api/json", listed(jobset))
    report = Report()

    jobs.apply(jenkins_server.client, jobset, report)

    assert ["not checked, because their plugin is not known: element our.own.Builder of 'a'"] == report.notices


# --- following a build


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
    report = Report()

    jobs.apply(jenkins_server.client, jobset, report, ["a"])

    assert [Change("jobs", ChangeKind.ALTER, "a", "sent again")] == report.changes


def test_a_job_that_the_code_does_not_have_cannot_be_sent_again(jenkins_server) -> None:
    jenkins_server.on("GET", "api/json", {"jobs": []})

    with pytest.raises(UsageError, match="the code has no job 'b'"):
        jobs.apply(jenkins_server.client, JobSet({}), Report(), ["b"])
