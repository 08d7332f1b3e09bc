"""Options by which a Pipeline changes its own job: they have their effect, and go when they leave the Jenkinsfile.

The words of the queue about a quiet period were recorded from a real Jenkins; the others, and the elements of the config.xml,
were read in the sources of the plugins.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

PROPERTIES = {
    "durabilityHint('PERFORMANCE_OPTIMIZED')": (
        "org.jenkinsci.plugins.workflow.job.properties.DurabilityHintJobProperty",
        "<hint>PERFORMANCE_OPTIMIZED</hint>",
    ),
    "preserveStashes(buildCount: 2)": (
        "org.jenkinsci.plugins.pipeline.modeldefinition.properties.PreserveStashesJobProperty",
        "<buildCount>2</buildCount>",
    ),
    "rateLimitBuilds(throttle: [count: 2, durationName: 'day', userBoost: true])": (
        "jenkins.branch.RateLimitBranchProperty_-JobPropertyImpl",
        "<durationName>day</durationName>\n      <count>2</count>\n      <userBoost>true</userBoost>",
    ),
    "overrideIndexTriggers(true)": (
        "jenkins.branch.OverrideIndexTriggersJobProperty",
        "<enableTriggers>true</enableTriggers>",
    ),
}
PLUGIN = "org.jenkinsci.plugins.pipeline.modeldefinition.actions"


def declare(*options: str) -> str:
    """A declarative Pipeline with these options."""
    listed = f"options {{ {'; '.join(options)} }}" if options else ""
    return f"pipeline {{ agent none\n {listed}\n stages {{ stage('a') {{ steps {{ echo 'x' }} }} }} }}"


@pytest.fixture
def build(server: Any, name: str, pipeline: Callable[[str], str]) -> Callable[[str], str]:
    """Give the job a script, build it, and read its config.xml."""

    def run(script: str) -> str:
        if server.client.job_exists(name):
            xml = server.client.get_job_config(name)
            known = re.search(r"<script>.*?</script>", xml, re.DOTALL)
            wanted = re.search(r"<script>.*?</script>", pipeline(script), re.DOTALL)
            assert known and wanted
            server.client.reconfig_job(name, xml.replace(known[0], wanted[0]))
            given = {"A": "a"} if "parameterDefinitions" in xml else None
        else:
            server.create("", name, pipeline(script)).raise_for_status()
            given = None
        result, log = server.run(name, given)
        assert "SUCCESS" == result["result"], log
        text: str = server.client.get_job_config(name)
        return text

    return run


@pytest.mark.only_read
def test_options_are_properties_of_the_job_until_they_leave_the_jenkinsfile(build: Callable[[str], str]) -> None:
    text = build(declare(*PROPERTIES, "disableRestartFromStage()", "skipDefaultCheckout()"))

    for kind, fields in PROPERTIES.values():
        assert re.search(rf"<{kind}[^>]*>\s*{fields}\s*</{kind}>", text), kind
        assert f"<string>{kind.replace('_-', '$')}</string>" in text
    assert f"<{PLUGIN}.DisableRestartFromStageAction " in text
    noted = re.search(r"<options>(.*?)</options>", text, re.DOTALL)
    assert noted
    assert ["disableRestartFromStage", "skipDefaultCheckout"] == sorted(re.findall(r"<string>(.*?)</string>", noted[1]))

    text = build(declare())
    assert not [kind for kind, _ in PROPERTIES.values() if kind in text]
    assert "DisableRestartFromStageAction" not in text


@pytest.mark.only_read
def test_parameters_and_triggers_go_with_the_jenkinsfile(build: Callable[[str], str]) -> None:
    text = build(
        "pipeline { agent none\n parameters { string(name: 'A'); booleanParam(name: 'B') }\n"
        " triggers { cron('H 1 1 1 *') }\n stages { stage('a') { steps { echo 'x' } } } }"
    )
    assert ["A", "B"] == re.findall(r"<name>(.*?)</name>", text)
    assert "TimerTrigger" in text

    text = build(declare())
    assert [] == re.findall(r"<name>(.*?)</name>", text)
    assert "TimerTrigger" not in text


@pytest.mark.only_read
def test_scripted_pipelines_set_the_same_properties(build: Callable[[str], str]) -> None:
    text = build(f"properties([{', '.join(PROPERTIES)}])")

    for kind, fields in PROPERTIES.values():
        assert re.search(rf"<{kind}[^>]*>\s*{fields}\s*</{kind}>", text), kind


def test_quiet_period_holds_the_next_build_back(server: Any, name: str, build: Callable[[str], str]) -> None:
    assert "<quietPeriod>4</quietPeriod>" in build(declare("quietPeriod(4)"))

    begun = time.time()
    item = server.client.build_job(name)
    why = server.client.get_queue_item(item)["why"]
    result, _ = server.finish(name, server.until(lambda: find_number(server, item)))

    assert re.fullmatch(r"In the quiet period\. Expires in [0-9.]+ (sec|ms)", why)
    assert result["timestamp"] / 1000 - begun >= 3.9
    assert "<quietPeriod>0</quietPeriod>" in build(declare())


def find_number(server: Any, item: int) -> int | None:
    """The number of the build of a queue item; None while it waits."""
    executable = server.client.get_queue_item(item).get("executable")
    return int(executable["number"]) if executable else None


@pytest.mark.only_read
def test_throttle_holds_builds_apart(server: Any, name: str, build: Callable[[str], str]) -> None:
    build(declare("rateLimitBuilds(throttle: [count: 20, durationName: 'minute', userBoost: false])"))
    first = server.client.get_build_info(name, 1)["timestamp"]

    assert server.run(name)[0]["timestamp"] - first >= 3000


@pytest.mark.only_read
def test_queue_says_until_when_a_throttle_holds(server: Any, name: str, build: Callable[[str], str]) -> None:
    build(declare("rateLimitBuilds(throttle: [count: 1, durationName: 'hour', userBoost: false])"))

    item = server.client.build_job(name)
    waiting = server.until(lambda: waits_for_throttle(server.client.get_queue_item(item)))
    server.client.cancel_queue(item)

    assert re.fullmatch(
        r"Build throttle expires at \d+:\d\d:\d\d\u202f[AP]M on [A-Z][a-z]{2} \d+, \d{4}", waiting["why"]
    )
    assert (True, "hudson.model.Queue$BlockedItem") == (waiting["blocked"], waiting["_class"])


def waits_for_throttle(item: dict[str, Any]) -> dict[str, Any] | None:
    """The item if a throttle holds it."""
    return item if "throttle" in (item.get("why") or "") else None


@pytest.mark.only_read
def test_user_may_be_exempt_from_a_throttle(server: Any, name: str, build: Callable[[str], str]) -> None:
    build(declare("rateLimitBuilds(throttle: [count: 1, durationName: 'hour', userBoost: true])"))

    assert "SUCCESS" == server.run(name)[0]["result"]
