"""The jobs act against a server: what it dropped is told, told again, and gone once the definition is mended."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from bootstrap.acts import jobs
from bootstrap.errors import JobsRejected
from bootstrap.jenkins.controller import differences
from bootstrap.values import Change, JobSet
from tests.recorder import Recorder

FOOTER = "Managed as code; change it in the repository. [render {}]"


class Client:
    """The suite's client signs in with a password, so each request needs a crumb; the acts have a token."""

    def __init__(self, server: Any) -> None:
        self._client = server.client
        self.server: str = server.client.server

    def jenkins_request(self, req: requests.Request, add_crumb: bool = True, resolve_auth: bool = True) -> Any:
        return self._client.jenkins_request(req, add_crumb=True, resolve_auth=resolve_auth)


def job(digest: str, properties: str = "", description: str = "what it does") -> str:
    text = f"{description}\n\n{FOOTER.format(digest * 16)}"
    return f"<project><description>{text}</description><properties>{properties}</properties></project>"


def planned(server: Any, name: str, wished: str) -> list[Change]:
    return [change for change in jobs.plan(Client(server), JobSet({name: wished})) if change.name == name]


def test_dropped_element_is_told_until_the_definition_is_mended(server: Any, name: str) -> None:
    broken, whole = job("a", "<no.such.Property><x>1</x></no.such.Property>"), job("b")

    for _ in range(2):
        with pytest.raises(JobsRejected) as caught:
            jobs.apply(Client(server), JobSet({name: broken}), Recorder())
        assert caught.value.found == f"{name}: Jenkins dropped no.such.Property"
        assert len(planned(server, name, broken)) == 1
    jobs.apply(Client(server), JobSet({name: whole}), Recorder())

    assert planned(server, name, whole) == []


def test_job_that_is_kept_whole_has_no_difference_but_the_real_one(server: Any, name: str) -> None:
    rotation = (
        '<strategy class="hudson.tasks.LogRotator"><daysToKeep>-1</daysToKeep><numToKeep>{}</numToKeep></strategy>'
    )
    kept = f"<jenkins.model.BuildDiscarderProperty>{rotation}</jenkins.model.BuildDiscarderProperty>"
    report = Recorder()

    jobs.apply(Client(server), JobSet({name: job("a", kept.format(60))}), report)
    changed = JobSet({name: job("b", kept.format(50))})
    found = differences.add_job_diffs(Client(server), changed, planned(server, name, changed.jobs[name]))

    assert ([it.name for it in report.changes], report.notices) == ([name], [])
    lines = [line.strip("+- ") for line in found[0].diff.splitlines()[2:] if line[0] in "+-"]
    footers = [f"{FOOTER.format(digest * 16)}</description>" for digest in "ab"]
    assert lines == [*footers, "<numToKeep>60</numToKeep>", "<numToKeep>50</numToKeep>"]
