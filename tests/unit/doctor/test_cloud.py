"""What the account must be like."""

import datetime

import pytest

from bootstrap.cloud import certificates
from bootstrap.doctor import cloud
from bootstrap.doctor.findings import Health
from bootstrap.values import Stack

OURS = {"ManagedBy": "jenkins-bootstrap"}
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
KEPT, _ = certificates.issue(None, None, certificates.Subjects(("ci.example.org",), (), "10.77.0.0/16"), NOW)


@pytest.mark.parametrize(
    ("status", "tags", "health", "remedy"),
    [
        ("UPDATE_COMPLETE", OURS, Health.GOOD, ""),
        ("UPDATE_COMPLETE", {}, Health.BAD, "foreign stack"),
        ("UPDATE_ROLLBACK_FAILED", OURS, Health.WARNING, "continue-update-rollback --stack-name it"),
        ("DELETE_FAILED", OURS, Health.BAD, "destroy again"),
        ("ROLLBACK_COMPLETE", OURS, Health.WARNING, "creates it again"),
        ("UPDATE_IN_PROGRESS", OURS, Health.WARNING, "waits"),
    ],
)
def test_a_stack_is_judged_by_whose_it_is_and_its_status(
    status: str, tags: dict[str, str], health: Health, remedy: str
) -> None:
    found = cloud.stack(Stack("it", status), tags)

    assert health == found.health
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("days", "health"),
    [(1, Health.GOOD), (380, Health.WARNING), (400, Health.BAD)],
)
def test_the_servers_certificate_is_told_with_its_days(days: int, health: Health) -> None:
    server, authority = cloud.days_left(KEPT, NOW + datetime.timedelta(days=days))

    assert health == server.health
    assert Health.GOOD == authority.health


def test_an_authority_that_outlives_no_server_any_more_is_due() -> None:
    _, authority = cloud.days_left(KEPT, NOW + datetime.timedelta(days=3300))

    assert Health.WARNING == authority.health
    assert "350 days" in authority.found
