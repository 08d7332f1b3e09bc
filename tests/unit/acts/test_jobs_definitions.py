"""Definitions of jobs: how they are rendered, and how a fault in one is told with its place."""

import re
from pathlib import Path

import pytest

from bootstrap.acts import jobs
from bootstrap.errors import JobsInvalid
from bootstrap.jenkins.definitions.jobs import find_schedule_fault
from tests.unit.acts.job_definitions import JOB, VARIABLES, definitions, kept, rendered

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
