"""Rollback triggers: alarms that turn a creation or an update back, while it lasts and for a time after.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html: an alarm in state ALARM, or one
that is not there, turns the operation back; a rollback itself is not watched.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bootstrap.local.aws.cloudformation.errors import Refused
from bootstrap.local.aws.cloudformation.store import Wanted

MOST_TRIGGERS = 5
MOST_MINUTES = 180
TYPES = {"AWS::CloudWatch::Alarm": "MetricAlarms", "AWS::CloudWatch::CompositeAlarm": "CompositeAlarms"}
PAUSE_SECONDS = 0.25


def of(asked: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a request, checked; what it leaves out stays as it was. Raises Refused."""
    if "RollbackConfiguration" not in asked:
        return before
    given = asked["RollbackConfiguration"] or {}
    made = {**before, **given}
    triggers = made.get("RollbackTriggers", [])
    if len(triggers) > MOST_TRIGGERS:
        raise Refused(f"RollbackTriggers: at most {MOST_TRIGGERS} are taken, not {len(triggers)}")
    for one in triggers:
        if one.get("Type") not in TYPES:
            raise Refused(f"Rollback trigger {one.get('Arn')} is of type {one.get('Type')}, not of {', '.join(TYPES)}")
    if not 0 <= int(made.get("MonitoringTimeInMinutes", 0)) <= MOST_MINUTES:
        raise Refused(f"MonitoringTimeInMinutes is from 0 to {MOST_MINUTES}")
    return made


def breach(wanted: Wanted, client: Any) -> str:
    """What turns the operation back now: an alarm's words, or '' when all is well. `client` is CloudWatch's."""
    for one in wanted.rollback.get("RollbackTriggers", []):
        name = str(one["Arn"]).rpartition(":alarm:")[2]
        kind = one["Type"]
        found = client.describe_alarms(AlarmNames=[name], AlarmTypes=[TYPES[kind][:-1]])
        alarms = [alarm for alarm in found.get(TYPES[kind], []) if alarm["AlarmArn"] == one["Arn"]]
        if not alarms:
            return f"Rollback trigger {one['Arn']} does not exist."
        if alarms[0]["StateValue"] == "ALARM":
            return f"Rollback trigger {one['Arn']} breached its threshold: it is in state ALARM."
    return ""


def monitored(wanted: Wanted, client: Any, ended: Callable[[], bool]) -> str:
    """Watch the alarms for the time that was asked for, until one breaches or `ended` says so; returns as `breach`."""
    end = time.monotonic() + 60 * int(wanted.rollback.get("MonitoringTimeInMinutes", 0))
    while not (said := breach(wanted, client)) and time.monotonic() < end and not ended():
        time.sleep(PAUSE_SECONDS)
    return said
