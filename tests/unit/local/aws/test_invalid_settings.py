"""Schedules, databases and rules of alarms that services refuse: the forms that are accepted, and those that are not."""

import time
from typing import Any

import pytest

from bootstrap.local.aws.patches import alarm_rules
from bootstrap.local.aws.patches.invalid_settings import find_database_faults, find_schedule_faults, is_schedule

GOOD: dict[str, Any] = {
    "schedule_expression": "rate(5 minutes)",
    "flexible_time_window": {"Mode": "OFF"},
    "target": {"Arn": "arn:aws:sqs:eu-central-1:123456789012:q", "RoleArn": "arn:aws:iam::123456789012:role/a/b"},
}


@pytest.mark.parametrize(
    "text",
    [
        "rate(1 minute)",
        "rate(90 days)",
        "at(2026-02-28T23:59:59)",
        "cron(0 10 * * ? *)",
        "cron(15 10 ? * 6L 2026-2030)",
        "cron(0/15 8-17 ? * MON-FRI *)",
        "cron(0 8 1,15 JAN,jul ? *)",
        "cron(0 0 LW * ? *)",
        "cron(0 9 ? * TUE#2 *)",
    ],
)
def test_a_schedule_of_a_known_form_is_accepted(text: str) -> None:
    assert is_schedule(text)


@pytest.mark.parametrize(
    "text",
    [
        "rate(0 minutes)",
        "rate(5 weeks)",
        "rate(99999999999999 days)",
        "rate(٥ minutes)",
        "at(2026-02-30T00:00:00)",
        "at(2026-02-28)",
        "cron(* * * * *)",
        "cron(0 10 * * * *)",
        "cron(0 10 ? * ? *)",
        "cron(60 10 * * ? *)",
        "cron(0 10 * * ? 1969)",
        "cron(0/0 10 * * ? *)",
        "cron(0 10 1- * ? *)",
        "cron(0 10 FOO * ? *)",
        "every day",
        f"cron({'1,' * 100_000} 10 * * ? *)",
    ],
)
def test_another_schedule_is_refused(text: str) -> None:
    begun = time.monotonic()
    assert not is_schedule(text)
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"schedule_expression": "nonsense"}, "Invalid Schedule Expression nonsense."),
        ({"schedule_expression_timezone": "Mars/Base"}, "Mars/Base"),
        ({"flexible_time_window": {"Mode": "FLEXIBLE"}}, "MaximumWindowInMinutes"),
        ({"flexible_time_window": {"Mode": "OFF", "MaximumWindowInMinutes": 5}}, "MaximumWindowInMinutes"),
        ({"target": {**GOOD["target"], "Arn": "x"}}, "Provided Arn"),
        ({"target": {**GOOD["target"], "RoleArn": "arn:aws:iam::123456789012:user/x"}}, "Provided RoleArn"),
    ],
)
def test_a_fault_of_a_schedule_is_named(change: dict[str, Any], part: str) -> None:
    assert [] == list(find_schedule_faults(GOOD))
    assert [] == list(find_schedule_faults({**GOOD, "schedule_expression_timezone": "Europe/Berlin"}))
    (fault,) = find_schedule_faults({**GOOD, **change})
    assert part in fault


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("db_instance_class", "t3", "Invalid DB Instance class: t3"),
        ("master_user_password", "short", "shorter than 8 characters"),
        ("master_user_password", "has/slash/in/it", "Only printable ASCII characters"),
        ("master_user_password", "line\nbreak.", "Only printable ASCII characters"),
        ("allocated_storage", "1", "AllocatedStorage"),
        ("allocated_storage", "9" * 5000, "AllocatedStorage"),
        ("backup_retention_period", 36, "BackupRetentionPeriod"),
        ("port", 80, "Port"),
        ("storage_type", "floppy", "Invalid storage type: floppy"),
    ],
)
def test_a_fault_of_a_database_is_named(name: str, value: Any, part: str) -> None:
    good = {"db_instance_class": "db.t3.micro", "master_user_password": "a word!?~#", "allocated_storage": 20}
    good = {**good, "master_user_password": "aWord!?~#", "port": 5432, "storage_type": "gp3"}
    assert [] == list(find_database_faults(good)) == list(find_database_faults({}))
    (fault,) = find_database_faults({**good, name: value})
    assert part in fault


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        ("TRUE", ()),
        ("NOT FALSE", ()),
        ("ALARM(a) AND (OK(b) OR NOT INSUFFICIENT_DATA(c))", ("a", "b", "c")),
        ('ALARM("two words") OR ALARM( a )', ("two words", "a")),
        ("ALARM(arn:aws:cloudwatch:eu-central-1:123456789012:alarm:a) OR OK(a)", ("a",)),
        (f"{'(' * 5000}TRUE{')' * 5000}", ()),
    ],
)
def test_the_alarms_of_a_rule(rule: str, names: tuple[str, ...]) -> None:
    assert names == alarm_rules.list_alarms(rule)


@pytest.mark.parametrize(
    "rule",
    ["", " ", "AND", "NOT", "TRUE AND", "TRUE TRUE", "TRUE NOT", "(TRUE", "TRUE)", ")(", "()", "ALARM(", "ALARM()",
     "alarm(a)", "ALARM(a b)", "TRUEish", "ALARM(a)ALARM(b)", "X" * 10_000, "NOT " * 2_500, "(" * 10_000],
)  # fmt: skip
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(alarm_rules.InvalidRule):
        alarm_rules.list_alarms(rule)
