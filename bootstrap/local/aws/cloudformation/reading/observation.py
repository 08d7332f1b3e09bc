"""CloudWatch and CloudWatch Logs."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context
from bootstrap.local.aws.cloudformation.reading.read import Read
from bootstrap.local.aws.cloudformation.reading.rules import read_one_of


def _read_alarm(answer: Any, _: Context) -> Any:
    return next(iter(answer["MetricAlarms"] + answer.get("CompositeAlarms", [])), None)


def _read_transformations(part: Any, _: Context) -> list[dict[str, Any]]:
    """Dimensions are a list in a template and a map in the service."""
    transformations = []
    for item in part["metricTransformations"]:
        named = [{"Key": key, "Value": value} for key, value in (item.get("dimensions") or {}).items()]
        transformations.append({**item, "dimensions": named})
    return transformations


def _query(answer: Any, to: Context) -> Any:
    queries = answer["queryDefinitions"]
    return next((query for query in queries if query["queryDefinitionId"] == to.physical_id), None)


def _read_stream(answer: Any, to: Context) -> Any:
    """The stream of the group; the service does not name the group in its answer."""
    names = [stream["logStreamName"] for stream in answer["logStreams"]]
    return {"LogStreamName": to.physical_id, **to.pick("LogGroupName")} if to.physical_id in names else None


def _describe_group(method: str, path: str, **ways: Any) -> Read:
    asks = {"logGroupName": "#LogGroupName", "filterNamePrefix": "@id"}
    return Read("logs", method, asks, read_one_of(path, filterName="@id"), ways)


READS: dict[str, tuple[Read, ...]] = {
    "AWS::Logs::LogGroup": (
        Read(
            "logs", "describe_log_groups", {"logGroupNamePrefix": "@id"}, read_one_of("logGroups", logGroupName="@id")
        ),
        Read("logs", "list_tags_log_group", {"logGroupName": "@id"}),
    ),
    "AWS::Logs::MetricFilter": (
        _describe_group("describe_metric_filters", "metricFilters", MetricTransformations=_read_transformations),
    ),
    "AWS::Logs::ResourcePolicy": (
        Read("logs", "describe_resource_policies", {}, read_one_of("resourcePolicies", policyName="@id")),
    ),
    "AWS::Logs::SubscriptionFilter": (_describe_group("describe_subscription_filters", "subscriptionFilters"),),
    "AWS::CloudWatch::Alarm": (
        Read("cloudwatch", "describe_alarms", {"AlarmNames": ["@id"]}, _read_alarm),
        Read("cloudwatch", "list_tags_for_resource", {"ResourceARN": "@Arn"}),
    ),
    "AWS::Logs::LogStream": (
        Read(
            "logs",
            "describe_log_streams",
            {"logGroupName": "#LogGroupName", "logStreamNamePrefix": "@id"},
            _read_stream,
        ),
    ),
    "AWS::Logs::QueryDefinition": (Read("logs", "describe_query_definitions", {}, _query),),
    "AWS::CloudWatch::CompositeAlarm": (
        Read(
            "cloudwatch",
            "describe_alarms",
            {"AlarmNames": ["@id"], "AlarmTypes": ["CompositeAlarm"]},
            "CompositeAlarms.0",
        ),
        Read("cloudwatch", "list_tags_for_resource", {"ResourceARN": "@Arn"}),
    ),
    "AWS::CloudWatch::Dashboard": (Read("cloudwatch", "get_dashboard", {"DashboardName": "@id"}),),
}
