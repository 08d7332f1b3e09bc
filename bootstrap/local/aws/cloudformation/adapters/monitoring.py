"""Dashboards, the filters of log groups, and the policies by which other services write to those."""

from __future__ import annotations

from typing import Any

from bootstrap.local.aws.cloudformation.adapters.context import Context as To
from bootstrap.local.aws.cloudformation.adapters.table import Entry, TableAdapter, as_json


def _transformations(value: Any) -> list[dict[str, Any]]:
    """Dimensions are a list in a template and a map in the service."""
    made = []
    for one in value:
        named = {dimension["Key"]: dimension["Value"] for dimension in one.get("Dimensions", [])}
        made.append({**one, "Dimensions": named} if named else dict(one))
    return made


class _Filter(TableAdapter):
    """A filter of a log group; Ref is its name."""

    def item(self, to: To) -> Any:
        """Those whose name begins with it are asked for; its own is first."""
        entry = self.entry
        given = {"filterNamePrefix": to.physical_id, **self.given(to, entry.along)}
        found = to.call(entry.service, entry.read, **given)[entry.item]
        return next((one for one in found if one["filterName"] == to.physical_id), None)


class MetricFilter(_Filter):
    """AWS::Logs::MetricFilter: the service replaces one of the same name; the old one is taken away to be sure."""

    def update(self, to: To) -> None:
        """Taken away, then put."""
        self.delete(to)
        super().update(to)


class Dashboard(TableAdapter):
    """AWS::CloudWatch::Dashboard; Ref is its name."""

    def delete(self, to: To) -> None:
        """One of many."""
        to.call("cloudwatch", "delete_dashboards", DashboardNames=[to.physical_id])


class ResourcePolicy(TableAdapter):
    """AWS::Logs::ResourcePolicy; Ref is its name. All of a region are listed."""

    def item(self, to: To) -> Any:
        """The one of its name."""
        found = to.call("logs", "describe_resource_policies")["resourcePolicies"]
        return next((one for one in found if one["policyName"] == to.physical_id), None)


ADAPTERS = (
    ResourcePolicy(
        Entry(
            "AWS::Logs::ResourcePolicy",
            "logs",
            "put_resource_policy",
            "delete_resource_policy",
            "PolicyName",
            name="PolicyName",
            limit=255,
            shaped={"PolicyDocument": as_json},
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
            limit=255,
            shaped={"DashboardBody": as_json},
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
            limit=512,
            along=("LogGroupName",),
            shaped={"MetricTransformations": _transformations},
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
            limit=512,
            along=("LogGroupName",),
            update="put_subscription_filter",
            takes=("DestinationArn", "Distribution", "FilterPattern", "RoleArn"),
            whole=True,
            read="describe_subscription_filters",
            item="subscriptionFilters",
        )
    ),
)
