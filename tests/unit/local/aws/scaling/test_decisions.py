"""Where a group launches, what leaves first, what is bought, and how long it waits after a failure; without moto."""

from __future__ import annotations

import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from bootstrap.local.aws.persistence import randomness
from bootstrap.local.aws.scaling import capacity, members, mixed, selection

BEGUN = datetime.datetime(2026, 11, 30, 12)


def member(name: str, zone: str = "a", *, minutes: int = 0, version: int = 1, **more: Any) -> Any:
    """A member in service, launched some minutes after the first one."""
    launched = BEGUN + datetime.timedelta(minutes=minutes)
    instance = SimpleNamespace(
        id=name,
        availability_zone=zone,
        subnet_id=f"subnet-{zone}",
        launch_time=launched,
        lifecycle=more.pop("lifecycle", None),
    )
    source = {"LaunchTemplateId": "lt-1", "Version": str(version)}
    settings = {"lifecycle_state": members.IN_SERVICE, "protected_from_scale_in": False, "source_template": source}
    return SimpleNamespace(instance=instance, **settings | more)


def group(*its_members: Any, **more: Any) -> Any:
    settings: dict[str, Any] = {
        "instance_states": list(its_members),
        "termination_policies": ["Default"],
        "ec2_launch_template": SimpleNamespace(id="lt-1"),
        "vpc_zone_identifier": "subnet-a,subnet-b",
        "ec2_backend": SimpleNamespace(get_subnet=lambda name: SimpleNamespace(availability_zone=name[-1])),
        "mixed_instances_policy": None,
        "desired_capacity": len(its_members),
        "_suspended_processes": [],
        "instance_type": "t3.small",
    }
    return SimpleNamespace(**settings | more)


def test_a_launch_goes_to_the_zone_and_subnet_with_the_fewest_members() -> None:
    assert "subnet-a" == selection.choose_place(group()).subnet_id
    assert "subnet-b" == selection.choose_place(group(member("i-1"))).subnet_id
    leaving = member("i-2", "b", lifecycle_state=members.TERMINATING)
    assert "subnet-b" == selection.choose_place(group(member("i-1"), leaving)).subnet_id


@pytest.mark.parametrize(
    ("policies", "leaves"),
    [
        (["Default"], "i-2"),  # the oldest version of the template
        (["OldestInstance"], "i-1"),
        (["NewestInstance"], "i-3"),
        (["OldestLaunchTemplate", "NewestInstance"], "i-2"),
        (["ClosestToNextInstanceHour"], "i-3"),
        (["AllocationStrategy"], "i-1"),
    ],
)
def test_termination_policies_choose_within_the_fullest_zone(policies: list[str], leaves: str) -> None:
    several = [member("i-1", version=2), member("i-2", minutes=70), member("i-3", minutes=75, version=2)]
    alone = member("i-0", "b", minutes=-9)
    with randomness.fix_clock((BEGUN.replace(tzinfo=datetime.UTC) + datetime.timedelta(minutes=130)).timestamp()):
        assert leaves == selection.choose_leaving(group(alone, *several, termination_policies=policies)).instance.id


def test_a_protected_member_never_leaves_and_its_zone_is_passed_over() -> None:
    kept = [member("i-1", protected_from_scale_in=True), member("i-2", protected_from_scale_in=True)]
    assert "i-3" == selection.choose_leaving(group(*kept, member("i-3", "b"))).instance.id
    assert selection.choose_leaving(group(*kept)) is None


@pytest.mark.parametrize(
    ("base", "percent", "present", "is_spot"),
    [(1, 0, 0, False), (1, 0, 1, True), (0, 50, 2, False), (0, 50, 3, True), (0, 100, 4, False), (9, 0, 4, False)],
)
def test_on_demand_comes_first_and_fractions_of_its_share_are_rounded_up(
    base: int, percent: int, present: int, is_spot: bool
) -> None:
    shares = {"OnDemandBaseCapacity": base, "OnDemandPercentageAboveBaseCapacity": percent}
    policy = {"InstancesDistribution": shares, "LaunchTemplate": {"Overrides": [{"InstanceType": "t3.large"}]}}
    bought = [member(f"i-{number}") for number in range(present)]
    asked = group(*bought, mixed_instances_policy=policy, desired_capacity=5)
    assert [mixed.Choice("t3.large", 1, is_spot)] == mixed.list_choices(asked)


def test_the_pause_after_a_failed_launch_doubles_up_to_five_minutes_and_a_boot_resets_it() -> None:
    failing = group(desired_capacity=1)
    pauses = []
    for _ in range(8):
        with randomness.fix_clock(1000.0):
            capacity.note_failure(failing)
        pauses.append(failing.retry_at - 1000)
    assert [5, 10, 20, 40, 80, 160, 300, 300] == pauses
    assert (False, True) == (capacity.needs_retry(failing, 1299), capacity.needs_retry(failing, 1300))
    failing._suspended_processes = ["Launch"]
    assert not capacity.needs_retry(failing, 1300)
    failing._suspended_processes = []
    capacity.note_success(failing)
    assert capacity.needs_retry(failing, 1300)  # another instance has booted; this one still lacks
    with randomness.fix_clock(1000.0):
        capacity.note_failure(failing)
    assert 1005 == failing.retry_at
    failing.desired_capacity = 0
    assert not capacity.needs_retry(failing, 9999)
