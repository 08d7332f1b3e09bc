"""Differences for a reader: what Jenkins rewrites by itself is no difference."""

from collections.abc import Sequence

import requests

from bootstrap.jenkins.controller import differences
from bootstrap.values import Change, ChangeKind, JobSet, Result

HERE = (
    "<flow-definition plugin='workflow-job@1'><disabled>false</disabled><description>a</description></flow-definition>"
)
THERE = (
    "<?xml version='1.1' encoding='UTF-8'?>\n<flow-definition>\n  <description>b</description>\n"
    "  <disabled>false</disabled>\n</flow-definition>"
)


class Jenkins:
    """Has one job, 'a', and one view, 'v'."""

    server = "http://jenkins.invalid/"

    def jenkins_request(self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True) -> object:
        answer = requests.Response()
        known = req.url in {self.server + "job/a/config.xml", self.server + "view/v/config.xml"}
        answer.status_code, answer._content = (200, THERE.encode()) if known else (404, b"")
        return answer


class Machine:
    """Has one file."""

    def run(self, command: Sequence[str], **_: object) -> Result:
        return Result("", *((0, "a: 1\nb: 2\n") if command[-1] == "/there/a.yaml" else (1, "")), "")


def test_an_altered_job_and_view_are_shown_line_by_line() -> None:
    changes = [Change("jobs", ChangeKind.ALTER, "a"), Change("jobs", ChangeKind.ALTER, "view v")]

    found = differences.add_job_diffs(Jenkins(), JobSet({"a": HERE}, {"v": HERE}), changes)

    assert 2 == len(found)
    for each in found:
        lines = each.diff.splitlines()
        assert ["-  <description>b</description>", "+  <description>a</description>"] == [
            line for line in lines[2:] if line[0] in "+-"
        ]


def test_only_altered_jobs_are_read() -> None:
    changes = (Change("jobs", ChangeKind.ADD, "new"), Change("jobs", ChangeKind.ALTER, "gone meanwhile"))

    assert changes == differences.add_job_diffs(Jenkins(), JobSet({"new": HERE}), changes)


def test_an_altered_file_is_shown_line_by_line() -> None:
    changes = [Change("casc", ChangeKind.ALTER, "a.yaml"), Change("casc", ChangeKind.REMOVE, "b.yaml")]

    found = differences.add_settings_diffs(Machine(), "/there", {"a.yaml": "a: 1\nb: 3\n"}, changes)

    assert ["-b: 2", "+b: 3"] == found[0].diff.splitlines()[-2:]
    assert "" == found[1].diff
