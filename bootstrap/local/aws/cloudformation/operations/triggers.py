"""Rollback triggers: alarms that make CloudFormation roll back a creation or an update, during it and for a time after it.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-rollback-triggers.html: an alarm in state ALARM, or one
that does not exist, causes the rollback; during a rollback alarms are ignored.
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


def read(request: dict[str, Any], current: dict[str, Any]) -> dict[str, Any]:
    """The RollbackConfiguration of a request, checked; what it leaves out does not change. Raises Refused."""
    if "RollbackConfiguration" not in request:
        return current
    changes = request["RollbackConfiguration"] or {}
    configuration = {**current, **changes}
    triggers = configuration.get("RollbackTriggers", [])
    if len(triggers) > MOST_TRIGGERS:
        raise Refused(f"RollbackTriggers: at most {MOST_TRIGGERS} are taken, not {len(triggers)}")
    for trigger in triggers:
        if trigger.get("Type") not in TYPES:
            raise Refused(
                f"Rollback trigger {trigger.get('Arn')} is of type {trigger.get('Type')}, not of {', '.join(TYPES)}"
            )
    if not 0 <= int(configuration.get("MonitoringTimeInMinutes", 0)) <= MOST_MINUTES:
        raise Refused(f"MonitoringTimeInMinutes is from 0 to {MOST_MINUTES}")
    return configuration


def breach(wanted: Wanted, client: Any) -> str:
    """The message of a trigger that causes a rollback now, or ''. `client` is the client of CloudWatch."""
    for trigger in wanted.rollback.get("RollbackTriggers", []):
        name = str(trigger["Arn"]).rpartition(":alarm:")[2]
        kind = trigger["Type"]
        answer = client.describe_alarms(AlarmNames=[name], AlarmTypes=[TYPES[kind][:-1]])
        alarms = [alarm for alarm in answer.get(TYPES[kind], []) if alarm["AlarmArn"] == trigger["Arn"]]
        if not alarms:
            return f"Rollback trigger {trigger['Arn']} does not exist."
        if alarms[0]["StateValue"] == "ALARM":
            return f"Rollback trigger {trigger['Arn']} breached its threshold: it is in state ALARM."
    return ""


def watch(wanted: Wanted, client: Any, has_ended: Callable[[], bool]) -> str:
    """Watch the alarms for the monitoring time, or until `has_ended()` is True; returns as `breach`."""
    end = time.monotonic() + 60 * int(wanted.rollback.get("MonitoringTimeInMinutes", 0))
    while not (reason := breach(wanted, client)) and time.monotonic() < end and not has_ended():
        time.sleep(PAUSE_SECONDS)
    return reason
