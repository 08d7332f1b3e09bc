"""Operations that moto lacks: saved queries of CloudWatch Logs, and composite alarms of CloudWatch.

A composite alarm is stored as it is given; no alarm is evaluated. moto's alarms have a place for its rule, and no operation
that sets it.
"""

from __future__ import annotations

import datetime
import json
from typing import Any

from bootstrap.local.aws.patches import alarm_rules
from bootstrap.local.aws.persistence import randomness

ADDED_NAMES: dict[str, tuple[str, ...]] = {
    "moto.cloudwatch.responses": ("CloudWatchResponse.put_composite_alarm",),
    "moto.logs.responses": (
        "LogsResponse.put_query_definition",
        "LogsResponse.describe_query_definitions",
        "LogsResponse.delete_query_definition",
    ),
}
"""The names that moto lacks and that are added here."""
_MEMBERS = ("name", "queryString", "logGroupNames", "queryLanguage", "parameters")


class AddedAlarmPatches:
    """One method for each module that is changed, but for the module of CloudWatch Logs (see `guards`)."""

    def _cloudwatch_responses(self, module: Any) -> None:
        from moto.cloudwatch.exceptions import ValidationError

        def check(response: Any) -> None:
            try:
                named = alarm_rules.list_alarms(str(response._get_param("AlarmRule") or ""))
            except alarm_rules.InvalidRule as fault:
                raise ValidationError(f"AlarmRule is not valid, {fault}") from None
            missing = [name for name in named if name not in response.cloudwatch_backend.alarms]
            if missing:
                names = ", ".join(missing)
                text = f"Could not save the composite alarm as alarms [{names}] in the alarm rule do not exist"
                raise ValidationError(text)
            periods = [response._get_param(f"ActionsSuppressor{name}Period") for name in ("Wait", "Extension")]
            if len({response._get_param("ActionsSuppressor") is None, *(period is None for period in periods)}) > 1:
                raise ValidationError("ActionsSuppressor and its two periods belong together: give all or none")

        def put_composite_alarm(response: Any) -> Any:
            check(response)
            answer = response.put_metric_alarm()
            alarm = response.cloudwatch_backend.alarms[response._get_param("AlarmName")]
            alarm.alarm_rule = alarm.rule
            alarm.actions_suppressor = response._get_param("ActionsSuppressor")
            alarm.actions_suppressor_wait_period = response._get_param("ActionsSuppressorWaitPeriod")
            alarm.actions_suppressor_extension_period = response._get_param("ActionsSuppressorExtensionPeriod")
            return answer

        module.CloudWatchResponse.put_composite_alarm = put_composite_alarm


def add_queries(module: Any) -> None:
    """Add the operations on saved queries to moto's module of answers of CloudWatch Logs."""

    def put_query_definition(response: Any) -> str:
        queries = _read_queries(response.logs_backend)
        identity = str(response._get_param("queryDefinitionId") or _make_id())
        members = {name: response._get_param(name) for name in _MEMBERS}
        queries[identity] = {
            "queryDefinitionId": identity,
            "queryLanguage": "CWLI",
            "lastModified": int(randomness.utcnow().replace(tzinfo=datetime.UTC).timestamp() * 1000),
            **{name: value for name, value in members.items() if value is not None},
        }
        return json.dumps({"queryDefinitionId": identity})

    def describe_query_definitions(response: Any) -> str:
        prefix = str(response._get_param("queryDefinitionNamePrefix") or "")
        queries = _read_queries(response.logs_backend).values()
        return json.dumps({"queryDefinitions": [query for query in queries if query["name"].startswith(prefix)]})

    def delete_query_definition(response: Any) -> str:
        identity = response._get_param("queryDefinitionId")
        if _read_queries(response.logs_backend).pop(identity, None) is None:
            from moto.logs.exceptions import ResourceNotFoundException

            raise ResourceNotFoundException(f"The specified query definition does not exist: {identity}")
        return json.dumps({"success": True})

    module.LogsResponse.put_query_definition = put_query_definition
    module.LogsResponse.describe_query_definitions = describe_query_definitions
    module.LogsResponse.delete_query_definition = delete_query_definition


def _read_queries(backend: Any) -> dict[str, dict[str, Any]]:
    """The saved queries of a region, by their ids."""
    queries: dict[str, dict[str, Any]] = backend.__dict__.setdefault("query_definitions", {})
    return queries


def _make_id() -> str:
    from moto.moto_api._internal import mock_random

    return str(mock_random.uuid4())
