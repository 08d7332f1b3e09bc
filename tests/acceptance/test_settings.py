"""The effects of Jenkins' settings: page headers, metrics, the rights of builds, and the audit trail."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from canary import Build
from own_settings import RUNS_AS, Audit, Numbers, Unstarted

# That something newer exists is no fault of what runs; a warning about the security of what runs is another monitor.
_NEWS = {"hudson.model.UpdateCenter$CoreUpdateMonitor", "hudson.PluginManager$PluginUpdateMonitor"}


def test_no_administrative_monitor_is_active(active_monitors: frozenset[str]) -> None:
    """No administrative monitor is active: Manage Jenkins shows no warning."""
    assert [] == sorted(active_monitors - _NEWS)


def test_pages_run_only_their_own_scripts(page_headers: Mapping[str, str]) -> None:
    """Pages enforce a content security policy."""
    policy = page_headers.get("Content-Security-Policy", "")

    assert "default-src 'self'" in policy
    assert "Content-Security-Policy-Report-Only" not in page_headers


def test_metrics_need_permission(numbers: Numbers, strangers_answers: dict[str, int]) -> None:
    """Metrics need the permission Metrics/View."""
    assert (200, 403) == (numbers.status, strangers_answers["prometheus/"])


def test_metrics_are_prometheus_text(numbers: Numbers) -> None:
    """Metrics are served in Prometheus' text format."""
    assert numbers.kind.startswith("text/plain")
    assert re.search(r"^default_jenkins_up 1(\.0)?$", numbers.text, re.MULTILINE), numbers.text[:500]


def test_no_statistics_are_sent(exported_settings: dict[str, Any]) -> None:
    """Jenkins sends no usage statistics."""
    assert exported_settings["jenkins"].get("noUsageStatistics") is True


def test_a_build_has_the_rights_of_who_started_it(started_build: Build) -> None:
    """A build runs as the user who started it."""
    found = RUNS_AS.search(started_build.log)
    assert found is not None and found[1] == "Toolkit", started_build.log


def test_a_build_that_nobody_started_has_few_rights(unstarted_builds: tuple[Unstarted, ...]) -> None:
    """A build that no user started runs as the user 'builds'."""
    assert [] == [f"{build.name} ran as {build.runs_as}" for build in unstarted_builds if build.runs_as != "Builds"]


def test_the_audit_trail_has_requests(audit: Audit) -> None:
    """The audit trail has a changing request with its user."""
    assert audit.requests, "\n".join(audit.lines)


def test_the_audit_trail_has_builds(audit: Audit, started_build: Build) -> None:
    """The audit trail has the start of a build with its cause."""
    assert audit.builds, f"neither #{started_build.number} nor another is in\n" + "\n".join(audit.lines)
