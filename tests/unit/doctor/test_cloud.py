"""What the account must be like."""

import datetime

import pytest

from bootstrap.cloud import certificates
from bootstrap.cloud.images import Image
from bootstrap.doctor import cloud
from bootstrap.doctor.findings import Health
from bootstrap.environment.models import Settings
from bootstrap.values import Stack
from bootstrap.views.machine_image import MachineImage

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
    found = cloud.check_stack(Stack("it", status), tags)

    assert health == found.health
    assert remedy in found.remedy


@pytest.mark.parametrize(
    ("days", "health"),
    [(1, Health.GOOD), (380, Health.WARNING), (400, Health.BAD)],
)
def test_the_servers_certificate_is_told_with_its_days(days: int, health: Health) -> None:
    server, authority = cloud.check_days_left(KEPT, NOW + datetime.timedelta(days=days))

    assert health == server.health
    assert Health.GOOD == authority.health


def test_an_authority_that_outlives_no_server_any_more_is_due() -> None:
    _, authority = cloud.check_days_left(KEPT, NOW + datetime.timedelta(days=3300))

    assert Health.WARNING == authority.health
    assert "350 days" in authority.found


@pytest.mark.parametrize("pinned", [None, Image("ami-0aaaaaaa", "debian-13", "2025-10-01", is_available=True)])
def test_a_region_without_debians_parameter_is_a_bad_finding_and_no_end(pinned: Image | None) -> None:
    found = cloud.judge_image(MachineImage(pinned, None, "this region has no public parameter P"), NOW.date(), "TOOL")

    assert Health.BAD == found.health
    assert "no public parameter P" in found.found and (pinned is None or pinned.id in found.found)
    assert ("'region'" if pinned is None else "TOOL image upgrade --to AMI") in found.remedy


OLD = Image("ami-0aaaaaaa", "debian-13-amd64-20251001-1", "2025-10-01", is_available=True)
NEW = Image("ami-0bbbbbbb", "debian-13-amd64-20251220-1", "2025-12-20", is_available=True)
GONE = Image("ami-0cccccc")


@pytest.mark.parametrize(
    ("pinned", "day", "health", "told"),
    [
        (None, 1, Health.GOOD, "a launch takes the newest one: ami-0bbbbbbb"),
        (NEW, 400, Health.GOOD, "412 days old; it is the newest one"),
        (OLD, -2, Health.GOOD, "90 days old; a newer one is there: ami-0bbbbbbb"),
        (OLD, -1, Health.WARNING, "91 days old; a newer one is there: ami-0bbbbbbb"),
        (GONE, 0, Health.WARNING, "ami-0cccccc (no longer available): the machine runs on"),
    ],
)
def test_the_image_is_judged_by_its_age_and_the_newest_one(
    pinned: Image | None, day: int, health: Health, told: str
) -> None:
    today = NOW.date() + datetime.timedelta(days=day)

    found = cloud.judge_image(MachineImage(pinned, NEW), today, "./bootstrap.py")

    assert health == found.health
    assert told in found.found
    assert ("image upgrade" in found.remedy) == (health is Health.WARNING)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"network": {"nat": "one"}}, []),
        ({"network": {"nat": "none"}, "jenkins": {"bucket": True}}, [(Health.GOOD, "bucket")]),
        ({"network": {"nat": "none"}}, [(Health.WARNING, "through Session Manager")]),
        ({"network": {"nat": "none"}, "access": {"ssh": "direct"}}, [(Health.WARNING, "sent over SSH")]),
    ],
)
def test_a_machine_without_a_way_out_is_told_of_the_bucket(
    options: dict[str, object], expected: list[tuple[Health, str]]
) -> None:
    base = {"environment": "trial", "cloud": "aws", "owner": "a", "cost_center": "b"}

    found = list(cloud.judge_files(Settings.model_validate({**base, **options})))

    assert [health for health, _ in expected] == [it.health for it in found]
    assert all(text in it.found for it, (_, text) in zip(found, expected, strict=True))
