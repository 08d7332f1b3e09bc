"""Dashboards, composite alarms, streams and filters of log groups, saved queries, and the policies of log groups."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, format_json
from bootstrap.local.aws.cloudformation.adapters.tagging import Tagging
from bootstrap.local.aws.cloudformation.errors import Gone


def _convert_transformations(value: Any) -> list[dict[str, Any]]:
    """Convert the dimensions, which are a list in a template and a map in the service."""
    transformations = []
    for transformation in value:
        dimensions = {dimension["Key"]: dimension["Value"] for dimension in transformation.get("Dimensions", [])}
        transformations.append({**transformation, "Dimensions": dimensions} if dimensions else dict(transformation))
    return transformations


class _Filter(TableAdapter):
    """A filter of a log group; Ref is its name."""

    def read_item(self, to: To) -> Any:
        """Return the filter, or None: the service lists all filters whose names begin with this name."""
        entry = self.entry
        parameters = {"filterNamePrefix": to.physical_id, **self.make_parameters(to, entry.along)}
        filters = to.call(entry.service, entry.read, **parameters)[entry.item]
        return next((one for one in filters if one["filterName"] == to.physical_id), None)


class MetricFilter(_Filter):
    """AWS::Logs::MetricFilter; Ref is its name."""

    def update(self, to: To) -> None:
        """Delete the filter and create it again, so that nothing of the old one is left."""
        self.delete(to)
        super().update(to)


class Dashboard(TableAdapter):
    """AWS::CloudWatch::Dashboard; Ref is its name."""

    def delete(self, to: To) -> None:
        """Delete the dashboard; the call takes a list of names."""
        to.call("cloudwatch", "delete_dashboards", DashboardNames=[to.physical_id])


class ResourcePolicy(TableAdapter):
    """AWS::Logs::ResourcePolicy; Ref is its name. The service lists all policies of a region."""

    def read_item(self, to: To) -> Any:
        """Return the policy with this name, or None."""
        policies = to.call("logs", "describe_resource_policies")["resourcePolicies"]
        return next((one for one in policies if one["policyName"] == to.physical_id), None)


class QueryDefinition(TableAdapter):
    """AWS::Logs::QueryDefinition; Ref is its id. The call that creates it also changes it. The service lists all queries."""

    def read_item(self, to: To) -> Any:
        """Return the query with this id, or None."""
        queries = to.call("logs", "describe_query_definitions")["queryDefinitions"]
        return next((one for one in queries if one["queryDefinitionId"] == to.physical_id), None)

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return the id. Raises Gone when the query does not exist."""
        if self.read_item(to) is None:
            raise Gone(f"The query definition {to.physical_id} does not exist")
        return {"QueryDefinitionId": to.physical_id}


class LogStream(TableAdapter):
    """AWS::Logs::LogStream; Ref is its name."""

    def read_attributes(self, to: To) -> dict[str, Any]:
        """Return no attributes; raise Gone when the stream or its group does not exist."""
        streams = to.call("logs", "describe_log_streams", logStreamNamePrefix=to.physical_id, **to.pick("LogGroupName"))
        if all(stream["logStreamName"] != to.physical_id for stream in streams["logStreams"]):
            raise Gone(f"The log stream {to.physical_id} does not exist")
        return {}


class CompositeAlarm(TableAdapter):
    """AWS::CloudWatch::CompositeAlarm; Ref is its name."""

    def delete(self, to: To) -> None:
        """Delete the alarm; the call takes a list of names."""
        self.read_item(to)
        to.call("cloudwatch", "delete_alarms", AlarmNames=[to.physical_id])

    def read_item(self, to: To) -> Any:
        """Return the alarm. Raises Gone."""
        names = {"AlarmNames": [to.physical_id], "AlarmTypes": ["CompositeAlarm"]}
        alarms = to.call("cloudwatch", "describe_alarms", **names).get("CompositeAlarms")
        if not alarms:
            raise Gone(f"The composite alarm {to.physical_id} does not exist")
        return alarms[0]


ADAPTERS = (
    LogStream(
        Entry(
            "AWS::Logs::LogStream",
            "logs",
            "create_log_stream",
            "delete_log_stream",
            "logStreamName",
            name="LogStreamName",
            along=("LogGroupName",),
        )
    ),
    QueryDefinition(
        Entry(
            "AWS::Logs::QueryDefinition",
            "logs",
            "put_query_definition",
            "delete_query_definition",
            "queryDefinitionId",
            id_path="queryDefinitionId",
            update="put_query_definition",
            takes=("LogGroupNames", "Name", "Parameters", "QueryLanguage", "QueryString"),
            whole=True,
            read="describe_query_definitions",
        )
    ),
    CompositeAlarm(
        Entry(
            "AWS::CloudWatch::CompositeAlarm",
            "cloudwatch",
            "put_composite_alarm",
            "delete_alarms",
            "AlarmName",
            name="AlarmName",
            update="put_composite_alarm",
            takes=(
                "ActionsEnabled",
                "ActionsSuppressor",
                "ActionsSuppressorExtensionPeriod",
                "ActionsSuppressorWaitPeriod",
                "AlarmActions",
                "AlarmDescription",
                "AlarmRule",
                "InsufficientDataActions",
                "OKActions",
            ),
            whole=True,
            read="describe_alarms",
            attributes={"Arn": "AlarmArn"},
            tags=Tagging("ResourceARN", target="Arn"),
        )
    ),
    ResourcePolicy(
        Entry(
            "AWS::Logs::ResourcePolicy",
            "logs",
            "put_resource_policy",
            "delete_resource_policy",
            "PolicyName",
            name="PolicyName",
            shaped={"PolicyDocument": format_json},
            update="put_resource_policy",
            takes=("PolicyDocument",),
            whole=True,
            read="describe_resource_policies",
        )
    ),
    Dashboard(
        Entry(
            "AWS::CloudWatch::Dashboard",
            "cloudwatch",
            "put_dashboard",
            "delete_dashboards",
            "DashboardName",
            name="DashboardName",
            shaped={"DashboardBody": format_json},
            update="put_dashboard",
            takes=("DashboardBody",),
            whole=True,
            read="get_dashboard",
        )
    ),
    MetricFilter(
        Entry(
            "AWS::Logs::MetricFilter",
            "logs",
            "put_metric_filter",
            "delete_metric_filter",
            "filterName",
            name="FilterName",
            along=("LogGroupName",),
            shaped={"MetricTransformations": _convert_transformations},
            update="put_metric_filter",
            takes=("FilterPattern", "MetricTransformations"),
            whole=True,
            read="describe_metric_filters",
            item="metricFilters",
        )
    ),
    _Filter(
        Entry(
            "AWS::Logs::SubscriptionFilter",
            "logs",
            "put_subscription_filter",
            "delete_subscription_filter",
            "filterName",
            name="FilterName",
            along=("LogGroupName",),
            update="put_subscription_filter",
            takes=("DestinationArn", "Distribution", "FilterPattern", "RoleArn"),
            whole=True,
            read="describe_subscription_filters",
            item="subscriptionFilters",
        )
    ),
)
