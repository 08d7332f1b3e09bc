"""The mail of a failed job arrives at the local cloud, and is there to be read."""

import json
from collections.abc import Iterator

import pytest
from trial import Launched

CANARY = "jobs/pipelines/canary.Jenkinsfile"
JOB = """\
<flow-definition plugin="workflow-job">
  <definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition" plugin="workflow-cps">
    <script><![CDATA[{}]]></script>
    <sandbox>true</sandbox>
  </definition>
</flow-definition>
"""


@pytest.fixture
def mailing(launched: Launched) -> Iterator[str]:
    """The repository's own canary under another name, whose shell step fails."""
    text = (launched.checkout / CANARY).read_text()
    broken = text.replace("sh 'printf", "sh 'false; printf")
    assert broken != text
    launched.context.jenkins.create_job("mailing", JOB.format(broken))
    try:
        yield "mailing"
    finally:
        launched.context.jenkins.delete_job("mailing")


def listed(launched: Launched) -> list[dict[str, str]]:
    return [json.loads(line) for line in launched.done("--json", "mail").splitlines()]


def test_the_mail_of_a_failed_job_arrives_and_is_shown(launched: Launched, mailing: str) -> None:
    before = [it["number"] for it in listed(launched)]

    built = launched.run("build", mailing)

    assert 1 == built.returncode and "Finished: FAILURE" in built.stdout, built.stdout[-3000:] + built.stderr
    assert "Couldn't send mail" not in built.stdout
    (came,) = [it for it in listed(launched) if it["number"] not in before]
    owner = launched.context.settings.jenkins.admin_address
    assert (owner, f"{mailing} #1 failed") == (came["to"], came["subject"])
    shown = launched.done("mail", str(came["number"]))
    assert f"Builds do not work. The log: {launched.context.url}job/{mailing}/1/console" in shown
    (line,) = [it for it in launched.done("status").splitlines() if it.startswith("mail")]
    assert str(launched.state / "cloud" / "mail") in line and "'./bootstrap.py -e" in line
