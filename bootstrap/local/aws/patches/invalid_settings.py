"""Refuses settings that EventBridge Scheduler and RDS refuse and moto stores.

The forms are those of https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html and of the API reference of
CreateDBInstance. Of the words, those of a schedule expression, a group that does not exist, a class and a password are known;
the others are of the local cloud.
"""

from __future__ import annotations

import datetime
import functools
import re
import zoneinfo
from collections.abc import Iterator
from typing import Any

SETTING_NAMES = {
    "moto.scheduler.models": (
        "EventBridgeSchedulerBackend.create_schedule",
        "EventBridgeSchedulerBackend.update_schedule",
        "EventBridgeSchedulerBackend.create_schedule_group",
    ),
}

_RATE = re.compile(r"rate\(([1-9][0-9]{0,9}) (minute|hour|day)s?\)")
_AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
_CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
_DAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
# The fields of a cron expression: least and greatest number, names, and what else may stand there.
_FIELDS: tuple[tuple[int, int, list[str], str], ...] = (
    (0, 59, [], ""),
    (0, 23, [], ""),
    (1, 31, [], r"\?|L(-\d+)?|LW|\d{1,2}W"),
    (1, 12, _MONTHS, ""),
    (1, 7, _DAYS, r"\?|L|[1-7]L|([1-7]|[A-Z]{3})#[1-5]"),
    (1970, 2199, [], ""),
)
_ROLE = re.compile(r"arn:aws[\w-]*:iam::\d{12}:role/[\w+=,.@/-]+")
_TARGET = re.compile(r"arn:aws[\w-]*:[a-z0-9-]+:[a-z0-9-]*:(\d{12})?:.+", re.DOTALL)

# Settings of a database: moto's name, RDS' name, least and greatest value of all engines and kinds of storage.
_BOUNDS = (
    ("allocated_storage", "AllocatedStorage", 5, 65536),
    ("backup_retention_period", "BackupRetentionPeriod", 0, 35),
    ("port", "Port", 1150, 65535),
)


class InvalidSettingPatches:
    """One method for each module that is changed, but for that of RDS (see `stored_settings`)."""

    def _scheduler_models(self, module: Any) -> None:
        from moto.scheduler.exceptions import ScheduleGroupNotFound, ValidationException

        backend_class = module.EventBridgeSchedulerBackend

        def guard(original: Any) -> Any:
            @functools.wraps(original)
            def change(backend: Any, **settings: Any) -> Any:
                group = settings["group_name"] or "default"
                if group not in backend.schedule_groups:
                    raise ScheduleGroupNotFound(group)
                for fault in find_schedule_faults(settings):
                    raise ValidationException(fault)
                return original(backend, **settings)

            return change

        make_group = backend_class.create_schedule_group

        @functools.wraps(make_group)
        def create_group(backend: Any, name: str, tags: Any) -> Any:
            if name in backend.schedule_groups:
                from moto.core.exceptions import JsonRESTError

                raise JsonRESTError("ConflictException", f"Schedule group {name} already exists.")
            return make_group(backend, name, tags)

        backend_class.create_schedule = guard(backend_class.create_schedule)
        backend_class.update_schedule = guard(backend_class.update_schedule)
        backend_class.create_schedule_group = create_group


def guard_databases(module: Any) -> None:
    """Let RDS' model of moto refuse a database with a fault; `stored_settings` changes the same module."""
    from moto.rds.exceptions import InvalidParameterValue

    create = module.RDSBackend.create_db_instance

    @functools.wraps(create)
    def create_db_instance(backend: Any, db_kwargs: dict[str, Any]) -> Any:
        for fault in find_database_faults(db_kwargs):
            raise InvalidParameterValue(fault)
        return create(backend, db_kwargs)

    module.RDSBackend.create_db_instance = create_db_instance


def find_database_faults(settings: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a database, by the names that moto has for its settings."""
    kind = str(settings.get("db_instance_class") or "")
    if kind and not re.fullmatch(r"db\.[a-z0-9-]+\.[a-z0-9-]+", kind):
        yield f"Invalid DB Instance class: {kind}"
    password = settings.get("master_user_password")
    if password is not None and len(password) < 8:
        yield "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters."
    if password is not None and not re.fullmatch(r"""[!#-.0-?A-~]+""", password):
        yield (
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', '@', "
            "'\"', ' ' may be used."
        )
    for name, title, least, greatest in _BOUNDS:
        value = settings.get(name)
        is_number = re.fullmatch(r"[0-9]{1,9}", str(value)) is not None
        if value is not None and not (is_number and least <= int(value) <= greatest):
            yield f"Invalid value {str(value)[:40]} for {title}: it must be between {least} and {greatest}"
    if settings.get("storage_type") not in {None, "gp2", "gp3", "io1", "io2", "standard"}:
        yield f"Invalid storage type: {settings['storage_type']}"


def find_schedule_faults(settings: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a schedule, in the order in which it is looked at."""
    expression, zone = str(settings["schedule_expression"]), settings.get("schedule_expression_timezone")
    if not is_schedule(expression):
        yield f"Invalid Schedule Expression {expression}."
    if zone and zone not in zoneinfo.available_timezones():
        yield f"Invalid ScheduleExpressionTimezone {zone}."
    window = settings.get("flexible_time_window") or {}
    if (window.get("Mode") == "FLEXIBLE") != ("MaximumWindowInMinutes" in window):
        yield "MaximumWindowInMinutes belongs to the FlexibleTimeWindow with the mode FLEXIBLE, and only to that."
    target = settings.get("target") or {}
    if not _TARGET.fullmatch(str(target.get("Arn", ""))):
        yield f"Provided Arn is not in correct format: {target.get('Arn', '')}"
    if not _ROLE.fullmatch(str(target.get("RoleArn", ""))):
        yield f"Provided RoleArn is not that of a role: {target.get('RoleArn', '')}"


def is_schedule(expression: str) -> bool:
    """Whether EventBridge Scheduler knows the form: rate(), at() or cron() with six fields."""
    if _RATE.fullmatch(expression):
        return True
    if moment := _AT.fullmatch(expression):
        try:
            datetime.datetime.fromisoformat(moment[1])
        except ValueError:
            return False
        return True
    fields = _CRON.fullmatch(expression)
    if fields is None or (fields[3] == "?") == (fields[5] == "?"):  # one of both days must be open, and one only
        return False
    return all(_is_field(text.upper(), *form) for text, form in zip(fields.groups(), _FIELDS, strict=True))


def _is_field(text: str, least: int, greatest: int, names: list[str], special: str) -> bool:
    """Whether each part of a field is a star, a value or a range of values, with a step or without, or is special there."""

    def is_value(word: str) -> bool:
        return word in names or (word.isascii() and word.isdigit() and least <= int(word[:6]) <= greatest)

    for part in text.split(","):
        if special and re.fullmatch(special, part):
            continue
        span, slash, step = part.partition("/")
        if slash and not re.fullmatch(r"[1-9]\d{0,3}", step):
            return False
        first, dash, last = span.partition("-")
        if span != "*" and not (is_value(first) and (not dash or is_value(last))):
            return False
    return True
